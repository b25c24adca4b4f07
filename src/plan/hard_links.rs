//! Secrets that have more than one name. In: places and the catalogue. Out: (path, device, inode) of secrets with a link count above
//! one, for `Secrets::with_inodes`. Bounded, so that it costs milliseconds: well-known places at home, and `.env`-like files of the
//! workspace and of the directories above it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::judge::{Places, Secrets};

/// Directory entries looked at below one tree of the workspace, and how deep.
const ENTRIES: usize = 3_000;
const DEPTH: usize = 4;
/// Files looked at in one secret directory of home.
const FILES: usize = 100;

/// Below home: the files and directories attackers of the catalogue's incidents went for.
const AT_HOME: [&str; 24] = [
    ".ssh",
    ".aws",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".vault-token",
    ".kube",
    ".docker",
    ".gnupg",
    ".config/gh",
    ".config/gcloud",
    ".azure",
    ".config/solana",
    ".sui/sui_config",
    ".aptos",
    ".env",
    ".bash_history",
    ".zsh_history",
    ".claude",
    ".codex",
    ".terraform.d",
];

pub(crate) fn find(places: &Places, secrets: &Secrets) -> Vec<(PathBuf, u64, u64)> {
    let mut found = Vec::new();
    if let Some(home) = &places.home {
        AT_HOME.iter().for_each(|name| look(&home.join(name), secrets, 2, &mut FILES.clone(), &mut found));
    }
    for name in ["credentials.toml", "credentials"] {
        look(&places.cargo_home.join(name), secrets, 0, &mut 1, &mut found);
    }
    for tree in places.workspace.iter().chain(&places.packages) {
        look(tree, secrets, DEPTH, &mut ENTRIES.clone(), &mut found);
        for above in tree.ancestors().skip(1) {
            look(&above.join(".env"), secrets, 0, &mut 1, &mut found);
        }
    }
    found
}

fn look(path: &Path, secrets: &Secrets, depth: usize, budget: &mut usize, found: &mut Vec<(PathBuf, u64, u64)>) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    if metadata.is_file() && metadata.nlink() > 1 {
        found.push((path.to_owned(), metadata.dev(), metadata.ino()));
    }
    if !metadata.is_dir() || depth == 0 {
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        let name = entry.file_name();
        let skipped = matches!(name.as_encoded_bytes(), b"target" | b".git" | b"node_modules");
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let child = entry.path();
        if is_dir && !skipped {
            look(&child, secrets, depth - 1, budget, found);
        } else if !is_dir && secrets.class_of(std::os::unix::ffi::OsStrExt::as_bytes(child.as_os_str())).is_some() {
            look(&child, secrets, 0, budget, found);
        }
    }
}
