//! What code did in the words of Capslock (github.com/google/capslock, and cargo-capslock of the Rust Foundation), whose tools say what code could do: so
//! that the two can be laid side by side. In: an act. Out: capabilities. The words are theirs, the assignment is ours: by what a call is for, as theirs is.

use crate::model::Act;

/// Of what code did, or tried to.
pub fn of(act: &Act) -> &'static [&'static str] {
    match act {
        Act::Read { .. }
        | Act::Write { .. }
        | Act::Create { .. }
        | Act::Remove { .. }
        | Act::Rename { .. }
        | Act::Link { .. }
        | Act::Symlink { .. }
        | Act::Metadata { .. } => &["CAPABILITY_FILES"],
        // With sockets of this machine among them.
        Act::Socket { .. } | Act::Connect { .. } | Act::Send { .. } | Act::Bind { .. } | Act::Lookup { .. } => &["CAPABILITY_NETWORK"],
        Act::Exec { .. } => &["CAPABILITY_EXEC"],
        Act::Signal { signal, .. } if signal == "0" => &["CAPABILITY_READ_SYSTEM_STATE"],
        Act::Signal { .. } => &["CAPABILITY_MODIFY_SYSTEM_STATE"],
        Act::Tamper { call, .. } if call == "ptrace" => &["CAPABILITY_ARBITRARY_EXECUTION", "CAPABILITY_SYSTEM_CALLS"],
        Act::Tamper { .. } => &["CAPABILITY_SYSTEM_CALLS"],
        // Those are no calls of the code's.
        Act::Survive { .. } | Act::Linger { .. } | Act::Withhold { .. } | Act::Tell { .. } => &[],
    }
}
