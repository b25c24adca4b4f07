//! Names for addresses: one linear pass over `.symtab` for all addresses of a walk at once. In: an [`Object`] and addresses. Out:
//! crate and function for each, remembered by the object.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use object::LittleEndian as LE;
use object::elf::{self, SectionHeader64, Sym64};
use object::pod;

use super::naming::{self, Named};
use super::objects::{Object, lock, read_pod};

const MAX_SECTIONS: u16 = 4096;
/// 24 bytes each: two million symbols.
const MAX_TABLE: u64 = 48 << 20;
const MAX_SYMBOL: usize = 8192;
const MAX_CACHED: usize = 8192;
/// A whole number of table entries.
const CHUNK: usize = size_of::<Sym64<LE>>() * 4096;

/// What is known of some addresses.
pub struct Names {
    pub by_address: HashMap<u64, Option<Arc<Named>>>,
    /// The file has no symbol table: its frames cannot be named.
    pub stripped: bool,
}

impl Object {
    /// Names for code addresses of this file (for return addresses: of the call before).
    pub fn names(&self, addresses: &[u64]) -> Names {
        let mut by_address: HashMap<u64, Option<Arc<Named>>> = HashMap::new();
        let mut unknown: Vec<u64> = Vec::new();
        {
            let known = lock(&self.names);
            for &address in addresses {
                match known.get(&address) {
                    Some(name) => drop(by_address.insert(address, name.clone())),
                    None => unknown.push(address),
                }
            }
        }
        if unknown.is_empty() {
            return Names { by_address, stripped: false };
        }
        unknown.sort_unstable();
        unknown.dedup();
        let Some((table, strings)) = self.tables() else {
            by_address.extend(unknown.into_iter().map(|address| (address, None)));
            return Names { by_address, stripped: true };
        };
        let found = scan(self, &table, &unknown);
        let mut known = lock(&self.names);
        if known.len() >= MAX_CACHED {
            known.clear();
        }
        for (address, place) in unknown.iter().zip(found) {
            let name = place.and_then(|place| symbol_text(self, &strings, place)).and_then(|text| naming::name(&text)).map(Arc::new);
            known.insert(*address, name.clone());
            by_address.insert(*address, name);
        }
        Names { by_address, stripped: false }
    }

    /// The symbol table and its strings.
    fn tables(&self) -> Option<(SectionHeader64<LE>, SectionHeader64<LE>)> {
        let start = self.header.e_shoff.get(LE);
        let count = self.header.e_shnum.get(LE).min(MAX_SECTIONS);
        let section = |n: u32| -> Option<SectionHeader64<LE>> {
            if n >= u32::from(count) {
                return None;
            }
            read_pod(&self.file, start.checked_add(u64::from(n) * size_of::<SectionHeader64<LE>>() as u64)?)
        };
        let table = (1..u32::from(count)).map_while(section).find(|s| s.sh_type.get(LE) == elf::SHT_SYMTAB)?;
        let strings = section(table.sh_link.get(LE))?;
        Some((table, strings))
    }
}

/// For each of the sorted addresses the place of its symbol's name among the strings.
fn scan(object: &Object, table: &SectionHeader64<LE>, addresses: &[u64]) -> Vec<Option<u32>> {
    let mut found = vec![None; addresses.len()];
    // Those without a name yet: each is looked at once more only until it has one, whatever two million symbols claim to cover.
    let mut open: Vec<usize> = (0..addresses.len()).collect();
    let start = table.sh_offset.get(LE);
    let size = table.sh_size.get(LE).min(MAX_TABLE);
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while at < size && !open.is_empty() {
        let length = (size - at).min(CHUNK as u64) as usize / size_of::<Sym64<LE>>() * size_of::<Sym64<LE>>();
        let Some(offset) = start.checked_add(at).filter(|_| length > 0) else { break };
        if object.file.read_exact_at(&mut chunk[..length], offset).is_err() {
            break;
        }
        let Ok(symbols) = pod::slice_from_all_bytes::<Sym64<LE>>(&chunk[..length]) else { break };
        for symbol in symbols {
            let value = symbol.st_value.get(LE);
            let end = value.saturating_add(symbol.st_size.get(LE));
            let (Some(&lowest), Some(&highest)) = (open.first(), open.last()) else { break };
            if value > addresses[highest] || end <= addresses[lowest] || symbol.st_info.0 & 0xf != elf::STT_FUNC.0 {
                continue;
            }
            let first = open.partition_point(|&index| addresses[index] < value);
            let covered = first + open[first..].partition_point(|&index| addresses[index] < end);
            for index in open.drain(first..covered) {
                found[index] = Some(symbol.st_name.get(LE));
            }
        }
        at += length as u64;
    }
    found
}

fn symbol_text(object: &Object, strings: &SectionHeader64<LE>, place: u32) -> Option<String> {
    let room = strings.sh_size.get(LE).checked_sub(place.into())?.min(MAX_SYMBOL as u64) as usize;
    let offset = strings.sh_offset.get(LE).checked_add(place.into())?;
    let mut bytes = vec![0; room];
    let mut filled = 0;
    // Most names end within the first few hundred bytes, and the file may end before the section says it does.
    while filled < room && !bytes[..filled].contains(&0) {
        let until = room.min(filled + 512);
        match object.file.read_at(&mut bytes[filled..until], offset.checked_add(filled as u64)?) {
            Ok(0) | Err(_) => break,
            Ok(n) => filled += n,
        }
    }
    let end = bytes[..filled].iter().position(|&b| b == 0)?;
    Some(std::str::from_utf8(&bytes[..end]).ok()?.to_owned())
}
