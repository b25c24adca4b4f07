//! Whose a path is that somebody used: the usual (system, loader, own files, what compilers keep in between) told from what is worth a look. In: a report's
//! packages and actors, an act. Out: a class. A label for sorting, never a judgement: what is refused is refused by policy.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::report::{Report, ReportedActor, ReportedPackage};
use crate::model::{Act, ActorKind, Package};

/// From the usual to the unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A shared library, or what says where they are: read before a program's first instruction.
    Loader,
    /// What compilers and linkers keep in the target directory and for themselves.
    CompilerIntermediate,
    /// Of the operating system or the toolchain.
    System,
    /// In the package's own directory, its `OUT_DIR`, its private temporary directory.
    Own,
    /// Another package's sources or results.
    OtherPackage,
    /// The user's: in the workspace or the home.
    User,
    /// Anywhere else.
    Outside,
}

impl Class {
    /// Is it no business of the package's?
    pub fn is_outside(self) -> bool {
        self >= Class::OtherPackage
    }
}

/// Where packages lie, as the report writes paths.
pub struct Classes<'r> {
    dirs: BTreeMap<&'r [u8], &'r ReportedPackage>,
}

const SYSTEM: [&str; 15] = [
    "{toolchain}",
    "{rustup-home}",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/opt",
    "/dev",
    "/proc",
    "/sys",
    "/nix",
    "{cargo-home}/bin",
];

impl<'r> Classes<'r> {
    pub fn of(report: &'r Report) -> Self {
        let dirs = report.packages.iter().filter_map(|package| {
            let manifest = package.manifest.as_ref()?;
            Some((manifest.as_bytes(), package))
        });
        Classes { dirs: dirs.collect() }
    }

    /// Of an act that is about a path.
    pub fn class(&self, actor: Option<&ReportedActor>, act: &Act) -> Option<Class> {
        let path = act.path()?.as_bytes();
        let package = actor.and_then(|actor| actor.package.as_ref());
        let is_compiler = actor.is_some_and(|actor| matches!(actor.kind, ActorKind::Rustc | ActorKind::Rustdoc | ActorKind::Linker));
        let below = |place: &str| is_below(path, place.as_bytes());
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if matches!(act, Act::Read { .. }) && !below("{target}") && (is_library(name) || name.starts_with(b"ld.so.")) {
            return Some(Class::Loader);
        }
        if below("{out}") || below("{tmp}") {
            return Some(if is_compiler { Class::CompilerIntermediate } else { Class::Own });
        }
        if below("{target}") {
            return Some(match (built_for(path), package) {
                _ if is_compiler => Class::CompilerIntermediate,
                (Some(whose), Some(package)) if whose == package.name.as_bytes() => Class::Own,
                (Some(_), _) => Class::OtherPackage,
                (None, _) => Class::CompilerIntermediate,
            });
        }
        if SYSTEM.iter().any(|place| below(place)) {
            return Some(Class::System);
        }
        if let Some(whose) = self.owner(path) {
            let is_own = package.is_some_and(|package| (&package.name, &package.version) == (&whose.name, &whose.version));
            // What lies in the user's own packages is the user's.
            return Some(if is_own {
                Class::Own
            } else if whose.member {
                Class::User
            } else {
                Class::OtherPackage
            });
        }
        if below("{cargo-home}/registry/src") || below("{cargo-home}/git/checkouts") {
            return Some(if package.is_some_and(|package| is_in_its_sources(path, package)) { Class::Own } else { Class::OtherPackage });
        }
        let users = ["{workspace}", "{home}", "{cargo-home}"].iter().any(|place| below(place));
        Some(if users { Class::User } else { Class::Outside })
    }

    /// Whose directory it lies in: the nearest that is a package's.
    fn owner(&self, path: &[u8]) -> Option<&'r ReportedPackage> {
        let mut end = path.len();
        loop {
            if let Some(whose) = self.dirs.get(&path[..end]) {
                return Some(*whose);
            }
            end = path[..end].iter().rposition(|byte| *byte == b'/')?;
        }
    }
}

fn is_below(path: &[u8], place: &[u8]) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// `libc.so.6`, `libx.so`.
fn is_library(name: &[u8]) -> bool {
    let at = name.windows(3).rposition(|part| part == b".so");
    at.is_some_and(|at| name[at + 3..].iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
}

/// `{target}/debug/build/quickfetch-sys-1f/out/x` → `quickfetch-sys`.
fn built_for(path: &[u8]) -> Option<&[u8]> {
    let mut parts = path.split(|byte| *byte == b'/').skip_while(|part| *part != b"build");
    let part = parts.nth(1)?;
    let dash = part.iter().rposition(|byte| *byte == b'-')?;
    Some(&part[..dash])
}

/// `{cargo-home}/registry/src/index-1f/x-1.0.0/build.rs`, of `x` 1.0.0.
fn is_in_its_sources(path: &[u8], package: &Package) -> bool {
    let directory = format!("{}-{}", package.name, package.version);
    path.split(|byte| *byte == b'/').any(|part| part == directory.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::*;
    use crate::report::{Material, assemble};

    #[test]
    fn whose_paths_are() {
        let mut material: Material = material();
        for (actor, dir) in [(1, "/home/u/.cargo/registry/src/i/quickfetch-sys-0.3.2"), (2, "/home/u/app")] {
            material.actors[actor].package.as_mut().unwrap().manifest_dir = Some(dir.into());
        }
        let report = assemble(&material, &facts(), &Graph);
        let classes = Classes::of(&report);
        let of = |kind: ActorKind, path: &str| {
            let actor = report.actors.iter().find(|actor| actor.kind == kind && actor.package.is_some()).unwrap();
            classes.class(Some(actor), &read(path)).unwrap()
        };
        let (script, rustc) = (ActorKind::BuildScript, ActorKind::Rustc);
        for (kind, path, expected) in [
            (script, "/usr/lib/x86_64-linux-gnu/libc.so.6", Class::Loader),
            (script, "/etc/ld.so.cache", Class::Loader),
            (script, "/usr/include/stdio.h", Class::System),
            (script, "/usrx/include", Class::Outside),
            (script, "{out}/made.rs", Class::Own),
            (script, "{cargo-home}/registry/src/i/quickfetch-sys-0.3.2/build.rs", Class::Own),
            (script, "{cargo-home}/registry/src/i/other-1.0.0/build.rs", Class::OtherPackage),
            (script, "{target}/debug/build/quickfetch-sys-2e/out/x", Class::Own),
            (script, "{target}/debug/build/other-2e/out/x", Class::OtherPackage),
            (rustc, "{target}/debug/deps/libx-1f.rmeta", Class::CompilerIntermediate),
            (script, "{workspace}/.env", Class::User),
            (rustc, "{workspace}/src/lib.rs", Class::Own),
            (script, "{home}/.ssh/id", Class::User),
            (script, "/srv/x", Class::Outside),
        ] {
            assert_eq!(of(kind, path), expected, "{kind:?} {path}");
        }
    }
}
