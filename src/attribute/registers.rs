//! The registers a stack walk starts from, by DWARF number. In: what ptrace read of a stopped thread. Out: [`Registers`].

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    pub pc: u64,
    /// Indexed by DWARF register number; the stack pointer included.
    pub general: [u64; 32],
}

impl From<&libc::user_regs_struct> for Registers {
    #[cfg(target_arch = "x86_64")]
    fn from(raw: &libc::user_regs_struct) -> Registers {
        // System V ABI, AMD64 supplement, figure 3.36: DWARF numbers of rax rdx rcx rbx rsi rdi rbp rsp r8-r15.
        let mut general = [0; 32];
        let known = [
            raw.rax, raw.rdx, raw.rcx, raw.rbx, raw.rsi, raw.rdi, raw.rbp, raw.rsp, raw.r8, raw.r9, raw.r10, raw.r11, raw.r12, raw.r13,
            raw.r14, raw.r15,
        ];
        general[..16].copy_from_slice(&known);
        Registers { pc: raw.rip, general }
    }

    #[cfg(target_arch = "aarch64")]
    fn from(raw: &libc::user_regs_struct) -> Registers {
        // DWARF for the Arm 64-bit architecture: 0-30 are x0-x30, 31 is sp.
        let mut general = [0; 32];
        general[..31].copy_from_slice(&raw.regs);
        general[31] = raw.sp;
        Registers { pc: raw.pc, general }
    }
}
