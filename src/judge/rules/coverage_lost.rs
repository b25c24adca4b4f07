//! `coverage/lost`: the record has holes.

use crate::model::{Breach, Rule, Severity};

pub fn breach(events: u64) -> Breach {
    Breach { rule: Rule::CoverageLost, severity: Severity::High, reason: format!("{events} events could not be recorded") }
}
