//! `link/loader`: a build script's directive makes a linker load code or start another program, or gives what is linked another loader; or it
//! makes the compiler take arguments from a file. What does the former, and how bad it is, is known in `linking`.

use crate::judge::linking::Steer;
use crate::model::{Breach, Rule, Severity};

pub fn directed(steer: &Steer) -> Breach {
    Breach { rule: Rule::LinkLoader, severity: steer.severity, reason: format!("linker arguments: {}", steer.why) }
}

/// A word makes the compiler take further arguments from a file: any it likes, from whoever may write it.
pub fn argument_file() -> Breach {
    let reason = "compiler arguments: `@file` stands for all arguments in that file".to_owned();
    Breach { rule: Rule::LinkLoader, severity: Severity::High, reason }
}
