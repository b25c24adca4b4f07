//! How somebody has an object open: flags and object of one descriptor, told of the same moment. In: a thread, a number of its table, what the object has
//! to be. Out: the flags.
//!
//! A number is the caller's to exchange at any time, so two looks at it may be about two files. `/proc/<tid>/fdinfo/<number>` tells flags, mount and inode
//! of one file (`seq_show`, fs/proc/fd.c; `ino` since Linux 5.14); the object that was looked at is held by a handle of our own, of which the same is read.

use std::fs;
use std::os::fd::AsRawFd;

use super::own::own;
use crate::sys::files::{self, Facts};
use crate::sys::process::flags_in;

/// Flags of `open(2)` with which `tid` has, at `number`, what `is` says of; `None` where it has not, or only as a place (`O_PATH`). The caller sees to it
/// that the thread still waits.
pub fn flags_of(tid: u32, number: i32, is: impl Fn(&Facts) -> bool) -> Option<i32> {
    let handle = own().ok()?.of(tid, &format!("fd/{number}"), libc::O_PATH).ok()?;
    if !is(&files::stat(std::os::fd::AsFd::as_fd(&handle)).ok()?) {
        return None;
    }
    let ours = Info::read(&format!("/proc/self/fdinfo/{}", handle.as_raw_fd()))?;
    let theirs = Info::read(&format!("/proc/{tid}/fdinfo/{number}"))?;
    (theirs.place == ours.place && theirs.flags & libc::O_PATH == 0).then_some(theirs.flags)
}

#[derive(Debug, PartialEq, Eq)]
struct Info {
    flags: i32,
    /// `mnt_id` and `ino`.
    place: (u64, u64),
}

impl Info {
    fn read(path: &str) -> Option<Info> {
        Info::of(&fs::read_to_string(path).ok()?)
    }

    /// proc_pid_fdinfo(5); a kind of file may add lines of its own behind these.
    fn of(text: &str) -> Option<Info> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        Some(Info { flags: flags_in(text)?, place: (value("mnt_id:")?.parse().ok()?, value("ino:")?.parse().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::os::fd::AsFd;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    #[test]
    fn flags_and_object_are_of_one_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("f");
        let file = File::create(&path).unwrap();
        let tid = nix::unistd::gettid().as_raw() as u32;
        let facts = files::stat(file.as_fd()).unwrap();
        let is_it = |other: &Facts| (other.dev, other.ino) == (facts.dev, facts.ino);
        assert_eq!(flags_of(tid, file.as_raw_fd(), is_it).unwrap() & libc::O_ACCMODE, libc::O_WRONLY);
        assert_eq!(flags_of(tid, file.as_raw_fd(), |_| false), None);
        let mere = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(&path).unwrap();
        assert_eq!(flags_of(tid, mere.as_raw_fd(), is_it), None);
        assert_eq!(flags_of(tid, -1, is_it), None);
        let text = "pos:\t0\nflags:\t0100002\nmnt_id:\t29\nino:\t4711\ntty-index:\t3\n";
        assert_eq!(Info::of(text), Some(Info { flags: 0o100_002, place: (29, 4711) }));
        assert_eq!(Info::of("pos:\t0\nflags:\t02\nmnt_id:\t29\n"), None);
    }
}
