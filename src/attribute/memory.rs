//! Reading another process: its memory in cached pages, its mappings as `/proc` lists them. In: a thread id. Out: words, bytes,
//! [`Mapping`]s. Nothing read here is trusted, everything is bounded.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::sys;

/// The smallest page there is: of a larger one each such part is read by itself.
const PAGE: u64 = 4096;
/// A walk of 512 frames touches far fewer; beyond that the stack is made to waste our time.
const MAX_PAGES: usize = 2048;
/// A process may hold 65,530 mappings; those of code come to a few hundred.
const MAX_MAPS: u64 = 4 << 20;

/// The memory of one thread's process, page by page, each read once.
pub struct Memory {
    tid: u32,
    pages: HashMap<u64, Option<Box<[u8; PAGE as usize]>>>,
}

impl Memory {
    pub fn new(tid: u32) -> Self {
        Memory { tid, pages: HashMap::new() }
    }

    /// The word at `address`, or `None` where nothing is mapped.
    pub fn word(&mut self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let within = (address % PAGE) as usize;
        let first = (PAGE as usize - within).min(8);
        bytes[..first].copy_from_slice(self.page(address / PAGE)?.get(within..within + first)?);
        if first < 8 {
            bytes[first..].copy_from_slice(self.page((address / PAGE).checked_add(1)?)?.get(..8 - first)?);
        }
        Some(u64::from_le_bytes(bytes))
    }

    fn page(&mut self, number: u64) -> Option<&[u8; PAGE as usize]> {
        if !self.pages.contains_key(&number) {
            if self.pages.len() >= MAX_PAGES {
                return None;
            }
            let mut page = Box::new([0; PAGE as usize]);
            let whole = sys::memory::read(self.tid, number.checked_mul(PAGE)?, &mut page[..]).is_ok_and(|count| count == page.len());
            self.pages.insert(number, whole.then_some(page));
        }
        self.pages.get(&number)?.as_deref()
    }
}

/// One file-backed mapping that holds code, and where the file's first byte is mapped if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub start: u64,
    pub end: u64,
    /// Offset of `start` in the file.
    pub offset: u64,
    pub dev: (u32, u32),
    pub ino: u64,
    pub path: PathBuf,
    /// Address at which offset 0 of the same file is mapped.
    pub head: Option<u64>,
    /// The file has no name any more.
    pub deleted: bool,
}

/// The executable, file-backed mappings of a process, by address.
///
/// # Errors
/// When `/proc/<tid>/maps` cannot be read.
pub fn mappings(tid: u32) -> io::Result<Vec<Mapping>> {
    let mut text = Vec::new();
    File::open(format!("/proc/{tid}/maps"))?.take(MAX_MAPS).read_to_end(&mut text)?;
    Ok(parse_maps(&text))
}

fn parse_maps(text: &[u8]) -> Vec<Mapping> {
    let mut heads: HashMap<((u32, u32), u64), u64> = HashMap::new();
    let mut found: Vec<Mapping> = Vec::new();
    for (mapping, executable) in text.split(|&b| b == b'\n').filter_map(parse_line) {
        if mapping.offset == 0 {
            heads.entry((mapping.dev, mapping.ino)).or_insert(mapping.start);
        }
        if executable {
            found.push(mapping);
        }
    }
    for mapping in &mut found {
        mapping.head = heads.get(&(mapping.dev, mapping.ino)).copied();
    }
    found.sort_by_key(|m| m.start);
    found
}

/// `start-end perms offset major:minor inode   path`, proc_pid_maps(5). Lines without a file are passed over.
fn parse_line(line: &[u8]) -> Option<(Mapping, bool)> {
    let slash = line.iter().position(|&b| b == b'/')?;
    let mut fields = std::str::from_utf8(&line[..slash]).ok()?.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let perms = fields.next()?;
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let ino = fields.next()?.parse().ok()?;
    let (path, deleted) = match line[slash..].strip_suffix(b" (deleted)") {
        Some(path) => (path, true),
        None => (&line[slash..], false),
    };
    let mapping = Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset,
        dev: (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?),
        ino,
        path: PathBuf::from(std::ffi::OsString::from_vec(unescape(path))),
        head: None,
        deleted,
    };
    Some((mapping, perms.as_bytes().get(2) == Some(&b'x')))
}

/// The kernel writes a newline in a path as `\012`, and nothing else escaped.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        if let Some(tail) = rest.strip_prefix(b"\\012") {
            out.push(b'\n');
            rest = tail;
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_lines_are_read_with_their_oddities() {
        let text = b"7f00-7f10 r--p 00000000 fd:01 42   /a b/lib\\012x.so\n7f10-7f20 r-xp 00001000 fd:01 42   /a b/lib\\012x.so\n\
            8000-9000 rw-p 00000000 00:00 0 [stack]\n9000-a000 r-xp 00000000 fd:01 7 /gone (deleted)\nnonsense / line\n";
        let maps = parse_maps(text);
        assert_eq!(maps.len(), 2);
        assert_eq!(maps[0].path, PathBuf::from("/a b/lib\nx.so"));
        assert_eq!((maps[0].start, maps[0].end, maps[0].offset, maps[0].head), (0x7f10, 0x7f20, 0x1000, Some(0x7f00)));
        assert_eq!((maps[0].dev, maps[0].ino), ((0xfd, 1), 42));
        assert!(maps[1].deleted && maps[1].path.as_os_str() == "/gone");
    }

    #[test]
    fn words_are_read_across_pages_and_holes_are_none() {
        let data = vec![0x5au8; 3 * PAGE as usize];
        let mut memory = Memory::new(std::process::id());
        let base = data.as_ptr() as u64;
        let edge = (base / PAGE + 1) * PAGE - 4;
        assert_eq!(memory.word(edge), Some(0x5a5a_5a5a_5a5a_5a5a));
        assert_eq!(memory.word(8), None);
        assert_eq!(memory.word(u64::MAX - 3), None);
    }
}
