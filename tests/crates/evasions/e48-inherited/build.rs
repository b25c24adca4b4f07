//! Every descriptor that was not opened here, and the same one through cargo.

use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::fs::OpenOptionsExt;

use trick::near::parent;

const O_NONBLOCK: i32 = 0o4000;

fn main() {
    for fd in 3..1024 {
        // Whoever owns it goes on owning it.
        let mut file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(fd) });
        if !file.metadata().is_ok_and(|facts| facts.is_file()) {
            continue;
        }
        let mut bytes = Vec::new();
        let file: &mut std::fs::File = &mut file;
        if std::io::Read::read_to_end(file, &mut bytes).is_ok() && trick::is_canary(&bytes) {
            trick::won("inherited");
        }
    }
    // Its list is refused without alarm; whoever goes on without it guesses the numbers.
    for fd in 3..1024 {
        let mut bytes = Vec::new();
        // A pipe would keep us waiting.
        let opened = std::fs::OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(format!("/proc/{}/fd/{fd}", parent()));
        let file = opened.ok().filter(|file| file.metadata().is_ok_and(|facts| facts.is_file()));
        if file.is_some_and(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes).is_ok()) && trick::is_canary(&bytes) {
            trick::won("through-parent");
        }
    }
}
