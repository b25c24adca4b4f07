//! Make and its jobserver: started by build scripts, and starting cargo.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{habit, place};
use crate::honest::calm;
use crate::place::{brig, toolchain};
use crate::run::shell;
use crate::who::Who;

#[test]
fn make_shares_the_tokens_of_cargo() {
    for who in Who::all() {
        let place = calm("honest-make", OsStr::new("code"), who);
        habit(&place, "cargo's jobserver", &["build", "--offline", "-j3"]).same();
        habit(&place, "a jobserver of its own", &["build", "--offline", "-j1"]).with(|run| run.env("ZOO_JOBS", "3")).same();
    }
}

#[test]
fn make_starts_cargo_and_shares_its_tokens() {
    for who in Who::all() {
        let place = calm("honest-make", OsStr::new("code"), who);
        let makefile = place.path("run/Makefile");
        let cargo = toolchain().join("bin/cargo");
        let guarded = format!("{} --report-dir {}", brig().display(), place.path("report").display());
        let text = format!("plain:\n\t+@{} build --offline\nbrig:\n\t+@{guarded} build --offline\n", cargo.display());
        place.write(&makefile, &text);
        habit(&place, "an outer jobserver", &[])
            .by(|place, _, brig| shell(place, &format!("make -j3 -f {} {}", makefile.display(), if brig { "brig" } else { "plain" })))
            .same();
    }
}

/// Since make 4.4 the jobserver is a named pipe among the temporary files.
#[test]
fn an_outer_jobserver_by_name() {
    for who in Who::all() {
        let place = place(who);
        let pipe = place.path("tmp/GMfifo4711");
        mkfifo(&pipe, Mode::from_bits_truncate(0o600)).unwrap();
        place.hand_over();
        let mut held = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        held.write_all(b"++").unwrap();
        habit(&place, "a named jobserver", &["test", "--offline"])
            .with(|run| run.env("MAKEFLAGS", format!(" -j3 --jobserver-auth=fifo:{}", pipe.display())))
            .same();
        // Every token came back.
        let mut tokens = [0; 8];
        let count = std::io::Read::read(&mut &held, &mut tokens).unwrap();
        assert_eq!(&tokens[..count], b"++", "as {who:?}");
        fs::remove_file(pipe).unwrap();
    }
}
