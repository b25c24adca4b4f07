//! Which calls of a cargo that only builds lead to a network, and stop for the launcher, its tracer, which decides (`launch::offline`). In: nothing.
//! Out: rules for `cargos`.

use std::collections::BTreeMap;

use anyhow::Result;
use seccompiler::{SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompRule};

use super::filter::{condition, rule};
use crate::model::calls::MSG_FASTOPEN;

/// A socket of any family but unix, every connection, what sends to an address or opens a connection by sending, and io_uring,
/// which could do each of them behind a filter's back.
///
/// # Errors
/// None that depends on anything.
pub(super) fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let fast_open = |flags: u8| rule(vec![condition(flags, Width::Dword, Is::MaskedEq(MSG_FASTOPEN), MSG_FASTOPEN)?]);
    Ok([
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
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calls::{When, table};

    /// Of `sendto` an actor's program lets through what has no address: the rest is mediated.
    #[test]
    fn an_actors_own_program_mediates_what_is_sent_to_an_address() {
        assert!(rules().unwrap().contains_key(&libc::SYS_sendto));
        let sendto: Vec<_> = table().iter().filter(|row| row.number == libc::SYS_sendto).map(|row| row.when).collect();
        assert!(sendto.contains(&When::NonZero { index: 4 }), "{sendto:?}");
        assert!(sendto.contains(&When::AnyBit { index: 3, mask: MSG_FASTOPEN }), "{sendto:?}");
    }
}
