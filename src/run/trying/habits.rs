//! What a program of the system reads of its own accord: `wget` looks for `.netrc` at every start, whoever starts it. In: the report of all stages, what was sent.
//! Out: the same, where such a read is no theft of the crate's, and sentences that tell it all the same.
//!
//! No list of programs says so. The program's own file holds that name, no word of its command line does, it ran no code but the system's (`gate::steered`), it spoke to somebody
//! itself, and none of the secret was found in what was sent. A program that reads what it is told to (`cat`, `tar`, a shell, an interpreter) does not know the name, or was told it; one that hands a secret to whoever
//! starts it (`git credential-store get`) speaks to nobody.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::expected::without_alarm;
use super::proof::Proof;
use crate::gate::steered::SYSTEM;
use crate::model::report::Report;
use crate::model::{Act, ActorId, Evidence, Finding, Hostile, Process, Rule, Severity, Status, is_interpreter};
use crate::report::parties::is_network;
use crate::report::wording::QUOTED;

/// Of a program.
const LARGEST: u64 = 64 << 20;
/// Shorter names stand in any program.
const SHORTEST: usize = 5;

/// Processes that spoke to somebody, by their actors. Of all findings, also those that turn out to be expected.
pub type Speakers = BTreeSet<(ActorId, u32)>;

pub fn speakers(all: &Report) -> Speakers {
    let network = all.findings.iter().filter(|finding| is_network(finding.rule));
    network.flat_map(|finding| finding.evidence.iter().map(|one| (finding.actor, one.pid))).collect()
}

pub fn settle(all: &mut Report, proof: &Proof, speakers: &Speakers) -> Vec<String> {
    settle_with(all, (proof, speakers), &SYSTEM)
}

/// `trees`: where programs of the system are.
fn settle_with(all: &mut Report, known: (&Proof, &Speakers), trees: &[&str]) -> Vec<String> {
    let is_habit: Vec<Vec<bool>> = all
        .findings
        .iter()
        .map(|finding| finding.evidence.iter().map(|one| program(all, known, finding, one, trees).is_some()).collect())
        .collect();
    let mut told = BTreeSet::new();
    let mut settled: BTreeSet<(ActorId, Option<(String, String)>)> = BTreeSet::new();
    for (finding, habits) in all.findings.iter().zip(&is_habit) {
        if finding.rule == Rule::SecretRead && finding.truncated == 0 && !habits.is_empty() && habits.iter().all(|habit| *habit) {
            told.extend(
                finding.evidence.iter().filter_map(|one| Some(sentence(all, finding, one, &program(all, known, finding, one, trees)?))),
            );
            settled.insert(whose(finding));
        }
    }
    let network = |one: &Evidence| !matches!(one.act, Act::Read { .. });
    let mut habits = is_habit.iter();
    all.findings.retain_mut(|finding| {
        let own = habits.next().map(Vec::as_slice).unwrap_or_default();
        match finding.rule {
            // What it reads is told as a note, not as an alarm.
            Rule::SecretRead if settled.contains(&whose(finding)) => {
                finding.severity = Severity::Info;
                true
            }
            // Of both a secret and the network only the network is left, which has a finding of its own.
            Rule::SecretThenNetwork => {
                let all = finding.evidence.iter().zip(own).all(|(one, habit)| *habit || network(one));
                !(all && finding.truncated == 0 && settled.contains(&whose(finding)))
            }
            _ => true,
        }
    });
    without_alarm(all);
    told.into_iter().collect()
}

fn whose(finding: &Finding) -> (ActorId, Option<(String, String)>) {
    (finding.actor, finding.offender.as_ref().map(|package| (package.name.clone(), package.version.clone())))
}

/// The program that read it of its own accord, if one did.
fn program(
    all: &Report,
    (proof, speakers): (&Proof, &Speakers),
    finding: &Finding,
    evidence: &Evidence,
    trees: &[&str],
) -> Option<Hostile> {
    let Act::Read { path } = &evidence.act else { return None };
    if finding.status_of(evidence) != Status::Decoy || all.processes_truncated > 0 {
        return None;
    }
    let name = path.as_path().file_name()?.as_encoded_bytes();
    let actors = [Some(finding.actor), all.actor(finding.actor).and_then(|actor| actor.host)];
    let mut its = all.processes.iter().filter(|process| actors.contains(&Some(process.actor)));
    // A number may be one process's after the other, and one process may be several programs: what ran then.
    let then = |process: &&Process| process.pid == evidence.pid && process.started_ms <= evidence.at_ms && evidence.at_ms > 0;
    let ran = its.clone().filter(then).max_by_key(|process| process.started_ms)?;
    // Whose code it had is not known, nor whose doing it was.
    if ran.steered {
        return None;
    }
    let exe = ran.exe.clone();
    let called = exe.as_path().file_name()?.as_encoded_bytes();
    let is_systems = trees.iter().any(|tree| exe.as_bytes().starts_with(tree.as_bytes())) && !is_interpreter(called);
    let holds = |text: &[u8]| text.windows(name.len()).any(|window| window == name);
    // Of all that ran it there: acts of one way are one.
    let is_told = its.any(|process| process.exe == exe && process.argv.iter().skip(1).any(|word| holds(word.as_bytes())));
    let is_sent = proof.messages.iter().flat_map(|message| &message.carried).any(|one| one.place.as_bytes().ends_with(name));
    let speaks = actors.iter().flatten().any(|actor| speakers.contains(&(*actor, evidence.pid)));
    // Where not all that was sent was looked through, nobody knows.
    let is_known = proof.limits.is_empty();
    let fits = is_systems && speaks && is_known && name.len() >= SHORTEST && !is_told && !is_sent;
    (fits && read(exe.as_path()).is_some_and(|text| holds(&text))).then_some(exe)
}

fn read(program: &Path) -> Option<Vec<u8>> {
    let known = program.metadata().ok()?;
    if known.is_file() && known.len() <= LARGEST { fs::read(program).ok() } else { None }
}

/// "tests of `x` 1.0.0 ran `/usr/bin/wget`, which read `{home}/.netrc` of its own accord: …"
fn sentence(all: &Report, finding: &Finding, evidence: &Evidence, program: &Hostile) -> String {
    let who = all.actor(finding.actor).map_or_else(|| "somebody".to_owned(), |actor| QUOTED.subject(all, actor));
    let path = evidence.act.path().map(QUOTED.text).unwrap_or_default();
    format!(
        "{who} ran {}, which read {path} of its own accord: it knows that name, its command line does not have it, and none of it was found in what was sent",
        (QUOTED.text)(program)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::VerdictWord;
    use crate::model::{Carried, Sent};
    use crate::report::assemble;
    use crate::report::samples::{Graph, connect, facts, stolen_env};

    /// A program of the system that holds a name, and the name.
    fn known() -> (&'static str, &'static str) {
        ("/bin/bash", ".bash_history")
    }

    fn report(exe: &str, argv: &[&str], path: &str) -> Report {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        let finding = &mut report.findings[0];
        finding.status = Status::Decoy;
        let act = Act::Read { path: path.into() };
        finding.evidence = vec![Evidence { pid: 77, at_ms: 9, ..Evidence::of(act.clone(), 1) }];
        let actor = finding.actor;
        let argv = argv.iter().map(|word| (*word).into()).collect();
        report.processes = vec![Process { actor, pid: 77, parent: 1, exe: exe.into(), argv, started_ms: 1, blame: None, steered: false }];
        let mut both = report.findings[0].clone();
        (both.rule, both.severity) = (Rule::SecretThenNetwork, Severity::Critical);
        both.evidence.push(Evidence::of(connect("203.0.113.7:443"), 1));
        report.findings.push(both);
        report
    }

    #[test]
    fn only_what_a_program_knows_and_was_not_told() {
        let (program, name) = known();
        assert!(fs::read(program).unwrap().windows(name.len()).any(|window| window == name.as_bytes()), "{program} does not hold {name}");
        // A shell is an interpreter; the rule is tried on a copy of another name.
        let dir = tempfile::tempdir().unwrap();
        let system = format!("{}/", dir.path().display());
        let copy = dir.path().join("fetcher");
        fs::copy(program, &copy).unwrap();
        let bash = dir.path().join("bash");
        fs::copy(program, &bash).unwrap();
        let copy = copy.to_str().unwrap();
        let path = format!("{{home}}/{name}");
        let quiet = |exe: &str, argv: &[&str], path: &str, proof: &Proof| {
            let mut all = report(exe, argv, path);
            let speakers = [(all.findings[0].actor, 77)].into();
            let told = settle_with(&mut all, (proof, &speakers), &[&system]);
            assert_eq!(told.is_empty(), all.findings.len() == 2, "{told:?}");
            told.len()
        };
        let nothing = Proof::default();
        assert_eq!(quiet(copy, &["fetcher", "http://h.example"], &path, &nothing), 1);
        for (complete, verdict, code) in [(true, VerdictWord::Clean, 0), (false, VerdictWord::Incomplete, 103)] {
            let mut all = report(copy, &["fetcher"], &path);
            all.coverage.complete = complete;
            let speakers = [(all.findings[0].actor, 77)].into();
            settle_with(&mut all, (&nothing, &speakers), &[&system]);
            assert_eq!(
                (all.findings[0].severity, all.outcome.verdict, all.outcome.exit_code),
                (Severity::Info, verdict, code),
                "told, and no alarm"
            );
        }
        // Code of somebody else's in it; and another program in that process before and after.
        let mut all = report(copy, &["fetcher"], &path);
        all.processes[0].steered = true;
        let speakers = [(all.findings[0].actor, 77)].into();
        assert!(settle_with(&mut all, (&nothing, &speakers), &[&system]).is_empty(), "it had code of others");
        for (exe, started_ms, habit) in [("/tmp/other", 0, true), ("/tmp/other", 5, false), ("/tmp/other", 20, true)] {
            let mut all = report(copy, &["fetcher"], &path);
            let other = Process { exe: exe.into(), started_ms, ..all.processes[0].clone() };
            all.processes.insert(0, other);
            assert_eq!(settle_with(&mut all, (&nothing, &speakers), &[&system]).len(), usize::from(habit), "{started_ms}");
        }
        let mut all = report(copy, &["fetcher"], &path);
        let other = [(all.findings[0].actor, 78)].into();
        assert!(settle_with(&mut all, (&nothing, &other), &[&system]).is_empty(), "it says what it has read to whoever started it");
        assert_eq!(quiet(copy, &["fetcher", &format!("--post-file=/h/{name}")], &path, &nothing), 0, "it was told to");
        assert_eq!(quiet(copy, &["fetcher"], "{home}/.no-such-name-in-it", &nothing), 0, "it does not know it");
        assert_eq!(quiet(bash.to_str().unwrap(), &["bash"], &path, &nothing), 0, "an interpreter");
        assert_eq!(quiet("/tmp/fetcher", &["fetcher"], &path, &nothing), 0, "no program of the system");
        let carried = vec![Carried { place: format!("~/{name}"), name: "line".into(), encoding: "plain".into() }];
        let sent = Sent {
            actor: ActorId(1),
            by: None,
            to: "h.example:80".into(),
            how: "http".into(),
            what: "GET /".into(),
            bytes: 9,
            proven: true,
            carried,
            names: None,
        };
        let proof = Proof { messages: vec![sent], ..Proof::default() };
        assert_eq!(quiet(copy, &["fetcher"], &path, &proof), 0, "it was sent");
        let proof = Proof { limits: ["what was sent is not all known".to_owned()].into(), ..Proof::default() };
        assert_eq!(quiet(copy, &["fetcher"], &path, &proof), 0, "it may have been sent");
    }
}
