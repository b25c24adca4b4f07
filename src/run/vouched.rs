//! Whose is a report that is found where reports are kept, and that nobody has named? In: a file. Out: why no run of the user's here wrote it; nothing where one did.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;

use crate::plan::tracked;

/// What is to be known before one is taken for the user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// It is only shown.
    Shown,
    /// What it says is done: what cannot be known is not taken.
    Obeyed,
}

/// Why not.
pub fn foreign(file: &Path, care: Care) -> Option<String> {
    let facts = match file.symlink_metadata() {
        Ok(facts) => facts,
        // Whoever opens it says so better.
        Err(_) => return None,
    };
    if facts.is_symlink() {
        return Some("a link stands in its place".to_owned());
    }
    // Root's are nobody's trick; and root looks at whatever it is asked to.
    let myself = geteuid();
    if facts.uid() != myself.as_raw() && facts.uid() != 0 && !(myself.is_root() && care == Care::Shown) {
        return Some(format!("it belongs to user {}", facts.uid()));
    }
    // The repository may have a link in the place of any directory on the way.
    let mut unknown = false;
    for path in file.ancestors() {
        if tracked::is_kept(path) {
            return Some("it came with the repository: git keeps it".to_owned());
        }
        let Some(dir) = path.parent().filter(|dir| dir.join(".git").symlink_metadata().is_ok()) else { continue };
        // Before anything was added there is no list.
        let has_list = dir.join(".git/index").symlink_metadata().is_ok() || !dir.join(".git").is_dir();
        unknown = has_list && tracked::of(dir).is_none();
        break;
    }
    (unknown && care == Care::Obeyed).then(|| "whether git keeps it cannot be told here".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn what_came_with_the_repository_is_nobodys_own() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            let done = git.args(args).current_dir(&root).env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("git runs");
            assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        let put = |file: &str| {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "{}").unwrap();
            root.join(file)
        };
        let report = put("target/brig/report.json");
        let is_foreign = |file: &Path, care| foreign(file, care).is_some();
        assert!(!is_foreign(&report, Care::Obeyed), "no repository at all");
        git(&["init", "-q"]);
        assert!(!is_foreign(&report, Care::Obeyed), "nothing was added yet");
        put("src/lib.rs");
        git(&["add", "src"]);
        assert!(!is_foreign(&report, Care::Obeyed) && !is_foreign(&root.join("none"), Care::Obeyed));
        git(&["add", "-f", "target"]);
        assert!(is_foreign(&report, Care::Shown) && is_foreign(&report, Care::Obeyed));
        // By a link in its own place, and in that of a directory above it.
        git(&["rm", "-q", "--cached", "-r", "target"]);
        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(root.join("target/brig"), elsewhere.path().join("brig")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("brig"), root.join("target/brig")).unwrap();
        assert!(!is_foreign(&report, Care::Obeyed), "the user's own link");
        git(&["add", "-f", "target/brig"]);
        assert!(is_foreign(&report, Care::Shown));
        let link = root.join("link.json");
        std::os::unix::fs::symlink(&report, &link).unwrap();
        assert!(is_foreign(&link, Care::Shown));
        if geteuid().is_root() {
            let theirs = put("theirs.json");
            std::os::unix::fs::chown(&theirs, Some(12345), None).unwrap();
            assert!(is_foreign(&theirs, Care::Obeyed) && !is_foreign(&theirs, Care::Shown));
        }
        // Of a kind whose list is not read.
        git(&["update-index", "--split-index"]);
        let own = put("own.json");
        assert!(is_foreign(&own, Care::Obeyed) && !is_foreign(&own, Care::Shown));
    }
}
