//! Real paths of what manifests name: the same few directories, over and over. In: a real directory, a path from there. Out: its real path, looked up
//! once.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// By the path as it is looked up. While it is used, nothing is taken to move.
#[derive(Default)]
pub struct Reals(HashMap<PathBuf, Option<PathBuf>>);

impl Reals {
    /// Nothing for what is not there. `dir` is a real path already.
    pub fn of(&mut self, dir: &Path, path: &Path) -> Option<PathBuf> {
        let from = shorter(dir, path);
        self.0.entry(from).or_insert_with_key(|from| from.canonicalize().ok()).clone()
    }
}

/// `..` at the start leads up from a real directory, whatever lies on the way; behind a name that may be a link it does not.
fn shorter(dir: &Path, path: &Path) -> PathBuf {
    let mut dir = dir;
    let mut rest = path.components();
    loop {
        match (rest.clone().next(), dir.parent()) {
            (Some(Component::ParentDir), Some(parent)) => dir = parent,
            (Some(Component::CurDir), _) => {}
            _ => return dir.join(rest.as_path()),
        }
        rest.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_file_system_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for made in ["a/b", "c/d"] {
            std::fs::create_dir_all(root.join(made)).unwrap();
        }
        std::os::unix::fs::symlink("../c/d", root.join("a/link")).unwrap();
        let mut reals = Reals::default();
        for path in
            ["../b", ".", "../../c", "./../link", "../link/..", "../link/../../c", "missing", "/", "../../../../../../../..", "/tmp/.."]
        {
            let from = root.join("a/b");
            assert_eq!(reals.of(&from, Path::new(path)), from.join(path).canonicalize().ok(), "{path}");
        }
        assert_eq!(shorter(Path::new("/a/b"), Path::new("../../../x/../y")), Path::new("/../x/../y"));
    }
}
