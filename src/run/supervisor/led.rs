//! What cargo itself was refused at its own wall. In: calls that the kernel refused (`launch::refused`). Out: where something led cargo there, a
//! finding of whoever did; else what is told when cargo fails.
//!
//! Cargo has no listener, so nobody judges its calls before they are made: the wall has held already, and what is found out here is only who has
//! to be told of. A link in a package, or among cargo's results, is that package's doing; `cargo fix` writes what a compiler suggested, and any
//! macro in it can suggest.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Supervisor;
use crate::attribute::source::{clean, package_in};
use crate::judge::{KernelGrants, Places, Policy};
use crate::launch::refused::Refused;
use crate::model::act::ObjectKind;
use crate::model::{Act, Actor, ActorId, ActorKind, Event, Hostile, Object, Package, Status};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::places::real;

/// So many leaders are told apart; what others led to is told, too, and blamed on the first of their kind.
const LEADERS: usize = 64;
/// So many refusals are told of a cargo that failed.
const TOLD: usize = 10;

#[derive(Default)]
pub struct Led {
    /// Who led it, as entered in the record.
    leaders: BTreeMap<Leader, ActorId>,
    /// What is said to what cargo was led to: what is said to code of whoever leads.
    policy: Option<Arc<Policy>>,
    /// What nobody is to blame for.
    rest: BTreeSet<Act>,
}

/// What made cargo go there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leader {
    Link(PathBuf),
    /// The compiler of the package in this directory.
    Compiler(PathBuf),
}

impl Led {
    /// What cargo was refused without anybody's doing, a few of them. What it keeps in its home it does without.
    pub fn told(&self, cargo_home: &Path) -> Vec<Act> {
        let own = |act: &Act| act.path().is_some_and(|path| path.as_path().starts_with(cargo_home)) && !matches!(act, Act::Read { .. });
        self.rest.iter().filter(|act| !own(act)).take(TOLD).cloned().collect()
    }
}

impl Supervisor<'_> {
    pub(super) fn led(&mut self, refused: &Refused) {
        let act = resolved(&refused.act, refused.pid);
        tracing::debug!(pid = refused.pid, named = ?refused.act, ?act, "cargo was refused");
        // Inside its wall it was permissions, as without Brig.
        if is_inside(&self.wall.grants, &act) {
            return;
        }
        let compiled = self.chain.compiles_for(refused.pid).map(|manifest| Leader::Compiler(self.places.by_real_name(Path::new(manifest))));
        let among = |path: &Path| self.wall.grants.read.iter().chain(&self.wall.grants.write).any(|tree| path.starts_with(tree));
        let Some(leader) = compiled.or_else(|| link(&refused.act, &among).map(Leader::Link)) else {
            self.led.rest.insert(act);
            return;
        };
        let act = match (&leader, act) {
            // It reads what it is about to change.
            (Leader::Compiler(_), Act::Read { path }) => Act::Write { path },
            (_, act) => act,
        };
        let (profile, places) = (self.profile, &self.places);
        let of_a_script = || Arc::new(profile.resolve(places, &ActorFacts::new(ActorKind::BuildScript, Places::tmp_of(&places.tmp, 0))));
        let policy = Arc::clone(self.led.policy.get_or_insert_with(of_a_script));
        let Some(breach) = policy.judge(&act, act.path().and_then(|path| object(path.as_path()))).breach else {
            self.led.rest.insert(act);
            return;
        };
        let actor = self.leader(leader);
        let event = Event { actor, pid: refused.pid as u32, act, status: Status::Refused, breach: Some(breach), blame: None };
        self.journal.event(event);
    }

    /// Cargo in the record, as led by this one.
    fn leader(&mut self, leader: Leader) -> ActorId {
        if let Some(known) = self.led.leaders.get(&leader) {
            return *known;
        }
        if self.led.leaders.len() >= LEADERS
            && let Some((_, first)) =
                self.led.leaders.iter().find(|(known, _)| std::mem::discriminant(*known) == std::mem::discriminant(&leader))
        {
            return *first;
        }
        self.last += 1;
        let id = ActorId(self.last);
        let (name, exe, package, attributed_by) = match &leader {
            Leader::Link(link) => (Actor::CARGO, link.clone(), self.whose(link), "a link that cargo followed"),
            Leader::Compiler(dir) => {
                (Actor::FIX, self.places.toolchain.join("bin/rustc"), package_in(dir), "what its compiler suggested to `cargo fix`")
            }
        };
        self.journal.actor(Actor {
            id,
            kind: ActorKind::Tool,
            package,
            host: None,
            pid: 0,
            exe,
            argv: Vec::new(),
            cwd: "/".into(),
            crate_name: Some(name.to_owned()),
            attributed_by,
            outputs: Vec::new(),
            tmp: "/".into(),
            withheld: Vec::new(),
        });
        self.led.leaders.insert(leader, id);
        id
    }

    /// Whose sources the link lies among; of one among cargo's results nobody knows.
    fn whose(&self, link: &Path) -> Option<Package> {
        let built = || self.places.results().any(|tree| link.starts_with(tree));
        let plain = |dir: &&Path| dir.join("Cargo.toml").symlink_metadata().is_ok_and(|manifest| manifest.is_file());
        link.ancestors().skip(1).filter(plain).find_map(package_in).filter(|_| !built())
    }
}

/// With real paths.
fn resolved(act: &Act, pid: i32) -> Act {
    let real = |path: &Path| {
        // `self` is cargo, not us.
        let own = Path::new("/proc").join(std::process::id().to_string());
        let path = real(path.to_owned());
        path.strip_prefix(own).map(|rest| Path::new("/proc").join(pid.to_string()).join(rest)).unwrap_or(path)
    };
    let followed = |path: &Hostile| Hostile::from(real(path.as_path()));
    let named = |path: &Hostile| Hostile::from(last_apart(path.as_path(), real));
    match act {
        Act::Read { path } => Act::Read { path: followed(path) },
        Act::Write { path } => match followed(path) {
            path if path.as_path().exists() => Act::Write { path },
            path => Act::Create { path },
        },
        Act::Create { path } => Act::Create { path: named(path) },
        Act::Remove { path } => Act::Remove { path: named(path) },
        Act::Rename { from, to } => Act::Rename { from: named(from), to: named(to) },
        Act::Link { from, to } => Act::Link { from: named(from), to: named(to) },
        other => other.clone(),
    }
}

/// The name itself, in the directory it really lies in.
fn last_apart(path: &Path, real: impl Fn(&Path) -> PathBuf) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => clean(path),
    }
}

fn is_inside(grants: &KernelGrants, act: &Act) -> bool {
    let within = |trees: &[PathBuf], path: &Hostile| trees.iter().any(|tree| path.as_path().starts_with(tree));
    match act {
        Act::Read { path } => within(&grants.read, path),
        Act::Rename { from, to } | Act::Link { from, to } => within(&grants.write, from) && within(&grants.write, to),
        act => act.path().is_none_or(|path| within(&grants.write, path)),
    }
}

/// The first link on the way that lies where cargo's sources and results do. What comes before is the user's own.
fn link(act: &Act, among: &impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let follows = matches!(act, Act::Read { .. } | Act::Write { .. });
    let on_the_way = |path: &Hostile| {
        let path = path.as_path();
        let path = if follows { path } else { path.parent()? };
        let mut at = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::Normal(name) => {
                    let next = at.join(name);
                    let is_link = next.is_symlink();
                    if is_link && among(&next) {
                        return Some(next);
                    }
                    at = if is_link { real(next) } else { next };
                }
                Component::ParentDir => drop(at.pop()),
                _ => {}
            }
        }
        None
    };
    match act {
        Act::Rename { from, to } | Act::Link { from, to } => on_the_way(from).or_else(|| on_the_way(to)),
        act => on_the_way(act.path()?),
    }
}

fn object(path: &Path) -> Option<Object> {
    let meta = path.symlink_metadata().ok()?;
    let kind = match meta.file_type() {
        kind if kind.is_dir() => ObjectKind::Directory,
        kind if kind.is_symlink() => ObjectKind::Symlink,
        kind if kind.is_file() => ObjectKind::File,
        _ => ObjectKind::Special,
    };
    Some(Object { dev: meta.dev(), ino: meta.ino(), kind })
}
