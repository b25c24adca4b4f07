//! x86_64: `syscall`, number in `rax`, arguments in `rdi rsi rdx r10 r8 r9`.

use libc::user_regs_struct as Registers;

pub const INSTRUCTION_BYTES: u64 = 2;
const SYSCALL: u64 = 0x050f;
/// Code segment of 64-bit user code (`__USER_CS`, arch/x86/include/asm/segment.h).
const USER_CS: u64 = 0x33;

/// A 32-bit (`__USER32_CS`) program has another calling convention and another table of calls.
pub fn is_native(registers: &Registers) -> bool {
    registers.cs == USER_CS
}

pub fn with_syscall_instruction(code: u64) -> u64 {
    (code & !0xffff) | SYSCALL
}

pub fn instruction_pointer(registers: &Registers) -> u64 {
    registers.rip
}

pub fn stack_pointer(registers: &Registers) -> u64 {
    registers.rsp
}

pub fn set_call(registers: &mut Registers, number: u64, args: [u64; 6]) {
    registers.rax = number;
    // Not in a system call: the kernel must not try to restart one when the registers are set.
    registers.orig_rax = u64::MAX;
    [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9] = args;
}

pub fn result(registers: &Registers) -> u64 {
    registers.rax
}
