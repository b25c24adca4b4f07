//! `kill` and its kin: free among the actor's own processes, refused and recorded towards everybody else. In: register values, which no
//! thread can exchange. A signal to one process by its number is left to the kernel; where a number can come to mean others while we look
//! (a process group, a descriptor of a process), the processes that were judged are signalled by us, each by a handle of its own.

use std::io;
use std::os::fd::AsFd;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::gate::errno::fail;
use crate::gate::own::own;
use crate::gate::{Answer, Call, memory};
use crate::model::calls::F_SETOWN_EX;
use crate::model::{Act, Hostile, Verdict};
use crate::sys::pidfd;
use crate::sys::process::{self, stat, status};

/// `siginfo_t`, on every architecture.
const INFO: usize = 128;
/// The kernel's `_NSIG`.
const MOST: i32 = 64;

/// Answers `kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal`, and what the table announces of `fcntl`. `name` is the
/// system call's.
///
/// # Errors
/// The kernel's own: `EINVAL` for a number that is no signal, `ESRCH`, `EPERM`.
pub fn signal(call: &Call, name: &'static str) -> io::Result<Answer> {
    let (target, number) = match call.number {
        libc::SYS_fcntl => return descriptor(call, name),
        libc::SYS_pidfd_send_signal => return by_descriptor(call),
        libc::SYS_tgkill | libc::SYS_rt_tgsigqueueinfo => {
            // The kernel checks that the thread is of that process.
            (call.int(0), call.int(2))
        }
        _ => (call.int(0), call.int(1)),
    };
    if !(0..=MOST).contains(&number) {
        return fail(libc::EINVAL);
    }
    match target {
        1.. => one(call, target as u32, number),
        _ if call.number != libc::SYS_kill => fail(libc::EINVAL),
        -1 => stop(call, number, "every process".into()),
        0 => group(call, stat(call.pid()).map_or(0, |stat| stat.group), number),
        _ => match target.checked_neg() {
            Some(of) => group(call, of as u32, number),
            None => fail(libc::ESRCH),
        },
    }
}

/// One process, or the process of one thread.
fn one(call: &Call, target: u32, number: i32) -> io::Result<Answer> {
    // Whoever is dead already cannot be harmed.
    if target == call.pid() || target == call.tid || is_kin(call, target)? || stat(target).is_some_and(|stat| stat.ended) {
        return Ok(Answer::Continue);
    }
    stop(call, number, program(target))
}

/// Is there such a process, and is it the actor's?
///
/// # Errors
/// `ESRCH` where there is nobody of that number: the kernel must not be asked, lest there is somebody by then.
pub fn is_kin(call: &Call, target: u32) -> io::Result<bool> {
    let Some(status) = status(target) else { return fail(libc::ESRCH) };
    Ok(call.is_kin(status.pid))
}

/// All of a process group that the actor's own processes made, or nobody. The kernel is not asked: `kill(0)` means whichever group the
/// caller is in by then, and it may join another while we look.
fn group(call: &Call, group: u32, number: i32) -> io::Result<Answer> {
    if number == 0 && stat(call.pid()).is_some_and(|stat| stat.group == group) {
        // Whoever asks is there, and may signal itself.
        return Ok(Answer::Value(0));
    }
    let is_member = |pid: &u32| stat(*pid).is_some_and(|stat| stat.group == group);
    let members: Vec<u32> = process::all().filter(is_member).collect();
    let Some(first) = members.first() else { return fail(libc::ESRCH) };
    if !call.is_own_group(group) {
        return stop(call, number, program(*members.iter().find(|pid| !call.is_kin(**pid)).unwrap_or(first)));
    }
    call.check_valid()?;
    let sent =
        members.iter().map(|pid| send(call, *pid, is_member, number, None)).reduce(|one, other| if one.is_ok() { one } else { other });
    sent.unwrap_or_else(|| fail(libc::ESRCH))
}

/// Signals one of the actor's own processes, in whose name it may.
fn send(call: &Call, pid: u32, is_right: impl Fn(&u32) -> bool, number: i32, info: Option<&[u8; INFO]>) -> io::Result<Answer> {
    let handle = pidfd::open_if_permitted(pid)?;
    let target = process::person(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
    // The handle is of whoever has the number now.
    if !is_right(&pid) {
        return fail(libc::ESRCH);
    }
    // A root that only gave capabilities about files away is still one.
    let own = own()?;
    if call.someone_else()?.is_some_and(|person| person.user != own.person.user && person.user != target.user) {
        return fail(libc::EPERM);
    }
    match handle {
        Some(handle) => pidfd::send_signal(handle.as_fd(), number, info)?,
        // No handles on this ground: whoever has the number now is all that can be told. Nor has the actor one to say more by.
        None => kill(Pid::from_raw(pid as i32), Signal::try_from(number).ok()).map_err(io::Error::from)?,
    }
    Ok(Answer::Value(0))
}

/// `pidfd_send_signal`: the descriptor's number can be given to another process's handle while we look.
fn by_descriptor(call: &Call) -> io::Result<Answer> {
    let [_, _, info, flags, ..] = call.args;
    let number = call.int(1);
    // Flags came with Linux 6.9; libcs use none.
    if flags as u32 != 0 || !(0..=MOST).contains(&number) {
        return fail(libc::EINVAL);
    }
    let text = std::fs::read_to_string(format!("/proc/{}/fdinfo/{}", call.tid, call.int(0)));
    call.check_valid()?;
    let text = text.map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // -1 once it has been waited for, 0 when it is of another pid namespace.
    let pid = match text.lines().find_map(|line| line.strip_prefix("Pid:")).and_then(|pid| pid.trim().parse::<i32>().ok()) {
        Some(pid @ 1..) => pid as u32,
        Some(_) => return fail(libc::ESRCH),
        None => return fail(libc::EBADF),
    };
    if pid != call.pid() && !is_kin(call, pid)? {
        return stop(call, number, program(pid));
    }
    let mut copy = [0; INFO];
    if info != 0 {
        memory::read(call.tid, info, &mut copy)?;
        call.check_valid()?;
    }
    send(call, pid, |pid| *pid == call.pid() || call.is_kin(*pid), number, (info != 0).then_some(&copy))
}

/// What the table announces of `fcntl`.
fn descriptor(call: &Call, name: &'static str) -> io::Result<Answer> {
    match call.int(1) {
        libc::F_SETOWN => owner(call),
        // Whom to signal, behind a pointer.
        F_SETOWN_EX => Ok(call.tamper(name, "F_SETOWN_EX")),
        _ => Ok(call.tamper(name, "a lease, for which whoever opens the file would have to wait")),
    }
}

/// `fcntl(F_SETOWN)`: the signals of a descriptor, whichever they are to be.
fn owner(call: &Call) -> io::Result<Answer> {
    let stranger = match call.int(2) {
        0 => None,
        pid @ 1.. => (pid as u32 != call.pid() && !is_kin(call, pid as u32)?).then_some(pid as u32),
        of if call.is_own_group(of.unsigned_abs()) => None,
        of => Some(of.unsigned_abs()),
    };
    match stranger {
        None => Ok(Answer::Continue),
        Some(stranger) => stop(call, libc::SIGIO, program(stranger)),
    }
}

/// A signal that leaves the actor.
fn stop(call: &Call, number: i32, to: Hostile) -> io::Result<Answer> {
    let signal = match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => number.to_string(),
    };
    Ok(match call.judge(Act::Signal { signal, to }, None).verdict {
        Verdict::Refuse(errno) => Answer::Errno(errno),
        // No process of others is a decoy.
        Verdict::Decoy => Answer::Errno(libc::EPERM),
        Verdict::Allow | Verdict::Redact => Answer::Continue,
    })
}

/// What a process runs, for the record. Numbers differ from run to run.
pub fn program(pid: u32) -> Hostile {
    let own = own();
    if own.as_ref().is_ok_and(|own| own.is_ours(pid)) {
        return "Brig".into();
    }
    let exe = own.and_then(|own| own.link_of(pid, "exe"));
    exe.or_else(|_| std::fs::read(format!("/proc/{pid}/comm"))).map(|text| Hostile::new(text.trim_ascii().to_vec())).unwrap_or_default()
}
