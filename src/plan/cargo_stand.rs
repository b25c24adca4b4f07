//! What the entries of a profile's `[cargo]` table stand for in a run: the lock file, the sources, what lies above, the places a user named. In:
//! places, what steers cargo, what it was sent to do. Out: real paths, none of which a link of the repository's leads to.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::attribute::source::clean;
use crate::judge::{Places, SecretLists, Secrets};
use crate::plan::errand::Errand;
use crate::plan::kernel_grants::carve;
use crate::plan::named_places::{self, Ground};
use crate::plan::places::real;
use crate::plan::users_tools::Told;
use crate::plan::whose;
use crate::plan::{placeholders, steering::Steering};

/// Entries of trees of sources that are looked at, for `{sources}` and for secrets.
const SOURCES: usize = 50_000;
/// Beside a manifest, in the directories above.
const ABOVE: [&str; 6] = ["Cargo.toml", ".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain", ".gitignore"];

type Env = [(OsString, OsString)];

/// What entries of the table stand for, in this run.
pub struct Stand<'a> {
    pub(super) places: &'a Places,
    pub(super) errand: &'a Errand,
    here: PathBuf,
    pub(super) named: named_places::Named,
    pub(super) install_root: Option<PathBuf>,
    /// Does cargo hold the user's credentials meanwhile?
    trusted: bool,
    secrets: std::cell::OnceCell<Secrets>,
    closed: std::cell::OnceCell<Vec<PathBuf>>,
}

impl<'a> Stand<'a> {
    /// Reads the workspace's manifests and cargo's configuration: once for each phase. `trusted` where the environment holds credentials.
    pub fn new(places: &'a Places, steering: &Steering, errand: &'a Errand, env: &Env, trusted: bool) -> Self {
        let here = std::env::current_dir().map(real).unwrap_or_default();
        let ground = Ground {
            workspace: places.workspace.as_deref(),
            members: &places.members,
            home: places.home.as_deref(),
            cargo_home: &places.cargo_home,
            here: &here,
            typed: &steering.configured(),
        };
        let mut named = named_places::find(&ground);
        let typed = errand.path.as_ref().map(|path| real(here.join(path))).filter(|path| path.join("Cargo.toml").is_file());
        named.trees.extend(typed);
        let typed = steering.configured();
        let (home, workspace) = (places.home.as_deref(), places.workspace.as_deref());
        let ground = whose::Ground { here: &here, home, cargo_home: &places.cargo_home, workspace, typed: &typed };
        named.files.extend(Told::read(steering, env, &ground).programs());
        let variable = env.iter().find(|(name, _)| name == "CARGO_INSTALL_ROOT").map(|(_, value)| PathBuf::from(value));
        let root = errand.root.clone().or(variable).or_else(|| named.install_root.clone());
        let install_root =
            root.map_or_else(|| Some(places.cargo_home.clone()).filter(|home| home.is_absolute()), |root| meant(&here, &root, places));
        let (secrets, closed) = Default::default();
        Stand { places, errand, here, named, install_root, trusted, secrets, closed }
    }

    pub(super) fn secrets(&self) -> &Secrets {
        self.secrets.get_or_init(|| Secrets::compile(self.places, &SecretLists::default()).expect("the catalogue"))
    }

    /// Real paths; nothing that a link in the repository leads to.
    pub(super) fn expand(&self, entry: &str) -> Vec<PathBuf> {
        let (name, rest) = entry.strip_prefix('{').and_then(|rest| rest.split_once('}')).unwrap_or_default();
        let rest = rest.trim_start_matches('/');
        let join = |tree: PathBuf| if rest.is_empty() { tree } else { tree.join(rest) };
        let unlinked = |path: &PathBuf| real(path.clone()) == *path;
        match name {
            "tmp" => vec![join(self.places.tmp.clone())],
            "lock" => self.lock().into_iter().filter(unlinked).collect(),
            "sources" => self.sources(),
            "above" => self.above(),
            "proc" => self.proc(),
            "outside" => self.named.trees.iter().cloned().map(join).filter(unlinked).collect(),
            "here" => {
                let made = self.errand.operand.as_ref().and_then(|made| self.typed(made)?.parent().map(Path::to_owned));
                made.into_iter().chain([self.here.clone()]).map(join).collect()
            }
            "install-root" => self.install_root.iter().cloned().map(join).map(real).collect(),
            "outputs" => self.errand.outputs.iter().filter_map(|path| self.typed(path)).collect(),
            "rewritten" => [self.expand("{workspace}"), self.expand("{here}")].concat(),
            "vendored" => self.vendored().into_iter().collect(),
            "workspace" => self.places.workspace.iter().cloned().map(join).filter(unlinked).collect(),
            _ => placeholders::expand(entry, self.places, None).into_iter().map(real).collect(),
        }
    }

    fn typed(&self, path: &Path) -> Option<PathBuf> {
        meant(&self.here, path, self.places)
    }

    /// Where the user wanted results, and a link of the repository's leads somewhere else from there.
    pub(super) fn misled(&self) -> Vec<PathBuf> {
        let wanted = self.errand.outputs.iter().chain(&self.errand.root);
        wanted.filter(|path| self.typed(path).is_none()).map(|path| clean(&self.here.join(path))).collect()
    }

    /// Where `cargo vendor` leaves what it copies.
    pub(super) fn vendored(&self) -> Option<PathBuf> {
        let vendors = self.errand.name == "vendor";
        self.typed(self.errand.operand.as_deref().unwrap_or(Path::new("vendor"))).filter(|_| vendors)
    }

    pub(super) fn lock(&self) -> Option<PathBuf> {
        self.places.workspace.as_ref().map(|root| root.join("Cargo.lock"))
    }

    /// `*.rs` of the workspace's packages that are there; no link, nothing hidden, nothing that was built.
    fn sources(&self) -> Vec<PathBuf> {
        let (mut found, mut budget) = (Vec::new(), SOURCES);
        let mut open: Vec<PathBuf> = self.places.workspace.iter().chain(&self.places.members).cloned().collect();
        let mut seen = BTreeSet::new();
        while let Some(dir) = open.pop() {
            if !seen.insert(dir.clone()) || self.places.results().any(|built| *built == dir) {
                continue;
            }
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (name, Ok(kind)) = (entry.file_name(), entry.file_type()) else { continue };
                if budget == 0 || name.as_encoded_bytes().starts_with(b".") {
                    continue;
                }
                budget -= 1;
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() && Path::new(&name).extension() == Some(OsStr::new("rs")) {
                    found.push(entry.path());
                }
            }
        }
        found
    }

    /// `/proc`, which shows cargo of others what the kernel shows anybody behind a wall: nothing of their memory. Its own environment it shows, too,
    /// and a link in a package leads there: so of its own, while it holds credentials, only what says how many processors it has.
    fn proc(&self) -> Vec<PathBuf> {
        let of_the_machine = ["cgroups", "cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime", "version"];
        match self.trusted {
            false => vec!["/proc".into()],
            true => of_the_machine.map(|name| Path::new("/proc").join(name)).into_iter().filter(|path| path.exists()).collect(),
        }
    }

    /// Trees of the user's own which cargo reads: sources.
    fn own(&self) -> impl Iterator<Item = &PathBuf> {
        self.places.workspace.iter().chain(&self.places.members).chain(&self.places.packages).chain(&self.named.trees)
    }

    /// Where packages lie, fetched ones and the user's own, and where cargo leaves what it makes of them.
    pub(super) fn trees(&self) -> Vec<PathBuf> {
        let fetched = ["registry", "git"].map(|dir| self.places.cargo_home.join(dir));
        let made = self.places.results().cloned().chain([self.places.tmp.clone()]).chain(self.vendored());
        self.own().cloned().chain(fetched).chain(made).collect()
    }

    /// Is this a tree of sources, or around one? What cargo may write there it need not be able to read again.
    pub(super) fn holds_sources(&self, tree: &Path) -> bool {
        self.own().any(|own| own.starts_with(tree))
    }

    /// What lies among the sources and is none of cargo's business, though a link in a package may lead there: secrets; and the repository's own
    /// data, where none of it is needed.
    fn closed(&self) -> &[PathBuf] {
        self.closed.get_or_init(|| {
            // No link leads to what is packed (`quoted::check`); a lock file that is new is opened for reading, too.
            let resolves = self.errand.resolves() && self.lock().is_some_and(|lock| !lock.exists());
            if self.errand.packs() || resolves {
                return Vec::new();
            }
            let (mut found, mut budget) = (Vec::new(), SOURCES);
            let mut open: VecDeque<PathBuf> = self.own().filter(|tree| self.places.home.as_ref() != Some(tree)).cloned().collect();
            let mut seen = BTreeSet::new();
            // Breadth first: what lies near the top is what people have, and a repository cannot hide it behind a million others.
            while let Some(dir) = open.pop_front() {
                if !seen.insert(dir.clone()) || self.places.results().any(|built| *built == dir) {
                    continue;
                }
                for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                    let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                    if budget == 0 || kind.is_symlink() {
                        continue;
                    }
                    budget -= 1;
                    if entry.file_name() == ".git" {
                        found.extend((!self.needs_git(&path)).then_some(path));
                    } else if self.secrets().class_of(path.as_os_str().as_bytes()).is_some() {
                        found.push(path);
                    } else if kind.is_dir() {
                        open.push_back(path);
                    }
                }
            }
            found
        })
    }

    /// Of a repository that packages are fetched from; of the workspace's own only where cargo asks what git has of it.
    fn needs_git(&self, git: &Path) -> bool {
        let named = || self.named.trees.iter().any(|tree| git.starts_with(tree) || git.parent().is_some_and(|root| tree.starts_with(root)));
        self.errand.looks_into_git() || named() && !self.places.workspace.as_ref().is_some_and(|root| git.starts_with(root))
    }

    /// Trees of sources of which not everything is cargo's to read: it lists them all the same.
    pub(super) fn listed(&self) -> Vec<PathBuf> {
        let user = self.places.home.iter().chain([&self.places.cargo_home]).chain(&self.places.rustup_home);
        let holds = |tree: &PathBuf, inner: &PathBuf| inner.starts_with(tree);
        let safe = |tree: &&PathBuf| !user.clone().any(|place| holds(tree, place));
        let carved = |tree: &&PathBuf| self.closed().iter().any(|path| holds(tree, path));
        let found: BTreeSet<PathBuf> = self.own().filter(safe).filter(carved).cloned().collect();
        found.into_iter().collect()
    }

    /// What cargo, rustup and git look for on the way up.
    fn above(&self) -> Vec<PathBuf> {
        let starts = self.places.workspace.iter().chain([&self.here]).chain(&self.named.trees);
        let dirs: BTreeSet<&Path> = starts.flat_map(|start| start.ancestors()).collect();
        let mut found: Vec<PathBuf> =
            dirs.iter().flat_map(|dir| ABOVE.iter().map(|name| dir.join(name))).filter(|path| path.is_file()).collect();
        for git in dirs.into_iter().map(|dir| dir.join(".git")).filter(|git| self.needs_git(git)) {
            found.extend(git.is_dir().then(|| git.clone()));
            if git.is_file() {
                found.extend(repository(&git));
                found.push(git);
            }
        }
        found.retain(|path| real(path.clone()) == *path);
        if self.places.workspace.is_none() {
            // What is broken is to be told by cargo.
            let manifest = self.here.ancestors().find(|dir| dir.join("Cargo.toml").is_file());
            found.extend(manifest.map(Path::to_owned));
        }
        found
    }

    /// The tree, without the user's own places where it holds them: other trees name those that are cargo's.
    pub(super) fn around(&self, tree: PathBuf) -> Vec<PathBuf> {
        if tree.parent().is_none() {
            return vec![tree];
        }
        let places = self.places;
        // Cargo lists its packages whole, so a home of its own that lies among them lies in the open.
        let apart = |home: &&PathBuf| places.workspace.as_ref().is_none_or(|workspace| !home.starts_with(workspace));
        let holes = [&places.cargo_home].into_iter().chain(&places.rustup_home).filter(apart).chain(&places.home).map(PathBuf::as_path);
        let mut holes: Vec<&Path> = holes.filter(|hole| hole.is_absolute() && hole.parent().is_some()).collect();
        holes.extend(self.closed().iter().map(PathBuf::as_path));
        if places.home.as_ref() != Some(&tree) {
            return carve(&tree, &holes);
        }
        // A workspace that is the home itself: its sources lie in the open, its secrets do not.
        let children = std::fs::read_dir(&tree).into_iter().flatten().flatten();
        let open = children.filter(|child| !child.file_name().as_encoded_bytes().starts_with(b"."));
        open.filter(|child| child.file_type().is_ok_and(|kind| !kind.is_symlink())).map(|child| child.path()).collect()
    }
}

/// A place the user typed, by its real name. Whoever types a name in the repository means that place, not where a link leads which the
/// repository has there; links elsewhere are the user's own.
fn meant(here: &Path, path: &Path, places: &Places) -> Option<PathBuf> {
    let whole = clean(&here.join(path));
    let repository = whose::repository(here, places.home.as_deref());
    let inside = places.workspace.iter().chain(&places.members).chain(&repository).any(|tree| whole.starts_with(tree));
    // By its real name as the kernel walks it: behind a link `..` is somewhere else.
    if inside { (real(here.join(path)) == whole).then_some(whole) } else { Some(real(whole)) }
}

/// What `vendor` empties and fills, and what `new` and `init` make, must be where it was meant.
///
/// # Errors
/// When a link of the repository's leads somewhere else, with the way out.
pub fn refuse_misled(places: &Places, errand: &Errand) -> anyhow::Result<()> {
    let here = std::env::current_dir().map(real).unwrap_or_default();
    let Some(made) = errand.made().filter(|made| meant(&here, made, places).is_none()) else { return Ok(()) };
    anyhow::bail!(
        "`cargo {}` would work in {}: there is a link of the repository's on the way to {}\n  \
         help: name the place itself, if it is meant, or remove the link",
        errand.name,
        real(here.join(&made)).display(),
        clean(&here.join(&made)).display()
    )
}

/// The directories behind a `.git` that is a file: a linked worktree, a submodule.
fn repository(git: &Path) -> Vec<PathBuf> {
    let line = |path: &Path| Some(std::fs::read_to_string(path).ok()?.lines().next()?.to_owned());
    let dir = line(git).and_then(|line| Some(git.parent()?.join(line.strip_prefix("gitdir: ")?))).map(real);
    let Some(dir) = dir.filter(|dir| dir.join("HEAD").is_file() && dir.iter().any(|name| name == ".git")) else { return Vec::new() };
    let common = line(&dir.join("commondir")).map(|common| real(dir.join(common))).filter(|common| common.join("HEAD").is_file());
    [dir].into_iter().chain(common).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_name_in_the_repository_is_that_place() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let here = home.join("code");
        for name in ["code/.git/hooks", "code/real", "documents", "mine"] {
            std::fs::create_dir_all(home.join(name)).unwrap();
        }
        symlink("../documents", here.join("foo")).unwrap();
        symlink(".git", here.join("vendor")).unwrap();
        symlink("documents", home.join("own")).unwrap();
        for workspace in [Some(here.clone()), None] {
            let places = Places { home: Some(home.clone()), workspace, ..Places::default() };
            for (typed, expected) in [
                ("real/new", Some("code/real/new")),
                ("new", Some("code/new")),
                ("../mine/new", Some("mine/new")),
                ("../own/new", Some("documents/new")),
                ("vendor", None),
                ("foo/bar", None),
                ("foo/../bar", None),
                ("foo", None),
            ] {
                assert_eq!(meant(&here, Path::new(typed), &places), expected.map(|path| home.join(path)), "{typed}");
            }
        }
    }
}
