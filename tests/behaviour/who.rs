//! The users a case runs as: the one running the tests and, when that is root, an ordinary one besides.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::unistd::{Uid, User};

const NAME: &str = "brig-tests";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Myself,
    Ordinary { uid: u32, gid: u32 },
}

impl Who {
    /// Everyone a case has to run as.
    pub fn all() -> Vec<Who> {
        static ORDINARY: OnceLock<Option<Who>> = OnceLock::new();
        let ordinary = *ORDINARY.get_or_init(|| match ordinary() {
            Ok(who) => Some(who),
            Err(why) => {
                // Straight to stderr: the test harness would swallow `eprintln!`, and a case that did not run must be heard of.
                writeln!(std::io::stderr(), "note: every case runs as one user only: {why}").ok();
                None
            }
        });
        std::iter::once(Who::Myself).chain(ordinary).collect()
    }

    pub fn apply(self, command: &mut Command) {
        if let Who::Ordinary { uid, gid } = self {
            // std drops the supplementary groups too when it changes the user as root.
            command.gid(gid).uid(uid);
        }
    }

    pub fn is_root(self) -> bool {
        self == Who::Myself && Uid::effective().is_root()
    }
}

fn ordinary() -> Result<Who, String> {
    if !Uid::effective().is_root() {
        return Err("not root, so no second user can be had".into());
    }
    if find()?.is_none() {
        // A second test binary may be doing the same: what counts is that the user is there afterwards.
        let made = Command::new("useradd").args(["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]).output();
        if find()?.is_none() {
            return Err(format!("the user `{NAME}` cannot be made: {made:?}"));
        }
    }
    let user = find()?.ok_or("the user went away")?;
    let who = Who::Ordinary { uid: user.uid.as_raw(), gid: user.gid.as_raw() };
    let rustc = super::place::toolchain().join("bin/rustc");
    let mut probe = Command::new(&rustc);
    who.apply(probe.arg("-V").current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()));
    match probe.status() {
        Ok(status) if status.success() => Ok(who),
        other => Err(format!("`{NAME}` cannot run {} ({other:?}); `scripts/check` opens the way to it", rustc.display())),
    }
}

fn find() -> Result<Option<User>, String> {
    User::from_name(NAME).map_err(|error| format!("look up the user `{NAME}`: {error}"))
}
