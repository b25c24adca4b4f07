//! `env/loader`: a variable that says what others load or start is not what the user gave cargo. Whoever told cargo so has the finding.

use crate::model::{Breach, Rule, Severity};

/// A build script set `name` for compilers and programs. It is taken out, or put back to what cargo was given. Never its value.
pub fn directed(name: &str, severity: Severity) -> Breach {
    Breach { rule: Rule::EnvLoader, severity, reason: format!("a `rustc-env` directive set `{name}` for other programs") }
}

/// It was changed, and no build script has said so: an `[env]` table of some configuration file did.
pub fn changed(name: &str) -> Breach {
    let reason =
        format!("`{name}` was not what cargo was given, and no build script set it: the `[env]` table of a `.cargo/config.toml` did");
    Breach { rule: Rule::EnvLoader, severity: Severity::High, reason }
}
