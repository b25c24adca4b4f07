//! How to get from a frame to its caller: one row of call frame information (`eh_frame` finds it), detached from its file. In: a [`Frame`]. Out:
//! its [`Caller`].
//!
//! This is `gimli` directly rather than `framehop`, for three reasons: framehop evaluates DWARF expressions without a bound (a macro's
//! `.eh_frame` could loop a gate thread for ever), needs whole sections in memory (14 MB for a compiler), and tracks no other registers
//! than the frame pointer.

use gimli::{
    CfaRule, EhFrame, EndianSlice, Evaluation, EvaluationResult, LittleEndian, Location, Register, RegisterRule, UnwindTableRow, Value,
};

use super::frames::{ADDRESS_BITS, Caller, Frame, REGISTERS, STACK_POINTER};
use super::memory::Memory;

const MAX_EXPRESSION: usize = 128;
const MAX_STEPS: u32 = 200;

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

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
    pub(super) fn from_row(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::registers::Registers;

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
