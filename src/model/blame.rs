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
    /// How it was found: `stack`, `parent stack`, `inherited`, or `none`.
    pub by: String,
    /// Set when the walk ended early or symbols were missing: then `crates` are candidates, not a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
}

impl Blame {
    /// A caveat about names, not about the walk.
    pub const NO_SYMBOLS: &str = "a program or library on the stack has no symbols";

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
