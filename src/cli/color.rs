//! Whether to colour: one pure decision, made before any renderer runs.

use std::ffi::OsString;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    #[default]
    Auto,
    Always,
    Never,
}

/// An explicit choice wins (ours, then cargo's), then `NO_COLOR`, then `CLICOLOR_FORCE`, then what stderr is.
pub fn resolve(choice: Choice, variable: &dyn Fn(&str) -> Option<OsString>, is_terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match choice {
        Choice::Always => return true,
        Choice::Never => return false,
        Choice::Auto => {}
    }
    match set("CARGO_TERM_COLOR").as_ref().and_then(|value| value.to_str()) {
        Some("always") => return true,
        Some("never") => return false,
        _ => {}
    }
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal && set("TERM").is_none_or(|term| term != "dumb") && set("CLICOLOR").is_none_or(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        use Choice::{Always, Auto, Never};
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Choice, Variables, bool, bool); 13] = [
            (Auto, &[], true, true),
            (Auto, &[], false, false),
            (Always, &[("NO_COLOR", "1")], false, true),
            (Never, &[("CLICOLOR_FORCE", "1")], true, false),
            (Auto, &[("NO_COLOR", "1")], true, false),
            (Auto, &[("NO_COLOR", "")], true, true),
            (Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false),
            (Auto, &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")], false, true),
            (Auto, &[("CARGO_TERM_COLOR", "never")], true, false),
            (Auto, &[("CARGO_TERM_COLOR", "auto")], true, true),
            (Auto, &[("TERM", "dumb")], true, false),
        ];
        for (choice, variables, terminal, expected) in table {
            let lookup = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            assert_eq!(resolve(choice, &lookup, terminal), expected, "{choice:?} {variables:?} {terminal}");
        }
    }
}
