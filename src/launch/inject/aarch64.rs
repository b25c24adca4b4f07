//! aarch64: `svc #0`, number in `x8`, arguments in `x0`–`x5`. Written to the manual; never compiled or run, for want of a machine: see README.

use libc::user_regs_struct as Registers;

/// Length of `svc #0`.
pub const INSTRUCTION_BYTES: u64 = 4;
const SVC_0: u64 = 0xd400_0001;

/// No loop here: calls are stepped one by one.
pub const LOOP: [u8; 0] = [];
/// Never reached.
pub const LOOP_END: u64 = 0;

/// None here.
pub fn set_loop(_: &mut Registers, _: u64, _: u64) {}

/// A 32-bit program answers PTRACE_GETREGSET with a smaller set, which `sys::tracee::registers` already refuses; what is left is AArch64.
pub fn is_native(registers: &Registers) -> bool {
    /// PSR_MODE32_BIT, arch/arm64/include/uapi/asm/ptrace.h.
    const MODE_32: u64 = 0x10;
    registers.pstate & MODE_32 == 0
}

/// A word of code that begins with `svc #0`, otherwise as it was.
pub fn with_syscall_instruction(code: u64) -> u64 {
    (code & !0xffff_ffff) | SVC_0
}

/// Address of the next instruction.
pub fn instruction_pointer(registers: &Registers) -> u64 {
    registers.pc
}

/// Address of the top of the stack.
pub fn stack_pointer(registers: &Registers) -> u64 {
    registers.sp
}

/// The next system call instruction makes this call.
pub fn set_call(registers: &mut Registers, number: u64, args: [u64; 6]) {
    registers.regs[8] = number;
    registers.regs[..6].copy_from_slice(&args);
}

/// What the call returned: `-errno` as unsigned where it failed.
pub fn result(registers: &Registers) -> u64 {
    registers.regs[0]
}

/// What its caller finds as the result. The number of the call is no register of these.
pub fn set_skipped(registers: &mut Registers, errno: i32) {
    registers.regs[0] = (-i64::from(errno)) as u64;
}
