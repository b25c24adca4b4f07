//! `env/loader`: a build script changed, through a directive, what the loader or the search path does in somebody else's process.

use crate::model::{Breach, Rule, Severity};

/// The variable is taken out, or put back to what cargo was given, and this is recorded. `name` is a variable's name, never its value.
pub fn breach(name: &str) -> Breach {
    let reason = format!("`{name}` was not what cargo was given: a `cargo:rustc-env` directive or `[env]` in a configuration set it");
    Breach { rule: Rule::EnvLoader, severity: Severity::High, reason }
}
