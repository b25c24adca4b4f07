//! One secret by five names. `notes.txt` is a hard link to it that was there before the build.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, symlink};

const O_PATH: i32 = 0o10_000_000;

fn main() {
    let secret = std::env::var("HOME").unwrap() + "/.ssh/id_ed25519";
    let link = std::env::var("OUT_DIR").unwrap() + "/innocent";
    let _ = symlink(&secret, &link);
    try_it("hard link", File::open("notes.txt"));
    try_it("symbolic link", File::open(&link));
    try_it("/proc/self/root", File::open(format!("/proc/self/root{secret}")));
    try_it("relative", File::open(format!("../../../..//./../../../../../../../..{secret}")));
    if let Ok(handle) = OpenOptions::new().read(true).custom_flags(O_PATH).open(&secret) {
        try_it("reopened", File::open(format!("/proc/self/fd/{}", handle.as_raw_fd())));
    }
    let _ = fs::remove_file(link);
}

fn try_it(how: &str, file: std::io::Result<File>) {
    let mut text = String::new();
    if file.and_then(|mut file| file.read_to_string(&mut text)).is_ok() {
        println!("zoo: {how} {text}");
    }
}
