//! A shared library of a few hundred bytes around `sys::ask_first`, as the dynamic loader reads one (gabi, chapter 5): two segments, four
//! functions, one that is taken from the C library. In: nothing. Out: the file's bytes.

use crate::sys::ask_first::{self, Entries, SLOT};

/// Of the code in the file, and in memory.
const CODE: u64 = 0x800;
/// Of what the loader writes to. The distance from the code is the code's own.
const DATA: u64 = SLOT;
/// Where code and tables must end.
const PAGE: u64 = 0x1000;
/// Of the segments: the largest page there is, since the loader takes none that are aligned for smaller ones than the kernel's.
const ALIGNMENT: u64 = 0x1_0000;
/// Below the code.
const TABLES: u64 = 64 + 4 * 56;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
/// Without it the loader would make every stack executable.
const PT_GNU_STACK: u32 = 0x6474_e551;
const X: u32 = 1;
const W: u32 = 2;
const R: u32 = 4;

const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_RELAENT: u64 = 9;
const DT_STRSZ: u64 = 10;
const DT_SYMENT: u64 = 11;
/// `S`: the slot gets the function's address (`R_X86_64_GLOB_DAT`, x86-64 psABI, 4.4.1; `R_AARCH64_GLOB_DAT`, aaelf64, 5.7.12: `S + A`).
const GLOB_DAT: u64 = if cfg!(target_arch = "aarch64") { 1025 } else { 6 };
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { libc::EM_AARCH64 } else { libc::EM_X86_64 };

/// The library.
pub fn image() -> Vec<u8> {
    let (code, entries) = ask_first::code();
    assert!(code.len() as u64 <= PAGE - CODE, "code and tables share a page");
    let tables = Tables::lay(entries);
    let dynamic = tables.dynamic();
    let mut file = header();
    let text = CODE + code.len() as u64;
    let data = CODE + 8;
    file.extend(segment(PT_LOAD, R | X, 0, text));
    file.extend(segment(PT_LOAD, R | W, DATA, data));
    file.extend(segment(PT_DYNAMIC, R | W, DATA, dynamic.len() as u64));
    file.extend(segment(PT_GNU_STACK, R | W, 0, 0));
    assert_eq!(file.len() as u64, TABLES, "the headers end where the tables begin");
    file.extend(&tables.bytes);
    assert!(file.len() as u64 <= CODE, "the tables end before the code");
    file.resize(CODE as usize, 0);
    file.extend(code);
    file.resize(DATA as usize, 0);
    file.extend(dynamic);
    file.resize((DATA + data) as usize, 0);
    file
}

/// Little endian, 64 bit, a shared object.
fn header() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    [3, MACHINE].iter().for_each(|half| bytes.extend(half.to_le_bytes()));
    bytes.extend(1u32.to_le_bytes());
    // No entry; program headers behind this one; no sections.
    [0u64, 64, 0].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    bytes.extend(0u32.to_le_bytes());
    [64u16, 56, 4, 64, 0, 0].iter().for_each(|half| bytes.extend(half.to_le_bytes()));
    bytes
}

fn segment(kind: u32, flags: u32, at: u64, length: u64) -> Vec<u8> {
    let words = [at, at, at, length, length, ALIGNMENT];
    [kind, flags].iter().flat_map(|word| word.to_le_bytes()).chain(words.iter().flat_map(|word| word.to_le_bytes())).collect()
}

/// Symbols, their names and hash table, one relocation.
struct Tables {
    bytes: Vec<u8>,
    hash: u64,
    symbols: u64,
    names: u64,
    names_length: u64,
    relocations: u64,
}

impl Tables {
    fn lay(entries: Entries) -> Tables {
        let functions = [("open", entries.open), ("open64", entries.open), ("openat", entries.openat), ("openat64", entries.openat)];
        let (mut names, mut symbols) = (vec![0], vec![0; 24]);
        let mut symbol = |name: &str, section: u16, value: u64| {
            symbols.extend((names.len() as u32).to_le_bytes());
            names.extend(name.bytes().chain([0]));
            // STB_GLOBAL, STT_FUNC; visible.
            symbols.extend([1 << 4 | 2, 0]);
            symbols.extend(section.to_le_bytes());
            symbols.extend(value.to_le_bytes());
            symbols.extend(0u64.to_le_bytes());
        };
        symbol("syscall", 0, 0);
        for (name, offset) in functions {
            // Of some section: there are none, and nobody looks which.
            symbol(name, 1, CODE + offset as u64);
        }
        let count = symbols.len() as u32 / 24;
        // One bucket, which names the last; each symbol names the one before it.
        let hash: Vec<u32> = [1, count, count - 1, 0].into_iter().chain(0..count - 1).collect();
        let relocation = [DATA + CODE, 1 << 32 | GLOB_DAT, 0];
        let mut tables = Tables { bytes: Vec::new(), hash: 0, symbols: 0, names: 0, names_length: names.len() as u64, relocations: 0 };
        tables.hash = tables.put(hash.iter().flat_map(|word| word.to_le_bytes()));
        tables.symbols = tables.put(symbols);
        tables.names = tables.put(names);
        tables.relocations = tables.put(relocation.iter().flat_map(|word: &u64| word.to_le_bytes()));
        tables
    }

    /// Returns where it lies.
    fn put(&mut self, bytes: impl IntoIterator<Item = u8>) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = TABLES + self.bytes.len() as u64;
        self.bytes.extend(bytes);
        at
    }

    fn dynamic(&self) -> Vec<u8> {
        let entries = [
            (DT_HASH, self.hash),
            (DT_STRTAB, self.names),
            (DT_SYMTAB, self.symbols),
            (DT_STRSZ, self.names_length),
            (DT_SYMENT, 24),
            (DT_RELA, self.relocations),
            (DT_RELASZ, 24),
            (DT_RELAENT, 24),
            (0, 0),
        ];
        entries.iter().flat_map(|(tag, value)| [*tag, *value]).flat_map(u64::to_le_bytes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loader takes it, and a program of the system that opens files to read them says of what is there and what is not what it says without.
    #[test]
    fn what_a_program_notices() {
        let place = tempfile::tempdir().unwrap();
        let (library, file) = (place.path().join("ask-first.so"), place.path().join("file"));
        std::fs::write(&library, image()).unwrap();
        std::fs::write(&file, "there\n").unwrap();
        std::os::unix::fs::symlink("nowhere", place.path().join("dangling")).unwrap();
        let paths =
            [file.clone(), place.path().join("missing"), file.join("below"), place.path().join("dangling"), place.path().to_owned()];
        let run = |preload: bool, name: &str| {
            let mut command = std::process::Command::new("cat");
            command.args(&paths).env("LC_ALL", "C");
            if preload {
                command.env("LD_PRELOAD", &library);
            }
            if !name.is_empty() {
                command.env(name, "1");
            }
            command.output().unwrap()
        };
        let (plain, asking) = (run(false, ""), run(true, ""));
        assert_eq!((plain.stdout, plain.stderr, plain.status), (asking.stdout, asking.stderr, asking.status));
        let loaded = String::from_utf8(run(true, "LD_TRACE_LOADED_OBJECTS").stdout).unwrap();
        assert!(loaded.contains("ask-first.so"), "{loaded}");
    }
}
