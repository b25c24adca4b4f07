//! The seccomp program of a cargo that only builds: everything that leads to a network stops for the launcher, its tracer, which decides
//! (`launch::offline`). In: nothing. Out: BPF instructions.
//!
//! No listener, of which a chain of filters may hold one only, and that one is the actor's. Of all answers the lowest counts (seccomp(2)), and
//! "ask the listener" is lower than "ask the tracer": behind an actor's own program this one says nothing, as long as the actor's mediates
//! each of these calls (a test below). Where neither is there to be asked, the call does not exist.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompFilter, SeccompRule, TargetArch};

use super::filter::{RETURN, condition, ret, rule};
use crate::model::calls::{MSG_FASTOPEN, X32};

/// Which calls stop: a socket of any family but unix, every connection, what sends to an address or opens a connection by sending, and io_uring,
/// which could do each of them behind a filter's back.
///
/// # Errors
/// None on the architectures Brig knows.
pub fn program() -> Result<Vec<libc::sock_filter>> {
    let fast_open = |flags: u8| rule(vec![condition(flags, Width::Dword, Is::MaskedEq(MSG_FASTOPEN), MSG_FASTOPEN)?]);
    let rules: BTreeMap<i64, Vec<SeccompRule>> = [
        (libc::SYS_socket, vec![rule(vec![condition(0, Width::Dword, Is::Ne, libc::AF_UNIX as u64)?])?]),
        // No rule at all: whatever the arguments.
        (libc::SYS_connect, Vec::new()),
        (libc::SYS_sendto, vec![rule(vec![condition(4, Width::Qword, Is::Ne, 0)?])?, fast_open(3)?]),
        (libc::SYS_sendmsg, vec![fast_open(2)?]),
        (libc::SYS_sendmmsg, vec![fast_open(3)?]),
        (libc::SYS_io_uring_setup, Vec::new()),
        (libc::SYS_io_uring_enter, Vec::new()),
        (libc::SYS_io_uring_register, Vec::new()),
    ]
    .into();
    let arch = TargetArch::try_from(std::env::consts::ARCH).context("choose the architecture of the filter")?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Trace(0), arch).context("assemble the filter")?;
    let compiled: BpfProgram = filter.try_into().context("compile the filter")?;
    let compiled: Vec<_> = compiled.iter().map(|step| libc::sock_filter { code: step.code, jt: step.jt, jf: step.jf, k: step.k }).collect();
    ensure!(
        compiled.len() > 4 && compiled[2].code == RETURN && compiled[2].k == libc::SECCOMP_RET_KILL_PROCESS,
        "the compiled filter does not begin with the check of the architecture"
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calls::{Treatment, When, row, table};

    /// An actor is detached: nobody traces it, and a call that only this program stops would not exist for it.
    #[test]
    fn an_actors_own_program_mediates_all_that_stops_here() {
        for number in [
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_sendmsg,
            libc::SYS_sendmmsg,
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
        ] {
            let row = row(number).expect("a row");
            assert!(row.when == When::Always && row.treatment != Treatment::Absent, "{}", row.name);
        }
        let sendto: Vec<_> = table().iter().filter(|row| row.number == libc::SYS_sendto).map(|row| row.when).collect();
        assert!(sendto.contains(&When::NonZero { index: 4 }), "{sendto:?}");
        assert!(sendto.contains(&When::AnyBit { index: 3, mask: MSG_FASTOPEN }), "{sendto:?}");
    }

    #[test]
    fn the_program_is_short() {
        assert!(program().unwrap().len() < 80);
    }
}
