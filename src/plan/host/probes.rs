//! What must be tried to be known: in children of our own that end at once, and in `/proc`. In: nothing. Out: facts for `host`.

use std::fs;
use std::sync::Mutex;
use std::thread;

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket, sockopt};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pause};

use super::facts::{Obstacle, Proc, Sockets, Tracing};
use crate::gate::net;
use crate::sys::{child, memory};

/// Whose processes `/proc` shows: its own idea of who we are is our number, or it belongs to another process namespace
/// (pid_namespaces(7)), and whatever was read there of an actor would be about somebody else.
pub fn proc() -> Proc {
    match fs::read_link("/proc/self") {
        Ok(number) if number.to_str().and_then(|text| text.parse().ok()) == Some(std::process::id()) => Proc::Ours,
        Ok(_) => Proc::Foreign,
        Err(_) => Proc::Absent,
    }
}

/// A number below `/proc/sys`.
pub fn setting(name: &str) -> Option<u8> {
    fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok()
}

/// May we do to a child what the launcher does to a newcomer?
pub fn tracing() -> Tracing {
    // A fork has it at the same address.
    let cell = [7_u8; 8];
    let Ok(pid) = child::fork(|| {
        pause();
        0
    }) else {
        return Tracing::NoRoom;
    };
    let seized = ptrace::seize(pid, ptrace::Options::PTRACE_O_EXITKILL).is_ok() && reaches(pid, &cell);
    // Killing and reaping cannot fail for a child of ours that only waits.
    let _ = kill(pid, Signal::SIGKILL);
    let _ = waitpid(pid, None);
    if seized { Tracing::Works } else { Tracing::Refused }
}

/// How many a small build has at once beside ourselves: cargo and its threads, two compilers and theirs, ours for each actor.
const CROWD: usize = 24;
/// A limit (`RLIMIT_NPROC`) from which on nobody need ask: it counts what the user runs elsewhere, too.
const AMPLE: u64 = 4096;
/// They do nothing.
const STACK: usize = 64 << 10;

/// Is there room for a build's processes and threads? Asked by starting as many threads where the limit is low; root has none.
pub fn room() -> bool {
    let limit = getrlimit(Resource::RLIMIT_NPROC).map_or(u64::MAX, |(soft, _)| soft);
    if limit >= AMPLE {
        return true;
    }
    // Each waits until the last one was started, or could not be.
    let lock = Mutex::new(());
    thread::scope(|scope| {
        let wait = lock.lock();
        let started = (0..CROWD).all(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || drop(lock.lock())).is_ok());
        drop(wait);
        started
    })
}

/// Writes to the child's copy of `cell`, and finds it there.
fn reaches(child: Pid, cell: &[u8; 8]) -> bool {
    let (child, address) = (child.as_raw() as u32, cell.as_ptr() as u64);
    let written = cell.map(|byte| byte ^ 0xff);
    let mut seen = [0; 8];
    memory::write(child, address, &written).is_ok() && memory::read(child, address, &mut seen).is_ok() && seen == written
}

/// How inet sockets can be kept in. The broker's own steps are rehearsed, so that what is promised is what the broker can keep.
pub fn sockets() -> Sockets {
    let rehearsal = child::fork(|| u8::from(net::rehearse().is_err()));
    let private = loop {
        match rehearsal.as_ref().map(|pid| waitpid(*pid, None)) {
            Ok(Err(Errno::EINTR)) => {}
            Ok(Ok(WaitStatus::Exited(_, code))) => break code == 0,
            _ => break false,
        }
    };
    if private {
        return Sockets::PrivateNetwork;
    }
    let made = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None);
    match made.and_then(|socket| setsockopt(&socket, sockopt::BindToDevice, &"lo".into())) {
        Ok(()) => Sockets::LoopbackDevice,
        Err(_) => Sockets::NoSockets,
    }
}

/// What forbids user namespaces, where it is known.
pub fn obstacle() -> Option<Obstacle> {
    if fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| !has_root(&mounts)) {
        return Some(Obstacle::Chroot);
    }
    if setting("user/max_user_namespaces") == Some(0) {
        return Some(Obstacle::MaxNamespaces);
    }
    if setting("kernel/unprivileged_userns_clone") == Some(0) {
        return Some(Obstacle::UsernsClone);
    }
    (setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1)).then_some(Obstacle::AppArmor)
}

/// Is `/` a mount, as it is but in a chroot? Only mounts below one's own root are listed (`show_mountinfo`, fs/proc_namespace.c).
fn has_root(mounts: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(4) == Some("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chroot_has_no_mount_at_its_root() {
        let root = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw";
        let proc = "25 22 0:23 / /proc rw,nosuid - proc proc rw";
        assert!(has_root(&format!("{proc}\n{root}\n")));
        assert!(!has_root(&format!("{proc}\n")));
        assert!(has_root(&fs::read_to_string("/proc/self/mountinfo").unwrap()), "tests run in no chroot");
    }
}
