//! What an actor's registers point at: paths, argument lists, structures. Every read is bounded, and a bad pointer is the errno the
//! kernel itself would have given.

use std::io;

use crate::model::Hostile;
use crate::sys;

/// `PATH_MAX`: the terminating NUL counts.
const PATH_MAX: usize = 4096;
/// The smallest page there is: a mapping of larger ones ends at such an address, too.
const PAGE: usize = 4096;
/// First try for a string: most paths are shorter, and a short copy is cheaper.
const FIRST: usize = 256;

const ARGUMENTS: usize = 256;
const ARGUMENT_BYTES: usize = 4096;
const ALL_ARGUMENT_BYTES: usize = 32 * 1024;

/// Fills `into` from `address`.
///
/// # Errors
/// `EFAULT` when any of it is unmapped; `ESRCH`, `EPERM` as the kernel gives them.
pub fn read(tid: u32, address: u64, into: &mut [u8]) -> io::Result<()> {
    if into.is_empty() {
        return Ok(());
    }
    let count = sys::memory::read(tid, address, into)?;
    if count == into.len() { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFAULT)) }
}

/// A word of the actor's.
///
/// # Errors
/// As for [`read`].
pub fn read_u64(tid: u32, address: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    read(tid, address, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

/// A NUL-terminated path, without its NUL.
///
/// # Errors
/// `ENAMETOOLONG` when no NUL comes within 4096 bytes, `EFAULT` when memory ends before it.
pub fn read_path(tid: u32, address: u64) -> io::Result<Vec<u8>> {
    let (bytes, whole) = read_string(tid, address, PATH_MAX)?;
    if whole { Ok(bytes) } else { Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG)) }
}

/// A string of at most `limit` bytes with its NUL; the flag says whether the NUL was found.
pub fn read_string(tid: u32, address: u64, limit: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = vec![0u8; FIRST.min(limit)];
    let mut have = 0;
    loop {
        let from = address.wrapping_add(have as u64);
        let to_page_end = PAGE - (from as usize & (PAGE - 1));
        // Partial success is only possible at the split, so it goes where a mapping can end.
        let count = sys::memory::read_split(tid, from, &mut bytes[have..], to_page_end)?;
        if count == 0 {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        if let Some(end) = bytes[have..have + count].iter().position(|byte| *byte == 0) {
            bytes.truncate(have + end);
            return Ok((bytes, true));
        }
        have += count;
        if have >= limit {
            bytes.truncate(limit);
            return Ok((bytes, false));
        }
        // At most one page boundary per read: a copy of less than a page crosses no more.
        bytes.resize((have + PAGE).min(limit), 0);
    }
}

/// Stands for what was left out of an argument list.
pub const MORE: &str = "… (more)";

/// An argument list in the making, bounded in count and bytes. What was cut ends in `…`, what was left out is one last [`MORE`].
#[derive(Default)]
pub struct Arguments {
    pub words: Vec<Hostile>,
    total: usize,
}

impl Arguments {
    /// For one more word.
    pub fn has_room(&self) -> bool {
        self.words.len() < ARGUMENTS && self.total < ALL_ARGUMENT_BYTES
    }

    /// A word, or as much of it as is kept.
    pub fn add(&mut self, word: &[u8]) {
        let whole = word.len() < ARGUMENT_BYTES;
        let mut text = word[..word.len().min(ARGUMENT_BYTES)].to_vec();
        self.total += text.len();
        if !whole {
            text.extend_from_slice("…".as_bytes());
        }
        self.words.push(Hostile::new(text));
    }

    /// Tells that something was left out.
    pub fn cut(&mut self) {
        self.words.push(Hostile::from(MORE));
    }
}

/// A page's worth of memory that was read for one string and holds its neighbours as well: arguments lie side by side.
#[derive(Default)]
struct Window {
    address: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The string at `address`, if it ends within what can be read at once.
    fn string(&mut self, tid: u32, address: u64) -> Option<&[u8]> {
        if self.held(address).is_none() {
            self.bytes.resize(PAGE, 0);
            let count = sys::memory::read_split(tid, address, &mut self.bytes, PAGE - (address as usize & (PAGE - 1)));
            self.bytes.truncate(count.unwrap_or(0));
            self.address = address;
        }
        self.held(address)
    }

    fn held(&self, address: u64) -> Option<&[u8]> {
        let rest = self.bytes.get(usize::try_from(address.checked_sub(self.address)?).ok()?..)?;
        Some(&rest[..rest.iter().position(|byte| *byte == 0)?])
    }
}

/// An argument list, bounded.
///
/// # Errors
/// `EFAULT` for a bad pointer in the list.
pub fn read_argv(tid: u32, address: u64) -> io::Result<Vec<Hostile>> {
    let mut arguments = Arguments::default();
    if address == 0 {
        return Ok(arguments.words);
    }
    let mut pointers = [0u8; 32 * 8];
    let mut window = Window::default();
    let mut at = address;
    loop {
        let count = sys::memory::read_split(tid, at, &mut pointers, PAGE - (at as usize & (PAGE - 1)))? & !7;
        if count == 0 {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        for pointer in pointers[..count].chunks_exact(8) {
            let pointer = u64::from_ne_bytes(pointer.try_into().unwrap_or_default());
            if pointer == 0 {
                return Ok(arguments.words);
            }
            if !arguments.has_room() {
                arguments.cut();
                return Ok(arguments.words);
            }
            match window.string(tid, pointer) {
                Some(text) => arguments.add(text),
                None => arguments.add(&read_string(tid, pointer, ARGUMENT_BYTES)?.0),
            }
        }
        at = at.wrapping_add(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> u32 {
        std::process::id()
    }

    #[test]
    fn a_path_ends_at_its_nul() {
        let text = b"/some/path\0and more";
        assert_eq!(read_path(me(), text.as_ptr() as u64).unwrap(), b"/some/path");
    }

    #[test]
    fn a_path_may_end_right_before_an_unmapped_page() {
        let (page, end) = sys::testing::page_before_a_hole();
        page[4096 - 4..].copy_from_slice(b"/a/\0");
        assert_eq!(read_path(me(), end - 4).unwrap(), b"/a/");
        page[4095] = b'x';
        assert_eq!(read_path(me(), end - 4).unwrap_err().raw_os_error(), Some(libc::EFAULT));
    }

    #[test]
    fn lengths_are_the_kernels() {
        let mut text = vec![b'a'; 5000];
        assert_eq!(read_path(me(), text.as_ptr() as u64).unwrap_err().raw_os_error(), Some(libc::ENAMETOOLONG));
        text[4095] = 0;
        assert_eq!(read_path(me(), text.as_ptr() as u64).unwrap().len(), 4095);
        assert_eq!(read_path(me(), 8).unwrap_err().raw_os_error(), Some(libc::EFAULT));
        assert_eq!(read_u64(me(), 0).unwrap_err().raw_os_error(), Some(libc::EFAULT));
    }

    #[test]
    fn arguments_are_bounded() {
        let long = [vec![b'x'; 9000], vec![0]].concat();
        let short = b"-c\0";
        let list = [short.as_ptr() as u64, long.as_ptr() as u64, 0];
        let argv = read_argv(me(), list.as_ptr() as u64).unwrap();
        assert_eq!(argv.len(), 2);
        assert_eq!(argv[0].as_bytes(), b"-c");
        assert!(argv[1].as_bytes().len() < 4200 && argv[1].as_bytes().ends_with("…".as_bytes()));

        let many = [vec![short.as_ptr() as u64; 1000], vec![0]].concat();
        let argv = read_argv(me(), many.as_ptr() as u64).unwrap();
        assert_eq!(argv.len(), ARGUMENTS + 1);
        assert_eq!(argv.last().unwrap().as_bytes(), "… (more)".as_bytes());
        assert!(read_argv(me(), 0).unwrap().is_empty());
    }
}
