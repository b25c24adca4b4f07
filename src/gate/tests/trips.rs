//! How long a call takes behind the gate. Prints, asserts nothing about time.

use std::os::fd::AsFd;
use std::time::Instant;

use super::stage::{Stage, tell};
use crate::model::Mode;
use crate::sys::files::{self, AT_FDCWD};

#[test]
fn round_trips_take_microseconds() {
    let played = Stage::new(Mode::Enforce).play("trips");
    played.assert_good();
    for what in ["let through", "let through, relative", "handed over", "handed over, relative", "missed", "missed, relative", "created"] {
        println!("{what}: {} µs", played.told(what));
    }
}

/// The actor's part.
pub fn travel() {
    let absolute = |path: &str| std::ffi::CString::new(std::env::current_dir().unwrap().join(path).to_str().unwrap()).unwrap();
    let open = |path: &std::ffi::CStr| drop(files::openat(AT_FDCWD, path, libc::O_RDONLY | libc::O_CLOEXEC, 0));
    time("let through", || open(c"/etc/passwd"));
    time("handed over", || open(&absolute("src/lib.rs")));
    time("handed over, relative", || open(c"src/lib.rs"));
    time("missed", || open(&absolute("src/missing")));
    time("missed, relative", || open(c"src/missing"));
    let etc = files::openat(AT_FDCWD, c"/etc", libc::O_PATH | libc::O_CLOEXEC, 0).unwrap();
    nix::unistd::fchdir(etc.as_fd()).unwrap();
    time("let through, relative", || open(c"passwd"));
    let new = std::path::Path::new(&std::env::var_os("BRIG_TEST_ROOT").unwrap()).join("out/new");
    let new = std::ffi::CString::new(new.to_str().unwrap()).unwrap();
    time("created", || drop(files::openat(AT_FDCWD, &new, libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC, 0o644)));
}

fn time(what: &str, mut deed: impl FnMut()) {
    const TIMES: u32 = 2000;
    (0..50).for_each(|_| deed());
    let began = Instant::now();
    (0..TIMES).for_each(|_| deed());
    tell(what, format!("{:.1}", began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)));
}
