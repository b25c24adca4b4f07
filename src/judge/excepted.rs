//! A policy with exceptions of the user's in it, and what it would be without them. In: an act that was allowed. Out: the exceptions it was
//! allowed by, and what would have been said; which secrets are named.

use crate::judge::exceptions::{Granted, reaches};
use crate::judge::policy::Policy;
use crate::judge::rules::net_connect::{is_named, names_host, split};
use crate::model::act::ObjectKind;
use crate::model::{Act, Blame, Endpoint, Hostile, Judgement, Object};

/// An act that would not have been allowed.
#[derive(Clone, Debug)]
pub struct Spent<'a> {
    /// Exceptions that are about it; perhaps of some of its code alone, see [`Granted::is_for`].
    pub by: Vec<&'a Granted>,
    /// What is said without them.
    pub otherwise: Judgement,
}

impl<'a> Spent<'a> {
    /// Those that count where this is all that is known of who acts: of those that ask, none where nothing is.
    pub fn counting(&self, blame: Option<&Blame>) -> Vec<&'a Granted> {
        let (some, all): (Vec<&Granted>, Vec<&Granted>) = self.by.iter().copied().partition(|granted| granted.asks_who());
        let is_for = |granted: &&Granted| blame.is_some_and(|blame| granted.is_for(blame));
        if all.is_empty() { some.into_iter().filter(is_for).collect() } else { all }
    }
}

impl Policy {
    /// What allowed this act, where the profile alone would have refused it.
    pub fn spent(&self, act: &Act, object: Option<Object>, judgement: &Judgement) -> Option<Spent<'_>> {
        let broken = |judgement: &Judgement| judgement.refused() || judgement.breach.is_some() && !judgement.noted;
        let without = self.without.as_ref().filter(|_| !broken(judgement))?;
        let otherwise = without.judge(act, object);
        if !broken(&otherwise) {
            return None;
        }
        let known = self.places.second.known_act(act);
        let act = known.as_ref().unwrap_or(act);
        // Several may be about one act, each about a part of it. What those that hold for all of its code do not allow by themselves is for some of it.
        let is_for_some = self.for_all.as_ref().is_some_and(|policy| broken(&policy.judge(act, object)));
        let counts = |granted: &&Granted| is_about(granted, act) && (granted.asks_who() || !is_for_some);
        Some(Spent { by: self.granted.iter().filter(counts).collect(), otherwise })
    }

    /// Do exceptions reach this program, and all of them for other words than these? Then it is as if there were none: the kernel's wall, which knows no
    /// words, lets it run, and the gate does not.
    pub fn is_told_otherwise(&self, path: &[u8], argv: &[Hostile]) -> bool {
        let mut about = self.granted.iter().filter(|granted| reaches(&granted.exec, path)).peekable();
        about.peek().is_some() && !about.any(|granted| granted.is_told(argv))
    }

    /// Exceptions that name this file, a secret, for reading. A directory is never named: what lies in it tomorrow nobody has seen.
    pub fn naming(&self, path: &[u8], object: Option<Object>) -> impl Iterator<Item = &Granted> {
        let is_file = object.is_some_and(|object| object.kind == ObjectKind::File);
        self.granted.iter().filter(move |granted| is_file && granted.names(path))
    }

    /// Of this file of secrets, the only variables that are handed over; nothing where all of it is, or none. Where it is named for everybody in the
    /// program, what it is named for besides for some is not handed over: who reads it is not asked then.
    pub fn revealed_in(&self, path: &[u8]) -> Option<Vec<&str>> {
        let mut naming: Vec<&Granted> = self.granted.iter().filter(|granted| granted.names(path)).collect();
        if naming.iter().any(|granted| granted.via.is_empty()) {
            naming.retain(|granted| granted.via.is_empty());
        }
        let some = !naming.is_empty() && naming.iter().all(|granted| !granted.reveal.is_empty());
        some.then(|| naming.iter().flat_map(|granted| granted.reveal.iter().map(String::as_str)).collect())
    }
}

/// Is the exception about this act? Of two ends, about either.
fn is_about(granted: &Granted, act: &Act) -> bool {
    let written = |path: &Hostile| reaches(&granted.write, path.as_bytes());
    let read = |path: &Hostile| [&granted.read, &granted.write, &granted.exec].iter().any(|trees| reaches(trees, path.as_bytes()));
    match act {
        Act::Read { path } => read(path),
        Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Symlink { path, .. } | Act::Metadata { path, .. } => {
            written(path)
        }
        Act::Rename { from, to } => written(from) || written(to),
        Act::Link { from, to } => read(from) || written(to),
        Act::Exec { path, argv } => reaches(&granted.exec, path.as_bytes()) && granted.is_told(argv),
        Act::Connect { to } | Act::Send { to } => match to {
            Endpoint::UnixPath { path } => reaches(&granted.unix, path.as_bytes()) || written(path),
            to => granted.connect.iter().any(|entry| is_named(entry, to)),
        },
        Act::Lookup { name, .. } => {
            granted.connect.iter().filter_map(|entry| split(entry)).any(|(host, _)| host == "*" || names_host(host, name.as_bytes()))
        }
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests;
