//! A descriptor that carries no data is granted; then the object behind it is opened by the names descriptors have.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};

use trick::sys::{call, in_child, nr, opens_canary};

const O_PATH: i32 = 0o10_000_000;

fn main() {
    let Ok(handle) = File::options().read(true).custom_flags(O_PATH).open(trick::ssh_key()) else { return };
    let fd = handle.as_raw_fd();
    trick::try_read("proc-self-fd", format!("/proc/self/fd/{fd}"));
    trick::try_read("dev-fd", format!("/dev/fd/{fd}"));
    trick::try_read("own-number", format!("/proc/{}/fd/{fd}", std::process::id()));
    trick::try_read("thread-self", format!("/proc/thread-self/fd/{fd}"));
    let link = trick::out_dir().join("descriptor");
    let _ = fs::remove_file(&link);
    symlink(format!("/proc/self/fd/{fd}"), &link).unwrap();
    trick::try_read("link-to-descriptor", &link);
    if let Ok(fds) = File::options().read(true).custom_flags(O_PATH).open("/proc/self/fd") {
        let number = trick::c(fd.to_string());
        if opens_canary(call(nr::OPENAT, &[i64::from(fds.as_raw_fd()), number.as_ptr() as i64, 0])) {
            trick::won("from-directory");
        }
    }
    // A child looks into its parent.
    let parent = std::process::id();
    in_child(|| {
        trick::try_read("by-child", format!("/proc/{parent}/fd/{fd}"));
        0
    });
    // The same of a directory: whatever is below it.
    let Ok(directory) = File::options().read(true).custom_flags(O_PATH).open(trick::home().join(".aws")) else { return };
    trick::try_read("below-directory", format!("/proc/self/fd/{}/credentials", directory.as_raw_fd()));
}
