//! Modes, owners, times, extended attributes, lengths, flags: by name, and through a descriptor that was opened for reading only. Each
//! on a file of its own.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use trick::sys::{AT_FDCWD, call, ptr};

const TRUNCATE: i64 = 76;
const CHMOD: i64 = 90;
const FCHMOD: i64 = 91;
const CHOWN: i64 = 92;
const FCHMODAT: i64 = 268;
const FCHMODAT2: i64 = 452;
const UTIMENSAT: i64 = 280;
const SETXATTR: i64 = 188;
const FSETXATTR: i64 = 190;
const FGETXATTR: i64 = 193;
const FALLOCATE: i64 = 285;
const IOCTL: i64 = 16;
const FS_IOC_GETFLAGS: i64 = 0x8008_6601;
const FS_IOC_SETFLAGS: i64 = 0x4008_6602;
const NODUMP: u32 = 0x40;

fn main() {
    let outside = |name: &str| trick::home().join("outside").join(name);
    let mode = |path: &PathBuf| fs::metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o7777);
    for (way, number) in [("chmod", CHMOD), ("fchmodat", FCHMODAT), ("fchmodat2", FCHMODAT2)] {
        let path = outside(way);
        let text = trick::c(&path);
        let _ = if number == CHMOD { call(number, &[ptr(&text), 0o600]) } else { call(number, &[AT_FDCWD, ptr(&text), 0o600, 0]) };
        if mode(&path) == 0o600 {
            trick::won(way);
        }
    }
    let secret = trick::home().join(".config/gh/hosts.yml");
    let _ = call(CHMOD, &[ptr(&trick::c(&secret)), 0o604]);
    if mode(&secret) == 0o604 {
        trick::won("chmod-secret");
    }
    let path = outside("owner");
    let text = trick::c(&path);
    let owner = fs::metadata(&path).unwrap().uid();
    if call(CHOWN, &[ptr(&text), i64::from(owner), 0xffff_ffff]).is_ok() {
        trick::won("chown");
    }
    if call(CHOWN, &[ptr(&text), 1, 1]).is_ok() {
        trick::won("chown-away");
    }
    let path = outside("times");
    let long_ago = [1_i64, 0, 1, 0];
    let _ = call(UTIMENSAT, &[AT_FDCWD, ptr(&trick::c(&path)), long_ago.as_ptr() as i64, 0]);
    if fs::metadata(&path).unwrap().mtime() == 1 {
        trick::won("times");
    }
    let path = outside("attribute");
    if call(SETXATTR, &[ptr(&trick::c(&path)), ptr(c"user.zoo"), b"x".as_ptr() as i64, 1, 0]).is_ok() {
        trick::won("attribute");
    }
    let path = outside("length");
    let _ = call(TRUNCATE, &[ptr(&trick::c(&path)), 1]);
    if fs::metadata(&path).unwrap().len() == 1 {
        trick::won("truncate");
    }
    let path = outside("room");
    if let Ok(file) = File::options().write(true).open(&path) {
        let _ = call(FALLOCATE, &[i64::from(file.as_raw_fd()), 0, 0, 8192]);
    }
    if fs::metadata(&path).unwrap().len() == 8192 {
        trick::won("fallocate");
    }
    // A source file, which may be read.
    let source = trick::workspace().join("notes/source.txt");
    let file = File::open(&source).unwrap();
    let fd = i64::from(file.as_raw_fd());
    let _ = call(FCHMOD, &[fd, 0o600]);
    if mode(&source) == 0o600 {
        trick::won("descriptor-mode");
    }
    let _ = call(UTIMENSAT, &[fd, 0, long_ago.as_ptr() as i64, 0]);
    if fs::metadata(&source).unwrap().mtime() == 1 {
        trick::won("descriptor-times");
    }
    let _ = call(FSETXATTR, &[fd, ptr(c"user.zoo"), b"x".as_ptr() as i64, 1, 0]);
    if call(FGETXATTR, &[fd, ptr(c"user.zoo"), 0, 0]).is_ok() {
        trick::won("descriptor-attribute");
    }
    let mut flags = 0_u32;
    if call(IOCTL, &[fd, FS_IOC_GETFLAGS, &raw mut flags as i64]).is_ok() {
        flags |= NODUMP;
        let _ = call(IOCTL, &[fd, FS_IOC_SETFLAGS, &raw mut flags as i64]);
        flags = 0;
        let _ = call(IOCTL, &[fd, FS_IOC_GETFLAGS, &raw mut flags as i64]);
        if flags & NODUMP != 0 {
            trick::won("descriptor-flags");
        }
    }
}
