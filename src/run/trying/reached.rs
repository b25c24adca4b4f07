//! What of a suspect the program that was written for it calls, and what it does not and why. In: a harness. Out: a sentence, a list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::report::escape;
use crate::report::wording::Medium;
use crate::suspect::harness::Harness;

/// A macro by rules whatever it is given.
fn whole(name: &str) -> String {
    name.split_once("!(").map_or_else(|| name.to_owned(), |(name, _)| format!("{name}!"))
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    pub called: BTreeSet<String>,
    /// With the reason.
    pub not: BTreeMap<String, String>,
    /// What is not there for this machine and these features, with what the compiler says.
    pub absent: BTreeMap<String, String>,
    /// What is called, by the number of the function that the program has for it.
    pub numbered: Vec<String>,
    /// What of its sources could not be read: what lies there is in neither list.
    pub unread: Vec<String>,
}

impl Reached {
    pub fn of(harness: &Harness) -> Reached {
        // A call may have been written in several ways, of which some were taken out: it is made all the same.
        let called: BTreeSet<String> = harness.called.iter().map(|name| whole(name)).collect();
        let left = |all: &[(String, String)], known: &dyn Fn(&String) -> bool| {
            let mut found: BTreeMap<String, String> = BTreeMap::new();
            for (name, why) in all {
                let name = whole(name);
                if !called.contains(&name) && !known(&name) {
                    found.entry(name).or_insert_with(|| why.clone());
                }
            }
            found
        };
        let not = left(&harness.not_called, &|_| false);
        let absent = left(&harness.absent, &|name| not.contains_key(name));
        Reached { called, not, absent, numbered: harness.numbered(), unread: harness.unread.clone() }
    }

    /// "calls 23 of 27 functions and macros that it offers"
    pub fn sentence(&self) -> String {
        let all = self.called.len() + self.not.len();
        let unread = match self.unread.len() {
            0 => "",
            _ => "; some of its sources could not be read",
        };
        format!("what was written for it calls {} of {all} functions and macros that it is seen to offer{unread}", self.called.len())
    }

    /// As Markdown.
    pub fn list(&self, medium: Medium) -> String {
        let mut text = String::new();
        let code = |text: &str| (medium.text)(&text.into());
        for (name, why) in &self.not {
            let _ = writeln!(text, "- not called: {}: {}", code(name), code(why));
        }
        for (name, why) in &self.absent {
            let _ = writeln!(text, "- not there for this machine and these features: {}: {}", code(name), code(why));
        }
        for what in &self.unread {
            let _ = writeln!(text, "- not read: {}", code(what));
        }
        for name in &self.called {
            let _ = writeln!(text, "- called: {}", code(name));
        }
        text
    }

    /// As plain text, for a file of its own.
    pub fn text(&self) -> String {
        self.list(Medium { text: escape::quoted, name: escape::name })
    }
}
