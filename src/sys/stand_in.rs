//! A process of ours that lives for one call and is not waited for: of some calls the kernel remembers the process that made them (`SO_PEERCRED` of
//! a connection, unix(7)), and a process that nobody waits for keeps its number. It shares our memory and our descriptors, does nothing but that
//! call, and the thread that makes it sleeps until it has ended (`CLONE_VFORK`, and a wait).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::SigSet;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::wait::wait;

/// The one that lives now; 0 for none.
static NOW: AtomicI32 = AtomicI32::new(0);

/// Is this number that of such a process, which has our memory and our descriptors?
pub fn is_one(pid: u32) -> bool {
    pid != 0 && NOW.load(Ordering::Acquire) == pid as i32
}

/// Microseconds it may take: a connection that need not wait is made at once.
const LIMIT: libc::suseconds_t = 100_000;
/// Its stack; one call needs little.
const STACK: usize = 32 << 10;

struct Job {
    socket: RawFd,
    address: *const u8,
    length: usize,
    /// `None` until the call has returned.
    errno: Option<i32>,
}

/// `connect(2)` by another process than this one. The inner result is the call's: the number of the process, a dead child of the calling thread,
/// which is to be waited for some day ([`forget`]). To be used by one thread at a time.
///
/// # Errors
/// When there can be no such process.
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> io::Result<io::Result<i32>> {
    let mut job = Job { socket: socket.as_raw_fd(), address: address.as_ptr(), length: address.len(), errno: None };
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    // No handler of ours runs over there.
    let before = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK)?;
    let flags = libc::CLONE_VM | libc::CLONE_FILES | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID;
    // SAFETY: `act` gets a pointer to `job` and runs on `stack`, whose end is aligned for a call; both outlive it, since we sleep until it has ended.
    // It touches nothing else of the memory that it shares but `errno`, the calling thread's own. The kernel writes its number to `NOW`.
    let pid = unsafe {
        let top = stack.as_mut_ptr_range().end;
        libc::clone(act, top.cast(), flags, (&raw mut job).cast(), NOW.as_ptr())
    };
    let failed = io::Error::last_os_error();
    if pid > 0 {
        // We are woken when it lets go of our memory, a moment before it lets go of our descriptors and has ended (do_exit, kernel/exit.c).
        let _ = waitid(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::__WALL);
    }
    NOW.store(0, Ordering::Release);
    before.thread_set_mask()?;
    if pid < 0 {
        return Err(failed);
    }
    match job.errno {
        Some(0) => Ok(Ok(pid)),
        Some(errno) => {
            forget(pid);
            Ok(Err(io::Error::from_raw_os_error(errno)))
        }
        // It was killed before it could.
        None => {
            forget(pid);
            Err(io::ErrorKind::Interrupted.into())
        }
    }
}

/// Its number may be another's from now on. By the thread that made it.
pub fn forget(pid: i32) {
    let _ = wait(pid, false);
}

extern "C" fn act(job: *mut libc::c_void) -> libc::c_int {
    // SAFETY: raw calls, which touch no memory but the words they are given. `connect` passes a job of its own, which nobody else touches while it sleeps; the address is a live slice of that length.
    unsafe {
        // Whoever shares the socket may make the call one that waits: then the alarm ends this process, and the call was not made.
        let alarm: u64 = 1 << (libc::SIGALRM - 1);
        let limit =
            libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: libc::timeval { tv_sec: 0, tv_usec: LIMIT } };
        // `struct sigaction` of the kernel: SIG_DFL, whatever we were started with.
        let default = [0_u64; 4];
        libc::syscall(libc::SYS_rt_sigaction, libc::SIGALRM, &raw const default, 0_usize, 8_usize);
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_UNBLOCK, &raw const alarm, 0_usize, 8_usize);
        libc::syscall(libc::SYS_setitimer, libc::ITIMER_REAL, &raw const limit, 0_usize);
        let job = &mut *job.cast::<Job>();
        let result = libc::syscall(libc::SYS_connect, job.socket, job.address, job.length as libc::socklen_t);
        job.errno = Some(if result == 0 { 0 } else { *libc::__errno_location() });
    }
    0
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;
    use crate::sys::process::stat;
    use crate::sys::socket;

    #[test]
    fn the_kernel_takes_it_for_whoever_connected() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let address = [&1_u16.to_ne_bytes()[..], path.to_str().unwrap().as_bytes(), b"\0"].concat();
        let client = socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap();
        let pid = connect(client.as_fd(), &address).unwrap().unwrap();
        let (server, _) = listener.accept().unwrap();
        let mut peer = [0; 12];
        socket::option(server.as_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, &mut peer).unwrap();
        assert_eq!(i32::from_ne_bytes(peer[..4].try_into().unwrap()), pid);
        assert!(pid as u32 != std::process::id() && stat(pid as u32).unwrap().ended && !is_one(pid as u32));
        // It is the caller's own socket that was connected, and nothing of it is left over there.
        drop(client);
        assert_eq!(std::io::Read::read(&mut &server, &mut [0; 1]).unwrap(), 0);
        forget(pid);
        // One that waits is ended.
        let full = UnixListener::bind(place.path().join("full")).unwrap();
        socket::listen(full.as_fd(), 0).unwrap();
        let to = [&1_u16.to_ne_bytes()[..], place.path().join("full").to_str().unwrap().as_bytes(), b"\0"].concat();
        let clients: Vec<_> = (0..2).map(|_| socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap()).collect();
        forget(connect(clients[0].as_fd(), &to).unwrap().unwrap());
        assert_eq!(connect(clients[1].as_fd(), &to).unwrap_err().kind(), io::ErrorKind::Interrupted);
        let again = socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap();
        drop(listener);
        assert_eq!(connect(again.as_fd(), &address).unwrap().unwrap_err().raw_os_error(), Some(libc::ECONNREFUSED));
        let _: UnixStream = server;
    }
}
