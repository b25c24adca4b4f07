//! Requests with a bad pointer: a way won when a file system looked behind it. Which file system it is does not matter for these.

use std::fs;
use std::os::fd::AsRawFd;

use trick::sys::call;

const IOCTL: i64 = 16;
const FIDEDUPERANGE: i64 = 0xc018_9436;
const FICLONERANGE: i64 = 0x4020_940d;
const EFAULT: i32 = 14;
const BAD: i64 = 1;

fn main() {
    let path = trick::out_dir().join("file");
    fs::write(&path, "content").unwrap();
    let (file, directory) = (fs::File::open(&path).unwrap(), fs::File::open(trick::out_dir()).unwrap());
    for (way, fd, request) in [
        ("dedupe-file", file.as_raw_fd(), FIDEDUPERANGE),
        ("dedupe-directory", directory.as_raw_fd(), FIDEDUPERANGE),
        // For the kernel a request has 32 bits.
        ("upper-half", file.as_raw_fd(), FIDEDUPERANGE | 0x5413 << 32),
        ("clone-range", file.as_raw_fd(), FICLONERANGE),
    ] {
        if call(IOCTL, &[fd.into(), request, BAD]) == Err(EFAULT) {
            trick::won(way);
        }
    }
}
