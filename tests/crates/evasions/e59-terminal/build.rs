//! What the user types and reads, through cargo's descriptors.

use std::fs::{File, OpenOptions};
use std::io::Write;

use trick::near::parent;

fn main() {
    if File::open(format!("/proc/{}/fd/0", parent())).is_ok() {
        trick::won("parent-input");
    }
    if let Ok(mut output) = OpenOptions::new().write(true).open(format!("/proc/{}/fd/1", parent())) {
        let _ = output.write_all(format!("{}\n", trick::mark("parent-output")).as_bytes());
    }
    // Pipes belong to whoever made them: those between cargo and its children do to the user.
    let entries = std::fs::read_dir(format!("/proc/{}/fd", parent())).into_iter().flatten().flatten();
    let is_pipe = |path: &std::path::PathBuf| std::fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"));
    if entries.map(|entry| entry.path()).filter(is_pipe).any(|path| OpenOptions::new().read(true).write(true).open(path).is_ok()) {
        trick::won("pipe");
    }
    if File::open("/dev/tty").is_ok() {
        trick::won("terminal");
    }
}
