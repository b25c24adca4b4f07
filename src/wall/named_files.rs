//! Which calls of cargo's stop because they name a file: so that what its own wall refuses is known (`launch::refused`), of which Landlock itself
//! says nothing. In: which of them count. Out: rules.
//!
//! Each stop is two switches between processes. A build that has nothing to do opens some fifty files for each of its packages, and changes next to
//! none: what only reads is watched where cargo is not about to build. What `clean` does is removing, and of what it cannot remove it says so.

use std::collections::BTreeMap;

use anyhow::Result;
use seccompiler::{SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompRule};

use super::filter::{condition, rule};

/// Which calls on files stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    None,
    Changed,
    /// Changed or opened for reading.
    Read,
}

/// Bits of an open that changes something, or may: `O_TRUNC` needs no other one.
const CHANGES: [i32; 4] = [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC];

/// Calls that put a name somewhere, or take one away: what Landlock rules by a right of its own. It has none for modes, owners and times.
const CHANGERS: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    libc::SYS_renameat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_renameat,
    // libc 0.2 does not name it there (asm-generic).
    #[cfg(target_arch = "aarch64")]
    38,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    libc::SYS_linkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_truncate,
    // Its flags lie in memory.
    libc::SYS_openat2,
];

/// By the number of the call; no rule at all means whatever its arguments.
///
/// # Errors
/// None that depends on anything.
pub(super) fn rules(files: Files) -> Result<BTreeMap<i64, Vec<SeccompRule>>> {
    if files == Files::None {
        return Ok(BTreeMap::new());
    }
    let changes = |flags: u8| -> Result<Vec<SeccompRule>> {
        let bit = |bit: &i32| rule(vec![condition(flags, Width::Dword, Is::MaskedEq(*bit as u64), *bit as u64)?]);
        if files == Files::Read { Ok(Vec::new()) } else { CHANGES.iter().map(bit).collect() }
    };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = CHANGERS.iter().map(|number| (*number, Vec::new())).collect();
    rules.insert(libc::SYS_openat, changes(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, changes(1)?);
    Ok(rules)
}
