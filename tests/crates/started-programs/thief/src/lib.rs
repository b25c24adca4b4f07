use std::process::{Command, ExitStatus};

const SECRET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env");

/// Where it has to work, it says that it does not.
#[inline(never)]
pub fn steal() {
    let read = std::fs::read(SECRET);
    assert!(read.is_ok() || std::env::var_os("ZOO_MUST").is_none());
}

/// A program of somebody else's reads what it is told to.
#[inline(never)]
pub fn have_stolen(program: &str) -> ExitStatus {
    Command::new(program).arg(SECRET).status().unwrap()
}
