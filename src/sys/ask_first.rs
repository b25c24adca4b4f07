//! A few instructions for the compilers of the system (`gate::compilers`): `open` and `openat` that ask whether there is anything before they
//! open it for reading. Data to us: never run in our own process. Position-independent; what they need of the C library they take from a
//! slot at a fixed distance.

/// Where code and slot lie in relation to each other, in bytes.
pub const SLOT: u64 = 0x1_0000;

/// Offsets of the two functions in [`code`]: `open(path, flags, mode)` and `openat(directory, path, flags, mode)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries {
    pub open: usize,
    pub openat: usize,
}

/// Opens that are more than a plain read of what a path leads to: a look before them would not tell what comes of them.
const MORE: i32 =
    libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_PATH | libc::O_NOFOLLOW | (libc::O_TMPFILE & !libc::O_DIRECTORY);

// `faccessat(2)` is mediated by nobody: what is not there is not there, and nothing is asked of the gate. Everything else is the C library's
// `syscall(3)`, which sets errno. Where the look failed it is made once more by that, for errno alone; should the file be there by then, it is
// opened. Flags and mode are kept in registers that no system call touches.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .rodata.brig_ask_first,\"a\",@progbits",
    // For our own eyes: no symbols of the program's.
    ".globl brig_ask_first_open, brig_ask_first_openat, brig_ask_first_end",
    ".hidden brig_ask_first_open, brig_ask_first_openat, brig_ask_first_end",
    ".balign 16",
    "brig_ask_first_open:",
    "endbr64",
    "mov ecx, edx",
    "mov edx, esi",
    "mov rsi, rdi",
    "mov edi, {cwd}",
    ".balign 16, 0x90",
    "brig_ask_first_openat:",
    "endbr64",
    "test edx, {more}",
    "jnz 2f",
    "mov r8d, ecx",
    "mov r9d, edx",
    "xor edx, edx",
    "mov eax, {faccessat}",
    "syscall",
    "mov edx, r9d",
    "mov ecx, r8d",
    "cmp eax, -{enoent}",
    "je 3f",
    "cmp eax, -{enotdir}",
    "je 3f",
    // syscall(SYS_openat, directory, path, flags, mode)
    "2:",
    "mov r8d, ecx",
    "mov ecx, edx",
    "mov rdx, rsi",
    "movsxd rsi, edi",
    "mov edi, {openat}",
    "xor eax, eax",
    "lea r11, [rip + brig_ask_first_open]",
    "jmp [r11 + {slot}]",
    // syscall(SYS_faccessat, directory, path, F_OK)
    "3:",
    "push rdi",
    "push rsi",
    "push rdx",
    "push rcx",
    "sub rsp, 8",
    "mov rdx, rsi",
    "movsxd rsi, edi",
    "xor ecx, ecx",
    "mov edi, {faccessat}",
    "xor eax, eax",
    "lea r11, [rip + brig_ask_first_open]",
    "call [r11 + {slot}]",
    "add rsp, 8",
    "pop rcx",
    "pop rdx",
    "pop rsi",
    "pop rdi",
    "test eax, eax",
    "je 2b",
    "ret",
    "brig_ask_first_end:",
    ".popsection",
    cwd = const libc::AT_FDCWD,
    more = const MORE,
    faccessat = const libc::SYS_faccessat,
    openat = const libc::SYS_openat,
    enoent = const libc::ENOENT,
    enotdir = const libc::ENOTDIR,
    slot = const SLOT,
);

// The same. Of all registers a system call of aarch64 changes x0 alone. Entered by a call through a pointer (BTI), left by x16, as linkers do.
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".pushsection .rodata.brig_ask_first,\"a\",@progbits",
    ".globl brig_ask_first_open, brig_ask_first_openat, brig_ask_first_end",
    ".hidden brig_ask_first_open, brig_ask_first_openat, brig_ask_first_end",
    ".balign 16",
    "brig_ask_first_open:",
    "hint #34",
    "mov w3, w2",
    "mov w2, w1",
    "mov x1, x0",
    "mov w0, #{cwd}",
    "b 1f",
    ".balign 16",
    "brig_ask_first_openat:",
    "hint #34",
    "1:",
    "mov w9, #{more_low}",
    "movk w9, #{more_high}, lsl #16",
    "tst w2, w9",
    "b.ne 2f",
    "mov w9, w0",
    "mov w10, w2",
    "mov w2, wzr",
    "mov x8, #{faccessat}",
    "svc #0",
    "mov w11, w0",
    "mov w0, w9",
    "mov w2, w10",
    "cmn w11, #{enoent}",
    "b.eq 3f",
    "cmn w11, #{enotdir}",
    "b.eq 3f",
    // syscall(SYS_openat, directory, path, flags, mode)
    "2:",
    "mov w4, w3",
    "mov w3, w2",
    "mov x2, x1",
    "sxtw x1, w0",
    "mov x0, #{openat}",
    "adr x16, brig_ask_first_open",
    "add x16, x16, #{slot_pages}, lsl #12",
    "ldr x16, [x16]",
    "br x16",
    // syscall(SYS_faccessat, directory, path, F_OK)
    "3:",
    "stp x29, x30, [sp, #-48]!",
    "mov x29, sp",
    "stp x0, x1, [sp, #16]",
    "stp x2, x3, [sp, #32]",
    "mov x2, x1",
    "sxtw x1, w0",
    "mov x3, xzr",
    "mov x0, #{faccessat}",
    "adr x16, brig_ask_first_open",
    "add x16, x16, #{slot_pages}, lsl #12",
    "ldr x16, [x16]",
    "blr x16",
    "ldp x9, x1, [sp, #16]",
    "ldp x2, x3, [sp, #32]",
    "ldp x29, x30, [sp], #48",
    "cbnz w0, 4f",
    "mov x0, x9",
    "b 2b",
    "4:",
    "ret",
    "brig_ask_first_end:",
    ".popsection",
    cwd = const libc::AT_FDCWD,
    more_low = const MORE & 0xffff,
    more_high = const MORE >> 16,
    faccessat = const libc::SYS_faccessat,
    openat = const libc::SYS_openat,
    enoent = const libc::ENOENT,
    enotdir = const libc::ENOTDIR,
    slot_pages = const SLOT >> 12,
);

/// The instructions, and where in them the functions begin.
pub fn code() -> (&'static [u8], Entries) {
    // SAFETY: only their addresses are taken; all three lie in one read-only section of this program, in this order.
    unsafe extern "C" {
        static brig_ask_first_open: u8;
        static brig_ask_first_openat: u8;
        static brig_ask_first_end: u8;
    }
    let (open, openat, end) = (&raw const brig_ask_first_open, &raw const brig_ask_first_openat, &raw const brig_ask_first_end);
    // SAFETY: from the first label to the last it is one piece of initialised read-only data, as the assembly above lays it out.
    let bytes = unsafe { std::slice::from_raw_parts(open, end.addr() - open.addr()) };
    (bytes, Entries { open: 0, openat: openat.addr() - open.addr() })
}
