//! Kernel calls only tests make.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use super::descriptors::fresh;

/// The last 4096 bytes of a writable page followed by one that is not mapped, and the address where it ends. Leaked.
pub fn page_before_a_hole() -> (&'static mut [u8], u64) {
    let size = super::memory::page_size();
    // SAFETY: a fresh anonymous mapping of two pages, of which the second is unmapped at once; the first is never unmapped, so a
    // 'static slice over its end is sound, and nobody else has it. No machine's pages are smaller than 4096 bytes.
    unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let base = libc::mmap(std::ptr::null_mut(), 2 * size, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        assert_ne!(base, libc::MAP_FAILED);
        assert_eq!(libc::munmap(base.byte_add(size), size), 0);
        let end = base.byte_add(size);
        (std::slice::from_raw_parts_mut(end.byte_sub(4096).cast(), 4096), end as u64)
    }
}

/// `openat` in the current directory with a path that other threads may write to meanwhile.
pub fn open_while_it_changes(path: &[AtomicU32]) -> io::Result<OwnedFd> {
    assert!(path.last().is_some_and(|last| last.load(Ordering::Relaxed) == 0));
    // SAFETY: the path ends in a NUL that nobody overwrites (checked above, and our tests keep to it); only the kernel reads it.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0) };
    // SAFETY: made by that very call.
    unsafe { fresh(fd as i32) }
}

/// `openat2` with a structure of any size and contents; the errno.
pub fn open_how(path: &CStr, how: &[u64], size: usize) -> i32 {
    assert!(size <= size_of_val(how));
    // SAFETY: the kernel reads `size` bytes, which the slice has, and a NUL-terminated path.
    let fd = unsafe { libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size) };
    // SAFETY: made by that very call.
    errno_of(unsafe { fresh(fd as i32) })
}

/// `open` of a pointer that leads nowhere; the errno.
pub fn open_nowhere() -> i32 {
    // SAFETY: only the kernel looks at the pointer, and finds nothing there.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, 16, 0, 0) };
    // SAFETY: made by that very call.
    errno_of(unsafe { fresh(fd as i32) })
}

/// An argument of a file call.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    Number(i64),
    Text(&'a CStr),
    /// A structure, as the words it consists of.
    Words(&'a [u64]),
    /// A pointer that leads nowhere.
    Wild,
}

/// Calls that read their arguments' memory and write none of ours.
const FILE_CALLS: &[i64] = &[
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_truncate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    452, // fchmodat2, Linux 6.6
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_chdir,
    libc::SYS_bind,
    libc::SYS_connect,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
];

/// A file call as it stands, whatever a wrapper would have made of it.
///
/// # Errors
/// The kernel's errno.
pub fn file_call(number: i64, arguments: &[Argument]) -> Result<i64, i32> {
    assert!(FILE_CALLS.contains(&number), "{number} is no file call");
    let mut words = [0i64; 6];
    for (word, argument) in words.iter_mut().zip(arguments) {
        *word = match argument {
            Argument::Number(number) => *number,
            Argument::Text(text) => text.as_ptr() as i64,
            Argument::Words(words) => words.as_ptr() as i64,
            Argument::Wild => 16,
        };
    }
    let [a, b, c, d, e, f] = words;
    // SAFETY: the calls above write no memory of ours. What they read lies behind a pointer to something that outlives the call, or
    // nowhere; a size that is too large makes the kernel read further, not us.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(result) }
}

/// Takes a descriptor that [`file_call`] has made.
pub fn made(fd: i64) -> OwnedFd {
    // SAFETY: it comes from an open that succeeded, and our tests take each of them once.
    unsafe { fresh(fd as i32) }.expect("a descriptor")
}

/// A call that is mediated, with any registers; what the kernel or the gate answers (negative: an errno), and the descriptor if it `makes` one.
pub fn call(number: i64, args: [u64; 6], makes: bool) -> (i64, Option<OwnedFd>) {
    let [a, b, c, d, e, f] = args;
    // SAFETY: of the mediated calls `sendmmsg` (a length into each header), `prlimit64`, `sched_setattr` and those of System V IPC make
    // the kernel write to memory; our tests point them at a mapping of their own that nothing else uses, or at none. An exec that succeeded would end this program: the test finds it gone.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer < 0 {
        return (-i64::from(io::Error::last_os_error().raw_os_error().unwrap_or(0)), None);
    }
    // SAFETY: made by that very call.
    (answer, makes.then(|| unsafe { fresh(answer as i32) }).and_then(Result::ok))
}

fn errno_of(opened: io::Result<OwnedFd>) -> i32 {
    opened.err().and_then(|error| error.raw_os_error()).unwrap_or(0)
}

/// `getpid` as a 32-bit program calls it; `None` where the kernel runs no such programs: there it is a fault, which ends the process.
#[cfg(target_arch = "x86_64")]
pub fn i386_getpid() -> Option<i32> {
    // sysctl of the 32-bit vDSO: there with CONFIG_IA32_EMULATION alone.
    std::fs::exists("/proc/sys/abi/vsyscall32").is_ok_and(|there| there).then_some(())?;
    let result: i64;
    // SAFETY: takes no arguments; the gate keeps all registers but rax (and r8 to r11, which old kernels clear).
    unsafe {
        std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    Some(result as i32)
}

/// `rt_sigqueueinfo` with a signal's data as `sigqueue(3)` sends it.
pub fn queue_signal(pid: i32, number: i32) -> Result<(), i32> {
    let mut info = [0_i32; 32];
    (info[0], info[2]) = (number, libc::SI_QUEUE);
    // SAFETY: the kernel reads the 128 bytes of its `siginfo_t`.
    result_of(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid, number, info.as_ptr()) })
}

/// `tgkill` of a process's first thread.
pub fn thread_signal(pid: i32, number: i32) -> Result<(), i32> {
    // SAFETY: plain numbers.
    result_of(unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, number) })
}

/// `fcntl(F_SETOWN)`.
pub fn own_descriptor(fd: std::os::fd::BorrowedFd<'_>, pid: i32) -> Result<(), i32> {
    // SAFETY: plain numbers; the descriptor is open for the length of the call.
    result_of(unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&fd), libc::F_SETOWN, pid) }.into())
}

/// `setpriority` to what it is now.
pub fn keep_priority(which: libc::__priority_which_t, whose: i32) -> Result<(), i32> {
    // SAFETY: plain numbers.
    result_of(unsafe { libc::setpriority(which, whose as libc::id_t, libc::getpriority(which, whose as libc::id_t)) }.into())
}

/// `shmget` of a page that must not be made.
pub fn shared_memory(key: i32) -> Result<(), i32> {
    // SAFETY: plain numbers.
    result_of(unsafe { libc::shmget(key, 4096, 0) }.into())
}

fn result_of(value: libc::c_long) -> Result<(), i32> {
    if value == -1 { Err(nix::errno::Errno::last_raw()) } else { Ok(()) }
}
