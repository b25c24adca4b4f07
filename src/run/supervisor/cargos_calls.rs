//! What cargo itself tries. In: its calls, refused by the kernel or about to be made (`launch::tried`). Out: where something led cargo there, a finding
//! of whoever did; else what is told when cargo fails.
//!
//! Cargo has no listener: the wall has held already, and what is found out here is mostly who has to be told of. A link in a package, or among cargo's
//! results, is that package's doing; `cargo fix` writes what a compiler suggested, and any macro in it can suggest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Supervisor;
use super::led::{self, LEADERS, Leader, is_inside, object, resolved};
use crate::attribute::source::package_in;
use crate::judge::Places;
use crate::launch::tried::Tried;
use crate::model::{Act, Actor, ActorId, ActorKind, Breach, Event, Hostile, Mode, Package, Rule, Severity, Status};
use crate::plan::actor_facts::ActorFacts;

impl Supervisor<'_> {
    /// Refused by the kernel.
    pub(super) fn led(&mut self, tried: &Tried) {
        let act = resolved(&tried.act, tried.pid);
        tracing::debug!(pid = tried.pid, named = ?tried.act, ?act, "cargo was refused");
        // Inside its wall it was permissions, as without Brig.
        if is_inside(&self.wall.grants, &act) {
            return;
        }
        let compiled = self.chain.compiles_for(tried.pid).map(|manifest| Leader::Compiler(self.places.by_real_name(Path::new(manifest))));
        let Some(leader) = compiled.or_else(|| self.link(&tried.act)) else {
            return self.led.of_its_own_accord(act);
        };
        let act = match (&leader, act) {
            // It reads what it is about to change.
            (Leader::Compiler(_), Act::Read { path }) => Act::Write { path },
            (_, act) => act,
        };
        match self.breach(&act) {
            Some(breach) => self.tell(leader, tried.pid, act, (breach, Status::Refused)),
            None => self.led.of_its_own_accord(act),
        }
    }

    /// What cargo reads for itself — its configuration and git's, its credentials, its own process — it reads by its own names: no link among
    /// sources leads there. The wall cannot tell by which name a file is opened.
    pub(super) fn leads_to_sources(&mut self, tried: &Tried) -> bool {
        let Some(leader) = self.link(&tried.act) else { return true };
        let act = resolved(&tried.act, tried.pid);
        let Some(path) = act.path().map(Hostile::as_path) else { return true };
        let (inside, observes) = (is_inside(&self.wall.grants, &act), self.profile.mode == Mode::Observe);
        // What is not there is no harm. Where the wall ends the kernel refuses it, unless it is only observed.
        if object(path).is_none() || inside && !self.is_cargos_own(path) || !inside && !observes {
            return true;
        }
        if let Some(breach) = self.breach(&act) {
            self.tell(leader, tried.pid, act, (breach, if observes { Status::Observed } else { Status::Refused }));
        }
        observes
    }

    /// In a home or in `/proc`, and not where packages lie.
    fn is_cargos_own(&self, path: &Path) -> bool {
        let places = &self.places;
        let homes = places.home.iter().chain([&places.cargo_home]).chain(&places.rustup_home).map(PathBuf::as_path);
        homes.chain([Path::new("/proc")]).any(|home| path.starts_with(home)) && !self.wall.sources.iter().any(|tree| path.starts_with(tree))
    }

    /// The first link on the way that lies among the sources, or what was made of them.
    fn link(&self, act: &Act) -> Option<Leader> {
        led::link(act, &|path| self.wall.sources.iter().any(|tree| path.starts_with(tree))).map(Leader::Link)
    }

    /// What is said to code of whoever leads, if it tries this.
    fn breach(&mut self, act: &Act) -> Option<Breach> {
        let (profile, places) = (self.profile, &self.places);
        let of_a_script = || Arc::new(profile.resolve(places, &ActorFacts::new(ActorKind::BuildScript, Places::tmp_of(&places.tmp, 0))));
        let policy = self.led.policy.get_or_insert_with(of_a_script);
        let path = act.path()?.as_path();
        let said = policy.judge(act, object(path)).breach;
        // A script may read its own process and a copy of the configuration; cargo's own are neither.
        let reads_cargos = matches!(act, Act::Read { .. }) && self.is_cargos_own(path);
        said.or_else(|| {
            let reason = format!("profile `{}`: secrets (what cargo reads for itself)", self.profile.name);
            reads_cargos.then_some(Breach { rule: Rule::SecretRead, severity: Severity::High, reason })
        })
    }

    fn tell(&mut self, leader: Leader, pid: i32, act: Act, (breach, status): (Breach, Status)) {
        let actor = self.leader(leader);
        let event = Event { actor, pid: pid as u32, act, status, breach: Some(breach), blame: None, at_ms: 0 };
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
