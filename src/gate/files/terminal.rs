//! Whose terminal it is. In: a terminal that was found, and who wants it. Out: is it the caller's own? That is: the other end of one that
//! the actor itself has made; what the caller was started with as its standard streams, as far as those were opened; or, for what the user
//! runs and talks to, its controlling terminal. Every other one is somebody's whom the build has nothing to do with.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use super::found::Found;
use super::wanted::Wanted;
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{Own, own};
use crate::gate::{Call, errand, opened};
use crate::model::ActorKind;
use crate::sys::files;
use crate::sys::process::stat;

/// `/dev/tty` (Documentation/admin-guide/devices.txt, as all numbers here).
const CONTROLLING: u64 = libc::makedev(5, 0);
const CONSOLE: u64 = libc::makedev(5, 1);
/// The virtual terminal that is on the screen.
const CURRENT: u64 = libc::makedev(4, 0);
/// Descriptors of one process that are looked at for the end it holds.
const MOST: usize = 4096;

/// The name that stands for the caller's controlling terminal?
pub fn is_controlling(found: &Found) -> bool {
    found.is(libc::S_IFCHR) && found.facts.rdev == CONTROLLING
}

pub fn is_terminal(found: &Found) -> bool {
    let rdev = found.facts.rdev;
    found.is(libc::S_IFCHR) && (matches!(libc::major(rdev), 4 | 136..=143) || matches!(rdev, CONTROLLING | CONSOLE))
}

/// Is this terminal the caller's own, for opening it with `access`?
///
/// # Errors
/// When the caller is gone.
pub fn is_own(call: &Call, found: &Found, access: i32) -> io::Result<bool> {
    // What we look at is the caller's, if it still waits afterwards.
    let meant = if is_controlling(found) { controlling(call, own()?).ok().map(|meant| meant.facts.rdev) } else { Some(found.facts.rdev) };
    let Some(device) = meant else { return Ok(false) };
    let talks = matches!(call.watched.actor.kind, ActorKind::Program | ActorKind::Tool);
    let is = talks && controlled_by(call.tid) == Some(device) || is_started_with(call, device, access) || is_made(call, device);
    call.check_valid()?;
    Ok(is)
}

/// What the kernel would do to the caller now that it opens a terminal (`tty_open_proc_set_tty`): a leader of a session without one gets it for
/// its controlling terminal, where that is nobody's yet. In our place it would be ours; so the caller asks for it itself (`TIOCSCTTY`), on its
/// way out of the open. That is asked of nobody else's terminal: the kernel takes none away, and any actor may make this request of any
/// descriptor it has.
pub fn give_control(call: &Call, found: &Found, wanted: &Wanted) -> io::Result<()> {
    let rdev = found.facts.rdev;
    let can_be = is_terminal(found) && !matches!(rdev, CONTROLLING | CONSOLE | CURRENT);
    if !can_be || wanted.has(libc::O_NOCTTY) || !wanted.reads() || controlled_by(call.tid) != Some(0) {
        return Ok(());
    }
    if stat(call.pid()).is_some_and(|stat| stat.session == call.pid()) && errand::may(call)? {
        errand::on_its_descriptor(call, libc::SYS_ioctl, [libc::TIOCSCTTY, 0])?;
    }
    Ok(())
}

/// `/dev/tty` as the caller would open it: whoever may open that name gets its controlling terminal, whatever the mode of the terminal itself.
///
/// # Errors
/// The kernel's: `EACCES`, `ENXIO` where the caller has none.
pub fn open_controlling(call: &Call, name: &Found, flags: i32) -> io::Result<OwnedFd> {
    let own = own()?;
    let (meant, ours) = (controlling(call, own)?, controlled_by(std::process::id()));
    // By its name where that means the same to us; if not, we have at least been asked for what the name demands.
    match call.as_caller(|| own.reopen(name.handle.as_fd(), flags, 0)) {
        Ok(opened) if ours == Some(meant.facts.rdev) => Ok(opened),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => Err(error),
        _ => match call.sandbox()? {
            Some(sandbox) => sandbox.run(|| own.reopen(meant.handle.as_fd(), flags, 0)),
            None => own.reopen(meant.handle.as_fd(), flags, 0),
        },
    }
}

/// `tty_nr` of proc_pid_stat(5).
fn controlled_by(tid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{tid}/stat")).ok()?;
    let fields = stat.rsplit(|byte| *byte == b')').next()?;
    let number = fields.split(|byte| *byte == b' ').filter(|field| !field.is_empty()).nth(4)?;
    let number = std::str::from_utf8(number).ok()?.parse::<i32>().ok()? as u32;
    Some(libc::makedev(number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00))
}

fn controlling(call: &Call, own: &Own) -> io::Result<Found> {
    let device = controlled_by(call.tid).ok_or_else(|| io::Error::from_raw_os_error(libc::ENXIO))?;
    call.check_valid()?;
    let (major, minor) = (libc::major(device), libc::minor(device));
    let path = match (major, minor) {
        (136..=143, _) => format!("/dev/pts/{}", number(device)),
        (4, 0..=63) => format!("/dev/tty{minor}"),
        (4, _) => format!("/dev/ttyS{}", minor - 64),
        _ => return fail(libc::ENXIO),
    };
    let handle = files::openat(files::AT_FDCWD, &c_string(path.into_bytes())?, libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC, 0)?;
    let found = Found::of(own, handle)?;
    if found.is(libc::S_IFCHR) && found.facts.rdev == device { Ok(found) } else { fail(libc::ENXIO) }
}

/// Of a pseudo-terminal.
fn number(device: u64) -> u32 {
    (libc::major(device) - 136) << 20 | libc::minor(device)
}

/// Is it among the caller's standard streams, opened for as much? A test may have been given another than its session's.
fn is_started_with(call: &Call, device: u64, access: i32) -> bool {
    let is_it = |facts: &files::Facts| facts.mode & libc::S_IFMT == libc::S_IFCHR && facts.rdev == device;
    let opened = (0..=2).filter_map(|fd| opened::flags_of(call.tid, fd, is_it));
    opened.map(|flags| flags & libc::O_ACCMODE).any(|opened| opened == libc::O_RDWR || opened == access)
}

/// Does the actor hold the other end? Asked each time: a number belongs to the next one who makes a terminal as soon as that end is closed.
fn is_made(call: &Call, device: u64) -> bool {
    (136..=143).contains(&libc::major(device)) && call.own_processes().into_iter().any(|pid| holds_other_end(pid, number(device)))
}

fn holds_other_end(pid: u32, number: u32) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten().take(MOST);
    descriptors.into_iter().any(|descriptor| {
        let is_end = fs::read_link(descriptor.path()).is_ok_and(|path| path.as_os_str().as_bytes().ends_with(b"/ptmx"));
        let info = || fs::read(format!("/proc/{pid}/fdinfo/{}", descriptor.file_name().to_string_lossy())).ok();
        is_end && info().and_then(|info| index(&info)) == Some(number)
    })
}

/// `tty-index:`, Linux 4.14 (pty_show_fdinfo, drivers/tty/pty.c).
fn index(info: &[u8]) -> Option<u32> {
    let index = info.split(|byte| *byte == b'\n').find_map(|line| std::str::from_utf8(line.strip_prefix(b"tty-index:")?).ok())?;
    index.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::sys::process::flags_in;

    #[test]
    fn the_end_one_holds_is_known_by_its_number() {
        let info = |fd: i32| fs::read(format!("/proc/self/fdinfo/{fd}")).unwrap();
        let (me, end) = (std::process::id(), nix::pty::posix_openpt(nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_NOCTTY).unwrap());
        let number = index(&info(end.as_raw_fd())).unwrap();
        assert_eq!(nix::pty::ptsname_r(&end).unwrap(), format!("/dev/pts/{number}"));
        assert!(holds_other_end(me, number) && !holds_other_end(me, number + 1000));
        assert_eq!(flags_in(&String::from_utf8(info(end.as_raw_fd())).unwrap()).unwrap() & libc::O_ACCMODE, libc::O_RDWR);
        drop(end);
        assert!(!holds_other_end(me, number));
    }
}
