//! Numbers for processes, so that a parent or whoever acted can be named by one. In: a report. Out: by pid and time, a number.

use std::collections::HashMap;

use crate::model::report::Report;

/// Numbers of processes, each once: those that cargo started have their actor's, the others come after. The kernel gives one number to several, one after
/// the other.
pub struct Numbers {
    first: u64,
    /// By pid: when it began, and its number here.
    by_pid: HashMap<u32, Vec<(u64, u64)>>,
}

impl Numbers {
    pub fn of(report: &Report) -> Numbers {
        let first = report.actors.iter().map(|actor| u64::from(actor.id.0)).max().unwrap_or_default() + 1;
        let mut by_pid: HashMap<u32, Vec<(u64, u64)>> = HashMap::new();
        for actor in report.actors.iter().filter(|actor| actor.pid > 0) {
            by_pid.entry(actor.pid).or_default().push((actor.ran.map_or(0, |ran| ran.started_ms), u64::from(actor.id.0)));
        }
        for (at, process) in report.processes.iter().enumerate() {
            by_pid.entry(process.pid).or_default().push((process.started_ms, first.saturating_add(at as u64)));
        }
        by_pid.values_mut().for_each(|all| all.sort_unstable());
        Numbers { first, by_pid }
    }

    /// Of a process by where it stands in the report.
    pub fn of_process(&self, at: usize) -> u64 {
        self.first.saturating_add(at as u64)
    }

    /// The last that began under this number until then.
    pub fn find(&self, pid: u32, until: Option<u64>) -> Option<u64> {
        let all = self.by_pid.get(&pid).filter(|_| pid > 0)?;
        let before = all.iter().rev().find(|(began, _)| until.is_none_or(|until| *began <= until));
        before.or(all.first()).map(|(_, number)| *number)
    }
}
