//! Drops its next step where everybody may, by names that are written into it, and runs it from there; looks who else is on the machine.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is dropped is called so. Written over by whoever looks for it.
const NAME: &str = include_str!("name.txt");
/// The number of a process of the machine's.
const OTHER: &str = include_str!("other.txt");
/// A secret of the machine's.
const REAL: &str = include_str!("real.txt");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for dir in ["/tmp", "/var/tmp", "/dev/shm"] {
        let dropped = Path::new(dir).join(NAME.trim());
        say(dir, fs::copy("/bin/true", &dropped).is_ok() && runs(&dropped));
    }
    say("other process", Path::new("/proc").join(OTHER.trim()).exists());
    say("real key", fs::read_to_string(REAL.trim()).is_ok_and(|text| text.contains("CANARY")));
    let compiler = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap().stdout;
    let compiler = PathBuf::from(String::from_utf8(compiler).unwrap().trim());
    say("toolchain", fs::write(compiler.join("share").join(NAME.trim()), "").is_ok());
    say("key at home", home().is_some_and(|home| fs::read(home.join(".ssh/id_ed25519")).is_ok()));
    let count = fs::read_dir("/proc").map_or(0, |all| all.flatten().filter(|one| is_number(&one.file_name())).count());
    println!("cargo::warning=processes: {count}");
}

/// As the machine has it, whatever variables say.
fn home() -> Option<PathBuf> {
    let user = fs::metadata("/proc/self").ok()?.uid().to_string();
    let known = fs::read_to_string("/etc/passwd").ok()?;
    known.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.get(2) == Some(&&*user))?.get(5).map(PathBuf::from)
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
