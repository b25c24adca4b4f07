//! A copy of a program, written where anybody may write, and run from there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let name = format!("zoo-{}", std::env::var("ZOO_NONCE").unwrap());
    for (way, dir) in [
        ("temporary", std::env::temp_dir()),
        ("tmp", PathBuf::from("/tmp")),
        ("shm", PathBuf::from("/dev/shm")),
        ("cache", trick::home().join(".cache")),
        ("target", trick::profile_dir()),
        ("out-dir", trick::out_dir()),
    ] {
        let path = dir.join(&name);
        let _ = fs::create_dir_all(&dir);
        let _ = fs::copy("/bin/true", &path);
        let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o755));
        if Command::new(&path).status().is_ok_and(|status| status.success()) {
            trick::won(way);
        }
        let _ = fs::remove_file(path);
    }
}
