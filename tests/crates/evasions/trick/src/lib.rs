//! What fixtures share: where the canaries are, how a way that won is told, and system calls as the kernel takes them.
//!
//! A fixture proves that a way won by a mark: `won:<nonce of the place>:<package>:<way>`. The nonce is known only at run time, so no
//! compiled program contains a mark. Marks count wherever they turn up: on stderr, in a file, at a sink.

use std::env;
use std::ffi::{CString, OsStr};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub mod near;
pub mod net;
pub mod race;
pub mod sys;

/// Every planted secret begins so, or has it in its first line.
pub const CANARY: &[u8] = b"CANARY-";

/// The mark of a way. `CARGO_PKG_NAME` tells whose it is; a macro or a helper process says it itself with `mark_of`.
pub fn mark(way: &str) -> String {
    mark_of(&env::var("CARGO_PKG_NAME").unwrap_or_default(), way)
}

pub fn mark_of(package: &str, way: &str) -> String {
    format!("won:{}:{package}:{way}", env::var("ZOO_NONCE").unwrap_or_default())
}

/// The mark as a shell's word: a script must not contain the mark before it runs.
pub fn shell_mark(way: &str) -> String {
    format!("won:$ZOO_NONCE:{}:{way}", env::var("CARGO_PKG_NAME").unwrap_or_default())
}

/// This way won. Written past `print!`, which test harnesses capture.
pub fn won(way: &str) {
    say(&mark(way));
}

pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Is this what was planted?
pub fn is_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|part| part == CANARY)
}

/// Reads a file in the ordinary way; a way won when the canary is in it.
pub fn try_read(way: &str, path: impl AsRef<Path>) {
    if std::fs::read(path).is_ok_and(|bytes| is_canary(&bytes)) {
        won(way);
    }
}

/// Adds the mark of a way to a file, behind what makes it a comment there. The way won when it is in it.
pub fn try_append(way: &str, path: impl AsRef<Path>, comment: &str) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if file.and_then(|mut file| file.write_all(format!("{comment} {}\n", mark(way)).as_bytes())).is_ok() {
        won(way);
    }
}

/// The throw-away machine's directory.
pub fn place() -> PathBuf {
    env::var_os("ZOO_PLACE").expect("run by the tests").into()
}

pub fn home() -> PathBuf {
    place().join("home")
}

/// The workspace, `{place}/home/code`.
pub fn workspace() -> PathBuf {
    home().join("code")
}

pub fn ssh_key() -> PathBuf {
    home().join(".ssh/id_ed25519")
}

pub fn dotenv() -> PathBuf {
    workspace().join(".env")
}

pub fn out_dir() -> PathBuf {
    env::var_os("OUT_DIR").expect("a build script has one").into()
}

/// The package's own directory.
pub fn package() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo").into()
}

/// `target/debug`, from where a build script's `OUT_DIR` lies.
pub fn profile_dir() -> PathBuf {
    out_dir().ancestors().nth(3).expect("target/debug/build/x-hash/out").to_owned()
}

/// Where another package's build script left its results: `target/debug/build/<package>-<hash>`, the one with an `out`.
pub fn built(package: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(profile_dir().join("build")).ok()?.flatten().map(|entry| entry.path());
    let of_package = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(&format!("{package}-")));
    entries.filter(of_package).find(|path| path.join("out").is_dir())
}

/// Ports of the sinks on 127.0.0.1.
pub fn tcp_port() -> u16 {
    env::var("ZOO_TCP").unwrap().parse().unwrap()
}

pub fn udp_port() -> u16 {
    env::var("ZOO_UDP").unwrap().parse().unwrap()
}

pub fn c(path: impl AsRef<OsStr>) -> CString {
    CString::new(path.as_ref().as_bytes()).unwrap()
}
