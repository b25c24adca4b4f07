//! `/proc` leads to everything, by names that do not say so.

use std::os::unix::process::parent_id;

fn main() {
    let key = trick::ssh_key();
    let text = key.to_str().unwrap();
    let (me, tid) = (std::process::id(), std::fs::read_link("/proc/thread-self").unwrap());
    let tid = tid.file_name().unwrap().to_str().unwrap().to_owned();
    trick::try_read("self-root", format!("/proc/self/root{text}"));
    trick::try_read("own-number-root", format!("/proc/{me}/root{text}"));
    trick::try_read("thread-self-root", format!("/proc/thread-self/root{text}"));
    trick::try_read("task-root", format!("/proc/self/task/{tid}/root{text}"));
    trick::try_read("twice", format!("/proc/self/root/proc/self/root{text}"));
    trick::try_read("self-cwd", format!("/proc/self/cwd/{}{}", "../".repeat(40), &text[1..]));
    trick::try_read("cargo-root", format!("/proc/{}/root{text}", parent_id()));
    trick::try_read("cargo-cwd", format!("/proc/{}/cwd/.env", parent_id()));
}
