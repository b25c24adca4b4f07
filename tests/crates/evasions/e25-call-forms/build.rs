//! The kernel looks at some bits of an argument and not at others; who judges must look at the same.

use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use trick::sys::{AT_FDCWD, call, nr, opens_canary, ptr};

const CACHED: u64 = 0x20;
const LARGEFILE: u64 = 0o100_000;
const E2BIG: i32 = 7;
const EINVAL: i32 = 22;
const EFAULT: i32 = 14;

fn main() {
    let path = trick::c(trick::ssh_key());
    let at = ptr(&path);
    let try_open = |way: &str, result: Result<i64, i32>| {
        if opens_canary(result) {
            trick::won(way);
        }
    };
    let garbage = 0x7777_7777_0000_0000_i64;
    try_open("open-flags", call(nr::OPEN, &[at, garbage]));
    try_open("openat-flags", call(nr::OPENAT, &[AT_FDCWD, at, garbage | LARGEFILE as i64, -1]));
    // AT_FDCWD without its upper half, and with another.
    try_open("zero-extended-directory", call(nr::OPENAT, &[AT_FDCWD & 0xffff_ffff, at, 0]));
    if let Ok(home) = std::fs::File::options().read(true).custom_flags(0o10_000_000).open(trick::home()) {
        let fd = i64::from(home.as_raw_fd());
        try_open("directory-upper-half", call(nr::OPENAT, &[fd | garbage, ptr(c".ssh/id_ed25519"), 0]));
        let how = [0_u64; 3];
        try_open("openat2-directory", call(nr::OPENAT2, &[fd | garbage, ptr(c".netrc"), how.as_ptr() as i64, 24]));
    }
    // Flags that open ignores: the kernel knows none of bits 24 to 30.
    try_open("unknown-flags", call(nr::OPEN, &[at, 0x7f00_0000 & !0o20_000_000]));
    try_open("absolute-ignores-directory", call(nr::OPENAT, &[-1, at, 0]));

    let mut how = [0_u64; 512];
    let how_at = how.as_mut_ptr() as i64;
    for (way, size) in [("openat2-24", 24), ("openat2-64", 64), ("openat2-4096", 4096)] {
        try_open(way, call(nr::OPENAT2, &[AT_FDCWD, at, how_at, size]));
    }
    how[2] = CACHED;
    // Without having to look at the disk: it was looked at just now.
    let _ = std::fs::metadata(trick::ssh_key());
    try_open("openat2-cached", call(nr::OPENAT2, &[AT_FDCWD, at, how_at, 24]));
    how[2] = 0;
    how[0] = LARGEFILE;
    try_open("openat2-largefile", call(nr::OPENAT2, &[AT_FDCWD, at, how_at, 24]));

    // What the kernel refuses must stay refused, with the same words.
    for (size, set, expected) in [
        (0, None, EINVAL),
        (23, None, EINVAL),
        (4097, None, E2BIG),
        (1 << 40, None, E2BIG),
        (32, Some((3, 1)), E2BIG),
        (4096, Some((511, 1)), E2BIG),
        (24, Some((0, 1 << 32)), EINVAL),
        (24, Some((0, 1 << 63)), EINVAL),
        (24, Some((1, 0o644)), EINVAL),
        (24, Some((2, 0x40)), EINVAL),
        (24, Some((2, 1 << 40)), EINVAL),
    ] {
        let mut how = [0_u64; 1024];
        if let Some((word, value)) = set {
            how[word] = value;
        }
        let result = call(nr::OPENAT2, &[AT_FDCWD, at, how.as_ptr() as i64, size]);
        assert_eq!(result, Err(expected), "openat2 of size {size} with {set:?}");
    }
    assert_eq!(call(nr::OPENAT2, &[AT_FDCWD, at, 8, 24]), Err(EFAULT));
}
