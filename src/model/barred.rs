//! A package that keeps a build from beginning: known to be malicious, denied by the user, or with code that nobody has accepted. Plain data.

use std::fmt;

use super::actor::ActorKind;

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    pub name: String,
    pub version: String,
    pub why: Why,
    /// The line that says so: `brig.toml:12`.
    pub origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Malicious {
        /// `RUSTSEC-2026-0265`, or who else told.
        advisory: String,
        /// `2026-08-20`.
        date: String,
        what: String,
        /// What it was after, to be rotated.
        after: Option<String>,
    },
    Denied {
        reason: String,
    },
    /// Its code runs at build time, and the lock of behaviours does not hold it.
    Unaccepted {
        kind: ActorKind,
        /// The version that was accepted; the same one where only its checksum is another.
        before: Option<String>,
    },
    /// It is linked into code that runs at build time, and the lock does not hold it.
    Library {
        /// Of whom: packages, each with "build script" or "macro".
        into: Vec<String>,
        /// As above; nothing where the lock has none of it.
        before: Option<String>,
        /// That lock is of an older form, without libraries.
        older: bool,
    },
}

/// All that keep one build from beginning: an error until the report tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barring(pub Vec<Barred>);

/// "build script", "macro": the code of a unit.
pub fn code_of(kind: ActorKind) -> String {
    if kind == ActorKind::ProcMacro { "macro".to_owned() } else { kind.name().replace('-', " ") }
}

impl fmt::Display for Barring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|one| format!("`{}` {}", one.name, one.version)).collect();
        write!(f, "kept from the build: {}", names.join(", "))
    }
}

impl std::error::Error for Barring {}
