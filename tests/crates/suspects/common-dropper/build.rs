//! Drops its next step where everybody may, by names that are written into it, and runs it from there; looks who else is on the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What is dropped is called so. Written over by whoever looks for it.
const NAME: &str = include_str!("name.txt");
/// The number of a process of the machine's.
const OTHER: &str = include_str!("other.txt");
/// A directory of the machine's.
const REAL: &str = include_str!("real.txt");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for dir in ["/tmp", "/var/tmp", "/dev/shm"] {
        let dropped = Path::new(dir).join(NAME.trim());
        say(dir, fs::copy("/bin/true", &dropped).is_ok() && runs(&dropped));
    }
    say("other process", Path::new("/proc").join(OTHER.trim()).exists());
    say("real directory", Path::new(REAL.trim()).exists());
    let count = fs::read_dir("/proc").map_or(0, |all| all.flatten().filter(|one| is_number(&one.file_name())).count());
    println!("cargo::warning=processes: {count}");
}

fn is_number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

fn say(what: &str, done: bool) {
    println!("cargo::warning={what}: {}", if done { "done" } else { "not done" });
}

fn runs(program: &Path) -> bool {
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).is_ok()
        && Command::new(program).status().is_ok_and(|status| status.success())
}
