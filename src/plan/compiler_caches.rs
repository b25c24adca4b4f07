//! Caches of compilers that stand between a build script and `cc`. In: the environment cargo is to get. Out: the same, and a word that keeps ccache from
//! the user's cache: it may not be written from inside a build, which would be a way into the next one, and ccache ends where it cannot.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;

pub const CCACHE: &str = "CCACHE_DISABLE";

/// Tells ccache to start the compiler and nothing else, where there is one.
pub fn leave_out(env: &mut Vec<(OsString, OsString)>) {
    let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()).unwrap_or_default();
    let is_there = std::env::split_paths(&path)
        .any(|dir| dir.join("ccache").metadata().is_ok_and(|program| program.is_file() && program.permissions().mode() & 0o111 != 0));
    if is_there && !env.iter().any(|(name, _)| name == CCACHE) {
        env.push((CCACHE.into(), "1".into()));
    }
}
