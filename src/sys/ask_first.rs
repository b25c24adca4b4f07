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
#[cfg(target_arch = "x86_64")]
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

/// The instructions, and where in them the functions begin. `None` on machines for which there are none.
pub fn code() -> Option<(&'static [u8], Entries)> {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: only their addresses are taken; all three lie in one read-only section of this program, in this order.
        unsafe extern "C" {
            static brig_ask_first_open: u8;
            static brig_ask_first_openat: u8;
            static brig_ask_first_end: u8;
        }
        let (open, openat, end) = (&raw const brig_ask_first_open, &raw const brig_ask_first_openat, &raw const brig_ask_first_end);
        // SAFETY: from the first label to the last it is one piece of initialised read-only data, as the assembly above lays it out.
        let bytes = unsafe { std::slice::from_raw_parts(open, end.addr() - open.addr()) };
        Some((bytes, Entries { open: 0, openat: openat.addr() - open.addr() }))
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}
