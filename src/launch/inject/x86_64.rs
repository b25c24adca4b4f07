//! x86_64: `syscall`, number in `rax`, arguments in `rdi rsi rdx r10 r8 r9`.

use libc::user_regs_struct as Registers;

/// Length of `syscall`.
pub const INSTRUCTION_BYTES: u64 = 2;
const SYSCALL: u64 = 0x050f;
/// Code segment of 64-bit user code (`__USER_CS`, arch/x86/include/asm/segment.h).
const USER_CS: u64 = 0x33;

/// Makes call after call from a table at `rbx`, `ebp` of them, and stops behind the last one or the first that failed. An entry is eight
/// words: the number, six arguments, and room for the result. Nothing but `rax rcx r11` is clobbered by `syscall`.
#[rustfmt::skip]
pub const LOOP: [u8; 48] = [
    0x48, 0x8b, 0x03,       // next: mov rax, [rbx]
    0x48, 0x8b, 0x7b, 0x08, // mov rdi, [rbx+8]
    0x48, 0x8b, 0x73, 0x10, // mov rsi, [rbx+16]
    0x48, 0x8b, 0x53, 0x18, // mov rdx, [rbx+24]
    0x4c, 0x8b, 0x53, 0x20, // mov r10, [rbx+32]
    0x4c, 0x8b, 0x43, 0x28, // mov r8, [rbx+40]
    0x4c, 0x8b, 0x4b, 0x30, // mov r9, [rbx+48]
    0x0f, 0x05,             // syscall
    0x48, 0x89, 0x43, 0x38, // mov [rbx+56], rax
    0x48, 0x83, 0xc3, 0x40, // add rbx, 64
    0x85, 0xc0,             // test eax, eax
    0x78, 0x04,             // js stop
    0xff, 0xcd,             // dec ebp
    0x75, 0xd3,             // jnz next
    0xcc,                   // stop: int3
    0x90, 0x90,             // padding, never reached
];
/// Where the instruction pointer stands behind the `int3`.
pub const LOOP_END: u64 = 46;

/// For [`LOOP`]: where the table is, and its entries.
pub fn set_loop(registers: &mut Registers, table: u64, count: u64) {
    registers.orig_rax = u64::MAX;
    registers.rbx = table;
    registers.rbp = count;
}

/// A 32-bit (`__USER32_CS`) program has another calling convention and another table of calls.
pub fn is_native(registers: &Registers) -> bool {
    registers.cs == USER_CS
}

/// A word of code that begins with `syscall`, otherwise as it was.
pub fn with_syscall_instruction(code: u64) -> u64 {
    (code & !0xffff) | SYSCALL
}

/// Address of the next instruction.
pub fn instruction_pointer(registers: &Registers) -> u64 {
    registers.rip
}

/// Address of the top of the stack.
pub fn stack_pointer(registers: &Registers) -> u64 {
    registers.rsp
}

/// The next system call instruction makes this call.
pub fn set_call(registers: &mut Registers, number: u64, args: [u64; 6]) {
    registers.rax = number;
    // Not in a system call: the kernel must not try to restart one when the registers are set.
    registers.orig_rax = u64::MAX;
    [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9] = args;
}

/// What the call returned: `-errno` as unsigned where it failed.
pub fn result(registers: &Registers) -> u64 {
    registers.rax
}

/// No call's number, and what its caller finds as the result.
pub fn set_skipped(registers: &mut Registers, errno: i32) {
    registers.orig_rax = u64::MAX;
    registers.rax = (-i64::from(errno)) as u64;
}
