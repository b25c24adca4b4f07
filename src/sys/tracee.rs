//! ptrace requests that `nix` cannot express, or not with raw signal numbers. All of them must come from the thread that attached
//! (ptrace(2)): the launcher's for cargo, one of its own for each stack that is looked at.

use std::io;

use super::wait::Change;

fn request(kind: libc::c_uint, pid: i32, address: u64, data: u64) -> io::Result<i64> {
    // SAFETY: only requests that take plain numbers come through here; none makes the kernel write to our memory.
    let result = unsafe { libc::ptrace(kind as _, pid, address as *mut libc::c_void, data as *mut libc::c_void) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Attaches without stopping the process; it is killed if we die, and its forks, clones, execs and the calls its filter wants traced stop it.
pub fn seize(pid: i32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_TRACESECCOMP
        | libc::PTRACE_O_EXITKILL
        | libc::PTRACE_O_TRACESYSGOOD;
    request(libc::PTRACE_SEIZE, pid, 0, options as u64).map(drop)
}

/// Lets the tracee run on, delivering `signal` (0: none).
pub fn resume(pid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_CONT, pid, 0, signal as u64).map(drop)
}

/// Runs to the next entry or exit of a system call.
pub fn resume_to_syscall(pid: i32) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, pid, 0, 0).map(drop)
}

/// Executes one instruction.
pub fn step(pid: i32) -> io::Result<()> {
    request(libc::PTRACE_SINGLESTEP, pid, 0, 0).map(drop)
}

/// Leaves a tracee in its group stop (after Ctrl-Z) until it is continued from outside.
pub fn listen(pid: i32) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, pid, 0, 0).map(drop)
}

/// Lets go for good, delivering `signal` (0: none).
pub fn detach(pid: i32, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_DETACH, pid, 0, signal as u64).map(drop)
}

/// Overwrites one word of code or data, also where the page is read-only.
pub fn poke(pid: i32, address: u64, word: u64) -> io::Result<()> {
    request(libc::PTRACE_POKEDATA, pid, address, word).map(drop)
}

/// How a tracee of the calling thread is stopped, without waiting; `None` while it is not stopped, or gone.
///
/// For our own children: a stop of a child that is traced by another thread of its parent's process is reported to whichever of the two
/// threads waits first, `__WNOTHREAD` or not (wait_consider_task, kernel/exit.c), so waiting for it could go on for ever.
pub fn stopped(pid: i32) -> Option<Change> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: PTRACE_GETSIGINFO writes one siginfo_t, which `info` has room for.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, pid, none, info.as_mut_ptr()) };
    if done < 0 {
        return None;
    }
    // SAFETY: zeroed, then filled by the kernel: plain integers either way.
    let info = unsafe { info.assume_init() };
    let event = info.si_code >> 8;
    Some(if event == libc::PTRACE_EVENT_STOP { Change::Event { event, signal: info.si_signo } } else { Change::Signal(info.si_signo) })
}

/// The general registers of a stopped tracee.
///
/// # Errors
/// `ESRCH` when it is gone or runs, `ENOEXEC` for a 32-bit one.
pub fn registers(pid: i32) -> io::Result<libc::user_regs_struct> {
    let mut registers = std::mem::MaybeUninit::<libc::user_regs_struct>::zeroed();
    let size = size_of::<libc::user_regs_struct>();
    let mut area = libc::iovec { iov_base: registers.as_mut_ptr().cast(), iov_len: size };
    // SAFETY: `area` describes `registers`; the kernel writes at most `iov_len` bytes and updates `iov_len` (ptrace(2), PTRACE_GETREGSET).
    let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, pid, libc::NT_PRSTATUS, &raw mut area) };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    if area.iov_len != size {
        // A 32-bit task answers with its own, smaller register set.
        return Err(io::Error::from_raw_os_error(libc::ENOEXEC));
    }
    // SAFETY: fully written, as `iov_len` says, and any bit pattern is a valid value of this struct of integers.
    Ok(unsafe { registers.assume_init() })
}

/// Sets the general registers.
pub fn set_registers(pid: i32, registers: &libc::user_regs_struct) -> io::Result<()> {
    let mut area = libc::iovec { iov_base: (&raw const *registers).cast_mut().cast(), iov_len: size_of_val(registers) };
    // SAFETY: the kernel only reads from the described struct for PTRACE_SETREGSET.
    let result = unsafe { libc::ptrace(libc::PTRACE_SETREGSET, pid, libc::NT_PRSTATUS, &raw mut area) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A system call that a filter stopped for the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub number: u64,
    pub args: [u64; 6],
}

/// What the kernel says of the call a tracee is stopped in or at.
fn call_info(pid: i32) -> io::Result<libc::ptrace_syscall_info> {
    let mut info = std::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes at most `size` bytes to `info` (ptrace(2), PTRACE_GET_SYSCALL_INFO).
    let done = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed, then filled by the kernel: plain integers either way.
    Ok(unsafe { info.assume_init() })
}

/// The call a tracee is stopped at by its filter (`PTRACE_EVENT_SECCOMP`, before the call is made); `None` where it is none of this machine's
/// own ABI, or it is not stopped there.
///
/// # Errors
/// The errno of ptrace; `EIO` before Linux 5.3.
pub fn stopped_call(pid: i32) -> io::Result<Option<Stopped>> {
    let info = call_info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_SECCOMP || info.arch != OUR_ABI {
        return Ok(None);
    }
    // SAFETY: `op` says that this is the variant the kernel wrote.
    let call = unsafe { info.u.seccomp };
    Ok(Some(Stopped { number: call.nr, args: call.args }))
}

/// What the call returned whose end a tracee is stopped at; `None` where it is stopped somewhere else.
///
/// # Errors
/// As [`stopped_call`].
pub fn ended_call(pid: i32) -> io::Result<Option<i64>> {
    let info = call_info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_EXIT {
        return Ok(None);
    }
    // SAFETY: `op` says that this is the variant the kernel wrote.
    Ok(Some(unsafe { info.u.exit }.sval))
}

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_AARCH64` (linux/audit.h): the machine's ELF number, 64 bit, little endian.
const OUR_ABI: u32 = 0xc000_0000 | if cfg!(target_arch = "x86_64") { libc::EM_X86_64 as u32 } else { libc::EM_AARCH64 as u32 };

/// Another number for the call that a tracee is stopped at; -1 is none. On x86_64 that is one of the general registers.
///
/// # Errors
/// The errno of ptrace.
#[cfg(target_arch = "aarch64")]
pub fn set_call_number(pid: i32, mut number: i32) -> io::Result<()> {
    /// linux/elf.h.
    const NT_ARM_SYSTEM_CALL: libc::c_int = 0x404;
    let mut area = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<i32>() };
    // SAFETY: the kernel only reads the described int for PTRACE_SETREGSET.
    let result = unsafe { libc::ptrace(libc::PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &raw mut area) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
