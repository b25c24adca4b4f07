//! A policy as a Landlock ruleset.

use std::os::fd::OwnedFd;

use anyhow::Result;

use crate::judge::Policy;

/// Builds the ruleset for `policy` using no more than Landlock `abi`. `None` in observe mode, where nothing is refused.
/// Paths that do not exist are skipped (nothing to grant); a path that exists but cannot be opened is an error.
///
/// # Errors
/// When the kernel refuses a step: the caller must not run the actor.
pub fn build(_policy: &Policy, _abi: u32) -> Result<Option<OwnedFd>> {
    todo!()
}
