//! One oracle for every run under Brig: a picture of the whole throw-away machine, taken before and compared after. In: a place. Out: what
//! changed that no run may change, and where a planted secret turned up.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::place::Place;

/// Everything in a place that is nobody's to change, by path below it.
pub struct Picture(BTreeMap<PathBuf, Look>);

/// What a change would change: kind and mode, content, where a link leads. Times and owners are not looked at: the harness itself hands
/// the place over to the user of the case.
#[derive(PartialEq, Eq)]
struct Look {
    mode: u32,
    content: u64,
}

/// Below the place: where results, reports and temporary files go, what cargo and Brig keep for themselves, and the sockets of the harness.
const CARGOS: [&str; 11] = [
    "report",
    "tmp",
    "run",
    "home/.cargo/.package-cache",
    "home/.cargo/.package-cache-mutate",
    "home/.cargo/.global-cache",
    "home/.cargo/.global-cache-journal",
    "home/.cargo/registry/index",
    "home/.cargo/registry/CACHEDIR.TAG",
    "home/.rustup/settings.toml",
    // What cargo said of the graph, for the next run (`remembered.rs` holds that nobody else writes there).
    "home/.cache/brig",
];

/// Where cargo leaves what it fetched, and how deep a package lies there.
const FETCHED: [(&str, usize); 4] =
    [("home/.cargo/registry/src", 2), ("home/.cargo/registry/cache", 2), ("home/.cargo/git/db", 1), ("home/.cargo/git/checkouts", 2)];

impl Picture {
    pub fn take(place: &Place) -> Picture {
        let mut found = BTreeMap::new();
        look(&place.path(""), place, &mut found);
        if !place.workspace().starts_with(place.path("")) {
            look(place.workspace(), place, &mut found);
        }
        Picture(found)
    }

    /// What is different now, but for what lies below (or on the way to) `left`: one line each.
    pub fn changes(&self, place: &Place, left: &[PathBuf]) -> Vec<String> {
        let mut now = Picture::take(place).0;
        now.retain(|path, _| !left.iter().any(|left| path.starts_with(left) || left.starts_with(path) && !self.0.contains_key(path)));
        let is_left = |path: &Path| left.iter().any(|left| path.starts_with(left));
        let gone = self.0.keys().filter(|path| !now.contains_key(*path) && !is_left(path)).map(|path| format!("gone: {}", path.display()));
        let other = now.iter().filter_map(|(path, look)| match self.0.get(path) {
            None if self.was_fetched(path, place) => None,
            None => Some(format!("new: {}", path.display())),
            Some(before) if before != look => Some(format!("changed: {}", path.display())),
            Some(_) => None,
        });
        gone.chain(other).collect()
    }
}

impl Picture {
    /// Cargo unpacks packages that were not there. Whatever comes into one that was is not cargo's doing.
    fn was_fetched(&self, path: &Path, place: &Place) -> bool {
        FETCHED.iter().any(|(dir, depth)| {
            let dir = place.path(dir);
            let inside = path.strip_prefix(&dir).map(|rest| rest.components().take(*depth).collect::<PathBuf>());
            inside.is_ok_and(|package| !self.0.contains_key(&dir.join(package)) || path == dir) || dir.starts_with(path)
        })
    }
}

fn look(path: &Path, place: &Place, found: &mut BTreeMap<PathBuf, Look>) {
    if is_cargos(path, place) {
        return;
    }
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    let mut content = DefaultHasher::new();
    if meta.is_symlink() {
        fs::read_link(path).ok().hash(&mut content);
    } else if meta.is_file() {
        // What cannot be read is told by its length.
        fs::read(path).ok().hash(&mut content);
        meta.len().hash(&mut content);
    }
    // The harness opens the outer directory for the user of the case.
    let mode = if path == place.path("") { 0 } else { meta.permissions().mode() };
    found.insert(path.to_owned(), Look { mode, content: content.finish() });
    if meta.is_dir() {
        let device = meta.dev();
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            // Another file system that a case mounted is not the place's.
            if entry.metadata().is_ok_and(|inner| inner.dev() == device) {
                look(&entry.path(), place, found);
            }
        }
    }
}

fn is_cargos(path: &Path, place: &Place) -> bool {
    let below = |root: PathBuf| path.starts_with(root);
    let made_for_brig = || {
        let cache = place.path("home/.cache");
        path == cache && fs::read_dir(&cache).is_ok_and(|all| all.flatten().all(|entry| entry.file_name() == "brig"))
    };
    CARGOS.iter().any(|dir| below(place.path(dir)))
        || made_for_brig()
        || below(place.target())
        || path == place.workspace().join("Cargo.lock")
}
