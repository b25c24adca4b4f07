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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::SecretLists;

    #[test]
    fn only_secrets_with_several_names() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = dir.path().canonicalize().expect("real path");
        let (home, workspace) = (root.join("home"), root.join("w"));
        for sub in ["home/.ssh", "w/member/deep", "w/target", "w/node_modules"] {
            std::fs::create_dir_all(root.join(sub)).expect("directory");
        }
        for name in ["home/.ssh/id_x", "w/member/.env", "w/member/deep/.env.local", "w/target/.env", "w/plain", "w/.env"] {
            std::fs::write(root.join(name), "CANARY").expect("file");
        }
        for (from, to) in [("home/.ssh/id_x", "a"), ("w/member/.env", "b"), ("w/target/.env", "c"), ("w/plain", "d")] {
            std::fs::hard_link(root.join(from), root.join(to)).expect("link");
        }
        let places =
            Places { home: Some(home.clone()), target: workspace.join("target"), workspace: Some(workspace.clone()), ..Places::default() };
        let secrets = Secrets::compile(&places, &SecretLists::default()).expect("compiles");
        let found = find(&places, &secrets);
        let paths: Vec<&PathBuf> = found.iter().map(|(path, ..)| path).collect();
        assert_eq!(paths, [&home.join(".ssh/id_x"), &workspace.join("member/.env")]);
        let secrets = secrets.with_inodes(found);
        let alias = root.join("a").metadata().expect("alias");
        let object = |ino| Some(crate::model::Object { dev: alias.dev(), ino, kind: crate::model::act::ObjectKind::File });
        assert_eq!(secrets.class_of_object(object(alias.ino())), Some("ssh"));
        assert_eq!(secrets.class_of_object(object(root.join("d").metadata().expect("plain").ino())), None);
    }
}
