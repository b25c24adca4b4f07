//! Makes the report from what was recorded. In: `Material` (what happened), `Facts` (about the run), `Who` (the build graph). Out: a
//! `Report` in which the same build gives the same bytes, apart from times and pids: everything is sorted by what it is, never by when
//! it came.

use std::collections::BTreeMap;

use crate::model::report::{Behaviour, Counts, Coverage, Outcome, Report, ReportedActor, ReviewedUse, Run, SCHEMA, Tool};
use crate::model::{Act, Actor, ActorId, ActorKind, Event, Finding, Hostile, Mode, Process, Rule, Severity, Status, compiles_a_macro};

use super::barred;
use super::derive::{self, Cast, is_compiler};
use super::findings::{self, Placed};
use super::kept::{self, Beyond, Broken};
use super::material::{Facts, Material};
use super::outcome::{Bar, Ending, decide};
use super::packages::packages;
use super::rotate;
use super::trace::{Trace, in_tree_order};
use super::unit;
use super::who::Who;

pub fn assemble(material: &Material, facts: &Facts, who: &dyn Who) -> Report {
    let trace = Trace::new(&material.processes);
    let cast = derive::cast(material, &trace, who);
    let placed = findings::findings(material, facts, who, &trace, &cast);
    let numbers = numbers(&cast, facts);
    let mut actors: Vec<_> = cast
        .actors
        .iter()
        .enumerate()
        .map(|(at, actor)| ReportedActor {
            failed: material.failed.contains(&actor.id) && !is_probe(actor),
            ran: material.spans.get(&actor.id).copied().filter(|_| actor.host.is_none() && !is_absent(actor)),
            ..reported(at, actor, &cast, &numbers, facts, who)
        })
        .collect();
    actors.sort_by_key(|actor| actor.id);
    let mut processes = processes(material, facts, &cast, &numbers);
    in_tree_order(&mut processes);
    let behaviour = behaviour(material, facts, &cast, &numbers);
    let coverage = coverage(material, facts, &cast, &placed);
    let outcome = outcome(material, facts, &cast, &placed, &coverage);
    let (broken, beyond) = (broken(material, facts, &cast, &numbers), beyond(material, facts, &cast, &numbers));
    let kept = kept::kept(&actors, &behaviour, (&broken, &beyond), &facts.run.profile);
    let mut findings = barred::findings(&facts.barred, who);
    findings.extend(placed.into_iter().map(|placed| Finding { actor: numbers[placed.actor], ..placed.finding }));
    for (number, finding) in findings.iter_mut().enumerate() {
        finding.id = format!("F{}", number + 1);
    }
    let mut report = Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "cargo-brig".into(), version: env!("CARGO_PKG_VERSION").into() },
        run: Run { command: super::redact::argv(&facts.run.command), ..facts.run.clone() },
        host: facts.host.clone(),
        enforcement: facts.enforcement.clone(),
        coverage,
        outcome,
        packages: packages(&cast, &findings, &facts.places, who),
        actors,
        processes,
        processes_truncated: material.processes_truncated,
        behaviour,
        behaviour_truncated: material.behaviours_truncated,
        findings,
        sent: Vec::new(),
        kept,
        policy: Vec::new(),
        reviewed: material.reviewed.iter().map(|(by, count)| ReviewedUse { by: by.clone(), count: *count }).collect(),
        exceptions: material.exceptions.clone(),
        standing: Vec::new(),
        rotate: Vec::new(),
        end: true,
        reach: crate::model::Reach::default(),
    };
    report.rotate = rotate::list(&report);
    report
}

/// Words of a process's arguments.
const WORDS: usize = 24;
/// The same of compilers and linkers, which have hundreds: what they are asked for comes first.
const COMPILERS_WORDS: usize = 12;
/// The same of a program that somebody ran as he may.
const FIRST_WORDS: usize = 8;

fn words(kind: ActorKind) -> usize {
    match kind {
        ActorKind::Rustc | ActorKind::Rustdoc | ActorKind::Linker => COMPILERS_WORDS,
        ActorKind::BuildScript | ActorKind::ProcMacro | ActorKind::Program | ActorKind::Tool => WORDS,
    }
}

/// The first of them, and how many there were besides.
fn brief(mut argv: Vec<Hostile>, most: usize) -> Vec<Hostile> {
    if argv.len() > most + 1 {
        let more =
            |word: &Hostile| std::str::from_utf8(word.as_bytes()).ok()?.strip_prefix("… ")?.strip_suffix(" more")?.parse::<usize>().ok();
        let left = match argv.last().and_then(more) {
            Some(more) => argv.len() - 1 - most + more,
            None => argv.len() - most,
        };
        argv.truncate(most);
        argv.push(Hostile::from(format!("… {left} more").as_str()));
    }
    argv
}

/// The compiler asked about itself (`-vV`, `--print`): it compiled nothing, so nothing of the build ran.
pub fn is_probe(actor: &Actor) -> bool {
    is_compiler(actor) && actor.crate_name.as_deref().is_none_or(|name| name == "___")
}

/// A build script of which only the words are known, kept by cargo from an earlier build: it has no process.
fn is_absent(actor: &Actor) -> bool {
    actor.kind == ActorKind::BuildScript && actor.pid == 0
}

/// Did it do anything in this run that was more than to answer cargo?
fn is_counted(actor: &Actor) -> bool {
    !is_probe(actor) && !is_absent(actor)
}

/// Did code of the build run in it? A tool is cargo's own.
fn is_of_the_build(actor: &Actor) -> bool {
    actor.kind != ActorKind::Tool && is_counted(actor)
}

/// New numbers, by what the actors are instead of when they started; a derived actor stands where its kind stands.
fn numbers(cast: &Cast, facts: &Facts) -> Vec<ActorId> {
    let mut order: Vec<usize> = (0..cast.actors.len()).collect();
    order.sort_by_cached_key(|at| {
        let actor = &cast.actors[*at];
        let places = facts.places_of(actor);
        (
            actor.kind,
            actor.package.clone(),
            actor.crate_name.clone(),
            places.argv(&actor.argv),
            places.path(&actor.exe.as_path().into()),
            actor.id,
        )
    });
    let mut numbers = vec![ActorId(0); order.len()];
    for (number, at) in order.into_iter().enumerate() {
        numbers[at] = ActorId(number as u32 + 1);
    }
    numbers
}

fn reported(at: usize, actor: &Actor, cast: &Cast, numbers: &[ActorId], facts: &Facts, who: &dyn Who) -> ReportedActor {
    let host = actor.host.and_then(|host| cast.actors.iter().position(|other| other.id == host && other.host.is_none()));
    // What is found inside a compiler runs when that does.
    let whole = host.map_or(actor, |host| &cast.actors[host]);
    let mut withheld = actor.withheld.clone();
    withheld.sort();
    withheld.dedup();
    ReportedActor {
        id: numbers[at],
        kind: actor.kind,
        package: actor.package.clone(),
        host: host.map(|host| numbers[host]),
        crate_name: actor.crate_name.clone(),
        role: role(actor, facts),
        path_in_graph: actor.package.as_ref().map(|package| who.why(&package.name, &package.version)).unwrap_or_default(),
        attributed_by: actor.attributed_by.to_owned(),
        withheld,
        unit: unit::of(whole, role(whole, facts).as_deref()),
        arguments: unit::arguments(whole, &facts.places_of(whole)),
        failed: false,
        pid: if host.is_none() { actor.pid } else { 0 },
        argv: if host.is_none() && !is_absent(actor) {
            brief(facts.places_of(actor).argv(&actor.argv), words(actor.kind))
        } else {
            Vec::new()
        },
        ran: None,
    }
}

/// What kind of program: cargo puts tests and benches into `deps`, examples into `examples`.
fn role(actor: &Actor, facts: &Facts) -> Option<String> {
    match actor.kind {
        ActorKind::Program => {}
        ActorKind::Rustc if actor.host.is_none() && compiles_a_macro(actor.argv.iter().map(Hostile::as_bytes)) => {
            return Some(ReportedActor::OF_A_MACRO.to_owned());
        }
        _ => return None,
    }
    let directory = actor.exe.parent().and_then(|parent| parent.file_name()).and_then(|name| name.to_str());
    let bench = facts.run.command.iter().any(|word| word.as_bytes() == b"bench");
    let role = match directory {
        Some("deps") if bench => "benches",
        Some("deps") => "tests",
        Some("examples") => "example",
        // Found below rustdoc: what rustdoc runs are its tests.
        _ if actor.host.is_some() => "doctests",
        _ => "program",
    };
    Some(role.to_owned())
}

fn processes(material: &Material, facts: &Facts, cast: &Cast, numbers: &[ActorId]) -> Vec<Process> {
    let one = |(process, at): (&Process, &usize)| {
        let (places, most) = (facts.places_of(&cast.actors[*at]), words(cast.actors[*at].kind));
        Process { actor: numbers[*at], exe: places.path(&process.exe), argv: brief(places.argv(&process.argv), most), ..process.clone() }
    };
    material.processes.iter().zip(&cast.of_process).map(one).collect()
}

/// Ordinary acts and breaches alike, summed again after their paths were normalised.
fn behaviour(material: &Material, facts: &Facts, cast: &Cast, numbers: &[ActorId]) -> Vec<Behaviour> {
    let places: Vec<_> = cast.actors.iter().map(|actor| facts.places_of(actor)).collect();
    let by_id: BTreeMap<ActorId, usize> =
        cast.actors.iter().enumerate().filter(|(_, actor)| actor.host.is_none()).map(|(at, actor)| (actor.id, at)).collect();
    let ordinary =
        material.behaviours.iter().filter_map(|did| Some((*by_id.get(&did.actor)?, &did.act, did.status, (did.count, did.first_ms))));
    let breaches = material.breaches.iter().zip(&cast.of_breach);
    let breaches = breaches.map(|((event, count), at)| (*at, &event.act, event.status, (*count, event.at_ms)));
    let mut summed: BTreeMap<(ActorId, Act, Status), (u64, u64)> = BTreeMap::new();
    for (at, act, status, (count, first)) in ordinary.chain(breaches) {
        let act = match places[at].act(act) {
            // Of what is allowed a process tells more; what is not is told whole.
            Act::Exec { path, argv } if status == Status::Allowed => Act::Exec { path, argv: brief(argv, FIRST_WORDS) },
            act => act,
        };
        let (sum, earliest) = summed.entry((numbers[at], act, status)).or_insert((0, first));
        (*sum, *earliest) = (*sum + count, first.min(*earliest));
    }
    let one = |((actor, act, status), (count, first_ms))| Behaviour { actor, act, status, count, first_ms };
    summed.into_iter().map(one).collect()
}

/// What of that broke a rule, as the behaviour has it.
fn broken<'m>(material: &'m Material, facts: &Facts, cast: &Cast, numbers: &[ActorId]) -> Broken<'m> {
    let mut broken = Broken::new();
    for ((event, _), at) in material.breaches.iter().zip(&cast.of_breach) {
        let Some(breach) = &event.breach else { continue };
        let act = facts.places_of(&cast.actors[*at]).act(&event.act);
        let gravest = broken.entry((numbers[*at], act)).or_insert(breach);
        if breach.severity > gravest.severity {
            *gravest = breach;
        }
    }
    broken
}

/// What no line would have allowed, as the behaviour has it.
fn beyond(material: &Material, facts: &Facts, cast: &Cast, numbers: &[ActorId]) -> Beyond {
    let own = |id: ActorId| cast.actors.iter().position(|actor| actor.id == id && actor.host.is_none());
    let one = |(id, act): &(ActorId, Act)| own(*id).map(|at| (numbers[at], facts.places_of(&cast.actors[at]).act(act)));
    material.beyond.iter().filter_map(one).collect()
}

fn coverage(material: &Material, facts: &Facts, cast: &Cast, placed: &[Placed]) -> Coverage {
    let mut ran: BTreeMap<String, u64> = BTreeMap::new();
    for actor in cast.actors.iter().filter(|actor| is_counted(actor)) {
        *ran.entry(actor.kind.name().to_owned()).or_default() += 1;
    }
    let mut holes = material.lost.clone();
    holes.sort();
    holes.dedup();
    holes.truncate(20);
    Coverage {
        units: facts.units,
        ran,
        fresh: facts.fresh,
        not_reached: facts.not_reached,
        events: material.events,
        lost: material.lost.len() as u64,
        holes,
        unattributed: placed.iter().filter(|placed| placed.finding.offender.is_none()).count() as u64,
        complete: material.lost.is_empty(),
    }
}

fn outcome(material: &Material, facts: &Facts, cast: &Cast, placed: &[Placed], coverage: &Coverage) -> Outcome {
    let alarming = |event: &Event| event.breach.as_ref().is_some_and(|breach| breach.severity > Severity::Info);
    let tries = |status: Status| {
        let tried = material.breaches.iter().filter(|(event, _)| event.status == status && alarming(event));
        tried.map(|(_, count)| count).sum()
    };
    let mut by_severity: BTreeMap<String, u64> = BTreeMap::new();
    let kept = facts.barred.iter().map(|one| barred::severity(&one.why));
    for severity in kept.chain(placed.iter().map(|placed| placed.finding.severity)) {
        *by_severity.entry(severity.name().to_owned()).or_default() += 1;
    }
    let programs_failed = |actor: &Actor| actor.kind == ActorKind::Program && material.failed.contains(&actor.id);
    // Refused for the lock's sake: the profile was not broken.
    let is_new = |placed: &Placed| placed.finding.rule == Rule::BaselineNew;
    let new = placed.iter().any(is_new).then_some(Bar::Unaccepted);
    let breaks = |placed: &Placed| placed.finding.severity > Severity::Info && !is_new(placed);
    let (verdict, exit) = decide(Ending {
        mode: facts.run.mode,
        barred: facts.barred.iter().map(|one| barred::bar(&one.why)).max().max(new),
        violation: facts.run.mode != Mode::Observe && placed.iter().any(breaks),
        complete: coverage.complete,
        ran: cast.actors.iter().any(is_of_the_build),
        cargo: facts.cargo_exit,
        timed_out: facts.timed_out,
    });
    Outcome {
        verdict,
        exit_code: exit.code(),
        cargo_exit: facts.cargo_exit,
        timed_out: facts.timed_out,
        barred: !facts.barred.is_empty(),
        given: material.given.clone(),
        closed: if facts.cargo_exit != Some(0) && cast.actors.iter().any(programs_failed) { material.closed.clone() } else { Vec::new() },
        counts: Counts {
            actors: cast.actors.iter().filter(|actor| is_counted(actor)).count() as u64,
            processes: material.processes.len() as u64 + material.processes_truncated,
            refused: tries(Status::Refused),
            observed: tries(Status::Observed).saturating_add(tries(Status::Decoy)),
            findings: by_severity,
        },
    }
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
