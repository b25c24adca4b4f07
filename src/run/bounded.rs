//! What processes of a stage of `try` may use, as limits of the kernel's. In: the bounds it was given. Out: limits, with the processes that the user has
//! already counted in, since the kernel counts them.

use std::os::unix::fs::MetadataExt;

use crate::judge::Journal;
use crate::model::lure::Bounds;
use crate::sys::limits::{Limits, bound};

pub fn limits(bounds: &Bounds) -> Limits {
    let processes = (bounds.processes).saturating_add(threads_of_ours());
    Limits { memory: Some(bounds.memory), file: Some(bounds.file), processes: Some(processes), seconds: Some(bounds.seconds) }
}

/// Bounds a build that is about to begin. That it could not be is no reason to run it unbounded and say nothing.
pub fn put_on(pid: i32, limits: Option<&Limits>, journal: &Journal) {
    if let Some(Err(error)) = limits.map(|limits| bound(pid, limits)) {
        journal.lost(&format!("what the build may use could not be bounded: {error}"));
    }
}

/// Threads of this user: what `RLIMIT_NPROC` counts (getrlimit(2)).
fn threads_of_ours() -> u64 {
    let us = nix::unistd::geteuid().as_raw();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    let ours = ours.filter(|entry| entry.metadata().is_ok_and(|facts| facts.uid() == us));
    ours.map(|entry| std::fs::read_dir(entry.path().join("task")).map_or(1, |tasks| tasks.count() as u64)).sum()
}
