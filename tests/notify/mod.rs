//! A small supervisor for tests: runs a command under a seccomp filter that notifies `openat`, `connect` and `execve`, and shows every
//! call to a closure before it lets it pass.

use std::ffi::c_void;
use std::io::{self, IoSliceMut, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

/// A notified call. `path` is the file's, for `openat` and `execve`.
pub struct Seen {
    pub tid: u32,
    pub number: i64,
    pub path: String,
}

/// Runs `command` to its end. `judge` sees each call and returns the errno to answer with (0: let it pass), and what `after` gets to
/// see once it was answered.
pub fn run<T>(command: &mut Command, mut judge: impl FnMut(&Seen) -> Option<(i32, T)>, mut after: impl FnMut(Seen, T)) -> ExitStatus {
    let (ours, theirs) = UnixStream::pair().expect("socketpair");
    let channel = theirs.as_raw_fd();
    // SAFETY: only system calls on plain numbers between fork and exec; no allocation, no locks.
    unsafe { command.pre_exec(move || install(channel)) };
    // The spawner's thread waits for the exec, which waits for this thread: so spawn from another one.
    std::thread::scope(|scope| {
        let spawning = scope.spawn(|| command.spawn());
        let listener = receive(&ours);
        while let Some((id, seen)) = next(&listener) {
            let wanted = judge(&seen);
            send(&listener, id, wanted.as_ref().map_or(0, |(errno, _)| *errno));
            if let Some((_, wanted)) = wanted {
                after(seen, wanted);
            }
        }
        let mut child: Child = spawning.join().expect("spawner").expect("spawn");
        drop(theirs);
        child.wait().expect("wait")
    })
}

fn install(channel: RawFd) -> io::Result<()> {
    const WAIT_KILLABLE: libc::c_ulong = 1 << 5;
    let load = |k| libc::sock_filter { code: 0x20, jt: 0, jf: 0, k };
    let equal = |k, jt| libc::sock_filter { code: 0x15, jt, jf: 0, k: k as u32 };
    let ret = |k| libc::sock_filter { code: 0x06, jt: 0, jf: 0, k };
    let mut program = [
        load(0),
        equal(libc::SYS_openat, 3),
        equal(libc::SYS_connect, 2),
        equal(libc::SYS_execve, 1),
        ret(libc::SECCOMP_RET_ALLOW),
        ret(libc::SECCOMP_RET_USER_NOTIF),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program outlives the call; the other arguments are numbers.
    let fd = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE;
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // The number suffices: the parent shares nothing yet but can take it with pidfd_getfd.
    let mut message = [0u8; 8];
    message[..4].copy_from_slice(&(fd as i32).to_le_bytes());
    message[4..].copy_from_slice(&std::process::id().to_le_bytes());
    // SAFETY: eight live bytes.
    if unsafe { libc::write(channel, message.as_ptr().cast(), 8) } != 8 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn receive(mut ours: &UnixStream) -> OwnedFd {
    let mut message = [0u8; 8];
    ours.read_exact(&mut message).expect("the child's message");
    let word = |at: usize| i32::from_le_bytes(message[at..at + 4].try_into().expect("four bytes"));
    // SAFETY: plain numbers in, new descriptors out, owned from here on.
    unsafe {
        let process = libc::syscall(libc::SYS_pidfd_open, word(4), 0);
        assert!(process >= 0, "pidfd_open: {}", io::Error::last_os_error());
        let process = OwnedFd::from_raw_fd(process as RawFd);
        let fd = libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), word(0), 0);
        assert!(fd >= 0, "pidfd_getfd: {}", io::Error::last_os_error());
        OwnedFd::from_raw_fd(fd as RawFd)
    }
}

const RECV: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;

fn next(listener: &OwnedFd) -> Option<(u64, Seen)> {
    loop {
        let mut poll = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one live pollfd.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 60_000) };
        assert!(ready > 0, "nothing happened for a minute");
        if poll.revents & libc::POLLIN == 0 {
            return None;
        }
        // SAFETY: plain integers, all zeroes is a value (and what the kernel demands).
        let mut notice: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: a live, zeroed structure of the kernel's own layout.
        if unsafe { libc::ioctl(listener.as_raw_fd(), RECV, (&raw mut notice).cast::<c_void>()) } < 0 {
            continue;
        }
        let number = i64::from(notice.data.nr);
        let at = match number {
            libc::SYS_openat => notice.data.args[1],
            libc::SYS_execve => notice.data.args[0],
            _ => 0,
        };
        return Some((notice.id, Seen { tid: notice.pid, number, path: text(notice.pid, at) }));
    }
}

fn text(tid: u32, at: u64) -> String {
    let mut bytes = vec![0; 4096 - (at as usize % 4096)];
    let remote = RemoteIoVec { base: at as usize, len: bytes.len() };
    let read = process_vm_readv(Pid::from_raw(tid as i32), &mut [IoSliceMut::new(&mut bytes)], &[remote]).unwrap_or(0);
    let end = bytes[..read].iter().position(|&b| b == 0).unwrap_or(read);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn send(listener: &OwnedFd, id: u64, errno: i32) {
    let flags = if errno == 0 { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 } else { 0 };
    let answer = libc::seccomp_notif_resp { id, val: 0, error: -errno, flags };
    // SAFETY: a live structure of the kernel's own layout. A caller that died meanwhile makes this fail, which is fine.
    unsafe { libc::ioctl(listener.as_raw_fd(), SEND, (&raw const answer).cast::<c_void>()) };
}
