//! After cargo: survivors are ended, the record becomes the report, the report is written and told, and the exit code follows.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::asked::ask;
use super::coverage;
use super::in_force;
use super::naming;
use super::outputs::Outputs;
use super::owners::Owners;
use super::proposing;
use super::spent;
use super::stopped::Stopped;
use super::supervisor::Supervisor;
use super::uncommitted;
use super::who::Known;
use crate::attribute::Unwinder;
use crate::cli::misplaced;
use crate::gate::{Alive, Gate};
use crate::judge::Journal;
use crate::launch::survivors;
use crate::model::barred::Barred;
use crate::model::report::{Costs, Enforcement, Host as HostFacts, Run, VerdictWord};
use crate::model::{Act, ActorId, Event, Exit, Finding, Hostile, Reach, Span, Status};
use crate::plan::host::Host;
use crate::report::assemble::is_probe;
use crate::report::baselined;
use crate::report::markdown;
use crate::report::who::Nobody;
use crate::report::{Facts, Material, Who, assemble, escape, terminal};

/// What is known when cargo has ended.
pub struct Ran {
    pub run: Run,
    pub host: Host,
    pub enforcement: Enforcement,
    pub cargo: PathBuf,
    /// Nothing where it was not started.
    pub cargo_exit: Option<i32>,
    /// What kept the build from beginning, or from going on.
    pub barred: Vec<Barred>,
    /// `--policy` was typed, or set in a variable.
    pub typed: bool,
    /// Nothing but a run is a success.
    pub require_run: bool,
    pub timed_out: bool,
    pub began: Instant,
    pub unwinder: Arc<Unwinder>,
    /// How its report is found again.
    pub reach: Reach,
}

/// Kills what outlived cargo and blames it on its actor. After Ctrl-C everything outlives cargo: that is nobody's fault.
pub fn survivors(gate: &Gate, journal: &Journal, interrupted: bool) {
    let helpers = gate.helpers();
    if !survivors::remain(&helpers) {
        return;
    }
    // While they are alive their listeners are, too, and their policies known.
    let alive = gate.alive();
    let policies: HashMap<_, _> = alive.iter().map(|one| (one.actor.id, gate.policy_of(one.actor.id))).collect();
    let ended = survivors::end(&helpers);
    if !ended.all {
        journal.lost("processes of the build go on: they fork faster than they can be ended");
    }
    let family: Vec<_> = ended.survivors.iter().map(|survivor| survivor.member).collect();
    let owners = Owners::new(&alive, &family);
    if interrupted {
        return;
    }
    let mut named = HashSet::new();
    let survived = |actor: ActorId, pid: u32, exe: &Path, stayed: bool| {
        let act = Act::Survive { exe: Hostile::from(exe) };
        let breach = policies.get(&actor).and_then(Option::as_ref).and_then(|policy| policy.judge_survivor(stayed).breach);
        journal.event(Event { actor, pid, act, status: Status::Refused, breach, blame: None, at_ms: 0 });
    };
    let mut unnamed = ended.unnamed;
    for survivor in ended.survivors {
        tracing::debug!(pid = survivor.member.pid, exe = ?survivor.exe, "outlived the build");
        let Some(actor) = owners.of(&survivor.member).or_else(|| forked(&survivor.exe, &alive)) else {
            unnamed += 1;
            continue;
        };
        survived(actor, survivor.member.pid as u32, &survivor.exe, survivor.stayed);
        named.insert(actor);
    }
    if unnamed == 0 {
        return;
    }
    // Of those nobody could look at: whoever had processes left, and none of them named, has these.
    let rest: Vec<&Alive> = alive.iter().filter(|one| !named.contains(&one.actor.id)).collect();
    match &rest[..] {
        [] => {}
        [one] => {
            survived(one.actor.id, one.actor.pid, &one.actor.exe, false);
        }
        _ => journal.lost("a process outlived the build and no actor could be named for it"),
    }
}

/// A process that never made a call was forked and runs its ancestors' program: no exec goes unseen. Where that is what cargo started for
/// one actor alone, it is that actor's.
fn forked(exe: &Path, alive: &[Alive]) -> Option<ActorId> {
    let mut of_this_program = alive.iter().filter(|one| one.actor.exe == exe);
    let first = of_this_program.next()?;
    of_this_program.next().is_none().then_some(first.actor.id)
}

/// Assembles, writes and tells the report.
///
/// # Errors
/// When a report could not be written: then the run has no record.
pub fn tell(ran: Ran, supervisor: &mut Supervisor, outputs: &Outputs, style: terminal::Style) -> Result<Exit, Stopped> {
    let record = supervisor.journal.take();
    let ends = supervisor.failing.ends();
    let material = Material {
        processes: record.processes,
        processes_truncated: record.processes_truncated,
        behaviours: record.behaviours,
        behaviours_truncated: record.truncated.values().sum(),
        beyond: record.beyond,
        breaches: record.breaches.into_iter().map(|counted| (counted.event, counted.count)).collect(),
        lost: record.lost.into_iter().flat_map(|(what, count)| std::iter::repeat_n(what, count.min(1000) as usize)).collect(),
        events: record.events,
        reviewed: record.reviewed,
        exceptions: supervisor.excepting.told(&record.spent),
        actors: record.actors,
        failed: ends.iter().filter(|(_, exit)| **exit != 0).map(|(actor, _)| *actor).collect(),
        spans: record.spans.into_iter().map(|(actor, span)| (actor, Span { exit: ends.get(&actor).copied(), ..span })).collect(),
        given: supervisor.given.handed(),
        closed: supervisor.given.kept(),
    };
    let worked = material.actors.iter().any(|actor| !is_probe(actor));
    let wanted = worked || !ran.barred.is_empty();
    let known = wanted.then(|| supervisor.reviewing.known(&supervisor.places)).flatten();
    let supervisor = &*supervisor;
    let cargo = supervisor.cargo.as_deref().unwrap_or(&ran.cargo);
    let rustc = worked.then(|| ask(&supervisor.places.toolchain.join("bin/rustc"), "-vV")).flatten();
    let (graph, cargo_version) = thread::scope(|scope| {
        let version = scope.spawn(|| worked.then(|| ask(cargo, "-V")).flatten());
        let read = || supervisor.reviewing.read(cargo, rustc.as_deref(), &supervisor.places);
        let graph = if worked || ran.cargo_exit.is_some() && wanted { known.or_else(read) } else { known };
        (graph, version.join().ok().flatten())
    });
    let whole = ran.cargo_exit == Some(0) && !ran.timed_out;
    let units = graph.as_ref().map(|graph| coverage::units(graph, &material.actors, &supervisor.places.build, whole));
    let mut run = ran.run;
    run.duration_ms = ran.began.elapsed().as_millis() as u64;
    let facts = Facts {
        host: HostFacts {
            kernel: ran.host.kernel.clone(),
            arch: ran.host.arch.clone(),
            // Its first line is what `-V` prints.
            rustc: rustc.as_deref().and_then(|text| text.lines().next()).map(str::to_owned),
            cargo: cargo_version,
            user: nix::unistd::geteuid().to_string(),
        },
        enforcement: Enforcement { vouched: supervisor.bars.vouched(), ..ran.enforcement },
        units: units.map(|units| units.all),
        fresh: units.map(|units| units.fresh),
        not_reached: units.map(|units| units.not_reached),
        cargo_exit: ran.cargo_exit,
        barred: ran.barred,
        timed_out: ran.timed_out,
        places: naming::named(&supervisor.places),
        run,
    };
    let known = graph.map(|graph| Known { graph, artifacts: supervisor.artifacts.clone() });
    let who: &dyn Who = known.as_ref().map_or(&Nobody, |known| known);
    let mut report = assemble(&material, &facts, who);
    report.reach = ran.reach;
    drop(material);
    proposing::name(&mut report, known.as_ref().map(|known| &known.graph), &supervisor.places);
    if ran.typed {
        proposing::type_it(&mut report);
    }
    if let (Some((lock, held)), Some(known)) = (supervisor.bars.accepted(), &known) {
        let dirs = naming::dirs(&known.graph, &facts.places);
        baselined::apply(&mut report, (&lock, &dirs), held, who);
    }
    report.policy = in_force::lines(supervisor.profile);
    if let (Some(source), Some(workspace)) = (&mut report.run.source, &supervisor.places.workspace)
        && report.findings.iter().any(Finding::is_told)
    {
        uncommitted::complete(source, workspace, &supervisor.places.results().cloned().collect::<Vec<_>>());
    }
    report.run.costs = costs(&supervisor.confining, &ran.unwinder);
    let nothing = ran.require_run && report.outcome.verdict == VerdictWord::NotRun && report.outcome.exit_code == Exit::Success.code();
    if nothing {
        report.outcome.exit_code = Exit::Incomplete.code();
    }

    let unnamed = outputs.follow(&mut report, known.as_ref().map(|known| &known.graph)).err();
    let (stored, failed) = outputs.write(&report);
    let failed = unnamed.or(failed);
    let here = std::env::current_dir().unwrap_or_default();
    let links = if ran.cargo_exit == Some(0) { Vec::new() } else { supervisor.wall.links_out(&supervisor.places) };
    let stored = stored.map(|path| path.strip_prefix(&here).unwrap_or(path).to_string_lossy().into_owned());
    let mut stderr = io::stderr().lock();
    let mut told = terminal::after(&mut stderr, &report, stored.as_deref(), style);
    if on_github_actions() {
        told = told.and_then(|()| markdown::annotations(&report, &mut stderr));
    }
    for link in &links {
        let text = "was not followed where cargo's own wall ends: a link among cargo's files, and cargo failed";
        told = told.and_then(|()| writeln!(stderr, "        Note {} {text}", escape::quoted(link)));
    }
    let denied = if ran.cargo_exit == Some(0) { Vec::new() } else { supervisor.led.told(&supervisor.places.cargo_home) };
    for act in &denied {
        told = told.and_then(|()| terminal::refused_cargo(&mut stderr, act));
    }
    if report.outcome.verdict == VerdictWord::NotRun
        && ran.cargo_exit != Some(0)
        && let Some(hint) = misplaced::hint(report.run.command.get(1..).unwrap_or_default())
    {
        told = told.and_then(|()| writeln!(stderr, "        Help {}", escape::ours(&hint)));
    }
    if nothing {
        let way = if report.run.fresh { "" } else { ": `--fresh` has a build run all of its scripts and macros" };
        told = told.and_then(|()| writeln!(stderr, "        Help nothing ran, and `--require-run` asks for a run{way}"));
    }
    let told = told.and_then(|()| stderr.flush());
    if let Some(cause) = failed {
        // Violations stay the first thing to be told; otherwise a run without its record is an incomplete one.
        let exit = if report.outcome.exit_code == Exit::Violation.code() { Exit::Violation } else { Exit::Incomplete };
        return Err(Stopped { exit, cause });
    }
    // A stderr that is gone (a closed pipe) loses text, not the report.
    let _ = told;
    Ok(ending(report.outcome.exit_code))
}

/// There, lines of a certain shape are commands to the runner.
pub fn on_github_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

fn ending(code: u8) -> Exit {
    [Exit::Success, Exit::Violation, Exit::Incomplete, Exit::TimedOut, Exit::NewBehaviour]
        .into_iter()
        .find(|exit| exit.code() == code)
        .unwrap_or(Exit::Cargo(code))
}

fn costs(confining: &[Duration], unwinder: &Unwinder) -> Costs {
    let total: Duration = confining.iter().sum();
    let (first, later) = unwinder.cost();
    Costs {
        confine_us: (total.as_micros() as u64).checked_div(confining.len() as u64).unwrap_or(0),
        blame_first_us: first.as_micros() as u64,
        blame_later_us: later.as_micros() as u64,
        ..spent::so_far()
    }
}
