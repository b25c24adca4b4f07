//! The stages of a trial: what cargo is told in each, how each ended. In: what was prepared. Out: the ends, with their reports.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::expected::{self, Known};
use super::guise::Guise;
use super::interrupt::Interrupt;
use super::preparing::Prepared;
use super::reached::Reached;
use super::stage::{self, Disk, Stage};
use super::started::Started;
use super::suspect;
use super::throwaway::Throwaway;
use super::view::View;
use crate::model::lure::Bounds;
use crate::model::report::{Report, VerdictWord};
use crate::model::{ActorKind, Canary, Exit, Lure};
use crate::report::wording::Medium;
use crate::run::stage::Env;
use crate::run::stopped::Stopped;
use crate::suspect::harness::{Harness, Neighbours, Record, Target};

/// What each process of a stage may use. A compiler of a large crate has two gigabytes; whoever has more is no test of a library.
const MEMORY: u64 = 4 << 30;
const FILE: u64 = 1 << 30;
/// Of the disk, all stages together.
pub const DISK: u64 = 16 << 30;
const PROCESSES: u64 = 512;
/// Examples that are started, of those there are.
const EXAMPLES: usize = 5;
/// How often the program that makes calls is written again.
const ROUNDS: usize = 5;
const NO_CALLS: &str = "the program that makes calls does not compile";
const LINKED: &str = "what ran before has put links in the place of directories, which are not followed";
const BUILD: &str = "build";
/// A run of the user's once more.
const REPLAY: &str = "replay";
const HARNESS: &str = "harness";
/// Programs that are started without a word, of those there are.
const PROGRAMS: usize = 3;
/// What only finds out which calls compile.
const DRAFT: &str = "harness, checked";
/// Its own tests, with all that they need, before they run.
const BUILT: &str = "own tests, built";
/// The same, as its sources want it: with errors for what newer compilers warn of.
const STRICT: &str = "own tests, built strictly";
const COMPILED: u64 = 5;
/// What a macro makes of made-up input is no program, mostly: it was expanded all the same.
const MACROS: &str = "macros";

/// Macros that it shows, and that nobody knows how to expand.
const OTHERS: &str = "other macros";

pub struct Stages<'a> {
    pub throwaway: &'a Throwaway,
    pub env: Env,
    pub interrupt: &'a Interrupt,
    pub canaries: Vec<Canary>,
    /// What is the user's.
    pub closed: Vec<PathBuf>,
    pub seconds: u64,
    pub allow_degraded: bool,
    pub guise: Guise,
    pub view: View,
    pub disk: Disk,
    /// By which the program that makes calls tells what it did.
    pub word: String,
}

/// How one ended.
pub struct Ended {
    pub name: &'static str,
    /// Cargo's words.
    pub args: Vec<String>,
    /// Why it was not begun, if it was not.
    pub left_out: Option<String>,
    /// Brig's exit code.
    pub code: i32,
    pub said: Vec<u8>,
    pub report: Option<Report>,
    pub took: Duration,
    /// It filled what it may of the disk.
    pub filled: bool,
    /// What it was to do was not all done, by its own record.
    pub cut: bool,
}

impl Ended {
    fn left_out(name: &'static str, why: String) -> Ended {
        let (args, said, took) = (Vec::new(), Vec::new(), Duration::ZERO);
        Ended { name, args, left_out: Some(why), code: 0, said, report: None, took, filled: false, cut: false }
    }

    /// Did cargo get to the end of building? It says so by its end, or has started what it built: nobody's words count.
    pub fn was_built(&self) -> bool {
        let Some(report) = self.report.as_ref().filter(|report| report.outcome.cargo_exit.is_some()) else { return false };
        self.cargo_exit() == Some(0)
            || !self.timed_out() && (self.name == MACROS || report.actors.iter().any(|actor| self.is_started(actor.kind)))
    }

    /// Is it what cargo starts only when all is built? Of doctests that is the program that builds them.
    fn is_started(&self, kind: ActorKind) -> bool {
        kind == ActorKind::Program || kind == ActorKind::Rustdoc && self.args.iter().any(|word| word == "--doc")
    }

    /// Was it only to find out something?
    pub fn is_draft(&self) -> bool {
        [DRAFT, STRICT].contains(&self.name)
    }

    /// Did it not build because its sources forbid what this compiler warns of?
    fn is_denied(&self) -> bool {
        !self.was_built() && !self.timed_out() && String::from_utf8_lossy(&self.said).contains("#[deny(")
    }

    /// Is it about what whoever depends on the suspect runs, too?
    pub fn is_of_dependents(&self) -> bool {
        [BUILD, HARNESS, MACROS, OTHERS].contains(&self.name)
    }

    /// Did a signal end it? One of the trial's own: it was interrupted.
    pub fn was_cut(&self) -> bool {
        self.timed_out() || self.filled || self.cut || self.code > 128
    }

    pub fn timed_out(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.outcome.timed_out)
    }

    pub fn cargo_exit(&self) -> Option<i32> {
        self.report.as_ref()?.outcome.cargo_exit
    }

    /// How a stage ended, for people: nothing is said to have done nothing where it did not run. Its words, and why it was left out, may hold names of the suspect's.
    pub fn how(&self, medium: Medium, sentence: fn(&str) -> String) -> String {
        if let Some(why) = &self.left_out {
            return format!("not begun: {}", sentence(why));
        }
        let words = (medium.text)(&format!("cargo {}", self.args.join(" ")).as_str().into());
        let took = format!("{}.{} s", self.took.as_secs(), self.took.subsec_millis() / 100);
        let end = match (self.report.as_ref(), self.cargo_exit()) {
            (None, _) => format!("did not begin (exit code {})", self.code),
            _ if self.filled => "filled the disk as far as it may, and was ended".to_owned(),
            _ if self.timed_out() => "took longer than it was given, and was ended".to_owned(),
            (_, Some(0)) if !self.cut => "ended well".to_owned(),
            _ if !self.was_built() => "did not build".to_owned(),
            _ if self.cut => "was ended before it had made all its calls".to_owned(),
            (_, Some(code)) => format!("ended with {code}"),
            (_, None) => "was not ended by cargo".to_owned(),
        };
        format!("{words} {end}, {took}")
    }
}

struct Step {
    /// So many times the time that one stage has: what is only compiled takes longer than it runs.
    times: u64,
    name: &'static str,
    dir: PathBuf,
    args: Vec<String>,
    /// What sources forbid is a warning.
    lax: bool,
    /// What the program finds on its standard input.
    told: Option<String>,
}

/// What is to be done, or why it is not.
type Next = Result<Step, Ended>;

fn step(name: &'static str, dir: &Path, words: &str) -> Step {
    Step { times: 1, name, dir: dir.to_owned(), args: words.split(' ').map(str::to_owned).collect(), lax: false, told: None }
}

impl Stages<'_> {
    /// Plays all of them; `tell` hears of each as it has ended.
    ///
    /// # Errors
    /// When the walls cannot be built: then nothing has run.
    pub fn play(
        &self,
        prepared: &Prepared,
        mut tell: impl FnMut(&Ended) -> std::io::Result<()>,
    ) -> Result<(Vec<Ended>, Option<Reached>), Stopped> {
        let mut all: Vec<Ended> = Vec::new();
        let own = &prepared.suspect.dir;
        let first = match &prepared.run {
            None => Step { times: COMPILED, ..step(BUILD, &self.throwaway.app(), "build --offline") },
            Some(run) => Step { args: run.args.clone(), ..step(REPLAY, &run.dir, "") },
        };
        self.add(&mut all, Ok(first), &mut tell)?;
        // Nothing runs behind walls that cannot be built. What its own settings ask for may be refused, and is told.
        if all[0].report.is_none() && self.interrupt.came() {
            return Err(Stopped { exit: Exit::Cargo(130), cause: anyhow!("interrupted") });
        }
        if all[0].report.is_none() && all[0].left_out.is_none() {
            return Err(failed(&all[0]));
        }
        if prepared.run.is_some() {
            return Ok((all, None));
        }
        let (steps, mut harness) = self.harness(prepared, &mut all)?;
        for step in steps {
            self.add(&mut all, step, &mut tell)?;
        }
        if let (Some(harness), Some(one)) = (&mut harness, all.iter().find(|one| one.name == HARNESS)) {
            harness.ran(&Record::of(&one.said, &self.word));
        }
        if let (Some(harness), Some(one)) = (&mut harness, all.iter().find(|one| one.name == MACROS && one.was_built())) {
            harness.expanded(&one.said);
        }
        if let Some(why) = harness.as_ref().and_then(|harness| hidden(harness, prepared)) {
            self.add(&mut all, Err(Ended::left_out(OTHERS, why)), &mut tell)?;
        }
        let reached = harness.filter(|_| !self.interrupt.came()).map(|harness| Reached::of(&harness));
        let mut lax = false;
        for step in own_steps(own, &prepared.started) {
            let step = match (&prepared.alone, step) {
                (Some(why), Ok(step)) => Err(Ended::left_out(step.name, why.clone())),
                (_, step) => step.map(|step| Step { lax, ..step }),
            };
            self.add(&mut all, step, &mut tell)?;
            if all.last().is_some_and(|one| one.name == STRICT) {
                lax = true;
                self.add(&mut all, Ok(Step { lax, ..built(own) }), &mut tell)?;
            }
        }
        Ok((all, reached))
    }

    fn add(&self, all: &mut Vec<Ended>, step: Next, tell: &mut impl FnMut(&Ended) -> std::io::Result<()>) -> Result<(), Stopped> {
        let ended = match step {
            Ok(step) if self.interrupt.came() => Ended::left_out(step.name, "interrupted".to_owned()),
            Ok(step) if !self.throwaway.is_whole(std::slice::from_ref(&step.dir)) => Ended::left_out(step.name, LINKED.to_owned()),
            Ok(step) => self.one(all.len(), step)?,
            Err(left_out) => left_out,
        };
        let name = if ended.name == BUILT && ended.is_denied() { STRICT } else { ended.name };
        let cut = ended.name == HARNESS && ended.left_out.is_none() && !Record::of(&ended.said, &self.word).is_whole;
        let ended = Ended { name, cut, ..ended };
        tell(&ended).context("write to stdout")?;
        all.push(ended);
        Ok(())
    }

    /// What calls it, as far as that can be made to compile, and what expands its macros. A call that does not compile costs itself alone.
    fn harness(&self, prepared: &Prepared, all: &mut Vec<Ended>) -> Result<(Vec<Next>, Option<Harness>)> {
        let (app, own) = (self.throwaway.app(), &prepared.suspect.dir);
        if !suspect::has_library(own) {
            return Ok((Vec::new(), None));
        }
        let mut gave_up = false;
        let mut harness = match Harness::of(own, prepared.neighbours.as_ref().unwrap_or(&Neighbours::default())) {
            Ok(harness) => harness,
            Err(why) => return Ok((vec![Err(Ended::left_out(HARNESS, why.to_string()))], None)),
        };
        for round in 0.. {
            if !self.throwaway.clears_harness() {
                return Ok((vec![Err(Ended::left_out(HARNESS, LINKED.to_owned()))], None));
            }
            harness.write(&app).context("write a harness")?;
            if !harness.targets().iter().any(|target| matches!(target, Target::Calls(_))) || self.interrupt.came() {
                break;
            }
            let check = step(DRAFT, &app, "check --offline --message-format=json --example calls");
            let ended = self.one(all.len(), check)?;
            let compiles = ended.cargo_exit() == Some(0);
            if !compiles && (round == ROUNDS || harness.learn(&ended.said) == 0) {
                harness.give_up(NO_CALLS);
                gave_up = true;
            }
            all.push(ended);
            if compiles {
                break;
            }
        }
        let mut steps = Vec::new();
        let expands: Vec<String> = harness
            .targets()
            .into_iter()
            .filter_map(|target| match target {
                Target::Expands(name) => Some(format!("--test {name}")),
                Target::Calls(_) => None,
            })
            .collect();
        if harness.targets().iter().any(|target| matches!(target, Target::Calls(_))) {
            let told = Some(format!("{}\n", self.word));
            steps.push(Ok(Step { told, ..step(HARNESS, &app, "run --offline --example calls") }));
        } else if gave_up {
            steps.push(Err(Ended::left_out(HARNESS, NO_CALLS.to_owned())));
        }
        if !expands.is_empty() {
            steps.push(Ok(step(MACROS, &app, &format!("check --offline --keep-going --message-format short {}", expands.join(" ")))));
        }
        Ok((steps, Some(harness)))
    }

    fn one(&self, number: usize, step: Step) -> Result<Ended> {
        let seconds = self.seconds.saturating_mul(step.times);
        let lure = Lure {
            root: self.throwaway.root.clone(),
            more: Vec::new(),
            laid: Vec::new(),
            kept: Vec::new(),
            closed: self.closed.clone(),
            canaries: self.canaries.clone(),
            sink: self.throwaway.sink.join(number.to_string()),
            limits: Bounds { memory: MEMORY, file: FILE, processes: PROCESSES, seconds: seconds.saturating_mul(2) },
            shift: self.guise.shift,
            hostname: self.guise.hostname.clone(),
            cpus: self.guise.cpus,
        };
        let args: Vec<OsString> = step.args.iter().map(OsString::from).collect();
        let report_dir = self.throwaway.reports.join(number.to_string());
        let (allow_degraded, view) = (self.allow_degraded, Some(self.view.clone()));
        let stage = Stage { lure: Some(lure), report_dir, seconds, args, allow_degraded, view, told: step.told };
        let began = Instant::now();
        let lax = step.lax.then(|| ("RUSTFLAGS".into(), "--cap-lints=warn".into()));
        let env: Env = self.env.iter().cloned().chain(lax).collect();
        let played = stage::play(&stage, (&env, &step.dir), self.interrupt, Some(&self.disk))?;
        let (code, said, report, took) = (played.code, played.said, played.report, began.elapsed());
        Ok(Ended { name: step.name, args: step.args, left_out: None, code, said, report, took, filled: played.filled, cut: false })
    }
}

/// Which macros nobody knows how to expand, if there are any.
fn hidden(harness: &Harness, prepared: &Prepared) -> Option<String> {
    let unknown = prepared.neighbours.is_none().then(|| "cargo does not say what it depends on".to_owned());
    let hidden: Vec<String> = harness.hidden.iter().cloned().chain(unknown).collect();
    (!hidden.is_empty()).then(|| format!("macros that it exports, or may, and that could not be expanded: {}", hidden.join("; ")))
}

fn built(own: &Path) -> Step {
    Step { times: COMPILED, ..step(BUILT, own, "test --offline --no-run --tests") }
}

/// Its own tests, doctests, examples and programs.
fn own_steps(own: &Path, started: &Result<Started, String>) -> Vec<Next> {
    let mut steps = vec![Ok(built(own)), Ok(step("own tests", own, "test --offline --no-fail-fast --tests"))];
    if suspect::has_library(own) {
        let doctests = step("doctests", own, "test --offline --no-fail-fast --doc");
        steps.push(Ok(Step { times: COMPILED, ..doctests }));
    }
    let Started { examples, programs } = match started {
        Ok(started) => started,
        Err(why) => {
            steps.push(Err(Ended::left_out("example", format!("which examples and programs there are is not known: {why}"))));
            return steps;
        }
    };
    for (what, flag, names, most) in [("example", "--example", examples, EXAMPLES), ("program", "--bin", programs, PROGRAMS)] {
        for name in names.iter().take(most) {
            let args = ["run", "--offline", flag, name].map(str::to_owned).to_vec();
            steps.push(Ok(Step { args, ..step(what, own, "") }));
        }
        let left = names.len().saturating_sub(most);
        if left > 0 {
            steps.push(Err(Ended::left_out(what, format!("{left} more of its {what}s are not started"))));
        }
    }
    steps
}

/// What kept the first stage from beginning.
fn failed(ended: &Ended) -> Stopped {
    let said = String::from_utf8_lossy(&ended.said);
    let text = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("a stage of the trial did not begin").to_owned();
    let cause = anyhow!("{text}");
    match u8::try_from(ended.code) {
        Ok(code) if code == Exit::Usage.code() => Stopped::usage(cause),
        Ok(code) if code == Exit::Config.code() => Stopped { exit: Exit::Config, cause },
        _ => Stopped::wall(cause),
    }
}

/// What holds for all of them together: that a stage was ended in time is how a trial goes, and allows belong to no user's file.
/// `known`: of a suspect. Of a run of the user's nothing was to be expected.
pub fn settle(all: &mut Report, ended: &[Ended], known: Option<&Known>) {
    if let Some(known) = known {
        expected::settle(all, known);
    }
    for finding in &mut all.findings {
        // What lies there as the user's own is the suspect's.
        (finding.allow, finding.except, finding.own) = (None, None, false);
    }
    // A server of a decoy's.
    all.run.job = None;
    all.outcome.exit_code = match all.outcome.verdict {
        VerdictWord::Violation => Exit::Violation.code(),
        VerdictWord::Incomplete => Exit::Incomplete.code(),
        _ => Exit::Success.code(),
    };
    all.outcome.cargo_exit = ended.iter().filter_map(Ended::cargo_exit).find(|code| *code != 0).or(Some(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assemble;
    use crate::report::material::Material;
    use crate::report::samples::{Graph, actor, facts};

    /// Whatever is said: what was started was built, and what ended badly with nothing started was not.
    #[test]
    fn what_was_built_is_told_by_what_was_started() {
        for (name, words, kind, exit, built) in [
            ("own tests", "test --tests", ActorKind::Program, 101, true),
            ("own tests", "test --tests", ActorKind::BuildScript, 101, false),
            ("doctests", "test --doc", ActorKind::Rustdoc, 101, true),
            ("own tests", "doc", ActorKind::Rustdoc, 101, false),
            ("example", "run --example none", ActorKind::Rustc, 101, false),
            (MACROS, "check", ActorKind::Rustc, 101, true),
            (BUILD, "build", ActorKind::Rustc, 0, true),
        ] {
            let material = Material { actors: vec![actor(1, kind, None, None, "/x")], ..Material::default() };
            let report = assemble(&material, &crate::report::material::Facts { cargo_exit: Some(exit), ..facts() }, &Graph);
            let said = b"error: could not compile `x`".to_vec();
            let args = words.split(' ').map(str::to_owned).collect();
            let one = Ended { args, said, report: Some(report), left_out: None, ..Ended::left_out(name, String::new()) };
            assert_eq!(one.was_built(), built, "{name} {words} {kind:?} {exit}");
        }
    }

    #[test]
    fn a_program_that_was_cut_is_told_as_cut() {
        let report = assemble(&Material::default(), &crate::report::material::Facts { cargo_exit: Some(0), ..facts() }, &Graph);
        let one = Ended { report: Some(report), left_out: None, cut: true, ..Ended::left_out(HARNESS, String::new()) };
        assert!(one.was_built() && one.was_cut());
        let plain = Medium { text: |text| text.to_json_text(), name: str::to_owned };
        assert!(one.how(plain, str::to_owned).contains("was ended before it had made all its calls"));
    }
}
