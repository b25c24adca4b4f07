//! Target: reading an actor's memory. Pointers lead to the edge of a mapping, into a hole, around the end of the address space; what comes
//! back is what stands there, or the errno the kernel gives.

use std::cell::RefCell;

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::gate::memory;
use crate::sys::testing::page_before_a_hole;

const PAGE: usize = 4096;

thread_local! {
    /// Each is mapped once and for ever.
    static PLACE: RefCell<(&'static mut [u8], u64)> = RefCell::new(page_before_a_hole());
}

/// Bytes for the end of a page that nothing follows.
#[derive(Debug)]
struct Edge {
    bytes: Bytes,
    /// Where to read, from the start of `bytes`.
    at: usize,
    limit: usize,
}

fn edge(source: &mut Source) -> Edge {
    let longest = source.pick(&[0, 1, 8, 64, 300, 1000, PAGE]);
    let mut bytes = source.bytes(longest);
    if source.one_in(2) {
        bytes.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 1);
    }
    if source.one_in(8) {
        bytes = vec![b'a'; PAGE];
    }
    let limit = source.pick(&[0, 1, 255, 256, 257, 4095, 4096, 4097, 9000]);
    Edge { at: source.below(bytes.len() + 1), bytes: Bytes(bytes), limit }
}

#[test]
fn strings_end_where_they_end() {
    fuzz("memory-strings", 3000, edge, |edge| {
        let there = &edge.bytes.0[edge.at..];
        let address = placed(&edge.bytes.0) + edge.at as u64;
        let me = std::process::id();
        let nul = there.iter().position(|byte| *byte == 0);
        let expect = |limit: usize| match nul {
            Some(end) if end < limit => Ok((there[..end].to_vec(), true)),
            _ if there.len() >= limit && limit > 0 => Ok((there[..limit].to_vec(), false)),
            _ => Err(Some(libc::EFAULT)),
        };
        let read = memory::read_string(me, address, edge.limit).map_err(|error| error.raw_os_error());
        must(read == expect(edge.limit), || format!("read_string: {read:?}"))?;
        let path = memory::read_path(me, address).map_err(|error| error.raw_os_error());
        let expected = match expect(PAGE) {
            Ok((text, true)) => Ok(text),
            Ok((_, false)) => Err(Some(libc::ENAMETOOLONG)),
            Err(errno) => Err(errno),
        };
        must(path == expected, || format!("read_path: {path:?}"))?;
        let mut exact = vec![0; edge.limit];
        let read = memory::read(me, address, &mut exact).map_err(|error| error.raw_os_error());
        let fits = edge.limit <= there.len();
        must(read == if fits { Ok(()) } else { Err(Some(libc::EFAULT)) }, || format!("read: {read:?}"))?;
        must(!fits || exact == there[..edge.limit], || "read: other bytes".into())
    });
}

/// Puts the bytes before the hole; the address of the first.
fn placed(bytes: &[u8]) -> u64 {
    PLACE.with_borrow_mut(|(page, end)| {
        page[PAGE - bytes.len()..].copy_from_slice(bytes);
        *end - bytes.len() as u64
    })
}

/// What one pointer of an argument list leads to.
#[derive(Clone, Debug)]
enum Pointer {
    Text(Bytes),
    Null,
    /// Nowhere.
    Wild(u64),
}

#[test]
fn argument_lists_are_read_as_execve_reads_them() {
    let list = |source: &mut Source| {
        let wild = [8, 0xfff, u64::MAX, u64::MAX - 7, 0xffff_8000_0000_0000, 1 << 47];
        let lengths = [0, 1, 20, 255, 256, 4095, 4096, 5000];
        let most = source.pick(&[3, 40, 300]);
        source.many(most, |source| match source.below(if most > 100 { 400 } else { 12 }) {
            0 => Pointer::Null,
            1 => Pointer::Wild(source.pick(&wild)),
            _ => Pointer::Text(Bytes(vec![b'a' + source.below(26) as u8; source.pick(&lengths)])),
        })
    };
    fuzz("memory-argv", 1500, list, |list| {
        let texts: Vec<Vec<u8>> =
            list.iter().map(|pointer| if let Pointer::Text(text) = pointer { [&text.0[..], b"\0"].concat() } else { Vec::new() }).collect();
        let words: Vec<u8> = list
            .iter()
            .zip(&texts)
            .map(|(pointer, text)| match pointer {
                Pointer::Text(_) => text.as_ptr() as u64,
                Pointer::Null => 0,
                Pointer::Wild(address) => *address,
            })
            .flat_map(u64::to_ne_bytes)
            .collect();
        let read = memory::read_argv(std::process::id(), placed(&words)).map_err(|error| error.raw_os_error());
        let read = read.map(|argv| argv.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
        must(read == expected(list), || format!("{:?}", read.as_ref().map(|argv| argv.len())))
    });
}

/// By the description: bounded in count and bytes, cut words and cut lists marked, a bad pointer is `EFAULT`.
fn expected(list: &[Pointer]) -> Result<Vec<Vec<u8>>, Option<i32>> {
    let (mut argv, mut total) = (Vec::new(), 0);
    for pointer in list {
        match pointer {
            Pointer::Null => return Ok(argv),
            _ if argv.len() == 256 || total >= 32 * 1024 => {
                argv.push("… (more)".as_bytes().to_vec());
                return Ok(argv);
            }
            Pointer::Wild(_) => return Err(Some(libc::EFAULT)),
            Pointer::Text(text) if text.0.len() < 4096 => {
                total += text.0.len();
                argv.push(text.0.clone());
            }
            Pointer::Text(text) => {
                total += 4096;
                argv.push([&text.0[..4096], "…".as_bytes()].concat());
            }
        }
    }
    // The list runs into the hole.
    Err(Some(libc::EFAULT))
}

#[test]
fn any_address_is_survived() {
    fuzz(
        "memory-any",
        2000,
        |source| (source.number(), source.next()),
        |(near, anywhere)| {
            for address in [*near, near.wrapping_neg(), *anywhere, anywhere >> 17] {
                let me = std::process::id();
                drop(memory::read_path(me, address));
                drop(memory::read_argv(me, address));
                drop(memory::read_u64(me, address));
            }
            Ok(())
        },
    );
}
