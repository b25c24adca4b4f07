//! How to get from a frame to its caller: one row of call frame information, found through `.eh_frame_hdr` and read entry by entry. In:
//! an [`Object`] and an address. Out: a [`Rule`], and its application to [`Frame`]s.
//!
//! This is `gimli` directly rather than `framehop`, for three reasons: framehop evaluates DWARF expressions without a bound (a macro's
//! `.eh_frame` could loop a gate thread for ever), needs whole sections in memory (14 MB for a compiler), and tracks no other registers
//! than the frame pointer.

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameOffset, EndianSlice, Evaluation, EvaluationResult, LittleEndian, Location, Register,
    RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, Value,
};

use super::memory::Memory;
use super::objects::Object;
use super::registers::Registers;

#[cfg(target_arch = "x86_64")]
const STACK_POINTER: usize = 7;
#[cfg(target_arch = "aarch64")]
const STACK_POINTER: usize = 31;
#[cfg(target_arch = "x86_64")]
const FRAME_POINTER: usize = 6;
#[cfg(target_arch = "aarch64")]
const FRAME_POINTER: usize = 29;
/// Registers followed: the general ones, and x86_64's return address column 16.
const REGISTERS: usize = 33;
/// aarch64 may sign return addresses in the bits above those that user addresses use.
const ADDRESS_BITS: u64 = (1 << 48) - 1;

const MAX_CIE: usize = 4096;
/// The largest honest function has some kilobytes of instructions.
const MAX_FDE: usize = 1 << 16;
const MAX_EXPRESSION: usize = 128;
const MAX_STEPS: u32 = 200;

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// Registers of one frame; `None` where a value is not recoverable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub pc: u64,
    /// True when `pc` is a return address, so that the call lies just before it.
    pub returns: bool,
    registers: [Option<u64>; REGISTERS],
}

impl Frame {
    pub fn new(registers: &Registers) -> Self {
        let mut known = [None; REGISTERS];
        for (slot, value) in known.iter_mut().zip(registers.general) {
            *slot = Some(value);
        }
        Frame { pc: registers.pc, returns: false, registers: known }
    }

    pub fn stack_pointer(&self) -> Option<u64> {
        self.registers[STACK_POINTER]
    }

    /// The caller by the frame-pointer convention, for code without unwind information. A leaf that made the system call itself has
    /// not pushed anything on x86_64; on aarch64 its return address is still in the link register.
    pub fn caller_by_convention(&self, memory: &mut Memory) -> Option<Frame> {
        let mut caller = self.clone();
        caller.returns = true;
        if !self.returns {
            #[cfg(target_arch = "x86_64")]
            {
                let sp = self.stack_pointer()?;
                caller.pc = memory.word(sp)?;
                caller.registers[STACK_POINTER] = Some(sp.checked_add(8)?);
            }
            #[cfg(target_arch = "aarch64")]
            {
                caller.pc = self.registers[30]? & ADDRESS_BITS;
            }
            return Some(caller);
        }
        let frame = self.registers[FRAME_POINTER]?;
        if frame <= self.stack_pointer()? {
            return None;
        }
        caller.pc = memory.word(frame.checked_add(8)?)? & ADDRESS_BITS;
        caller.registers[FRAME_POINTER] = memory.word(frame);
        caller.registers[STACK_POINTER] = Some(frame.checked_add(16)?);
        Some(caller)
    }
}

/// What the caller of a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    Frame(Box<Frame>),
    /// A thread starts here.
    Start,
    /// The rule cannot be applied: memory unreadable, a register unknown, an expression out of bounds.
    Lost,
}

/// One row of call frame information, detached from its file.
#[derive(Clone, Debug)]
pub struct Rule {
    cfa: Cfa,
    saved: Vec<(usize, Saved)>,
    return_register: usize,
    /// The frame was interrupted by a signal: its caller's pc is an instruction, not a return address.
    signal: bool,
    encoding: gimli::Encoding,
}

#[derive(Clone, Debug)]
enum Cfa {
    Offset(usize, i64),
    Expression(Vec<u8>),
}

#[derive(Clone, Debug)]
enum Saved {
    Undefined,
    Same,
    At(i64),
    Is(i64),
    In(usize),
    AtExpression(Vec<u8>),
    IsExpression(Vec<u8>),
}

impl Rule {
    /// Finds and evaluates the row for `address`.
    pub fn find(object: &Object, address: u64) -> Option<Rule> {
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

        let fde = frames.fde_from_offset(&bases, EhFrameOffset(at), EhFrame::cie_from_offset).ok()?;
        if !fde.contains(address) {
            return None;
        }
        let mut context = UnwindContext::new();
        let row = fde.unwind_info_for_address(&frames, &bases, &mut context, address).ok()?;
        let return_register = usize::from(fde.cie().return_address_register().0);
        Rule::from_row(&frames, row, return_register, fde.is_signal_trampoline(), fde.cie().encoding())
    }

    fn from_row(
        frames: &EhFrame<Bytes<'_>>,
        row: &UnwindTableRow<usize>,
        return_register: usize,
        signal: bool,
        encoding: gimli::Encoding,
    ) -> Option<Rule> {
        let expression = |e: &gimli::UnwindExpression<usize>| {
            let bytes = e.get(frames).ok()?.0.slice().to_vec();
            (bytes.len() <= MAX_EXPRESSION).then_some(bytes)
        };
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => Cfa::Offset(usize::from(register.0), *offset),
            CfaRule::Expression(e) => Cfa::Expression(expression(e)?),
        };
        let mut saved = Vec::new();
        for (Register(number), rule) in row.registers() {
            let number = usize::from(*number);
            if number >= REGISTERS {
                continue;
            }
            let how = match rule {
                RegisterRule::Undefined => Saved::Undefined,
                RegisterRule::SameValue => Saved::Same,
                RegisterRule::Offset(n) => Saved::At(*n),
                RegisterRule::ValOffset(n) => Saved::Is(*n),
                RegisterRule::Register(Register(from)) => Saved::In(usize::from(*from)),
                RegisterRule::Expression(e) => Saved::AtExpression(expression(e)?),
                RegisterRule::ValExpression(e) => Saved::IsExpression(expression(e)?),
                _ => Saved::Undefined,
            };
            saved.push((number, how));
        }
        (return_register < REGISTERS).then_some(Rule { cfa, saved, return_register, signal, encoding })
    }

    /// Steps from a frame that lies in this rule's code to its caller.
    pub fn apply(&self, frame: &Frame, memory: &mut Memory) -> Caller {
        let return_is_unsaved = !self.saved.iter().any(|(number, _)| *number == self.return_register);
        // On x86_64 the return address is always saved; on aarch64 a leaf keeps it where it came in, in the link register.
        if matches!(self.saved_as(self.return_register), Some(Saved::Undefined)) || (cfg!(target_arch = "x86_64") && return_is_unsaved) {
            return Caller::Start;
        }
        self.caller(frame, memory).map_or(Caller::Lost, |caller| match caller {
            Frame { pc: 0, .. } => Caller::Start,
            // Neither the place nor the stack moved: this would go on for ever.
            caller if caller.pc == frame.pc && caller.stack_pointer() == frame.stack_pointer() => Caller::Lost,
            caller => Caller::Frame(Box::new(caller)),
        })
    }

    fn saved_as(&self, number: usize) -> Option<&Saved> {
        self.saved.iter().find(|(n, _)| *n == number).map(|(_, how)| how)
    }

    fn caller(&self, frame: &Frame, memory: &mut Memory) -> Option<Frame> {
        let cfa = match &self.cfa {
            Cfa::Offset(register, offset) => (*frame.registers.get(*register)?)?.checked_add_signed(*offset)?,
            Cfa::Expression(code) => self.evaluate(code, None, frame, memory)?,
        };
        let mut caller = frame.clone();
        caller.registers[STACK_POINTER] = Some(cfa);
        for (number, how) in &self.saved {
            caller.registers[*number] = match how {
                Saved::Undefined => None,
                Saved::Same => frame.registers[*number],
                Saved::At(offset) => cfa.checked_add_signed(*offset).and_then(|at| memory.word(at)),
                Saved::Is(offset) => cfa.checked_add_signed(*offset),
                Saved::In(from) => frame.registers.get(*from).copied().flatten(),
                Saved::AtExpression(code) => {
                    let at = self.evaluate(code, Some(cfa), frame, memory);
                    at.and_then(|at| memory.word(at))
                }
                Saved::IsExpression(code) => self.evaluate(code, Some(cfa), frame, memory),
            };
        }
        caller.pc = caller.registers[self.return_register]? & ADDRESS_BITS;
        caller.returns = !self.signal;
        Some(caller)
    }

    fn evaluate(&self, code: &[u8], initial: Option<u64>, frame: &Frame, memory: &mut Memory) -> Option<u64> {
        let mut evaluation = Evaluation::new(Bytes::new(code, LittleEndian), self.encoding);
        evaluation.set_max_iterations(MAX_STEPS);
        if let Some(initial) = initial {
            evaluation.set_initial_value(initial);
        }
        let mut result = evaluation.evaluate().ok()?;
        loop {
            result = match result {
                EvaluationResult::Complete => break,
                EvaluationResult::RequiresRegister { register, .. } => {
                    let value = (*frame.registers.get(usize::from(register.0))?)?;
                    evaluation.resume_with_register(Value::Generic(value)).ok()?
                }
                EvaluationResult::RequiresMemory { address, size: 8, .. } => {
                    evaluation.resume_with_memory(Value::Generic(memory.word(address)?)).ok()?
                }
                _ => return None,
            };
        }
        match evaluation.as_result().last()?.location {
            Location::Address { address } => Some(address),
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(cfa: &[u8]) -> Rule {
        let encoding = gimli::Encoding { format: gimli::Format::Dwarf32, version: 1, address_size: 8 };
        let saved = vec![(16, Saved::At(-8)), (30, Saved::At(-8))];
        Rule { cfa: Cfa::Expression(cfa.to_vec()), saved, return_register: 16, signal: false, encoding }
    }

    #[test]
    fn hostile_expressions_end() {
        let frame = Frame::new(&Registers { pc: 0x1000, general: [0x2000; 32] });
        let mut memory = Memory::new(std::process::id());
        let jump_back: &[u8] = &[0x2f, 0xfd, 0xff];
        let push_and_jump_back: &[u8] = &[0x30, 0x2f, 0xfc, 0xff];
        let read_nothing: &[u8] = &[0x30, 0x06];
        for code in [jump_back, push_and_jump_back, read_nothing, &[], &[0xff], &[0x92, 0xff, 0xff, 0xff, 0x0f, 0x00]] {
            assert_eq!(rule(code).apply(&frame, &mut memory), Caller::Lost, "{code:x?}");
        }
    }

    #[test]
    fn offsets_beyond_the_address_space_are_lost() {
        let mut rule = rule(&[]);
        let mut memory = Memory::new(std::process::id());
        let frame = Frame::new(&Registers { pc: 0x1000, general: [u64::MAX; 32] });
        for cfa in [Cfa::Offset(7, i64::MAX), Cfa::Offset(7, i64::MIN), Cfa::Offset(usize::MAX, 0), Cfa::Offset(32, 8)] {
            rule.cfa = cfa;
            assert_eq!(rule.apply(&frame, &mut memory), Caller::Lost);
        }
        assert_eq!(Frame { returns: true, ..frame }.caller_by_convention(&mut memory), None);
    }
}
