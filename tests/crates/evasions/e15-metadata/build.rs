//! Names, sizes and times: enough to know whom one has to do with.

use trick::sys::{AT_FDCWD, call, ptr};

const STAT: i64 = 4;
const ACCESS: i64 = 21;
const READLINK: i64 = 89;
const STATX: i64 = 332;
const INOTIFY_INIT1: i64 = 294;
const INOTIFY_ADD_WATCH: i64 = 254;
const ALL_EVENTS: i64 = 0xfff;

fn main() {
    let ssh = trick::home().join(".ssh");
    if std::fs::read_dir(&ssh).is_ok_and(|mut names| names.any(|name| name.is_ok_and(|name| name.file_name() == "id_ed25519"))) {
        trick::won("list");
    }
    let (directory, key) = (trick::c(&ssh), trick::c(trick::ssh_key()));
    if let Ok(fd) = call(INOTIFY_INIT1, &[0]) {
        for (way, path) in [("watch-directory", &directory), ("watch-file", &key)] {
            if call(INOTIFY_ADD_WATCH, &[fd, ptr(path), ALL_EVENTS]).is_ok() {
                trick::won(way);
            }
        }
        // What is one's own may be watched.
        let own = trick::c(trick::out_dir());
        assert!(call(INOTIFY_ADD_WATCH, &[fd, ptr(&own), ALL_EVENTS]).is_ok());
    }
    let mut room = [0_u8; 512];
    let at = room.as_mut_ptr() as i64;
    if call(STAT, &[ptr(&key), at]).is_ok() {
        trick::won("stat");
    }
    if call(STATX, &[AT_FDCWD, ptr(&key), 0, 0x7ff, at]).is_ok() {
        trick::won("statx");
    }
    if call(ACCESS, &[ptr(&key), 0]).is_ok() {
        trick::won("access");
    }
    let link = trick::c(trick::home().join(".ssh/current"));
    if call(READLINK, &[ptr(&link), at, 512]).is_ok() {
        trick::won("readlink");
    }
}
