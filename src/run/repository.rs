//! Where the workspace lies in its repository: what shows findings at the sources counts from there. In: the workspace. Out: the way down to it.

use std::path::{Path, PathBuf};

use super::stage::{Env, variable};

/// The checkout a CI job names, where the workspace is in it; else the nearest directory that git, or one of its like, calls its own.
pub fn below(workspace: &Path, env: &Env) -> PathBuf {
    let named = variable(env, "GITHUB_WORKSPACE").and_then(|root| Path::new(root).canonicalize().ok());
    let is_root = |dir: &&Path| [".git", ".jj", ".hg"].iter().any(|name| dir.join(name).symlink_metadata().is_ok());
    let root = named.filter(|root| workspace.starts_with(root));
    let root = root.or_else(|| workspace.ancestors().find(is_root).map(Path::to_owned));
    root.and_then(|root| Some(workspace.strip_prefix(root).ok()?.to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_repository_or_the_one_that_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("outer/inner/rust")).unwrap();
        let workspace = root.join("outer/inner/rust");
        let named = |path: &Path| vec![("GITHUB_WORKSPACE".into(), path.as_os_str().to_owned())];
        assert_eq!(below(&workspace, &Vec::new()), Path::new(""));
        std::fs::create_dir(root.join("outer/.git")).unwrap();
        assert_eq!(below(&workspace, &Vec::new()), Path::new("inner/rust"));
        // Of a submodule it is a file.
        std::fs::write(root.join("outer/inner/.git"), "gitdir: x\n").unwrap();
        assert_eq!(below(&workspace, &Vec::new()), Path::new("rust"));
        assert_eq!(below(&workspace, &named(&root.join("outer"))), Path::new("inner/rust"));
        assert_eq!(below(&workspace, &named(Path::new("/nowhere"))), Path::new("rust"));
        assert_eq!(below(&workspace, &named(&workspace)), Path::new(""));
    }
}
