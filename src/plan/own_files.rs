//! Files of policy that are the machine's or the user's own, whatever repository is built: `/etc/brig/NAME` and `~/.config/brig/NAME`. In: a name, the
//! environment. Out: those that are there, the machine's first. Nobody in a build may write to either.

use std::path::{Path, PathBuf};

/// Of the program's own environment.
pub fn of(name: &str) -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = variable("XDG_CONFIG_HOME").filter(|dir| dir.is_absolute());
    let own = own.or_else(|| Some(variable("HOME")?.join(".config")));
    // What is there and cannot be read is an error of whoever reads it: it must not count as absent.
    let all = [Some(PathBuf::from("/etc")), own].into_iter().flatten().map(|dir| dir.join("brig").join(name));
    all.filter(|path| Path::symlink_metadata(path).is_ok()).collect()
}
