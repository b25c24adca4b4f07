//! What configurations of cargo and git include from elsewhere: a file of any name, in which credentials stand as well as in the first. In:
//! places. Out: real paths, each with its format. Bounded, so that it costs milliseconds; nothing is granted for what is found here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::attribute::source::read_bytes;
use crate::judge::Places;
use crate::judge::configuration::format::Format;
use crate::judge::configuration::git;
use crate::plan::cargo_files;

/// Files read in all, and bytes of each.
const FILES: usize = 200;
const LONGEST: u64 = 1 << 20;

pub(crate) fn find(places: &Places) -> Vec<(PathBuf, Format)> {
    let mut waiting = Vec::new();
    let trees = places.workspace.iter().chain(&places.packages);
    for above in trees.flat_map(|tree| tree.ancestors()) {
        waiting.extend(["config.toml", "config"].map(|name| (above.join(".cargo").join(name), Format::Cargo)));
        waiting.extend(["config", "config.worktree"].map(|name| (above.join(".git").join(name), Format::Git)));
    }
    waiting.extend(["config.toml", "config"].map(|name| (places.cargo_home.join(name), Format::Cargo)));
    waiting.extend(places.home.iter().flat_map(|home| [".gitconfig", ".config/git/config"].map(|name| (home.join(name), Format::Git))));
    let (mut found, mut read) = (Vec::new(), 0);
    let mut seen = std::collections::HashSet::new();
    while let Some((path, format)) = waiting.pop() {
        if !seen.insert(path.clone()) || read >= FILES {
            continue;
        }
        let Some(text) = read_bytes(&path, LONGEST) else { continue };
        read += 1;
        let named = if format == Format::Git { git::included(&text) } else { included_by_cargo(&text) };
        for name in named {
            let Some(real) = located(&name, &path, places).and_then(|path| path.canonicalize().ok()) else { continue };
            found.push((real.clone(), format));
            waiting.push((real, format));
        }
    }
    found
}

/// Relative to the file that includes it; of git's, `~/` is home (git-config(1)).
fn located(name: &[u8], by: &Path, places: &Places) -> Option<PathBuf> {
    let path = |text: &[u8]| PathBuf::from(OsStr::from_bytes(text));
    match name.strip_prefix(b"~/") {
        Some(rest) => Some(places.home.as_ref()?.join(path(rest))),
        None => Some(by.canonicalize().ok()?.parent()?.join(path(name))),
    }
}

fn included_by_cargo(text: &[u8]) -> Vec<Vec<u8>> {
    let table = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    cargo_files::includes(&table).into_iter().map(|path| path.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_included_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), text).unwrap();
        };
        write("home/w/.cargo/config.toml", "include = [\"private.toml\", { path = \"../more.toml\", optional = true }]");
        write("home/w/.cargo/private.toml", "include = \"../deeper.toml\"");
        write("home/w/more.toml", "include = \"more.toml\"");
        write("home/w/deeper.toml", "");
        write("home/w/.git/config", "[include]\n\tpath = ../shared.inc\n[includeIf \"gitdir:x\"]\n\tpath = ~/work.inc\n\tpath = missing\n");
        write("home/w/shared.inc", "");
        write("home/work.inc", "");
        let places = Places {
            workspace: Some(root.join("home/w")),
            home: Some(root.join("home")),
            cargo_home: root.join("none"),
            ..Places::default()
        };
        let mut found = find(&places);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found.dedup();
        let expected = [
            ("home/w/.cargo/private.toml", Format::Cargo),
            ("home/w/deeper.toml", Format::Cargo),
            ("home/w/more.toml", Format::Cargo),
            ("home/w/shared.inc", Format::Git),
            ("home/work.inc", Format::Git),
        ];
        assert_eq!(found, expected.map(|(name, format)| (root.join(name), format)));
    }
}
