//! Every descriptor that was not opened here, and the same one through cargo.

use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

use trick::near::parent;

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
    for entry in std::fs::read_dir(format!("/proc/{}/fd", parent())).into_iter().flatten().flatten() {
        // A pipe would keep us waiting.
        if entry.path().canonicalize().is_ok_and(|path| path.is_file()) {
            trick::try_read("through-parent", entry.path());
        }
    }
}
