//! A profile's grants and the places of a run put together once, so that an actor's policy is a matter of microseconds. In: `Grants`,
//! `Places`. Out: `judge::Policy` for each `ActorFacts`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::made::Made;
use crate::judge::{KernelGrants, Own, Places, Policy, Records, SecretLists, Secrets};
use crate::model::{ActorKind, Mode};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::grants::{Grants, Line};
use crate::plan::kernel_grants::{kernel_exec, kernel_read};
use crate::plan::{hard_links, included, placeholders, scripts, tracked};

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
        let settlement = &self.kinds[&kind];
        let fill = |slots: &Slots| {
            let own = slots.individual.iter().flat_map(|entry| placeholders::expand(entry, &self.places, Some(facts)));
            slots.fixed.iter().cloned().chain(own).collect::<Vec<_>>()
        };
        let (write, exec) = (fill(&settlement.write), fill(&settlement.exec));
        let mut kernel_exec = kernel_exec(&exec, &self.places, &self.secrets);
        let links = settlement.exec.individual.iter().any(|entry| entry == "{linker}");
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
            read: fill(&settlement.read),
            kernel: KernelGrants { read: settlement.kernel_read.clone(), write: write.clone(), exec: kernel_exec },
            write,
            exec,
            connect: settlement.connect.clone(),
            unix: fill(&settlement.unix),
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
            },
            made: Made::default(),
            reviewed: facts.reviewed.clone(),
            scripts,
        }
    }
}

impl Settled {
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

fn slots(lines: &[Line], places: &Places) -> Slots {
    let (individual, fixed): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| placeholders::is_individual(&line.text));
    let paths =
        fixed.iter().flat_map(|line| placeholders::expand(&line.text, places, None)).map(|path| path.canonicalize().unwrap_or(path));
    let mut fixed: Vec<PathBuf> = paths.collect();
    fixed.sort();
    fixed.dedup();
    Slots { fixed, individual: individual.into_iter().map(|line| line.text.clone()).collect() }
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
