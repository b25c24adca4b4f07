//! Target: mapped ELF files and what is read of them, which is all an actor's to write: headers, unwind tables, expressions, symbols. In
//! whatever state a file is, and while it changes, a walk ends soon and names nothing that is not there.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use object::elf::{FileHeader64, STT_FUNC};
use object::read::elf::{FileHeader, Sym};
use object::{LittleEndian as LE, elf};

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::attribute::frames::Frame;
use crate::attribute::memory::Memory;
use crate::attribute::naming;
use crate::attribute::objects::Object;
use crate::attribute::registers::Registers;

/// A small library each of C and of Rust, with unwind tables, symbols of both manglings and expressions.
fn libraries() -> &'static [Vec<u8>; 2] {
    static BUILT: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    BUILT.get_or_init(|| {
        let c = "int g(char*); int _RNvCs1234_7mycrate3foo(void){char b[99]; return g(b)+1;} int h(int n){char b[n]; return g(b);}\
                 int _ZN10evil_macro2go17h0123456789abcdefE(int n){return h(n)*2;}";
        let rust = "#[inline(never)] pub fn deep(n: u64) -> u64 { if n == 0 { panic!(\"x\") } else { std::hint::black_box(deep)(n - 1) + 1 } }\
                    #[no_mangle] pub extern \"C\" fn top(n: u64) -> u64 { std::panic::catch_unwind(|| deep(n)).unwrap_or(7) }";
        [
            built("cc", &["-shared", "-fPIC", "-O1", "-fasynchronous-unwind-tables", "-x", "c", "-", "-o"], c),
            built("rustc", &["--edition", "2021", "--crate-type", "cdylib", "--crate-name", "fuzzed", "-Cprefer-dynamic", "-", "-o"], rust),
        ]
    })
}

fn built(compiler: &str, arguments: &[&str], text: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("temporary directory");
    let out = dir.path().join("lib.so");
    let mut child = Command::new(compiler).args(arguments).arg(&out).stdin(Stdio::piped()).spawn().expect("compiler runs");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("source written");
    assert!(child.wait().expect("compiler ends").success(), "{compiler} builds the library");
    fs::read(out).expect("library read")
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("temporary file");
    file.write_all(bytes).expect("written");
    file
}

/// Everything a walk does with a file; how many rules were found.
fn use_up(object: &Object, addresses: &[u64]) -> usize {
    let mut memory = Memory::new(std::process::id());
    let stack = [0x1000u64; 64];
    let frame = Frame::new(&Registers { pc: 0x1000, general: [stack.as_ptr() as u64; 32] });
    let rules = addresses.iter().filter_map(|&address| object.rule(address));
    let rules = rules.inspect(|rule| drop(rule.apply(&frame, &mut memory))).count();
    let _ = frame.caller_by_convention(&mut memory);
    rules
}

/// Addresses of code in the file, a few of them: a walk rarely has more in one object.
fn addresses(source: &mut Source, object: &Object, length: usize) -> Vec<u64> {
    let mut all: Vec<u64> = (0..40).filter_map(|_| object.address_of_offset(source.below(length) as u64)).collect();
    all.push(source.number());
    all
}

/// The symbol a file gives to an address, by the plainest reading there is: the first function that covers it.
fn plainly(bytes: &[u8], address: u64) -> Option<String> {
    let header = FileHeader64::<LE>::parse(bytes).ok()?;
    let sections = header.sections(LE, bytes).ok()?;
    let symbols = sections.symbols(LE, bytes, elf::SHT_SYMTAB).ok()?;
    let covers = |symbol: &&elf::Sym64<LE>| {
        let (start, size) = (symbol.st_value(LE), symbol.st_size(LE));
        symbol.st_type() == STT_FUNC && start <= address && address < start.saturating_add(size)
    };
    let symbol = symbols.iter().find(covers)?;
    Some(String::from_utf8_lossy(symbols.symbol_name(LE, symbol).ok()?).into_owned())
}

#[test]
fn damaged_files_are_survived() {
    let damaged = |source: &mut Source| {
        let at = source.below(2);
        let (mut bytes, other) = (libraries()[at].clone(), &libraries()[1 - at]);
        let words: [&[u8]; 6] =
            [&[0xff; 8], &[0; 8], b"_RNvC1a1b", b"_ZN1a17h0123456789abcdefE", &[0x2f, 0xfd, 0xff], &[0x0f, 0x02, 0x30, 0x06]];
        // What matters is small and lies at known places: headers in front, tables of sections behind, unwind tables by their header.
        let regions = [0..64, 64..64 + 56 * 12, bytes.len().saturating_sub(64 * 40)..bytes.len(), unwind_tables(&bytes), 0..bytes.len()];
        let region = source.pick(&regions);
        let region = region.start.min(bytes.len())..region.end.min(bytes.len());
        let mut piece = bytes[region.clone()].to_vec();
        mutate(source, &mut piece, other, &words);
        // Mostly in place: whatever lies behind stays where the headers say.
        if !source.one_in(4) {
            piece.resize(region.len(), 0);
        }
        bytes.splice(region, piece);
        if source.one_in(10) {
            bytes.truncate(source.below(bytes.len()));
        }
        (source.next(), Bytes(bytes))
    };
    fuzz("elf", 120, damaged, |(seed, bytes)| {
        let Ok(object) = Object::read(file_of(&bytes.0)) else { return Ok(()) };
        let addresses = addresses(&mut Source::new(*seed), &object, bytes.0.len());
        use_up(&object, &addresses);
        for (address, named) in object.names(&addresses).by_address {
            let Some(named) = named else { continue };
            must(named.krate.len() <= 100 && named.function.len() <= 300, || format!("a long name: {named:?}"))?;
            // Where the plain reading understands the file at all, it is the same.
            if let Some(symbol) = plainly(&bytes.0, address) {
                must(naming::name(&symbol).as_ref() == Some(&*named), || format!("{address:#x}: {named:?} of {symbol:?}"))?;
            }
        }
        Ok(())
    });
}

/// `.eh_frame_hdr` and what follows it, which is where linkers put `.eh_frame`.
fn unwind_tables(bytes: &[u8]) -> std::ops::Range<usize> {
    use object::read::elf::ProgramHeader;
    let header = FileHeader64::<LE>::parse(bytes).expect("an ELF file");
    let headers = header.program_headers(LE, bytes).expect("program headers");
    let frames = headers.iter().find(|header| header.p_type(LE) == elf::PT_GNU_EH_FRAME).expect("unwind tables");
    let start = frames.p_offset(LE) as usize;
    start..start + 4 * frames.p_filesz(LE) as usize
}

#[test]
fn whole_files_are_understood() {
    for bytes in libraries() {
        let object = Object::read(file_of(bytes)).expect("an ELF file");
        let code: Vec<u64> = (0..bytes.len() as u64).step_by(2).filter_map(|offset| object.address_of_offset(offset)).collect();
        assert!(use_up(&object, &code) > 10, "rules");
        let names = object.names(&code).by_address;
        assert!(names.values().flatten().count() > 2, "names");
        for (address, named) in names {
            let plain = plainly(bytes, address).and_then(|symbol| naming::name(&symbol));
            assert_eq!(named.as_deref(), plain.as_ref(), "{address:#x}");
        }
    }
}

/// The program that runs this test, which is large: damaged in place and mended again.
#[test]
fn a_large_file_is_read_in_pieces() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let copy = dir.path().join("program");
    fs::copy(std::env::current_exe().expect("path of the tests"), &copy).expect("copied");
    let file = File::options().read(true).write(true).open(&copy).expect("opened");
    let length = file.metadata().expect("metadata").len();
    let patches = |source: &mut Source| {
        let edge = [0, 64, length.saturating_sub(64 * 50), source.next() % length];
        source.many(6, |source| (source.pick(&edge) + source.below(900) as u64, Bytes(source.number().to_le_bytes().to_vec())))
    };
    fuzz("elf-large", 12, patches, |patches| {
        let mut mend = Vec::new();
        for (at, bytes) in patches {
            let mut before = vec![0; bytes.0.len()];
            if file.read_exact_at(&mut before, *at).is_ok() {
                file.write_all_at(&bytes.0, *at).map_err(|error| error.to_string())?;
                mend.push((at, before));
            }
        }
        if let Ok(object) = Object::read(file.try_clone().map_err(|error| error.to_string())?) {
            let mut source = Source::new(patches.len() as u64);
            let code: Vec<u64> = (0..200).filter_map(|_| object.address_of_offset(source.next() % length)).collect();
            use_up(&object, &code);
            drop(object.names(&code));
        }
        mend.into_iter().rev().try_for_each(|(at, before)| file.write_all_at(&before, *at)).map_err(|error| error.to_string())
    });
}

/// An actor may truncate and rewrite a file while it is read.
#[test]
fn a_file_may_change_while_it_is_read() {
    let whole = &libraries()[1];
    let file = file_of(whole);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut source = Source::new(1);
            while !done.load(Relaxed) {
                file.set_len(source.next() % whole.len() as u64).expect("truncated");
                file.write_all_at(whole, 0).expect("written again");
            }
        });
        fuzz(
            "elf-changing",
            100,
            |source| source.next(),
            |seed| {
                if let Ok(object) = Object::read(file.try_clone().map_err(|error| error.to_string())?) {
                    let addresses = addresses(&mut Source::new(*seed), &object, whole.len());
                    use_up(&object, &addresses);
                    drop(object.names(&addresses));
                }
                Ok(())
            },
        );
        done.store(true, Relaxed);
    });
}

/// Symbols alone, without a file around them.
#[test]
fn symbols_are_named_or_not() {
    let words: [&[u8]; 14] =
        [b"_R", b"_ZN", b"17h", b"E", b"NvC", b"Cs1234_", b"B_", b"B4_", b"TB4_", b"RIC1a", b"INt", b"u", b"99999", b"\xc3\xa9"];
    let corpus: [&[u8]; 5] = [
        b"_RNvCs1234_7mycrate3foo",
        b"_ZN10evil_macro2go17h0123456789abcdefE",
        b"_RNvXs_NtCs1_4evil3modNtB4_4TypeNtNtC4core3fmt5Debug3fmt",
        b"_RINvNtC3std3mem8align_ofNtNtC4evil3mod4TypeE",
        b"_ZN68_$LT$evil..Type$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
    ];
    let symbol = |source: &mut Source| {
        let (mut bytes, other) = (source.pick(&corpus).to_vec(), source.pick(&corpus));
        mutate(source, &mut bytes, other, &words);
        Bytes(bytes)
    };
    fuzz("symbols", 4000, symbol, |bytes| {
        let Ok(text) = std::str::from_utf8(&bytes.0) else { return Ok(()) };
        let Some(named) = naming::name(text) else { return Ok(()) };
        must(named.function.len() <= 300 && named.krate.len() <= 100, || format!("a long name: {named:?}"))?;
        let word = named.krate.chars().all(|c| c.is_alphanumeric() || c == '_');
        must(word && !named.krate.is_empty(), || format!("no name of a crate: {named:?}"))
    });
}
