//! A profile's grants and the places of a run put together once, so that an actor's policy is a matter of microseconds. In: `Grants`,
//! `Places`. Out: `judge::Policy` for each `ActorFacts`.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::made::Made;
use crate::judge::paths;
use crate::judge::policy::Patterns;
use crate::judge::{KernelGrants, Own, Places, Policy, Records, SecretLists, Secrets};
use crate::model::{ActorKind, Mode};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::grants::{Grants, Line};
use crate::plan::kernel_grants::{kernel_exec, kernel_read, kernel_write};
use crate::plan::places::real;
use crate::plan::{hard_links, included, placeholders, rustup, scripts, tracked};

/// Entries that are the same for every actor, and those that are not.
#[derive(Debug, Default)]
struct Slots {
    fixed: Vec<PathBuf>,
    individual: Vec<String>,
}

#[derive(Debug, Default)]
struct Settlement {
    read: Slots,
    write: Slots,
    exec: Slots,
    unix: Slots,
    kernel_read: Vec<PathBuf>,
    connect: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Settled {
    pub places: Arc<Places>,
    secrets: Arc<Secrets>,
    records: Arc<Records>,
    kinds: BTreeMap<ActorKind, Settlement>,
}

impl Settled {
    pub fn new(actors: &BTreeMap<ActorKind, Grants>, secrets: &SecretLists, places: &Places) -> Self {
        let lists = SecretLists {
            catalogue: secrets.catalogue,
            extra: secrets.extra.iter().flat_map(|glob| glob_paths(glob, places)).collect(),
            except: secrets.except.iter().flat_map(|glob| glob_paths(glob, places)).collect(),
        };
        let secrets = Secrets::compile(places, &lists).expect("globs are checked when a profile is read");
        let found = hard_links::find(places, &secrets);
        let secrets = Arc::new(secrets.with_inodes(found).with_included(included::find(places)));
        let kinds = actors.iter().map(|(kind, grants)| (*kind, Settlement::new(grants, places))).collect();
        Settled { places: Arc::new(places.clone()), secrets, records: Arc::new(records(actors, places)), kinds }
    }

    pub fn policy(&self, profile: &str, mode: Mode, facts: &ActorFacts) -> Policy {
        let kind = if matches!(facts.kind, ActorKind::ProcMacro | ActorKind::Linker) { ActorKind::Rustc } else { facts.kind };
        // Doctests are tests: what a unit test of the package may, they may, and with them the rustdoc that holds them in its wall. A macro gains
        // nothing by it, since what it expands to runs in those tests.
        let kinds = [kind, ActorKind::Program];
        let settlements: Vec<&Settlement> = kinds[..1 + usize::from(facts.doctests)].iter().map(|kind| &self.kinds[kind]).collect();
        let fill = |slots: fn(&Settlement) -> &Slots| {
            let mut paths: Vec<PathBuf> = Vec::new();
            for slots in settlements.iter().map(|of| slots(of)) {
                let own = slots.individual.iter().flat_map(|entry| placeholders::expand(entry, &self.places, Some(facts)));
                for path in slots.fixed.iter().cloned().chain(own) {
                    // One settlement alone says nothing twice.
                    if !facts.doctests || !paths.contains(&path) {
                        paths.push(path);
                    }
                }
            }
            paths
        };
        let (mut read, patterns_to_read) = without_patterns(fill(|of| &of.read));
        let (write, patterns_to_write) = without_patterns(fill(|of| &of.write));
        let mut exec = fill(|of| &of.exec);
        let of_script: Vec<PathBuf> = facts.script.iter().flat_map(|script| self.for_script(script, kind)).collect();
        // A shim among them finds out which toolchain it stands for, as it may below build scripts.
        let chooses = of_script.iter().any(|program| rustup::is_rustup(program));
        let homes = self.places.rustup_home.iter().filter(|_| chooses);
        read.extend(homes.flat_map(|home| ["settings.toml", "toolchains"].map(|name| home.join(name))));
        exec.extend(of_script);
        let mut kernel_read: Vec<PathBuf> = settlements.iter().flat_map(|of| of.kernel_read.iter().cloned()).collect();
        kernel_read.sort();
        kernel_read.dedup();
        let mut kernel_exec = kernel_exec(&exec, &self.places, || &self.secrets);
        let links = settlements.iter().any(|of| of.exec.individual.iter().any(|entry| entry == "{linker}"));
        let scripts = if links { scripts::of_linker(facts, &self.places) } else { Vec::new() };
        // The gate sees to it that they run that script and nothing else, see `judge::script`.
        kernel_exec.extend(scripts.iter().map(|script| script.interpreter.clone()));
        // Writing is opened by no rule of the kernel's: the gate does it, see `judge::reviewed`.
        kernel_exec.extend(facts.reviewed.iter().flat_map(|allow| &allow.exec).map(|(program, _)| program.clone()));
        Policy {
            exact: !self.reach_fingerprints(&kernel_exec, facts),
            profile: profile.to_owned(),
            mode,
            kind: facts.kind,
            read,
            patterns: Patterns { read: patterns_to_read, write: patterns_to_write },
            kernel: KernelGrants { read: kernel_read, write: kernel_write(&write, &self.places), exec: kernel_exec },
            write,
            exec,
            connect: settlements.iter().flat_map(|of| of.connect.iter().cloned()).collect(),
            unix: fill(|of| &of.unix),
            records: Arc::clone(&self.records),
            secrets: Arc::clone(&self.secrets),
            places: Arc::clone(&self.places),
            own: Own {
                package: facts.package_dir.clone(),
                name: facts.package_name.clone(),
                outputs: facts.outputs.clone(),
                tmp: facts.tmp.clone(),
                extra_filename: facts.extra_filename.clone(),
                crate_name: facts.crate_name.clone(),
                doctests: facts.doctests,
            },
            made: Made::default(),
            reviewed: facts.reviewed.clone(),
            granted: Vec::new(),
            without: None,
            for_all: None,
            accepted: None,
            decoys: None,
            shift: None,
            hostname: None,
            scripts,
        }
    }
}

impl Settled {
    /// A script of the user's may be read and run again. In a compiler's place it starts the compiler: the toolchain's, or what the user's path
    /// calls so.
    fn for_script(&self, script: &Path, kind: ActorKind) -> Vec<PathBuf> {
        let mut exec = vec![script.to_owned()];
        if matches!(kind, ActorKind::Rustc | ActorKind::Rustdoc) {
            for name in ["rustc", "rustdoc", "clippy-driver"] {
                exec.push(self.places.toolchain.join("bin").join(name));
                exec.extend(placeholders::programs_named(name, &self.places));
            }
        }
        exec
    }

    /// Does the right to run things let the kernel hand out cargo's fingerprints, which are not for reading?
    fn reach_fingerprints(&self, kernel_exec: &[PathBuf], facts: &ActorFacts) -> bool {
        let own = |tree: &PathBuf| facts.outputs.iter().chain([&facts.tmp]).chain(&facts.program).any(|own| tree.starts_with(own));
        let trees = self.places.results().collect::<Vec<_>>();
        let overlap = |tree: &PathBuf| trees.iter().any(|target| target.starts_with(tree) || tree.starts_with(target));
        kernel_exec.iter().any(|tree| overlap(tree) && !own(tree))
    }
}

impl Settlement {
    fn new(grants: &Grants, places: &Places) -> Self {
        let mut read = slots(&grants.read, places);
        read.fixed = outermost(read.fixed);
        let kernel_read =
            if read.fixed.iter().any(|tree| tree == Path::new("/")) { vec![PathBuf::from("/")] } else { kernel_read(&read.fixed, places) };
        Settlement {
            kernel_read,
            read,
            write: slots(&grants.write, places),
            exec: slots(&grants.exec, places),
            unix: slots(&grants.unix, places),
            connect: grants.connect.iter().map(|line| line.text.clone()).collect(),
        }
    }
}

/// What programs may leave. Git's index is read when somebody first asks for it.
fn records(actors: &BTreeMap<ActorKind, Grants>, places: &Places) -> Records {
    let texts = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    let Some(grants) = actors.get(&ActorKind::Program) else { return Records::default() };
    let workspace = places.workspace.clone();
    let tracked = move || workspace.and_then(|workspace| tracked::of(&workspace));
    Records::compile(&texts(&grants.record), &texts(&grants.data), tracked).expect("globs are checked when a profile is read")
}

/// Trees, and entries with a `*` in their last part.
fn without_patterns(paths: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    paths.into_iter().partition(|path| !paths::name(path.as_os_str().as_bytes()).contains(&b'*'))
}

fn slots(lines: &[Line], places: &Places) -> Slots {
    let (individual, fixed): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| placeholders::is_individual(&line.text));
    let mut fixed: Vec<PathBuf> = fixed.into_iter().flat_map(|line| roots(&line.text, places)).filter_map(Result::ok).collect();
    fixed.sort();
    fixed.dedup();
    Slots { fixed, individual: individual.into_iter().map(|line| line.text.clone()).collect() }
}

/// The real paths an entry stands for. What lies where actors or the repository write is an object, not a name: where a link stands in its
/// place, nothing is granted, and the link is the error.
pub(super) fn roots(entry: &str, places: &Places) -> Vec<Result<PathBuf, PathBuf>> {
    let laid: Vec<&PathBuf> = places.workspace.iter().chain(places.results()).chain(&places.packages).chain([&places.tmp]).collect();
    let root = |path: PathBuf| {
        let named = places.by_real_name(&path);
        let real = real(path.clone());
        let within = laid.iter().any(|tree| tree.is_absolute() && named.starts_with(tree));
        if within && real != named { Err(named) } else { Ok(real) }
    };
    placeholders::expand(entry, places, None).into_iter().map(root).collect()
}

/// Grants of a profile that a link stands in the place of.
pub fn linked(actors: &BTreeMap<ActorKind, Grants>, places: &Places) -> Vec<PathBuf> {
    let lists = actors.iter().filter(|(kind, _)| **kind != ActorKind::Tool).flat_map(|(_, grants)| grants.lists());
    let lines = lists.filter(|(list, _)| ["read", "write", "exec", "unix"].contains(list)).flat_map(|(_, lines)| lines);
    let shared = lines.filter(|line| !placeholders::is_individual(&line.text) && line.text.starts_with(['{', '/', '~']));
    // Most kinds of actors have the same entries.
    let shared: BTreeSet<&str> = shared.map(|line| &*line.text).collect();
    let mut found: Vec<PathBuf> = shared.into_iter().flat_map(|entry| roots(entry, places)).filter_map(Result::err).collect();
    found.sort();
    found.dedup();
    found
}

/// Without what lies in another one: fewer comparisons for every open. Only for reading: between writing and running, the more specific
/// grant decides.
fn outermost(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !kept.iter().any(|tree| path.starts_with(tree)) {
            kept.push(path);
        }
    }
    kept
}

/// A glob of the profile with its placeholder replaced by literal paths.
fn glob_paths(glob: &str, places: &Places) -> Vec<String> {
    let Some((name, rest)) = placeholders::split_glob(glob) else { return vec![glob.to_owned()] };
    let trees = placeholders::expand(&format!("{{{name}}}"), places, None);
    trees.iter().filter_map(|tree| tree.to_str()).map(|tree| format!("{}{rest}", globset::escape(tree))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever may write below the target directory may lay a link there before the next run. The directory itself may be one of the user's.
    #[test]
    fn a_link_in_the_place_of_a_grant_grants_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let top = dir.path().canonicalize().expect("real path");
        for sub in ["built/tests", "autostart", "w"] {
            std::fs::create_dir_all(top.join(sub)).expect("directory");
        }
        std::os::unix::fs::symlink(top.join("built"), top.join("w/target")).expect("link");
        std::os::unix::fs::symlink(top.join("autostart"), top.join("built/cxxbridge")).expect("link");
        let target = top.join("built");
        let names = vec![(top.join("w/target"), target.clone())];
        let places = Places {
            names,
            workspace: Some(top.join("w")),
            target: target.clone(),
            build: target.clone(),
            tmp: "/tmp/x".into(),
            ..Places::default()
        };
        assert_eq!(roots("{target}/tests", &places), [Ok(target.join("tests"))]);
        assert_eq!(roots("{target}/tmp", &places), [Ok(target.join("tmp"))]);
        assert_eq!(roots("{target}/cxxbridge", &places), [Err(target.join("cxxbridge"))]);
        assert_eq!(roots(top.join("w/target/cxxbridge").to_str().expect("text"), &places), [Err(target.join("cxxbridge"))]);
        let profile = crate::plan::load("default", None).expect("embedded");
        assert_eq!(linked(&profile.actors, &places), [target.join("cxxbridge")]);
        let granted = profile.resolve(&places, &ActorFacts::new(ActorKind::BuildScript, "/tmp/x/1"));
        assert!(!granted.write.iter().any(|tree| *tree == top.join("autostart") || tree.ends_with("cxxbridge")), "{:?}", granted.write);
    }
}
