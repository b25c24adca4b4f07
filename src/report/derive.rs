//! Finer identities than a listener can give: a proc-macro inside the compiler that loaded it, the linker below it, a doctest below
//! rustdoc. In: the actors the launcher saw, the process table, the stacks. Out: the cast of the report, and who in it did what.

use std::collections::BTreeMap;

use crate::model::{Act, Actor, ActorId, ActorKind, Blame, Event, Hostile, Package};

use super::material::Material;
use super::trace::Trace;
use super::who::Who;

/// Every actor of the report, and the actor of each breach and process as an index into `actors`.
pub struct Cast {
    pub actors: Vec<Actor>,
    pub of_breach: Vec<usize>,
    /// The actor whose listener it came from.
    pub host_of_breach: Vec<usize>,
    /// The stack that goes with each breach: its own or an inherited one.
    pub blame_of_breach: Vec<Option<Blame>>,
    pub of_process: Vec<usize>,
}

pub fn cast(material: &Material, trace: &Trace, who: &dyn Who) -> Cast {
    let known = material.actors.iter().enumerate().map(|(at, actor)| (actor.id, at)).collect();
    let mut cast = Casting { actors: material.actors.clone(), known, derived: BTreeMap::new(), who };
    let mut of_breach = Vec::new();
    let mut host_of_breach = Vec::new();
    let mut blame_of_breach = Vec::new();
    for (event, _) in &material.breaches {
        let host = cast.index(event.actor);
        let blame = trace.blame(&cast.actors[host], event.pid, event.blame.as_ref());
        of_breach.push(cast.actor_of(host, event, trace, blame.as_ref()));
        host_of_breach.push(host);
        blame_of_breach.push(blame);
    }
    let mut of_process = Vec::new();
    for process in &material.processes {
        let host = cast.index(process.actor);
        let blame = trace.blame(&cast.actors[host], process.pid, process.blame.as_ref());
        of_process.push(cast.actor_of_process(host, process.pid, trace, blame.as_ref()));
    }
    Cast { actors: cast.actors, of_breach, host_of_breach, blame_of_breach, of_process }
}

/// What tells derived actors of one compiler apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A macro's package and object name.
    Macro(Option<Package>, String),
    Linker,
    /// Of doctests.
    Compiler,
    Doctest,
}

struct Casting<'a> {
    actors: Vec<Actor>,
    known: BTreeMap<ActorId, usize>,
    derived: BTreeMap<(usize, Part), usize>,
    who: &'a dyn Who,
}

impl Casting<'_> {
    /// The actor of this number. An unknown number gets an actor of its own: its acts are not dropped.
    fn index(&mut self, id: ActorId) -> usize {
        if let Some(index) = self.known.get(&id) {
            return *index;
        }
        self.known.insert(id, self.actors.len());
        self.actors.push(Actor {
            id,
            kind: ActorKind::Tool,
            package: None,
            host: None,
            pid: 0,
            exe: "unknown".into(),
            argv: Vec::new(),
            cwd: "/".into(),
            crate_name: None,
            attributed_by: "nothing: the actor was never introduced",
            outputs: Vec::new(),
            tmp: "/".into(),
            withheld: Vec::new(),
        });
        self.actors.len() - 1
    }

    fn actor_of(&mut self, host: usize, event: &Event, trace: &Trace, blame: Option<&Blame>) -> usize {
        if !is_compiler(&self.actors[host]) {
            return host;
        }
        match blame.and_then(|blame| self.macro_in(blame)) {
            Some(part) => self.derive(host, part),
            // A fork of the compiler runs what runs inside it; only another program can be the linker.
            None if event.pid != self.actors[host].pid && !self.is_fork(host, event) => {
                self.derive(host, part_of(trace, &self.actors[host], event.pid))
            }
            None => host,
        }
    }

    fn is_fork(&self, host: usize, event: &Event) -> bool {
        matches!(&event.act, Act::Survive { exe } | Act::Linger { exe } if exe.as_path() == self.actors[host].exe)
    }

    /// A process below a compiler belongs to the macro that started it if that macro has a finding; a process no macro is blamed
    /// for is the linker's.
    fn actor_of_process(&mut self, host: usize, pid: u32, trace: &Trace, blame: Option<&Blame>) -> usize {
        if !is_compiler(&self.actors[host]) || pid == self.actors[host].pid {
            return host;
        }
        match blame.and_then(|blame| self.macro_in(blame)) {
            Some(part) => self.derived.get(&(host, part)).copied().unwrap_or(host),
            None => self.derive(host, part_of(trace, &self.actors[host], pid)),
        }
    }

    /// The innermost proc-macro object on a stack. Even an incomplete walk is right about the frames it saw.
    fn macro_in(&self, blame: &Blame) -> Option<Part> {
        let candidate = blame.crates.iter().find(|candidate| candidate.object.is_some())?;
        let by_object = candidate.object.as_ref().and_then(|object| self.who.macro_of_object(object));
        let package = by_object.or_else(|| candidate.package.clone()).or_else(|| self.who.package_of_crate(&candidate.name));
        let name = match candidate.name.is_empty() {
            false => candidate.name.clone(),
            true => object_name(candidate.object.as_ref()),
        };
        Some(Part::Macro(package, name))
    }

    fn derive(&mut self, host: usize, part: Part) -> usize {
        if let Some(index) = self.derived.get(&(host, part.clone())) {
            return *index;
        }
        let compiler = &self.actors[host];
        let mut actor = Actor { host: Some(compiler.id), withheld: Vec::new(), ..compiler.clone() };
        match &part {
            Part::Macro(package, name) => {
                actor.kind = ActorKind::ProcMacro;
                actor.package = package.clone();
                actor.crate_name = Some(name.clone());
                actor.attributed_by = "its object on the compiler's stack";
            }
            Part::Linker => {
                actor.kind = ActorKind::Linker;
                actor.attributed_by = "started by the compiler, no macro on the stack";
            }
            Part::Compiler => {
                actor.kind = ActorKind::Rustc;
                actor.attributed_by = "started by rustdoc to compile doctests";
            }
            Part::Doctest => {
                actor.kind = ActorKind::Program;
                actor.attributed_by = "started by rustdoc from where it builds doctests";
            }
        }
        self.actors.push(actor);
        self.derived.insert((host, part), self.actors.len() - 1);
        self.actors.len() - 1
    }
}

/// Whose a process below a compiler is, when no macro is blamed for it. Rustdoc builds doctests where it keeps temporary files, and
/// nothing else is run from there; it starts the compiler for them, which starts the linker.
fn part_of(trace: &Trace, compiler: &Actor, pid: u32) -> Part {
    match compiler.kind {
        ActorKind::Rustdoc if trace.came_through(compiler, pid, &compiler.tmp) => Part::Doctest,
        ActorKind::Rustdoc if trace.runs(compiler, pid).is_some_and(|program| program.ends_with("rustc")) => Part::Compiler,
        _ => Part::Linker,
    }
}

pub fn is_compiler(actor: &Actor) -> bool {
    matches!(actor.kind, ActorKind::Rustc | ActorKind::Rustdoc)
}

/// `/…/libevil_macro-0a1b.so` → `evil_macro`.
fn object_name(object: Option<&Hostile>) -> String {
    let path = object.map(|object| object.as_path().to_path_buf()).unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    stem.rsplit_once('-').map_or(stem, |(name, _)| name).to_owned()
}
