//! The three ptrace calls that `nix` cannot express: registers on every libc, waiting for whatever this very thread traces, and
//! detaching with a raw signal number (real-time signals included). In: thread ids. Out: plain numbers.

use std::io;

/// The registers a stack walk starts from, by DWARF number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    pub pc: u64,
    /// Indexed by DWARF register number; the stack pointer included.
    pub general: [u64; 32],
}

/// What a wait on this thread's own tracees brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A ptrace event stop (the interrupt asked for, or a group stop); nothing is to be delivered.
    Event,
    /// About to receive this signal, which must be handed on when letting go.
    Signal(i32),
    /// Exited or was killed.
    Gone,
}

/// Waits until a thread traced by the calling thread stops or ends.
///
/// `__WNOTHREAD` keeps this thread from stealing stops of threads that others trace (wait(2)). Waiting for any id is deliberate: an
/// exec gives the caller the thread-group leader's id, and this thread traces one thread only.
///
/// # Errors
/// `ECHILD` when nothing is traced any more.
pub fn wait_traced() -> io::Result<(u32, Stop)> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is a live int for the duration of the call; waitpid writes nothing else.
        let id = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
        if id < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        let stop = if !libc::WIFSTOPPED(status) {
            Stop::Gone
        } else if status >> 16 != 0 {
            Stop::Event
        } else {
            Stop::Signal(libc::WSTOPSIG(status))
        };
        return Ok((id as u32, stop));
    }
}

/// How a tracee of the calling thread is stopped, without waiting; `None` while it is not stopped, or gone.
///
/// For our own children: a stop of a child that is traced by another thread of its parent's process is reported to whichever of the two
/// threads waits first, `__WNOTHREAD` or not (wait_consider_task, kernel/exit.c), so waiting for it could go on for ever.
pub fn stopped(tid: u32) -> Option<Stop> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_GETSIGINFO writes one siginfo_t, which `info` has room for.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, tid as libc::pid_t, none, info.as_mut_ptr()) };
    if done < 0 {
        return None;
    }
    // SAFETY: zeroed, then filled by the kernel: plain integers either way.
    let info = unsafe { info.assume_init() };
    Some(if info.si_code >> 8 == libc::PTRACE_EVENT_STOP { Stop::Event } else { Stop::Signal(info.si_signo) })
}

/// Reads the general registers of a stopped tracee.
///
/// # Errors
/// `ESRCH` when the thread is not a stopped tracee of the caller; `InvalidData` when the kernel filled less than the native layout (a
/// 32-bit tracee).
pub fn registers(tid: u32) -> io::Result<Registers> {
    // SAFETY: user_regs_struct is plain integers, for which all zeroes is a value.
    let mut raw: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    let size = std::mem::size_of_val(&raw);
    let mut vector = libc::iovec { iov_base: (&raw mut raw).cast(), iov_len: size };
    // SAFETY: the iovec describes exactly `raw`, which outlives the call; the kernel writes at most `iov_len` bytes into it.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, tid as libc::pid_t, libc::NT_PRSTATUS, &raw mut vector) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    if vector.iov_len != size {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "registers of a foreign architecture"));
    }
    Ok(by_number(&raw))
}

#[cfg(target_arch = "x86_64")]
fn by_number(raw: &libc::user_regs_struct) -> Registers {
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
fn by_number(raw: &libc::user_regs_struct) -> Registers {
    // DWARF for the Arm 64-bit architecture: 0-30 are x0-x30, 31 is sp.
    let mut general = [0; 32];
    general[..31].copy_from_slice(&raw.regs);
    general[31] = raw.sp;
    Registers { pc: raw.pc, general }
}

/// Lets a stopped tracee go, handing it `signal` (0: none). A group stop in effect stays in effect (ptrace(2)).
///
/// # Errors
/// `ESRCH` when it died meanwhile.
pub fn detach(tid: u32, signal: i32) -> io::Result<()> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_DETACH reads no memory of ours: the address is ignored and the data argument is the signal's number.
    let done = unsafe { libc::ptrace(libc::PTRACE_DETACH, tid as libc::pid_t, none, signal as libc::c_long) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
