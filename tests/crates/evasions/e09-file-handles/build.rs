//! A handle names a file without any path.

use std::os::fd::AsRawFd;

use trick::sys::{AT_FDCWD, call, opens_canary, ptr};

const NAME_TO_HANDLE_AT: i64 = 303;
const OPEN_BY_HANDLE_AT: i64 = 304;

/// `struct file_handle` with room for any file system's.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    handle: [u8; 128],
}

fn main() {
    let path = trick::c(trick::ssh_key());
    let mut handle = Handle { bytes: 128, kind: 0, handle: [0; 128] };
    let mut mount = 0_i32;
    let at = &raw mut handle as i64;
    if call(NAME_TO_HANDLE_AT, &[AT_FDCWD, ptr(&path), at, &raw mut mount as i64, 0]).is_err() {
        return;
    }
    trick::won("handle");
    let here = std::fs::File::open(trick::out_dir()).unwrap();
    if opens_canary(call(OPEN_BY_HANDLE_AT, &[i64::from(here.as_raw_fd()), at, 0])) {
        trick::won("open");
    }
}
