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

/// The real path; for what does not exist yet, the real path of its nearest existing ancestor with the rest appended.
pub fn real(path: PathBuf) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path.as_path();
    loop {
        if let Ok(found) = at.canonicalize() {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return path };
        missing.push(name.to_owned());
        at = parent;
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

    #[test]
    fn a_missing_directory_has_a_real_path_too() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(&root, root.join("link")).unwrap();
        assert_eq!(real(root.join("link/target/debug")), root.join("target/debug"));
    }
}
