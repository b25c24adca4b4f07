//! `ioctl`, for requests that are not on the table's list: none of them is granted. In: a request and the descriptor it is for. Out: what a
//! file system or device without that feature says, where honest programs ask for it and do without; else a refusal, and a finding.

use std::io;

use super::found::Found;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::act::ObjectKind;
use crate::model::calls::requests;
use crate::sys::identity;

/// What honest programs ask of any file: `cp`, `install` and `mv` whether it can be cloned, `lsattr`, `tar`, `git` and package managers for
/// its flags, old coreutils where its holes are. As on a file system that has none of it (`tmpfs`).
const PROBES: [(u32, i32); 11] = [
    // FICLONE, FICLONERANGE: whoever copies goes on with copy_file_range(2).
    (0x4004_9409, libc::EOPNOTSUPP),
    (0x4020_940d, libc::EOPNOTSUPP),
    // FS_IOC_FIEMAP.
    (0xc020_660b, libc::EOPNOTSUPP),
    // FS_IOC_GETFLAGS and its elder with an int, FS_IOC_GETVERSION, FS_IOC_FSGETXATTR.
    (0x8008_6601, libc::ENOTTY),
    (0x8004_6601, libc::ENOTTY),
    (0x8008_7601, libc::ENOTTY),
    (0x801c_581f, libc::ENOTTY),
    // FIBMAP (which only root may ask) and FIGETBSZ.
    (1, libc::ENOTTY),
    (2, libc::ENOTTY),
    // FS_IOC_GETFSUUID, FS_IOC_GETFSSYSFSPATH (Linux 6.9).
    (0x8011_1500, libc::ENOTTY),
    (0x8081_1501, libc::ENOTTY),
];

/// What nobody asks for but to reach beyond a terminal: typing into it, the console's own commands and output, another line discipline,
/// hanging up, keyboards and virtual terminals (types `K` and `V`); and what `F_SETOWN` does, for sockets and through a pointer.
fn reaches_beyond(request: u32) -> bool {
    const TIOCSTI: u32 = 0x5412;
    const TIOCLINUX: u32 = 0x541c;
    const TIOCCONS: u32 = 0x541d;
    const TIOCSETD: u32 = 0x5423;
    const TIOCVHANGUP: u32 = 0x5437;
    const FIOSETOWN: u32 = 0x8901;
    const SIOCSPGRP: u32 = 0x8902;
    matches!(request, TIOCSTI | TIOCLINUX | TIOCCONS | TIOCSETD | TIOCVHANGUP | TIOCSCTTY | FIOSETOWN | SIOCSPGRP)
        || request >> 16 == 0 && matches!(request >> 8, 0x4b | 0x56)
}

/// With 1 beside it a terminal is taken from whoever has it, by administrators; from all others it is the ordinary wish, which needs no asking
/// (`tiocsctty`, drivers/tty/tty_jobctrl.c).
const TIOCSCTTY: u32 = 0x540e;

/// Types of requests that file systems know, and block devices: `f`, `X`, `v` and `r` of several, those of btrfs and clones, f2fs, reiserfs, CIFS, Ceph,
/// what all have in common. A request of any other type is for a device that a file is not, and a file says so.
const OF_FILE_SYSTEMS: [u32; 11] = [0x66, 0x58, 0x76, 0x72, 0x94, 0xf5, 0x7a, 0xcf, 0x97, 0x15, 0x12];

/// Answers a request by its registers: what is behind its pointer is never read.
///
/// # Errors
/// `EBADF`, and what a device without that request says.
pub fn request(call: &Call) -> io::Result<Answer> {
    let request = call.args[1] as u32;
    let found = Found::of(own()?, call.descriptor(call.int(0))?)?;
    let ordinary = request == TIOCSCTTY && !identity::administers(call.tid)?;
    call.check_valid()?;
    if ordinary {
        return Ok(Answer::Continue);
    }
    let said = |errno| Ok(Answer::Errno(errno));
    if let Some((_, errno)) = PROBES.iter().find(|(probe, _)| *probe == request) {
        return said(*errno);
    }
    let reaches = match found.kind() {
        ObjectKind::File | ObjectKind::Directory => is_of_a_file_system(request),
        _ => found.is(libc::S_IFBLK) || reaches_beyond(request),
    };
    if reaches {
        let asked = requests::request(call.number, &call.args).unwrap_or_default();
        let detail = [asked.as_bytes(), b" on ", found.shown(call).as_bytes()].concat();
        return Ok(call.tamper("ioctl", detail.as_slice()));
    }
    // A file, a socket, a pipe or a device that has no such request.
    said(libc::ENOTTY)
}

/// None has a type where a request is a bare number, as in the days before there were types.
fn is_of_a_file_system(request: u32) -> bool {
    let kind = request >> 8 & 0xff;
    kind == 0 || OF_FILE_SYSTEMS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calls::row;

    #[test]
    fn requests_that_files_do_not_have() {
        // SPI, video, keyboard of Bluetooth: nix's own tests ask files for them.
        for (request, of_a_file_system) in
            [(0x4080_6b00, false), (0x8034_5621, false), (0x4004_48c9, false), (0x4004_9401, true), (0x4008_6602, true), (1, true)]
        {
            assert_eq!(is_of_a_file_system(request), of_a_file_system, "{request:#x}");
        }
    }

    #[test]
    fn what_is_answered_here_reaches_us() {
        let row = row(libc::SYS_ioctl).unwrap();
        let notified = |request: u32| {
            crate::model::calls::table()
                .iter()
                .any(|row| row.number == libc::SYS_ioctl && row.when.holds(&[3, u64::from(request), 1, 0, 0, 0]))
        };
        assert_eq!(row.name, "ioctl");
        assert!(PROBES.iter().all(|(request, _)| notified(*request) && !reaches_beyond(*request)));
        for request in (0..=0xffff).filter(|request| reaches_beyond(*request)) {
            assert!(notified(request), "{request:#x}");
        }
        assert!(reaches_beyond(0x4b4d) && reaches_beyond(0x5606) && !reaches_beyond(0x5401));
    }

    /// Whatever a file system calls its own: types `f`, `X`, `v` (ext4, xfs, FAT), 0x94 (btrfs, clones), `z`, 0xf5 (f2fs) and 0x12 (block devices).
    #[test]
    fn no_request_of_a_file_system_is_free() {
        for kind in [0x66, 0x58, 0x76, 0x94, 0x7a, 0xf5, 0x12, 0x15, 0x72, 0x41] {
            for number in 0..=0xff_u32 {
                // Whatever its size and direction.
                for front in [0, 0x4004, 0x4008, 0x8008, 0xc010, 0x401c, 0x5000, 0xd000] {
                    let request = front << 16 | kind << 8 | number;
                    let free = crate::model::calls::table()
                        .iter()
                        .all(|row| row.number != libc::SYS_ioctl || !row.when.holds(&[3, u64::from(request), 0, 0, 0, 0]));
                    assert!(!free, "{request:#x}");
                }
            }
        }
    }
}
