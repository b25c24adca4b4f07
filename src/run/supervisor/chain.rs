//! The chain of command: who conducts, that is, starts programs which are then confined one by one, and is not confined like them. In:
//! tracees as they come. Out: the post each one holds, or none.
//!
//! It begins with the process the user started. A post is handed on by what its holder was told to do — the subcommand on its command line —
//! and by its place in the tree of processes; never by what a file is called or turns out to be. Whoever was meant to be a part of the build
//! has none.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::trust::{is_installed, is_the_users};
use crate::attribute::identity::{compiler_named, is_scripts};
use crate::judge::Places;
use crate::launch::Tracee;
use crate::plan::configured::Alias;
use crate::plan::places::real;
use crate::plan::rustup::is_rustup;
use crate::plan::steering::Steering;

/// What a conductor is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// Cargo, told to run this subcommand.
    Cargo(Option<OsString>),
    /// An external subcommand that was asked for: `cargo-clippy`, `cargo-nextest`.
    Driver,
    /// rustup under the name of a program it is about to become.
    Shim(OsString),
    /// Cargo again, between `cargo fix` and the compiler.
    Fixer,
}

struct Conductor {
    post: Post,
    exe: PathBuf,
    env: Vec<(OsString, OsString)>,
}

/// What a tracee is to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rank {
    Conducts(Post),
    /// A helper that its starter runs for itself: rustfmt for `cargo fmt` and `cargo new`. See `formatter`.
    Helps,
    /// Shows a page of cargo's own manual: `man` or a pager, for `cargo help`. See `manual`.
    Shows,
    /// None of it; `ends_cargo` if it runs in the place of a cargo, as programs do for `cargo run`.
    Stranger {
        ends_cargo: bool,
    },
}

pub struct Chain {
    /// The cargo that was started, whatever its name: as it was named, and where links led.
    started: (PathBuf, PathBuf),
    conductors: HashMap<i32, Conductor>,
    aliases: HashMap<OsString, Alias>,
}

/// With what `cargo help` shows a page (cargo's `write_and_spawn`). No code of packages is in a cargo that was told so.
const READERS: [&str; 3] = ["man", "less", "more"];

impl Chain {
    pub fn new(named: PathBuf, real: PathBuf, aliases: HashMap<OsString, Alias>) -> Self {
        Chain { started: (named, real), conductors: HashMap::new(), aliases }
    }

    /// A cargo of the user's is about to run: whoever conducted before has ended.
    pub fn begin(&mut self) {
        self.conductors.clear();
    }

    /// Takes the tracee in, as what it is.
    pub fn enter(&mut self, tracee: &Tracee, places: &Places) -> Rank {
        let rank = self.rank(tracee, places);
        match &rank {
            Rank::Conducts(post) => {
                let conductor = Conductor { post: post.clone(), exe: tracee.exe.clone(), env: tracee.env.clone() };
                self.conductors.insert(tracee.pid, conductor);
            }
            // Its number may come again, as that of somebody else's.
            _ => drop(self.conductors.remove(&tracee.pid)),
        }
        rank
    }

    /// Does this process's starter hold a post of cargo's own?
    pub fn is_cargos_child(&self, tracee: &Tracee) -> bool {
        self.conductors.get(&tracee.parent).is_some_and(|starter| matches!(starter.post, Post::Cargo(_)))
    }

    /// The environment of who started a compiler's shim: what else stands in the shim's a directive has put there.
    pub fn starters(&self, tracee: &Tracee) -> Option<&[(OsString, OsString)]> {
        compiler_named(&tracee.called)?;
        Some(&self.conductors.get(&tracee.parent)?.env)
    }

    /// The directory of the package for which this process stands between `cargo fix` and the compiler.
    pub fn compiles_for(&self, pid: i32) -> Option<&OsStr> {
        let fixer = self.conductors.get(&pid).filter(|one| one.post == Post::Fixer)?;
        Some(fixer.env.iter().find(|(name, _)| name == "CARGO_MANIFEST_DIR")?.1.as_os_str())
    }

    fn rank(&self, tracee: &Tracee, places: &Places) -> Rank {
        let before = self.conductors.get(&tracee.pid);
        let stranger = Rank::Stranger { ends_cargo: before.is_some_and(|before| matches!(before.post, Post::Cargo(_))) };
        let begins = tracee.in_place && self.conductors.is_empty() && tracee.exe == self.started.1;
        if begins {
            return Rank::Conducts(if is_rustup(&tracee.exe) { Post::Shim("cargo".into()) } else { self.cargo(tracee) });
        }
        if !self.is_the_users(tracee, places) {
            return stranger;
        }
        let post = match before {
            Some(before) => self.instead(before, tracee),
            None => self.conductors.get(&tracee.parent).and_then(|starter| self.child(starter, tracee)),
        };
        let is_builds = || is_scripts(&tracee.env) && !self.conductors.values().all(|one| is_scripts(&one.env));
        match post {
            Some(Rank::Conducts(Post::Shim(name))) if compiler_named(Path::new(&name)).is_some() => Rank::Conducts(Post::Shim(name)),
            Some(rank) if !is_builds() => rank,
            _ => stranger,
        }
    }

    /// What was meant and what runs: does all of it lie where the user installs programs, and nothing of it where a build could have laid a
    /// link to it?
    fn is_the_users(&self, tracee: &Tracee, places: &Places) -> bool {
        let called = &tracee.called;
        let placed = || called.parent().map(|dir| real(dir.to_owned()).join(called.file_name().unwrap_or_default()));
        let meant = |path: &Path| {
            let installed = path.starts_with(&places.toolchain) && !places.is_of_the_build(path);
            installed || is_the_users(path, places) || [&self.started.0, &self.started.1].contains(&&path.to_owned())
        };
        is_installed(&tracee.exe, &self.started.1, places) && meant(called) && placed().is_some_and(|path| meant(&path))
    }

    /// A conductor's process has become this.
    fn instead(&self, before: &Conductor, tracee: &Tracee) -> Option<Rank> {
        let name = tracee.called.file_name()?;
        match &before.post {
            // The shim of `cargo` becomes a toolchain's cargo. (A compiler is confined, as it would be without a shim.)
            Post::Shim(shim) if *shim == name && name == "cargo" => Some(Rank::Conducts(self.cargo(tracee))),
            Post::Shim(shim) if *shim == name && is_driver(name) => Some(Rank::Conducts(Post::Driver)),
            Post::Shim(shim) if *shim == name && name == "rustfmt" => Some(Rank::Helps),
            Post::Cargo(Some(told)) if self.asks(told, tracee, before) => Some(self.holding(tracee, Post::Driver)),
            Post::Driver => self.child(before, tracee),
            _ => None,
        }
    }

    /// A conductor has started this.
    fn child(&self, starter: &Conductor, tracee: &Tracee) -> Option<Rank> {
        let (name, again) = (tracee.called.file_name()?, tracee.exe == starter.exe);
        let compiles = is_rustup(&tracee.exe) && compiler_named(&tracee.called).is_some();
        match &starter.post {
            Post::Cargo(_) | Post::Fixer | Post::Driver if compiles => Some(self.holding(tracee, Post::Driver)),
            Post::Cargo(Some(told)) if again && !is_rustup(&tracee.exe) && self.fixes(told) => Some(Rank::Conducts(Post::Fixer)),
            Post::Cargo(Some(told)) if name == "rustfmt" && (told == "new" || told == "init") => Some(self.holding(tracee, Post::Driver)),
            Post::Cargo(Some(told)) if told == "help" && READERS.iter().any(|reader| name == *reader) => Some(Rank::Shows),
            // A driver may have cargo start it again, as its compiler's wrapper or a runner: then cargo has its name from the environment,
            // where no repository can put one.
            Post::Cargo(_) if self.is_drivers(tracee) && names(&starter.env, &tracee.called) => Some(Rank::Conducts(Post::Driver)),
            Post::Driver if name == "cargo" => Some(self.holding(tracee, self.cargo(tracee))),
            Post::Driver if again && !is_rustup(&tracee.exe) => Some(Rank::Conducts(Post::Driver)),
            Post::Driver if name == "rustfmt" && starter.exe.file_name() == Some(OsStr::new("cargo-fmt")) => {
                Some(self.holding(tracee, Post::Driver))
            }
            _ => None,
        }
    }

    /// The post, or that of the shim which is about to take it. rustup obeys the name it is called by; by its own it does other things.
    fn holding(&self, tracee: &Tracee, post: Post) -> Rank {
        let name = tracee.called.file_name().unwrap_or_default();
        let called = tracee.argv.first().and_then(|word| Path::new(word).file_name());
        match is_rustup(&tracee.exe) {
            true if called == Some(name) => Rank::Conducts(Post::Shim(name.to_owned())),
            true => Rank::Stranger { ends_cargo: false },
            false if name == "rustfmt" => Rank::Helps,
            false => Rank::Conducts(post),
        }
    }

    fn cargo(&self, tracee: &Tracee) -> Post {
        Post::Cargo(Steering::read(tracee.argv.get(1..).unwrap_or_default()).subcommand)
    }

    /// Is this `cargo-<subcommand>` of what the cargo `before` was told? What only an alias of the repository leads to must be the toolchain's own.
    fn asks(&self, told: &OsStr, tracee: &Tracee, before: &Conductor) -> bool {
        let Some(name) = tracee.called.file_name().filter(|name| is_driver(name)) else { return false };
        let beside = tracee.exe.parent() == before.exe.parent() || is_rustup(&tracee.exe);
        self.meanings(told)
            .any(|(meant, is_users)| name.as_bytes().strip_prefix(b"cargo-") == Some(meant.as_bytes()) && (is_users || beside))
    }

    /// `fix` is a subcommand of cargo's own: an alias of another one of those cargo does not follow.
    fn fixes(&self, told: &OsStr) -> bool {
        self.meanings(told).any(|(meant, is_users)| meant == "fix" && is_users)
    }

    /// What was told and what aliases make of it, and whether all of these are the user's.
    fn meanings<'s>(&'s self, told: &'s OsStr) -> impl Iterator<Item = (&'s OsStr, bool)> {
        let step = |(word, is_users): &(&'s OsStr, bool)| {
            let alias = self.aliases.get(*word)?;
            Some((alias.subcommand.as_os_str(), *is_users && alias.is_users))
        };
        // One may lead to itself.
        std::iter::successors(Some((told, true)), step).take(self.aliases.len() + 1)
    }

    fn is_drivers(&self, tracee: &Tracee) -> bool {
        self.conductors.values().any(|one| one.post == Post::Driver && one.exe == tracee.exe)
    }
}

fn is_driver(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"cargo-") && !name.as_bytes().starts_with(b"cargo-credential-")
}

/// Does a variable name this program for cargo to start? Those win over every configuration file.
fn names(env: &[(OsString, OsString)], program: &Path) -> bool {
    let starts = |name: &OsStr| {
        let name = name.as_bytes();
        let wraps = [&b"RUSTC"[..], b"RUSTDOC", b"RUSTC_WRAPPER", b"RUSTC_WORKSPACE_WRAPPER"].contains(&name);
        wraps || name.starts_with(b"CARGO_TARGET_") && name.ends_with(b"_RUNNER")
    };
    let first = |value: &OsStr| value.as_bytes().split(|&b| b == b' ').next().unwrap_or_default().to_vec();
    env.iter().any(|(name, value)| {
        starts(name) && {
            let first = first(value);
            let named = Path::new(OsStr::from_bytes(&first));
            named == program || named.parent() == Some(Path::new("")) && named.file_name() == program.file_name()
        }
    })
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
