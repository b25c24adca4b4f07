//! Mapped ELF files: opened so that the file is the one that is mapped, read piece by piece, kept per identity. In: a [`Mapping`]. Out:
//! an [`Object`] that turns addresses into unwind rules (`eh_frame`) and crates (`symbols`).
//!
//! Files are read with `pread`, never mapped: an actor could truncate a mapped file and kill us with SIGBUS. What is needed of a
//! 150 MB compiler library comes to a few kilobytes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{LittleEndian as LE, pod};

use super::memory::Mapping;
use super::naming::Named;
use super::unwind_rules::Rule;
use crate::sys;

const MAX_SEGMENTS: usize = 64;
const MAX_OBJECTS: usize = 96;

/// A loadable piece of the file.
#[derive(Clone, Copy, Debug)]
struct Segment {
    vaddr: u64,
    offset: u64,
    size: u64,
    executable: bool,
}

/// One ELF file, open.
pub struct Object {
    pub(super) file: File,
    pub(super) header: FileHeader64<LE>,
    segments: Vec<Segment>,
    /// Address of `.eh_frame_hdr` as the file states addresses.
    pub(super) unwind_index: Option<u64>,
    /// Unwind rules by address: `None` where the file has none.
    pub(super) rules: Mutex<HashMap<u64, Option<Arc<Rule>>>>,
    pub(super) names: Mutex<HashMap<u64, Option<Arc<Named>>>>,
}

impl Object {
    /// Reads the headers.
    ///
    /// # Errors
    /// A short phrase when this is not a 64-bit little-endian ELF file that can be understood.
    pub fn read(file: File) -> Result<Self, &'static str> {
        let header: FileHeader64<LE> = read_pod(&file, 0).ok_or("not an ELF file")?;
        if !header.is_supported() || header.is_big_endian() || !header.is_type_64() {
            return Err("not an ELF file of this machine");
        }
        let count = usize::from(header.e_phnum.get(LE)).min(MAX_SEGMENTS);
        let mut segments = Vec::new();
        let mut unwind_index = None;
        for n in 0..count as u64 {
            let at = n * size_of::<ProgramHeader64<LE>>() as u64;
            let at = header.e_phoff.get(LE).checked_add(at).ok_or("program headers out of range")?;
            let entry: ProgramHeader64<LE> = read_pod(&file, at).ok_or("program headers out of range")?;
            match entry.p_type(LE) {
                elf::PT_LOAD => segments.push(Segment {
                    vaddr: entry.p_vaddr.get(LE),
                    offset: entry.p_offset.get(LE),
                    size: entry.p_filesz.get(LE),
                    executable: entry.p_flags(LE).0 & elf::PF_X.0 != 0,
                }),
                elf::PT_GNU_EH_FRAME => unwind_index = Some(entry.p_vaddr.get(LE)),
                _ => {}
            }
        }
        Ok(Object { file, header, segments, unwind_index, rules: Mutex::default(), names: Mutex::default() })
    }

    /// The address in the file's own terms of the byte at `offset` of the file, if code lies there.
    pub fn address_of_offset(&self, offset: u64) -> Option<u64> {
        let inside = |s: &&Segment| s.executable && offset.checked_sub(s.offset).is_some_and(|into| into < s.size);
        let segment = self.segments.iter().find(inside)?;
        segment.vaddr.checked_add(offset - segment.offset)
    }

    /// Fills `into` with the bytes at an address; `None` unless all of them lie in one segment of the file.
    pub(super) fn read_at_address(&self, address: u64, into: &mut [u8]) -> Option<()> {
        let inside = |s: &&Segment| {
            let start = address.checked_sub(s.vaddr);
            start.and_then(|start| start.checked_add(into.len() as u64)).is_some_and(|end| end <= s.size)
        };
        let segment = self.segments.iter().find(inside)?;
        let offset = segment.offset.checked_add(address - segment.vaddr)?;
        self.file.read_exact_at(into, offset).ok()
    }
}

/// Reads one plain structure at a file offset.
pub(super) fn read_pod<T: pod::Pod>(file: &File, offset: u64) -> Option<T> {
    let mut bytes = vec![0; size_of::<T>()];
    file.read_exact_at(&mut bytes, offset).ok()?;
    // The types are unaligned little-endian structures: any byte string of the right length is one.
    Some(*pod::from_bytes::<T>(&bytes).ok()?.0)
}

/// A cache is good even after a panic elsewhere: every entry is written whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which file, and which state of it: the change time cannot be set back by its owner, unlike the modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Identity {
    dev: u64,
    ino: u64,
    size: u64,
    changed: (i64, i64),
}

/// Every object seen so far, least recently used dropped first.
#[derive(Default)]
pub struct Objects {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    clock: u64,
    by_identity: HashMap<Identity, (u64, Result<Arc<Object>, &'static str>)>,
}

impl Objects {
    /// The object behind a mapping of process `tid`.
    ///
    /// # Errors
    /// A short phrase: deleted or replaced since, not readable, not ELF.
    pub fn get(&self, tid: u32, mapping: &Mapping) -> Result<Arc<Object>, &'static str> {
        if mapping.deleted {
            return Err("a mapped file was deleted");
        }
        // O_PATH first: opening a FIFO or a device that took the file's place must neither block nor have an effect.
        let handle = open(&mapping.path, libc::O_PATH | libc::O_NOFOLLOW).ok_or("a mapped file is gone")?;
        let meta = handle.metadata().map_err(|_| "a mapped file is gone")?;
        if !meta.is_file() {
            return Err("a mapped file was replaced");
        }
        let identity = Identity { dev: meta.dev(), ino: meta.ino(), size: meta.size(), changed: (meta.ctime(), meta.ctime_nsec()) };
        let dev = (libc::major(meta.dev()), libc::minor(meta.dev()));
        let same = (dev, meta.ino()) == (mapping.dev, mapping.ino);
        if same && let Some(known) = self.recall(&identity) {
            return known;
        }
        let file = open(Path::new(&format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&handle))), 0)
            .ok_or("a mapped file cannot be read")?;
        // Overlay and btrfs report other device numbers in maps than in stat: there the mapped headers must be those of the file.
        if !same && !same_head(tid, mapping, &file) {
            return Err("a mapped file was replaced");
        }
        if let Some(known) = self.recall(&identity) {
            return known;
        }
        let object = Object::read(file).map(Arc::new);
        self.keep(identity, object.clone());
        object
    }

    fn recall(&self, identity: &Identity) -> Option<Result<Arc<Object>, &'static str>> {
        let mut known = lock(&self.known);
        known.clock += 1;
        let now = known.clock;
        let (used, object) = known.by_identity.get_mut(identity)?;
        *used = now;
        Some(object.clone())
    }

    fn keep(&self, identity: Identity, object: Result<Arc<Object>, &'static str>) {
        let mut known = lock(&self.known);
        if known.by_identity.len() >= MAX_OBJECTS {
            let oldest = known.by_identity.iter().min_by_key(|(_, (used, _))| *used).map(|(identity, _)| *identity);
            oldest.map(|identity| known.by_identity.remove(&identity));
        }
        let now = known.clock;
        known.by_identity.insert(identity, (now, object));
    }
}

fn open(path: &Path, flags: i32) -> Option<File> {
    OpenOptions::new().read(true).custom_flags(flags | libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()
}

fn same_head(tid: u32, mapping: &Mapping, file: &File) -> bool {
    let Some(head) = mapping.head else { return false };
    let (mut mapped, mut stored) = ([0; 1024], [0; 1024]);
    sys::memory::read(tid, head, &mut mapped).is_ok_and(|count| count == mapped.len())
        && file.read_exact_at(&mut stored, 0).is_ok()
        && mapped == stored
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::attribute::frames::Frame;
    use crate::attribute::memory::Memory;
    use crate::attribute::registers::Registers;

    /// A small library with unwind information and symbols.
    fn library() -> Vec<u8> {
        let dir = tempfile::tempdir().expect("temporary directory");
        let out = dir.path().join("lib.so");
        let mut cc = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-fasynchronous-unwind-tables", "-x", "c", "-", "-o"])
            .arg(&out)
            .stdin(Stdio::piped())
            .spawn()
            .expect("cc runs");
        let source = b"int g(char*); int _RNvCs1234_7mycrate3foo(void){char b[99]; return g(b)+1;} int h(int n){char b[n]; return g(b);}";
        cc.stdin.take().expect("piped").write_all(source).expect("written");
        assert!(cc.wait().expect("cc ends").success());
        std::fs::read(out).expect("library read")
    }

    /// Everything a walk does with a file, at every sixteenth address of its code.
    fn use_up(object: &Object) -> (usize, usize) {
        let mut memory = Memory::new(std::process::id());
        let addresses: Vec<u64> = (0..0x3000).step_by(4).filter_map(|offset| object.address_of_offset(offset)).collect();
        let stack = [0u64; 64];
        let frame = Frame::new(&Registers { pc: 0x1000, general: [stack.as_ptr() as u64; 32] });
        let rules = addresses.iter().filter_map(|&address| object.rule(address)).inspect(|rule| drop(rule.apply(&frame, &mut memory)));
        let rules = rules.count();
        let names = object.names(&addresses).by_address.values().flatten().count();
        (rules, names)
    }

    fn object_of(bytes: &[u8], file: &mut File) -> Result<Object, &'static str> {
        file.set_len(0).expect("emptied");
        file.rewind().expect("rewound");
        file.write_all(bytes).expect("written");
        Object::read(file.try_clone().expect("duplicated"))
    }

    #[test]
    fn damaged_files_are_survived() {
        let whole = library();
        let mut file = tempfile::tempfile().expect("temporary file");
        let (rules, names) = use_up(&object_of(&whole, &mut file).expect("an ELF file"));
        assert!(rules > 10 && names > 3, "the undamaged file works: {rules} rules, {names} names");

        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        for round in 0..600 {
            let mut bytes = whole.clone();
            // Headers and unwind tables are a small part of the file: half the rounds aim at them.
            let region = if round % 2 == 0 { 0..1024.min(bytes.len()) } else { 0..bytes.len() };
            for _ in 0..=random(12) {
                bytes[region.start + random(region.len())] = [0, 1, 0x7f, 0x80, 0xff, random(256) as u8][random(6)];
            }
            if round % 7 == 0 {
                bytes.truncate(random(whole.len()));
            }
            if let Ok(object) = object_of(&bytes, &mut file) {
                use_up(&object);
            }
        }
    }
}
