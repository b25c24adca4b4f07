//! What was accepted of an actor's package (`brig.lock`), where nothing else may be done. In: an act that the policy allows. Out: whether the lock holds it, in the
//! very words in which a report is compared with it afterwards; what is said to one that it does not hold.
//!
//! The gate alone holds this: the kernel's wall is the profile's.

use std::sync::Arc;

use libc::EACCES;

use crate::baseline::fold::{Key, line_of};
use crate::baseline::{Dirs, Lock};
use crate::model::{Act, Breach, Endpoint, Judgement, Rule, Severity, Verdict};
use crate::report::normalise::Places;

/// Of one actor.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub lock: Arc<Lock>,
    pub key: Key,
    pub version: String,
    pub dirs: Arc<Dirs>,
    /// `x86_64`, for programs that are called after it.
    pub arch: String,
    /// As the report has them of this actor.
    pub places: Places,
}

impl Accepted {
    /// What is said to an act that was allowed, and that the lock does not hold.
    pub fn refuses(&self, act: &Act) -> Option<Judgement> {
        if !self.is_new(act) {
            return None;
        }
        let reason = format!("brig.lock: `{}` {} did not do this when it was accepted", self.key.0, self.version);
        let breach = Breach { rule: Rule::BaselineNew, severity: Severity::Medium, reason };
        Some(Judgement { verdict: Verdict::Refuse(EACCES), breach: Some(breach), noted: false })
    }

    fn is_new(&self, act: &Act) -> bool {
        let act = match act {
            // A program's words are in no line.
            Act::Exec { path, .. } => Act::Exec { path: path.clone(), argv: Vec::new() },
            // What is asked for there has a line of its own; whether it is one of the machine's resolvers is known when it has answered.
            Act::Connect { to: Endpoint::Ip { address, .. } } | Act::Send { to: Endpoint::Ip { address, .. } } if address.port() == 53 => {
                return false;
            }
            // Of what has happened, nothing can be refused.
            Act::Survive { .. } | Act::Linger { .. } | Act::Tell { .. } | Act::Withhold { .. } => return false,
            act => act.clone(),
        };
        let line = line_of(&self.places.act(&act), (&self.key.0, self.key.1), (&self.arch, &self.dirs));
        line.is_some_and(|line| !self.lock.holds(&self.key, &line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActorKind, Hostile};

    #[test]
    fn what_the_lock_holds_may_be_done_and_nothing_else_of_its_kind() {
        let lock = "brig-lock 2\nx build-script 1.0.0 00 ran y -\nx build-script does exec cc\nx build-script does read {workspace}/data/*\n\
                    x build-script does write {workspace}/tmp/s-*\nx build-script does connect tcp h.example:443\n";
        let places = Places::new([("/w".into(), "{workspace}"), ("/w/target".into(), "{target}"), ("/c".into(), "{cargo-home}")]);
        let dirs = Dirs::new([("{cargo-home}/registry/src/i/x-1.0.0".into(), "x".to_owned(), "1.0.0".to_owned())]);
        let accepted = Accepted {
            lock: Arc::new(Lock::read(lock).unwrap()),
            key: ("x".into(), ActorKind::BuildScript),
            version: "1.0.0".into(),
            dirs: Arc::new(dirs),
            arch: "x86_64".into(),
            places: places.with("/w/target/debug/build/x-1f/out".as_ref(), "{out}").with("/t".as_ref(), "{tmp}"),
        };
        let read = |path: &str| Act::Read { path: path.into() };
        let write = |path: &str| Act::Write { path: path.into() };
        let exec = |path: &str| Act::Exec { path: path.into(), argv: vec!["x".into()] };
        let connect = |address: &str, host: Option<&str>| Act::Connect {
            to: Endpoint::Ip { protocol: "tcp".into(), address: address.parse().unwrap(), host: host.map(Hostile::from) },
        };
        for (act, new) in [
            (exec("/usr/bin/x86_64-linux-gnu-gcc-12"), true),
            (exec("/usr/bin/cc"), false),
            (exec("/usr/bin/curl"), true),
            (exec("/w/target/debug/build/x-1f/out/tool"), true),
            (read("/c/registry/src/i/x-1.0.0/build.rs"), false),
            (read("/c/registry/src/i/other-1.0.0/build.rs"), true),
            (read("/usr/include/stdio.h"), false),
            (read("/w/data/one"), false),
            (read("/w/data/deep/one"), true),
            (read("/w/src/lib.rs"), true),
            (read("/w"), false),
            (write("/w/target/debug/build/x-1f/out/made.rs"), false),
            (write("/t/x"), false),
            (write("/w/data/one"), true),
            (connect("203.0.113.7:443", Some("h.example")), false),
            (connect("203.0.113.7:443", None), true),
            (connect("127.0.0.53:53", None), false),
            (Act::Survive { exe: "/usr/bin/curl".into() }, false),
        ] {
            let said = accepted.refuses(&act);
            assert_eq!(said.is_some(), new, "{act:?}");
            let reason = said.and_then(|said| said.breach).map(|breach| breach.reason);
            assert!(reason.is_none_or(|reason| reason == "brig.lock: `x` 1.0.0 did not do this when it was accepted"));
        }
    }
}
