//! The seccomp program of cargo: which of its calls stop for the launcher, its tracer. In: what is to stop. Out: BPF instructions.
//!
//! No listener, of which a chain of filters may hold one only, and that one is the actor's. Of all answers the lowest counts (seccomp(2)), and
//! "ask the listener" is lower than "ask the tracer": behind an actor's own program this one says nothing, as long as the actor's mediates
//! each of these calls (a test below). Where neither is there to be asked, the call does not exist.

use std::collections::BTreeMap;

use anyhow::Result;
use seccompiler::{SeccompAction, SeccompRule};

use super::filter::{compiled, ret, rules_where};
pub use super::named_files::Files;
use super::{named_files, offline};
use crate::model::calls::{Treatment, X32};

/// What stops of a cargo's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stops {
    /// What leads to a network, before it is made: for a cargo that only builds (`offline`).
    pub network: bool,
    /// What names files (`named_files`).
    pub files: Files,
}

/// Commands to devices stop in any case (`launch`, which makes none of them): nobody types into a terminal for a cargo that was led astray.
///
/// # Errors
/// None on the architectures Brig knows.
pub fn program(stops: Stops) -> Result<Vec<libc::sock_filter>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = named_files::rules(stops.files)?;
    if stops.network {
        rules.extend(offline::rules()?);
    }
    rules.extend(devices()?);
    let compiled = compiled(rules, SeccompAction::Trace(0))?;
    // Calls of a foreign ABI, x32 included, stop too: killing would be lower than asking an actor's listener, which records them.
    let trace = ret(libc::SECCOMP_RET_TRACE);
    let load_number = libc::sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: 0 };
    let mut program = vec![compiled[0], compiled[1], trace, load_number];
    if let Some(range) = X32 {
        let below = libc::sock_filter { code: (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16, jt: 0, jf: 1, k: range.start };
        program.extend([below, trace]);
    }
    program.extend_from_slice(&compiled[4..]);
    Ok(program)
}

/// What an actor's gate is asked about, neither more nor less.
fn devices() -> Result<BTreeMap<i64, Vec<SeccompRule>>> {
    rules_where(|treatment| treatment == Treatment::Device)
}

/// Numbers of the calls that stop because they name a file.
///
/// # Errors
/// As [`program`].
#[cfg(test)]
pub fn followed() -> Result<Vec<i64>> {
    Ok(named_files::rules(Files::Read)?.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calls::row;

    /// An actor is detached: nobody traces it, and a call that only this program stops would not exist for it. What an actor's own program lets
    /// through unasked (`sendto` without an address) has a test beside its rules.
    #[test]
    fn an_actors_own_program_mediates_all_that_stops_here() {
        let stopped = named_files::rules(Files::Read).unwrap().into_keys().chain(offline::rules().unwrap().into_keys());
        for number in stopped.filter(|number| *number != libc::SYS_sendto) {
            let row = row(number).expect("a row");
            assert!(row.when == crate::model::calls::When::Always && row.treatment != Treatment::Absent, "{}", row.name);
        }
    }

    /// The rows of one call, which an actor's own program has as well.
    #[test]
    fn commands_to_devices_stop_whatever_else_does() {
        assert_eq!(devices().unwrap().into_keys().collect::<Vec<_>>(), [libc::SYS_ioctl]);
        for network in [false, true] {
            for files in [Files::None, Files::Changed, Files::Read] {
                assert!(!program(Stops { network, files }).unwrap().is_empty());
            }
        }
    }

    #[test]
    fn the_program_is_short() {
        for (stops, most) in [(Stops { network: true, files: Files::Changed }, 400), (Stops { network: false, files: Files::Read }, 350)] {
            let length = program(stops).unwrap().len();
            assert!(length < most, "{stops:?}: {length}");
        }
    }
}
