//! Frames of a stack: the registers of one, and its caller where code keeps the frame-pointer convention.

use super::memory::Memory;
use super::registers::Registers;

#[cfg(target_arch = "x86_64")]
pub(super) const STACK_POINTER: usize = 7;
#[cfg(target_arch = "aarch64")]
pub(super) const STACK_POINTER: usize = 31;
#[cfg(target_arch = "x86_64")]
pub(super) const FRAME_POINTER: usize = 6;
#[cfg(target_arch = "aarch64")]
pub(super) const FRAME_POINTER: usize = 29;
/// Registers followed: the general ones, and x86_64's return address column 16.
pub(super) const REGISTERS: usize = 33;
/// aarch64 may sign return addresses in the bits above those that user addresses use.
pub(super) const ADDRESS_BITS: u64 = (1 << 48) - 1;

/// Registers of one frame; `None` where a value is not recoverable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub pc: u64,
    /// True when `pc` is a return address, so that the call lies just before it.
    pub returns: bool,
    pub(super) registers: [Option<u64>; REGISTERS],
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
