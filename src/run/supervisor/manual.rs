//! The reader of cargo's manual, which `cargo help` starts for a page it has written to its own temporary directory: confined like a program, and let in
//! there. In: the policy of a program. Out: the policy with that page.

use crate::judge::{Places, Policy};

pub const ATTRIBUTED_BY: &str = "the reader of cargo's manual, started for the user's command: confined like a program";

/// Cargo that was told `help` keeps nothing else there.
pub fn permit(policy: &mut Policy, places: &Places) {
    policy.read.push(places.cargos_tmp());
}
