//! The wall of cargo itself. In: a profile's `[cargo]` table and its actors' grants, the places of a run, what cargo was sent to do. Out: what
//! cargo and everything it starts may read and write, as bare grants for `wall::ruleset::of_cargo`.
//!
//! Cargo is nobody's deputy: it follows links and obeys words that an actor or a repository left for it, so what it may do is decided by what it is
//! for. Actors live in domains of their own inside, and the kernel intersects them: whatever the kernel grants any kind of actor is granted here,
//! by taking it from the same lists (`CargoWall::contains`). All else that actors do is done for them by the gate, from outside.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::judge::{KernelGrants, Places};
use crate::model::{ActorKind, Hostile};
use crate::plan::cargo_stand::Stand;
use crate::plan::credentials::Providers;
use crate::plan::grants::{Grants, Line};
use crate::plan::kernel_grants::{PUBLISHED, kernel_exec};
use crate::plan::named_places::is_program;
use crate::plan::placeholders;
use crate::plan::places::real;
use crate::plan::profile::Profile;
use crate::plan::resolve::roots;

/// What cargo may do, and where it may take away empty directories (`cargo clean`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CargoWall {
    pub grants: KernelGrants,
    pub emptied: Vec<PathBuf>,
    /// Where it may list everything, and read what `grants` says.
    pub listed: Vec<PathBuf>,
    /// Trees of it where packages lie: a link in one may lead to another.
    pub sources: Vec<PathBuf>,
    /// Where the user wanted results, and a link of the repository's leads somewhere else from there: not granted.
    misled: Vec<PathBuf>,
}

/// A manifest that is replaced is a new file, to be read again: the tree is granted whole.
const REWRITTEN: &str = "{rewritten}";
/// Directory entries looked at for links, how deep (`<triple>/<profile>/build/<unit>/<file>`), and links told of.
const LOOKS: usize = 50_000;
const DEPTH: usize = 4;
const LINKS: usize = 10;
/// Variables of the user's whose first word is a program for cargo to start …
const PROGRAMS: [&str; 5] = ["RUSTC", "RUSTDOC", "CARGO", "CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTDOC"];
/// … or a file or directory for it to read.
const READ: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO"];

type Env = [(OsString, OsString)];

impl CargoWall {
    /// `cargo` is the program that will be started.
    pub fn new(profile: &Profile, stand: &Stand, env: &Env, cargo: &Path) -> CargoWall {
        let (places, errand) = (stand.places, stand.errand);
        let (mut read, mut write, mut whole): (BTreeSet<PathBuf>, BTreeSet<PathBuf>, BTreeSet<PathBuf>) = Default::default();
        for reach in profile.cargo.of(&errand.name) {
            for line in &reach.read {
                if line.text == REWRITTEN { &mut whole } else { &mut read }.extend(stand.expand(&line.text));
            }
            write.extend(reach.write.iter().flat_map(|line| stand.expand(&line.text)));
        }
        let actors = || profile.actors.iter().filter(|(kind, _)| **kind != ActorKind::Tool).map(|(_, grants)| grants);
        // Most kinds have the same entries.
        let fixed = |list: fn(&Grants) -> &[Line]| -> Vec<PathBuf> {
            let fixed = actors().flat_map(list).filter(|line| !placeholders::is_individual(&line.text));
            let fixed: BTreeSet<&str> = fixed.map(|line| &*line.text).collect();
            fixed.into_iter().flat_map(|entry| roots(entry, places)).filter_map(Result::ok).collect()
        };
        read.extend(fixed(|grants| &grants.read).into_iter().filter(|tree| tree.parent().is_none()));
        write.extend(fixed(|grants| &grants.write));
        // Looks for secrets only where a tree is granted program by program.
        read.extend(kernel_exec(&fixed(|grants| &grants.exec), places, || stand.secrets()));
        // Of actors' own trees: the sources, the results, the temporary directories, whatever the table says.
        let own = places.workspace.iter().chain(places.results()).chain([&places.tmp, &places.toolchain]).chain(&places.packages);
        read.extend(own.filter(|tree| tree.is_absolute()).cloned());
        read.extend(["registry/src", "git/checkouts"].map(|dir| places.cargo_home.join(dir)).into_iter().filter(|tree| tree.is_absolute()));
        read.extend(PUBLISHED.iter().map(PathBuf::from).map(real));
        read.extend(programs(places, env, cargo));
        read.extend(stand.named.files.iter().cloned());
        // Results it reads again. Of sources it may write, it reads what it may read of sources.
        let results = write.iter().filter(|tree| !stand.holds_sources(tree)).cloned();
        let read = read.into_iter().flat_map(|tree| stand.around(tree)).chain(results).chain(whole);
        let emptied = if errand.name == "clean" {
            places.results().filter_map(|tree| tree.parent()).map(Path::to_owned).collect()
        } else {
            Vec::new()
        };
        CargoWall {
            grants: KernelGrants { read: outermost(read.collect()), write: outermost(write), exec: Vec::new() },
            emptied,
            listed: stand.listed(),
            sources: stand.trees().into_iter().flat_map(|tree| stand.around(tree)).collect(),
            misled: stand.misled(),
        }
    }

    /// Does the kernel grant an actor nothing that cargo has not? Otherwise the first that it does. A program's own wall would be narrower than its
    /// policy says, which is nothing to be afraid of, and a riddle to whoever is refused.
    ///
    /// # Errors
    /// The path that lies outside.
    pub fn contains(&self, actor: &KernelGrants) -> Result<(), PathBuf> {
        let inside = |trees: &[PathBuf], path: &PathBuf| trees.iter().any(|tree| path.starts_with(tree));
        let reads = actor.read.iter().chain(&actor.exec).filter(|path| path.exists() && !inside(&self.grants.read, path));
        let writes = actor.write.iter().filter(|path| path.exists() && !inside(&self.grants.write, path));
        reads.chain(writes).next().map_or(Ok(()), |path| Err(path.clone()))
    }
}

impl CargoWall {
    /// Links in a directory for results, where cargo keeps files of its own, that lead out of what it may write: why it failed, perhaps. Landlock
    /// itself says nothing of what it refused.
    pub fn links_out(&self, places: &Places) -> Vec<Hostile> {
        let mut budget = LOOKS;
        let mut found: Vec<Hostile> = self.misled.iter().map(|path| Hostile::from(&**path)).collect();
        let mut open: Vec<(PathBuf, usize)> = places.results().map(|tree| (tree.clone(), 0)).collect();
        while let Some((dir, depth)) = open.pop() {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten().take(budget) {
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                budget -= 1;
                // An `OUT_DIR` is its script's own.
                if kind.is_dir() && depth < DEPTH && entry.file_name() != "out" {
                    open.push((path, depth + 1));
                } else if kind.is_symlink() && !self.grants.write.iter().any(|tree| real(path.clone()).starts_with(tree)) {
                    found.push(Hostile::from(&*path));
                }
            }
        }
        found.sort();
        found.truncate(LINKS);
        found
    }
}

/// Programs the user keeps outside of all trees: what links in the directories of `PATH` lead to, linked toolchains, what variables name.
fn programs(places: &Places, env: &Env, cargo: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let links = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
        links.filter_map(|link| link.path().canonicalize().ok()).collect()
    };
    let published = |dir: &Path| PUBLISHED.iter().any(|tree| dir.starts_with(tree));
    for dir in places.path_dirs.iter().filter(|dir| !published(dir)) {
        found.push(dir.clone());
        found.extend(links(dir).into_iter().filter(|program| is_program(program)));
    }
    found.extend(places.rustup_home.iter().flat_map(|home| links(&home.join("toolchains"))));
    let variables = env.iter().filter_map(|(name, value)| Some((name.to_str()?, value)));
    for (name, value) in variables {
        let chosen =
            PROGRAMS.contains(&name) || name.starts_with("CARGO_TARGET_") && (name.ends_with("_LINKER") || name.ends_with("_RUNNER"));
        let path = || Path::new(value.to_str().and_then(|value| value.split_whitespace().next()).unwrap_or_default()).to_owned();
        if chosen && path().is_absolute() {
            found.push(path());
        } else if READ.contains(&name) {
            found.extend(std::env::split_paths(value).filter(|path| path.is_absolute()));
        }
    }
    found.extend(Providers::find(&places.cargo_home, places.workspace.as_deref(), env).programs());
    found.push(cargo.to_owned());
    let mut found: Vec<PathBuf> = found.into_iter().map(real).collect();
    // A compiler or cargo of a toolchain of its own reads the rest of it.
    let roots = found.iter().filter_map(|program| program.parent()?.parent()).filter(|root| root.join("lib/rustlib").is_dir());
    let roots: Vec<PathBuf> = roots.map(Path::to_owned).collect();
    found.extend(roots);
    let home = places.home.as_deref();
    found.retain(|path| path.exists() && home.is_none_or(|home| !home.starts_with(path)));
    found
}

fn outermost(paths: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        // In order, a tree stands before what lies in it.
        if !kept.iter().rev().any(|tree| path.starts_with(tree)) {
            kept.push(path);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::actor_facts::ActorFacts;
    use crate::plan::errand::Errand;
    use crate::plan::profile::EMBEDDED;
    use crate::plan::steering::Steering;

    fn ground() -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for sub in [
            "home/ws/src",
            "home/ws/target/debug/deps",
            "home/ws/target/cxxbridge",
            "home/ws/target/tmp",
            "home/tc/bin",
            "home/tc/lib/rustlib",
            "home/.cargo/registry/src/i/x",
            "home/.cargo/bin",
            "home/.rustup/toolchains",
            "home/bin",
            "home/.ssh",
            "home/other",
            "tmp/1",
        ] {
            std::fs::create_dir_all(top.join(sub)).unwrap();
        }
        for file in [
            "home/.bashrc",
            "home/.netrc",
            "home/ws/Cargo.toml",
            "home/ws/Cargo.lock",
            "home/ws/src/lib.rs",
            "home/.cargo/credentials.toml",
        ] {
            std::fs::write(top.join(file), "").unwrap();
        }
        let home = top.join("home");
        let target = home.join("ws/target");
        let places = Places {
            workspace: Some(home.join("ws")),
            members: vec![home.join("ws")],
            target: target.clone(),
            build: target,
            toolchain: home.join("tc"),
            cargo_home: home.join(".cargo"),
            rustup_home: Some(home.join(".rustup")),
            tmp: top.join("tmp"),
            path_dirs: vec![home.join("bin"), "/usr/bin".into()],
            home: Some(home),
            ..Places::default()
        };
        (dir, places)
    }

    fn wall(profile: &str, places: &Places, typed: &str) -> CargoWall {
        let args: Vec<OsString> = typed.split_whitespace().map(OsString::from).collect();
        let profile = crate::plan::load(profile, None).unwrap();
        let errand = Errand::read(&args);
        let stand = Stand::new(places, &Steering::read(&args), &errand, &[], false);
        CargoWall::new(&profile, &stand, &[], Path::new("/usr/bin/env"))
    }

    /// The kernel intersects domains: what it grants an actor it must grant cargo.
    #[test]
    fn every_actors_wall_lies_inside() {
        let (_dir, mut places) = ground();
        places.linkers = placeholders::linkers(&places);
        let workspace = places.workspace.clone().unwrap();
        for (name, _) in EMBEDDED {
            let (profile, wall) = (crate::plan::load(name, None).unwrap(), wall(name, &places, "build"));
            for kind in [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program] {
                for package in [&workspace, &places.cargo_home.join("registry/src/i/x")] {
                    let mut facts = ActorFacts::new(kind, places.tmp.join("1"));
                    facts.package_dir = Some(package.clone());
                    facts.outputs = vec![places.target.join("debug/deps")];
                    facts.program = Some(places.toolchain.join("bin"));
                    let policy = profile.resolve(&places, &facts);
                    assert!(!policy.kernel.read.is_empty() && !policy.kernel.write.is_empty());
                    assert_eq!(wall.contains(&policy.kernel), Ok(()), "{name} {kind:?}");
                }
            }
        }
    }

    #[test]
    fn no_secret_is_cargos_to_read_and_no_start_up_file_to_write() {
        let (_dir, places) = ground();
        let home = places.home.clone().unwrap();
        let inside = |trees: &[PathBuf], path: &str| trees.iter().any(|tree| home.join(path).starts_with(tree));
        for typed in ["build", "test", "fix", "fmt", "install --path .", "some-subcommand", "clippy --fix"] {
            let wall = wall("default", &places, typed);
            for secret in [".bashrc", ".netrc", ".ssh", "other", ".cargo/credentials.toml"] {
                assert!(!inside(&wall.grants.read, secret) && !inside(&wall.grants.write, secret), "{typed}: {secret}");
            }
            for closed in ["ws/Cargo.toml", "ws/.git/hooks", ".cargo/config.toml", "ws/src/new.rs", "tc/bin"] {
                assert!(!inside(&wall.grants.write, closed), "{typed}: {closed}");
            }
            assert!(inside(&wall.grants.read, "ws/src/lib.rs") && inside(&wall.grants.write, "ws/Cargo.lock"), "{typed}");
            assert_eq!(inside(&wall.grants.write, "ws/src/lib.rs"), matches!(typed, "fix" | "fmt" | "clippy --fix"), "{typed}");
            assert_eq!(inside(&wall.grants.write, ".cargo/bin"), typed.starts_with("install"), "{typed}");
        }
        std::fs::write(home.join("ws/.env"), "").unwrap();
        std::fs::create_dir_all(home.join("ws/.git")).unwrap();
        for typed in ["build", "fetch", "vendor", "update", "install --path .", "fmt", "some-subcommand"] {
            let wall = wall("default", &places, typed);
            assert!(!inside(&wall.grants.read, "ws/.env") && wall.listed.contains(&home.join("ws")), "{typed}: {:?}", wall.grants.read);
            assert!(inside(&wall.grants.read, "ws/src/new.rs") && inside(&wall.grants.read, "ws/Cargo.toml"), "{typed}");
            let git = !matches!(typed, "fetch" | "vendor" | "update");
            assert_eq!(inside(&wall.grants.read, "ws/.git"), git, "{typed}");
            assert!(!["~/.ssh/id", ".netrc", ".git-credentials"].iter().any(|secret| inside(&wall.grants.read, secret)), "{typed}");
        }
        assert!(inside(&wall("default", &places, "login").grants.read, ".cargo/credentials.toml"));
    }

    /// What the user types in the repository is that place, not where a link there leads; a link of the user's own is followed.
    #[test]
    fn a_typed_place_is_not_where_a_link_of_the_repositorys_leads() {
        let (_dir, places) = ground();
        let (home, workspace) = (places.home.clone().unwrap(), places.workspace.clone().unwrap());
        std::os::unix::fs::symlink(&home, workspace.join("results")).unwrap();
        std::os::unix::fs::symlink(home.join("other"), home.join("mine")).unwrap();
        for (typed, granted, refused) in [
            ("build --artifact-dir §/ws/results", None, Some("ws/results")),
            ("build --artifact-dir=§/ws/results/.ssh", None, Some("ws/results/.ssh")),
            ("build --artifact-dir §/ws/new", Some("ws/new"), None),
            ("build --artifact-dir §/mine", Some("other"), None),
            ("install --path . --root §/ws/results", None, Some("ws/results")),
            ("install --path . --root §/ws/out", Some("ws/out/bin"), None),
            ("new §/ws/results/app", None, None),
        ] {
            let wall = wall("default", &places, &typed.replace('§', home.to_str().unwrap()));
            let inside = |path: PathBuf| wall.grants.write.iter().any(|tree| path.starts_with(tree));
            assert!(!inside(home.join(".bashrc")) && !inside(home.join(".ssh")), "{typed}: {:?}", wall.grants.write);
            assert!(granted.is_none_or(|path| inside(home.join(path))), "{typed}: {:?}", wall.grants.write);
            let told: Vec<Hostile> = refused.map(|path| Hostile::from(&*home.join(path))).into_iter().collect();
            assert_eq!(wall.links_out(&places), told, "{typed}");
        }
    }
}
