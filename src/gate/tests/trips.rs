//! How long a call takes behind the gate: elapsed, and processor time of actor and gate together. Prints, asserts nothing about time.
//!
//! Handing a descriptor over wakes the actor twice, and the kernel (6.18) puts that wake-up on an idle processor if there is one, which
//! costs an interrupt between processors: so the figures are those of a busy machine only under `taskset -c 0`.

use std::ffi::{CStr, CString};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::stage::{Stage, tell};
use crate::model::Mode;
use crate::sys::files::{self, AT_FDCWD};

const TIMES: u32 = 1000;
const SPAWNS: u32 = 50;

#[test]
fn round_trips_take_microseconds() {
    let idle = trip("nothing").1;
    for what in ["passed", "passed-relative", "opened", "opened-relative", "missed", "missed-relative", "created"] {
        let (elapsed, busy) = trip(what);
        println!("{what}: {elapsed} µs elapsed, {:.1} µs of processor", (busy - idle) / f64::from(TIMES));
    }
    let (elapsed, busy) = trip("spawned");
    println!("spawned: {elapsed} µs elapsed, {:.1} µs of processor", (busy - idle) / f64::from(SPAWNS));
    let began = Instant::now();
    (0..SPAWNS).for_each(|_| assert!(Command::new("/bin/true").status().unwrap().success()));
    println!("spawned without us: {:.1} µs elapsed", began.elapsed().as_secs_f64() * 1e6 / f64::from(SPAWNS));
}

/// Microseconds: what the actor measured per call, and what processors spent in all.
fn trip(what: &str) -> (String, f64) {
    let before = spent();
    let played = Stage::new(Mode::Enforce).play(&format!("trips {what}"));
    played.assert_good();
    assert_eq!(played.breaches(), [] as [String; 0]);
    (played.told("trip").to_owned(), spent() - before)
}

fn spent() -> f64 {
    let of = |who| {
        let usage = getrusage(who).unwrap();
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64
    };
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}

/// The actor's part.
pub fn travel(what: &str, out: &Path) {
    let c = |path: &Path| CString::new(path.to_str().unwrap()).unwrap();
    let here = std::env::current_dir().unwrap();
    let open = |path: &CStr| drop(files::openat(AT_FDCWD, path, libc::O_RDONLY | libc::O_CLOEXEC, 0));
    let (source, missing, new) = (c(&here.join("src/lib.rs")), c(&here.join("src/missing")), c(&out.join("new")));
    match what {
        "nothing" => time(|| ()),
        "passed" => time(|| open(c"/etc/passwd")),
        "passed-relative" => {
            let etc = files::openat(AT_FDCWD, c"/etc", libc::O_PATH | libc::O_CLOEXEC, 0).unwrap();
            nix::unistd::fchdir(etc.as_fd()).unwrap();
            time(|| open(c"passwd"));
        }
        "opened" => time(|| open(&source)),
        "opened-relative" => time(|| open(c"src/lib.rs")),
        "missed" => time(|| open(&missing)),
        "missed-relative" => time(|| open(c"src/missing")),
        "created" => time(|| {
            drop(files::openat(AT_FDCWD, &new, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC, 0o644).unwrap());
            files::unlink(AT_FDCWD, &new, 0).unwrap();
        }),
        // Each is a first program of a child, so its spawner's stack is looked at.
        "spawned" => time_of(SPAWNS, || assert!(Command::new("/bin/true").status().unwrap().success())),
        other => panic!("no trip `{other}`"),
    }
}

fn time(deed: impl FnMut()) {
    time_of(TIMES, deed);
}

fn time_of(times: u32, mut deed: impl FnMut()) {
    let began = Instant::now();
    (0..times).for_each(|_| deed());
    tell("trip", format!("{:.1}", began.elapsed().as_secs_f64() * 1e6 / f64::from(times)));
}
