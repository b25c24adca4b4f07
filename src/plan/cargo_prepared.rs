//! What is made for cargo before it begins, so that its wall need not grant the directory it would be made in. In: places, what cargo was sent to
//! do. Out: empty files and directories, removed again where cargo leaves them empty.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use crate::plan::cargo_stand::Stand;

/// Subcommands that name packages themselves.
const FETCHING: [&str; 4] = ["install", "search", "info", "add"];

/// What cargo would make at once in places where it may not make anything: made for it, empty, as it does. What it leaves empty goes again.
#[derive(Debug, Default)]
pub struct Prepared(Vec<PathBuf>);

impl Prepared {
    pub fn new(stand: &Stand) -> Prepared {
        let mut prepared = Prepared::default();
        let (places, errand) = (stand.places, stand.errand);
        let fetches = stand.named.fetches || FETCHING.contains(&errand.name.as_str());
        if places.cargo_home.is_absolute() {
            // A build that needs nothing from elsewhere leaves no trace of having looked.
            let dirs = ["registry", "git"].into_iter().filter(|_| fetches).map(|dir| places.cargo_home.join(dir));
            prepared.0.extend(dirs.filter(|dir| !dir.exists() && std::fs::create_dir_all(dir).is_ok()));
            // Locks, and what cargo remembers of its caches: they stay, as they would have.
            let files = [".package-cache", ".package-cache-mutate", ".global-cache"].map(|name| make(&places.cargo_home.join(name)));
            tracing::debug!(made = ?prepared.0, ?files, "cargo's home");
        }
        let vendored = stand.vendored().filter(|dir| !dir.exists() && std::fs::create_dir_all(dir).is_ok());
        prepared.0.extend(vendored);
        let root = stand.install_root.clone().filter(|_| matches!(errand.name.as_str(), "install" | "uninstall"));
        if let Some(root) = &root {
            let _ = std::fs::create_dir_all(root.join("bin"));
        }
        let lock = stand.lock().filter(|_| errand.may_lock());
        let wanted = lock.into_iter().chain(root.iter().flat_map(|root| [".crates.toml", ".crates2.json"].map(|name| root.join(name))));
        prepared.0.extend(wanted.filter(|path| make(path)));
        prepared
    }
}

/// Was it made? No link is followed.
fn make(path: &Path) -> bool {
    OpenOptions::new().write(true).create_new(true).open(path).is_ok()
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let is_empty = |path: &&PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
        for path in self.0.iter().filter(is_empty) {
            let _ = std::fs::remove_file(path);
        }
        // Only what is empty goes.
        self.0.iter().filter(|path| path.is_dir()).for_each(|dir| drop(std::fs::remove_dir(dir)));
    }
}
