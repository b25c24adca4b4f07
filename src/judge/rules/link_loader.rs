//! `link/loader`: a build script's directive makes a linker load code or start another program, or gives what is linked another loader.
//! What does so, and how bad it is, is known in `linking`.

use crate::judge::linking::Steer;
use crate::model::{Breach, Rule};

pub fn directed(steer: &Steer) -> Breach {
    Breach { rule: Rule::LinkLoader, severity: steer.severity, reason: format!("linker arguments: {}", steer.why) }
}
