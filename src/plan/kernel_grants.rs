//! What of a profile's grants the kernel may hold: trees for Landlock in which no secret lies. In: granted trees and the places of a run. Out:
//! paths for `judge::KernelGrants`.

use std::path::{Path, PathBuf};

use crate::judge::{Places, Secrets};

/// Trees that hold no secrets and change under nobody's hands: what the kernel may grant whole for reading.
pub const PUBLISHED: [&str; 10] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store", "/run/current-system"];

/// Of the trees a profile grants, what the kernel may grant whole: published ones, with holes where the user's own places lie in them
/// (a workspace in `/usr/src/app`, CARGO_HOME in `/usr/local/cargo`, as container images have it).
pub fn kernel_read(granted: &[PathBuf], places: &Places) -> Vec<PathBuf> {
    let sources = ["registry/src", "git/checkouts"].map(|dir| places.cargo_home.join(dir));
    let published: Vec<PathBuf> = PUBLISHED.iter().map(PathBuf::from).chain([places.toolchain.clone()]).chain(sources).collect();
    // An empty path would be the start of every other one.
    let published = published.into_iter().filter(|path| path.is_absolute());
    let published: Vec<PathBuf> = published.map(|path| path.canonicalize().unwrap_or(path)).collect();
    let mut holes: Vec<&Path> = places.workspace.iter().chain(&places.packages).chain(&places.home).map(PathBuf::as_path).collect();
    holes.extend(places.results().chain([&places.cargo_home, &places.tmp, &places.report_dir]).map(PathBuf::as_path));
    holes.extend(places.rustup_home.as_deref());
    holes.extend(places.second.seen());
    holes.retain(|hole| hole.is_absolute() && hole.parent().is_some());
    let inside = |tree: &Path| granted.iter().any(|grant| tree.starts_with(grant));
    let mut trees: Vec<PathBuf> = published.iter().filter(|tree| tree.is_absolute() && inside(tree)).cloned().collect();
    trees.extend(granted.iter().filter(|grant| published.iter().any(|tree| grant.starts_with(tree))).cloned());
    let mut out: Vec<PathBuf> = trees.iter().flat_map(|tree| carve(tree, &holes)).collect();
    out.sort();
    out.dedup();
    out
}

/// What the kernel may let write: all that is granted, but a tree with a place of the user's own in it, which the gate alone can end there.
pub fn kernel_write(granted: &[PathBuf], places: &Places) -> Vec<PathBuf> {
    granted.iter().filter(|tree| !places.is_around(tree)).cloned().collect()
}

/// Directory entries looked at to find the programs of one package.
const ENTRIES: usize = 4_000;

/// What the kernel may let run. A grant to run is a grant to read (see `wall::ruleset`), so a tree of the user's own, which may hold
/// secrets, is granted program by program: `./configure` of a member, not the member.
pub fn kernel_exec<'s>(exec: &[PathBuf], places: &Places, secrets: impl Fn() -> &'s Secrets) -> Vec<PathBuf> {
    let published = PUBLISHED.iter().map(PathBuf::from);
    let caches = ["registry", "git/checkouts", "bin"].map(|dir| places.cargo_home.join(dir));
    let built = places.results().chain([&places.toolchain, &places.tmp]).chain(&places.rustup_home).cloned();
    let known: Vec<PathBuf> = published
        .chain(caches)
        .chain(built)
        .chain(places.path_dirs.iter().chain(&places.installed).cloned())
        .filter(|tree| tree.is_absolute())
        .collect();
    let holes: Vec<&Path> = places
        .workspace
        .iter()
        .chain(&places.packages)
        .chain(&places.home)
        // In `/usr/local/cargo`, as container images have it; what is to be run in there is named.
        .chain([&places.cargo_home])
        .map(PathBuf::as_path)
        .chain(places.second.seen())
        .filter(|hole| hole.is_absolute() && hole.parent().is_some())
        .collect();
    let mut granted = Vec::new();
    for tree in exec {
        if tree.parent().is_none() {
            granted.push(tree.clone());
        } else if known.iter().any(|known| tree.starts_with(known)) {
            granted.extend(carve(tree, &holes));
        } else if tree.is_file() {
            // Named by itself: then it was meant.
            granted.push(tree.clone());
        } else {
            executables(tree, places, secrets(), &mut ENTRIES.clone(), &mut granted);
        }
    }
    granted
}

/// Files with an execute bit in a tree of sources; not in what was built there, and not in hidden directories.
fn executables(tree: &Path, places: &Places, secrets: &Secrets, budget: &mut usize, found: &mut Vec<PathBuf>) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(tree).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden && !places.results().any(|built| *built == path) {
            executables(&path, places, secrets, budget, found);
        } else if secrets.looks_secret(path.as_os_str().as_encoded_bytes()) {
            // Some file systems give every file the bit.
        } else if kind.is_file() && !hidden && entry.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0) {
            found.push(path);
        }
    }
}

/// The tree without the holes: its children, as far down as a hole reaches. A tree inside a hole is whole: it was named on purpose.
pub fn carve(tree: &Path, holes: &[&Path]) -> Vec<PathBuf> {
    if !holes.iter().any(|hole| hole.starts_with(tree)) {
        return vec![tree.to_owned()];
    }
    if holes.contains(&tree) {
        return Vec::new();
    }
    // A link would grant what it leads to.
    let children =
        std::fs::read_dir(tree).into_iter().flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
    children.map(|entry| entry.path()).flat_map(|child| carve(&child, holes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::SecretLists;

    /// A published tree with the user's own places inside is granted around them, and no link leads out.
    #[test]
    fn holes_are_left_out() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let usr = dir.path().canonicalize().expect("real path");
        for sub in ["lib", "src/app", "src/other", "local/cargo/registry/src"] {
            std::fs::create_dir_all(usr.join(sub)).expect("directory");
        }
        std::os::unix::fs::symlink(usr.join("src/app"), usr.join("link")).expect("link");
        let (app, cargo) = (usr.join("src/app"), usr.join("local/cargo"));
        let mut carved = carve(&usr, &[&app, &cargo]);
        carved.sort();
        assert_eq!(carved, [usr.join("lib"), usr.join("src/other")]);
        let sources = cargo.join("registry/src");
        assert_eq!(carve(&sources, &[&app, &cargo]), std::slice::from_ref(&sources));
    }

    /// A grant to run is one to read: credentials lie beside what cargo has installed.
    #[test]
    fn a_cargo_home_in_a_tree_of_programs_is_left_out() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let usr = dir.path().canonicalize().expect("real path");
        let cargo = usr.join("local/cargo");
        for sub in ["bin", "local/cargo/bin"] {
            std::fs::create_dir_all(usr.join(sub)).expect("directory");
        }
        std::fs::write(cargo.join("credentials.toml"), "").expect("file");
        let places = Places { path_dirs: vec![usr.clone()], cargo_home: cargo.clone(), ..Places::default() };
        let secrets = Secrets::compile(&places, &SecretLists::default()).expect("the catalogue");
        assert_eq!(kernel_exec(&[usr.clone(), cargo.join("bin")], &places, || &secrets), [usr.join("bin"), cargo.join("bin")]);
    }

    #[test]
    fn a_program_named_by_itself_is_granted() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let tool = dir.path().join("tool");
        std::fs::write(&tool, "").expect("file");
        let secrets = Secrets::compile(&Places::default(), &SecretLists::default()).expect("the catalogue");
        assert_eq!(kernel_exec(std::slice::from_ref(&tool), &Places::default(), || &secrets), std::slice::from_ref(&tool));
    }

    /// A tree of the user's own is granted program by program, and no link in it leads out.
    #[test]
    fn a_tree_of_ones_own_is_granted_program_by_program() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temporary directory");
        let top = dir.path().canonicalize().expect("real path");
        std::fs::create_dir(top.join(".hidden")).expect("directory");
        let program = top.join("program");
        for (path, mode) in [(&program, 0o755), (&top.join("text"), 0o644), (&top.join(".hidden/program"), 0o755)] {
            std::fs::write(path, "x").expect("file");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
        }
        std::os::unix::fs::symlink(&program, top.join("link")).expect("link");
        let secrets = Secrets::compile(&Places::default(), &SecretLists::default()).expect("the catalogue");
        assert_eq!(kernel_exec(&[top], &Places::default(), || &secrets), [program]);
    }

    #[test]
    fn a_wide_user_grant_gives_the_kernel_nothing() {
        let places = Places { workspace: Some("/w".into()), ..Places::default() };
        assert_eq!(kernel_read(&["/w".into(), "/etc".into(), "/home".into()], &places), Vec::<PathBuf>::new());
    }
}
