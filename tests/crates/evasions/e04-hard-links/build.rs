//! A second name for a secret, in a place that may be read.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use trick::sys::{AT_FDCWD, call, ptr};

const LINKAT: i64 = 265;
const FOLLOW: i64 = 0x400;
const EMPTY_PATH: i64 = 0x1000;
const O_PATH: i32 = 0o10_000_000;

fn main() {
    let (key, out) = (trick::ssh_key(), trick::out_dir());
    let fresh = |name: &str| {
        let path = out.join(name);
        let _ = std::fs::remove_file(&path);
        path
    };
    let _ = std::fs::hard_link(&key, fresh("plain"));
    trick::try_read("link", out.join("plain"));

    let Ok(handle) = File::options().read(true).custom_flags(O_PATH).open(&key) else { return };
    let through = trick::c(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    let to = trick::c(fresh("followed"));
    let _ = call(LINKAT, &[AT_FDCWD, ptr(&through), AT_FDCWD, ptr(&to), FOLLOW]);
    trick::try_read("through-descriptor", out.join("followed"));

    let to = trick::c(fresh("empty"));
    let _ = call(LINKAT, &[i64::from(handle.as_raw_fd()), ptr(c""), AT_FDCWD, ptr(&to), EMPTY_PATH]);
    trick::try_read("empty-path", out.join("empty"));
}
