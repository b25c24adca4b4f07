//! Who, inside a process: the crates found on the stack when an act was tried. Evidence, never a boundary: code can forge its own
//! stack, so nothing is ever allowed because of it alone. (A reviewed allow, which a whole compiler has by the build graph, is narrowed by it:
//! see `judge::reviewed`.)

use serde::{Deserialize, Serialize};

use super::actor::Package;
use super::hostile::Hostile;

/// The result of looking at a stack, innermost frame first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Blame {
    /// Innermost first, consecutive duplicates and the standard library removed.
    pub crates: Vec<Candidate>,
    /// How it was found: `stack`, `parent stack`, `inherited`, `stack, and who started it`, `stack, when the thread was to be traced`, or `none`.
    pub by: String,
    /// Set when the walk ended early or symbols were missing: then `crates` are candidates, not a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
}

impl Blame {
    /// A caveat about names, not about the walk.
    pub const NO_SYMBOLS: &str = "a program or library on the stack has no symbols";

    /// Of a program of this build that other code started: its own stack, and behind that those of the starter's.
    pub const STARTED: &str = "stack, and who started it";

    /// Of a thread that another process of the actor traces, so that its stack cannot be seen: of whoever wanted it traced.
    pub const TRACED: &str = "stack, when the thread was to be traced";

    /// A program's own stack, where somebody's code had started it: who acts comes first, who wanted the program after them. An own stack that is
    /// not conclusive says nothing against a starter who is known.
    pub fn of_started(self, starter: Option<Blame>) -> Blame {
        let Some(starter) = starter.filter(|starter| !starter.crates.is_empty()) else { return self };
        if self.crates.is_empty() || self.caveat.is_some() && starter.caveat.is_none() {
            return starter;
        }
        let mut crates = self.crates;
        for candidate in starter.crates {
            if !crates.iter().any(|known| known.name == candidate.name && known.object == candidate.object) {
                crates.push(candidate);
            }
        }
        Blame { crates, by: Blame::STARTED.to_owned(), caveat: self.caveat }
    }

    /// Was the stack climbed to its end? Then nobody stands on it who is not among `crates`, whatever is said of their names.
    pub fn is_whole(&self) -> bool {
        self.by != "none" && self.caveat.as_deref().is_none_or(|caveat| caveat == Blame::NO_SYMBOLS)
    }
}

/// One crate (or loaded macro) named by a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// Crate name as symbols spell it (`chrono_anchor`).
    pub name: String,
    /// The innermost function of that crate, demangled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Hostile>,
    /// The object the frame lies in, when it is a proc-macro's `.so`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Hostile>,
    /// Package name and version, once mapped through the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blame(names: &[&str], by: &str, caveat: Option<&str>) -> Blame {
        let candidate = |name: &&str| Candidate { name: (*name).to_owned(), function: None, object: None, package: None };
        Blame { crates: names.iter().map(candidate).collect(), by: by.to_owned(), caveat: caveat.map(str::to_owned) }
    }

    #[test]
    fn who_acts_comes_before_who_started_it() {
        for (own, starter, expected) in [
            (blame(&["dep", "app"], "stack", None), None, blame(&["dep", "app"], "stack", None)),
            (blame(&["dep", "app"], "stack", None), Some(blame(&[], "none", None)), blame(&["dep", "app"], "stack", None)),
            (
                blame(&["dep", "app"], "stack", None),
                Some(blame(&["app", "tests"], "inherited", None)),
                blame(&["dep", "app", "tests"], Blame::STARTED, None),
            ),
            (blame(&[], "stack", None), Some(blame(&["dep"], "inherited", None)), blame(&["dep"], "inherited", None)),
            (blame(&["app"], "stack", Some("cut")), Some(blame(&["dep"], "inherited", None)), blame(&["dep"], "inherited", None)),
            (
                blame(&["app"], "stack", Some("cut")),
                Some(blame(&["dep"], "inherited", Some("cut"))),
                blame(&["app", "dep"], Blame::STARTED, Some("cut")),
            ),
        ] {
            assert_eq!(own.of_started(starter), expected);
        }
    }
}
