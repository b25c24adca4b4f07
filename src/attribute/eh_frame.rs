//! Unwind tables: the call frame information of an address, found through `.eh_frame_hdr` and read entry by entry. In: an [`Object`] and an
//! address. Out: a [`Rule`].

use std::sync::Arc;

use gimli::{BaseAddresses, EhFrame, EhFrameOffset, LittleEndian, UnwindContext, UnwindSection, Vendor};

use super::objects::{Object, lock};
use super::unwind_rules::Rule;

/// Whose extensions the rules are written in: on 64-bit Arm, functions that sign their return address say so (`DW_CFA_AARCH64_negate_ra_state`),
/// and without it none of theirs can be read.
const VENDOR: Vendor = if cfg!(target_arch = "aarch64") { Vendor::AArch64 } else { Vendor::Default };
const MAX_CACHED: usize = 8192;
const MAX_CIE: usize = 4096;
/// The largest honest function has some kilobytes of instructions.
const MAX_FDE: usize = 1 << 16;

impl Object {
    /// The unwind rule for code at `address`.
    pub fn rule(&self, address: u64) -> Option<Arc<Rule>> {
        if let Some(known) = lock(&self.rules).get(&address) {
            return known.clone();
        }
        let rule = find(self, address).map(Arc::new);
        let mut rules = lock(&self.rules);
        if rules.len() >= MAX_CACHED {
            rules.clear();
        }
        rules.insert(address, rule.clone());
        rule
    }
}

/// Finds and evaluates the row for `address`.
fn find(object: &Object, address: u64) -> Option<Rule> {
    let entry = lookup(object, address)?;
    let fde = entry_bytes(object, entry, MAX_FDE)?;
    // The word after the length says how far back from itself the common entry lies.
    let back = u32::from_le_bytes(fde.get(4..8)?.try_into().ok()?);
    let cie = entry_bytes(object, entry.checked_add(4)?.checked_sub(u64::from(back))?, MAX_CIE)?;

    // A section of just these two entries. Its base is chosen so that the function's relative addresses come out right; the
    // personality in the common entry then points nowhere, which nobody follows.
    let mut section = cie;
    let at = section.len();
    section.extend_from_slice(&fde);
    section.get_mut(at + 4..at + 8)?.copy_from_slice(&u32::try_from(at + 4).ok()?.to_le_bytes());
    section.extend_from_slice(&[0; 4]);
    let bases = BaseAddresses::default().set_eh_frame(entry.wrapping_sub(at as u64));
    let mut frames = EhFrame::new(&section, LittleEndian);
    frames.set_address_size(8);
    frames.set_vendor(VENDOR);

    let fde = frames.fde_from_offset(&bases, EhFrameOffset(at), EhFrame::cie_from_offset).ok()?;
    if !fde.contains(address) {
        return None;
    }
    let mut context = UnwindContext::new();
    let row = fde.unwind_info_for_address(&frames, &bases, &mut context, address).ok()?;
    let return_register = usize::from(fde.cie().return_address_register().0);
    Rule::from_row(&frames, row, return_register, fde.is_signal_trampoline(), fde.cie().encoding())
}

/// Address of the frame entry for `address`, by binary search in `.eh_frame_hdr`. Only the layout every linker writes is known: 4-byte
/// count, table of 4-byte pairs relative to the header (LSB, Exception Frames).
fn lookup(object: &Object, address: u64) -> Option<u64> {
    const COUNT_UDATA4: u8 = 0x03;
    const TABLE_DATAREL_SDATA4: u8 = 0x3b;
    let header = object.unwind_index?;
    let mut head = [0; 12];
    object.read_at_address(header, &mut head)?;
    // The second byte is the encoding of the pointer to `.eh_frame`, which the table makes superfluous; it takes four bytes.
    let small_pointer = matches!(head[1] & 0x0f, 0x03 | 0x0b);
    if head[0] != 1 || !small_pointer || head[2] != COUNT_UDATA4 || head[3] != TABLE_DATAREL_SDATA4 {
        return None;
    }
    let count = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    let table = header.checked_add(12)?;
    let pair = |n: u32| {
        let mut bytes = [0; 8];
        object.read_at_address(table.checked_add(u64::from(n) * 8)?, &mut bytes)?;
        let word = |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Some((header.checked_add_signed(word(0).into())?, header.checked_add_signed(word(4).into())?))
    };
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if pair(middle)?.0 <= address { low = middle + 1 } else { high = middle }
    }
    Some(pair(low.checked_sub(1)?)?.1)
}

/// One entry with its length word; 64-bit entries do not occur in `.eh_frame`.
fn entry_bytes(object: &Object, address: u64, limit: usize) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    object.read_at_address(address, &mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if !(8..=limit).contains(&length) {
        return None;
    }
    let mut bytes = vec![0; length + 4];
    object.read_at_address(address, &mut bytes)?;
    Some(bytes)
}
