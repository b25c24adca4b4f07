//! `env/loader`: a variable that says what others load or start is not what the user gave cargo. Whoever told cargo so has the finding.

use std::ffi::OsStr;

use crate::model::{Breach, Rule, Severity};

/// A build script set `name` for compilers and programs. It is taken out, or put back to what cargo was given. Never its value.
pub fn directed(name: &str, severity: Severity) -> Breach {
    Breach { rule: Rule::EnvLoader, severity, reason: format!("a `rustc-env` directive set `{name}` for other programs") }
}

/// Cargo adds the directories of a macro's native libraries to the search path of the compiler that loads the macro; this one holds a library
/// by the name of one which the compiler loads for itself. It is taken out.
pub fn shadowing(library: &OsStr) -> Breach {
    let reason = format!("a directory for native libraries holds {library:?}, which the compiler would load for its own");
    Breach { rule: Rule::EnvLoader, severity: Severity::High, reason }
}

/// It was changed, and no build script has said so: an `[env]` table of some configuration file did.
pub fn changed(name: &str) -> Breach {
    let reason =
        format!("`{name}` was not what cargo was given, and no build script set it: the `[env]` table of a `.cargo/config.toml` did");
    Breach { rule: Rule::EnvLoader, severity: Severity::High, reason }
}
