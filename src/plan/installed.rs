//! What a tool of the user's needs besides the directory on `PATH` that it is found in: its libraries beside `bin`, what a version manager's shims
//! start, what links lead to (a cellar). In: directories of `PATH`, programs that were named. Out: trees and files that may be read and run like those. Nothing of the build's, and
//! never a home: what lies in these places was installed, and no actor may write there.

use std::path::{Path, PathBuf};

use super::kernel_grants::PUBLISHED;
use super::placeholders::{is_builds_own, is_program};
use crate::judge::Places;

/// Beside `bin`, where installations keep what their programs load and start.
const BESIDE: [&str; 4] = ["lib", "lib64", "libexec", "pyvenv.cfg"];
/// Entries of one directory that are looked at.
const MOST: usize = 4_000;

pub fn of_path(path_dirs: &[PathBuf], places: &Places) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dir in path_dirs.iter().filter(|dir| !is_published(dir)) {
        found.extend(beside(dir, places));
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().take(MOST);
        let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
        for program in links.filter_map(|link| link.path().canonicalize().ok()).filter(|program| is_program(program)) {
            let Some(home) = program.parent().map(Path::to_owned) else { continue };
            if is_published(&home) || path_dirs.contains(&home) || is_builds_own(&home, places) {
                continue;
            }
            found.extend(installation(program, home, places));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The same of programs that the user named, wherever they are the user's.
pub fn of_named(programs: Vec<PathBuf>, places: &Places) -> Vec<PathBuf> {
    let users = programs.into_iter().filter(|program| !is_published(program) && !is_builds_own(program, places));
    let one = |program: PathBuf| match program.parent().map(Path::to_owned) {
        Some(home) if home.parent().is_some_and(|prefix| !is_builds_own(prefix, places)) => installation(program, home, places),
        _ => vec![program],
    };
    users.flat_map(one).collect()
}

fn installation(program: PathBuf, home: PathBuf, places: &Places) -> Vec<PathBuf> {
    if !holds_programs(&home) {
        return vec![program];
    }
    let mut found = beside(&home, places);
    found.push(home);
    found
}

fn is_published(dir: &Path) -> bool {
    PUBLISHED.iter().any(|tree| dir.starts_with(tree))
}

fn holds_programs(dir: &Path) -> bool {
    ["bin", "sbin", "libexec"].iter().any(|name| dir.ends_with(name))
}

/// The rest of the installation that this directory of programs belongs to. Shims start what their manager has installed somewhere beside them.
fn beside(dir: &Path, places: &Places) -> Vec<PathBuf> {
    let Some(prefix) = dir.parent().filter(|prefix| !is_builds_own(prefix, places)) else { return Vec::new() };
    if dir.ends_with("shims") {
        return vec![prefix.to_owned()];
    }
    let parts = BESIDE.iter().filter(|_| holds_programs(dir)).filter_map(|name| prefix.join(name).canonicalize().ok());
    parts.filter(|part| !is_builds_own(part, places)).collect()
}
