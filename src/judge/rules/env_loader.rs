//! `env/loader`: a build script changed, through a directive, what the loader or the search path does in somebody else's process.

use crate::model::{Breach, Rule, Severity};

/// The launcher strips the variable and records this. `name` is a variable's name, never its value.
pub fn breach(name: &str) -> Breach {
    let severity = if name == "LD_LIBRARY_PATH" { Severity::Medium } else { Severity::High };
    Breach { rule: Rule::EnvLoader, severity, reason: format!("`{name}` differs from what cargo was given") }
}
