//! Starting cargo so that it can be seized before its first instruction. std's `Command` returns only after the exec, which is too late.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

/// A child that waits for [`Held::release`] before it becomes the program.
pub struct Held {
    pub pid: i32,
    gate: OwnedFd,
    verdict: OwnedFd,
}

/// Splits this process in two; 0 in the child. Only while there is a single thread: then the child may go on like any program.
///
/// # Errors
/// The errno of `fork`; `EBUSY` when other threads run, whose locks the child would inherit.
pub fn fork() -> io::Result<i32> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // SAFETY: no other thread exists (checked above, and none can start meanwhile), so the child inherits a consistent process.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid),
    }
}

/// What the child becomes.
pub struct Program<'a> {
    pub path: &'a CStr,
    pub argv: &'a [CString],
    pub env: &'a [CString],
    /// Inherited as this number, by it and everything it starts.
    pub channel: (BorrowedFd<'a>, RawFd),
    /// A Landlock ruleset it is put behind before it becomes the program.
    pub wall: Option<BorrowedFd<'a>>,
    /// Further descriptors to keep (an outer jobserver). All others above 2 are closed.
    pub keep: &'a [RawFd],
    /// Where its standard output goes, if not where ours does.
    pub stdout: Option<BorrowedFd<'a>>,
    /// A seccomp program it and everything it starts live behind; empty for none.
    pub filter: &'a [libc::sock_filter],
}

/// Forks; the child closes what it must not inherit, gives up gaining privileges, and waits.
///
/// # Errors
/// The errno of `pipe2` or `fork`.
pub fn hold(program: &Program) -> io::Result<Held> {
    let (gate_read, gate_write) = pipe2(OFlag::O_CLOEXEC)?;
    let (verdict_read, verdict_write) = pipe2(OFlag::O_CLOEXEC)?;
    let argv = pointers(program.argv);
    let env = pointers(program.env);
    let (source, target) = (program.channel.0.as_raw_fd(), program.channel.1);
    let stdout = program.stdout.map_or(-1, |stdout| stdout.as_raw_fd());
    let filter = libc::sock_fprog {
        len: u16::try_from(program.filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?,
        filter: program.filter.as_ptr().cast_mut(),
    };
    let mut keep: Vec<RawFd> = program.keep.to_vec();
    let wall = program.wall.map_or(-1, |wall| wall.as_raw_fd());
    keep.extend([target, gate_read.as_raw_fd(), verdict_write.as_raw_fd()].into_iter().chain((wall >= 0).then_some(wall)));
    keep.sort_unstable();
    // SAFETY: the child calls only async-signal-safe functions until it execs or exits, and touches only memory prepared above.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: we are the forked child; see above. Pointers come from vectors that live until the exec.
            unsafe {
                become_program(
                    program.path,
                    &argv,
                    &env,
                    source,
                    target,
                    wall,
                    &keep,
                    stdout,
                    &filter,
                    gate_read.as_raw_fd(),
                    verdict_write.as_raw_fd(),
                )
            }
        }
        pid => Ok(Held { pid, gate: gate_write, verdict: verdict_read }),
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

/// # Safety
/// Only in a freshly forked child. `argv` and `env` end with a null pointer and point to live C strings; `filter` describes live memory.
#[allow(clippy::too_many_arguments, reason = "plain numbers and pointers: nothing may be allocated between fork and exec")]
unsafe fn become_program(
    path: &CStr,
    argv: &[*const libc::c_char],
    env: &[*const libc::c_char],
    channel: RawFd,
    channel_as: RawFd,
    wall: RawFd,
    keep: &[RawFd],
    stdout: RawFd,
    filter: &libc::sock_fprog,
    gate: RawFd,
    verdict: RawFd,
) -> ! {
    // SAFETY: async-signal-safe calls on plain numbers and on pointers the caller vouches for.
    unsafe {
        // Everything cargo starts would inherit what is left open, and could not be confined without the channel.
        let mut ready = libc::dup2(channel, channel_as) != -1;
        if stdout != -1 {
            ready &= libc::dup2(stdout, libc::STDOUT_FILENO) != -1;
        }
        let mut next = 3;
        for &fd in keep {
            if fd > next {
                ready &= libc::syscall(libc::SYS_close_range, next as libc::c_uint, (fd - 1) as libc::c_uint, 0 as libc::c_uint) == 0;
            }
            next = next.max(fd + 1);
        }
        ready &= libc::syscall(libc::SYS_close_range, next as libc::c_uint, libc::c_uint::MAX, 0 as libc::c_uint) == 0;
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        // Rust ignores SIGPIPE in its own programs; cargo must see what a shell would have given it.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut byte = 0u8;
        ready &= libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
        if wall >= 0 {
            grant_own_limits(wall);
        }
        // The ruleset itself is close-on-exec (landlock_create_ruleset(2)).
        ready &= wall < 0 || libc::syscall(libc::SYS_landlock_restrict_self, wall, 0 as libc::c_uint) == 0;
        if filter.len > 0 {
            ready = ready && libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0 as libc::c_ulong, &raw const *filter) == 0;
        }
        if ready && libc::read(gate, (&raw mut byte).cast(), 1) == 1 {
            libc::execve(path.as_ptr(), argv.as_ptr(), env.as_ptr());
        }
        let errno = *libc::__errno_location();
        libc::write(verdict, (&raw const errno).cast(), size_of::<libc::c_int>());
        libc::_exit(127)
    }
}

/// What tells a process how many processors its container gives it (`std::thread::available_parallelism`, cgroups(7)), by its own number, which is
/// known only in the child. Best effort: without them it counts all processors.
///
/// # Safety
/// Only async-signal-safe calls on constants and the caller's descriptor of a ruleset.
unsafe fn grant_own_limits(ruleset: RawFd) {
    /// `struct landlock_path_beneath_attr`, `LANDLOCK_RULE_PATH_BENEATH`, `LANDLOCK_ACCESS_FS_READ_FILE` (landlock(7)).
    #[repr(C, packed)]
    struct PathBeneath {
        allowed_access: u64,
        parent_fd: i32,
    }
    const RULE_PATH_BENEATH: libc::c_int = 1;
    const READ_FILE: u64 = 1 << 2;
    for path in [c"/proc/self/cgroup", c"/proc/self/mountinfo"] {
        // SAFETY: the path is a constant; the structure outlives the call, which copies it.
        unsafe {
            let file = libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
            if file >= 0 {
                let rule = PathBeneath { allowed_access: READ_FILE, parent_fd: file };
                libc::syscall(libc::SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &raw const rule, 0 as libc::c_uint);
                libc::close(file);
            }
        }
    }
}

impl Held {
    /// Lets the child become the program. Returns at once; [`Held::failure`] tells later whether the exec failed.
    ///
    /// # Errors
    /// When the child is gone.
    pub fn release(&self) -> io::Result<()> {
        nix::unistd::write(&self.gate, &[1])?;
        Ok(())
    }

    /// The errno with which the exec failed, once the child has exited without becoming the program.
    pub fn failure(&self) -> Option<io::Error> {
        let mut errno = [0u8; size_of::<libc::c_int>()];
        match nix::unistd::read(&self.verdict, &mut errno) {
            Ok(count) if count == errno.len() => Some(io::Error::from_raw_os_error(libc::c_int::from_ne_bytes(errno))),
            _ => None,
        }
    }
}
