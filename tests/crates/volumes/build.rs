//! Makes a subvolume in its own directory, and a snapshot of it; tries to clone a file as `cp` does.

use std::fs::{self, File};
use std::os::fd::AsRawFd;

unsafe extern "C" {
    fn ioctl(fd: i32, request: u64, argument: *const u8) -> i32;
}

const SUBVOL_CREATE: u64 = 0x5000_940e;
const SNAP_CREATE: u64 = 0x5000_9401;
const FICLONE: u64 = 0x4004_9409;

/// `struct btrfs_ioctl_vol_args`: a descriptor and a name.
fn arguments(fd: i64, name: &str) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[..8].copy_from_slice(&fd.to_ne_bytes());
    bytes[8..8 + name.len()].copy_from_slice(name.as_bytes());
    bytes
}

fn main() {
    println!("cargo:rerun-if-changed=nowhere");
    let out = std::env::var("OUT_DIR").unwrap();
    let directory = File::open(&out).unwrap();
    let made = unsafe { ioctl(directory.as_raw_fd(), SUBVOL_CREATE, arguments(0, "sub").as_ptr()) } == 0;
    let source = File::open(format!("{out}/sub")).ok();
    let snapped = source.is_some_and(
        |source| unsafe { ioctl(directory.as_raw_fd(), SNAP_CREATE, arguments(source.as_raw_fd().into(), "snap").as_ptr()) } == 0,
    );
    println!("cargo:warning=subvolume {made} snapshot {snapped}");
    fs::write(format!("{out}/from"), "content").unwrap();
    let (from, to) = (File::open(format!("{out}/from")).unwrap(), File::create(format!("{out}/to")).unwrap());
    let cloned = unsafe { ioctl(to.as_raw_fd(), FICLONE, from.as_raw_fd() as *const u8) } == 0;
    let errno = std::io::Error::last_os_error().raw_os_error();
    println!("cargo:warning=cloned {cloned} {:?}", errno.filter(|_| !cloned));
    let copied = std::process::Command::new("cp").arg(format!("{out}/from")).arg(format!("{out}/copy")).status().unwrap().success();
    println!("cargo:warning=copied {}", copied && fs::copy(format!("{out}/copy"), format!("{out}/again")).is_ok_and(|length| length == 7));
}
