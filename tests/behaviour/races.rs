//! Races, counted. Fixtures of the corpus rewrite paths, structures, addresses, links and arguments while they are judged, and write down
//! what every single try came to. Here that is compared with what the report says: no secret was read, no try was refused that is not in
//! the report, and when observing, what was opened is what was recorded.
//!
//! Each race is short here; `scripts/races` runs the same until every object has been rewritten a million times (`ZOO_ROUNDS`).

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::place::{Place, visit};
use crate::run::{Outcome, Run, guarded};
use crate::who::Who;

const EACCES: i32 = libc::EACCES;
/// 128 + SIGKILL: a program that is not the one that was judged, ended by Brig.
const ENDED: i32 = 128 + libc::SIGKILL;

/// Files that are raced for, beside those every place has.
const SECRETS: [&str; 6] =
    [".netrc", ".config/solana/id.json", ".git-credentials", ".gnupg/secring.gpg", ".docker/config.json", ".config/gh/hosts.yml"];

/// Here signals and ends of processes are what comes between; nothing is rewritten.
const ALONE: [&str; 2] = ["e26-short-lives", "e27-signals"];

/// What came of one race.
#[derive(Debug)]
struct Tally {
    way: String,
    /// A secret below the home directory, or the kind of act.
    about: String,
    tries: u64,
    won: u64,
    harmless: u64,
    rewritten: u64,
    errors: BTreeMap<i32, u64>,
}

impl Tally {
    fn read(line: &str) -> Tally {
        let mut fields = line.split('\t');
        let mut text = || fields.next().unwrap_or_else(|| panic!("cut off: {line}")).to_owned();
        let (way, about) = (text(), text());
        let [tries, won, harmless, rewritten] = [text(), text(), text(), text()].map(|number| number.parse().unwrap());
        let errors =
            fields.map(|field| field.split_once('=').unwrap()).map(|(errno, count)| (errno.parse().unwrap(), count.parse().unwrap()));
        Tally { way, about, tries, won, harmless, rewritten, errors: errors.collect() }
    }

    fn failed(&self, errno: i32) -> u64 {
        self.errors.get(&errno).copied().unwrap_or(0)
    }
}

struct Raced<'a> {
    tallies: Vec<Tally>,
    fixture: &'a str,
    outcome: &'a Outcome,
}

fn race(who: Who, mode: &str, fixtures: &[&str], check: impl Fn(&Raced)) {
    let place = Place::new("evasions", who);
    for secret in SECRETS {
        place.plant(&format!("home/{secret}"), "raced", "");
    }
    place.write(&place.workspace().join(".enx"), "harmless\n");
    let packages: Vec<&str> = fixtures.iter().flat_map(|fixture| ["-p", *fixture]).collect();
    let args = [&["build", "--keep-going", "--offline"][..], &packages].concat();
    let rounds = rounds();
    let outcome = long(guarded(&place, &["--mode", mode], &args)).env("ZOO_NONCE", "0").go();
    assert_eq!(outcome.report()["coverage"]["complete"], true, "{outcome}");
    for fixture in fixtures {
        let mut text = None;
        visit(&place.target(), &mut |path| {
            if path.ends_with("out/tally") && path.to_string_lossy().contains(&format!("build/{fixture}-")) {
                text = fs::read_to_string(path).ok();
            }
        });
        let text = text.unwrap_or_else(|| panic!("{fixture} wrote nothing down\n{outcome}"));
        print!("{mode} as {who:?}: {fixture}\n{text}");
        let tallies: Vec<Tally> = text.lines().map(Tally::read).collect();
        for tally in &tallies {
            let failed: u64 = tally.errors.values().sum();
            assert_eq!(tally.won + tally.harmless + failed, tally.tries, "{fixture}: a try has no outcome: {tally:?}");
            assert!(tally.rewritten > 0 || ALONE.contains(fixture), "{fixture}: nothing was rewritten: {tally:?}");
        }
        let rewritten: u64 = tallies.iter().map(|tally| tally.rewritten).sum();
        assert!(ALONE.contains(fixture) || rewritten >= rounds.unwrap_or(1), "{fixture}: rewritten {rewritten} times: {tallies:#?}");
        check(&Raced { tallies, fixture, outcome: &outcome });
    }
}

/// How often every object is to be rewritten, if that is asked for from outside.
fn rounds() -> Option<u64> {
    std::env::var("ZOO_ROUNDS").ok().map(|rounds| rounds.parse().expect("ZOO_ROUNDS is a number"))
}

fn long(run: Run) -> Run {
    match rounds() {
        Some(rounds) => run.env("ZOO_ROUNDS", rounds.to_string()),
        None => run,
    }
}

impl Raced<'_> {
    fn sum(&self, about: &str, of: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies.iter().filter(|tally| tally.about == about).map(of).sum()
    }

    /// How often the report says that the fixture did this, with this status.
    fn recorded(&self, act: &str, status: &str, about: impl Fn(&Value) -> bool) -> u64 {
        let report = self.outcome.report();
        let actors = report["actors"].as_array().unwrap().iter().filter(|actor| actor["package"]["name"] == self.fixture);
        let own: Vec<&Value> = actors.map(|actor| &actor["id"]).collect();
        let acts = report["behaviour"].as_array().unwrap().iter();
        let became = |one: &Value| one["status"].as_str().unwrap_or("allowed") == status;
        let acts = acts.filter(|one| one["act"] == act && became(one) && own.contains(&&one["actor"]) && about(one));
        acts.map(|one| one["count"].as_u64().unwrap_or(1)).sum()
    }

    /// The same in the evidence of findings.
    fn evidence(&self, act: &str, path: &str) -> u64 {
        let report = self.outcome.report();
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| {
            let actors = report["actors"].as_array().unwrap();
            actors.iter().any(|actor| actor["id"] == finding["actor"] && actor["package"]["name"] == self.fixture)
        });
        let evidence = findings.flat_map(|finding| finding["evidence"].as_array().unwrap());
        evidence.filter(|one| one["act"] == act && ends(one, path)).map(|one| one["count"].as_u64().unwrap()).sum()
    }

    fn secrets(&self) -> Vec<&str> {
        let mut secrets: Vec<&str> = self.tallies.iter().map(|tally| tally.about.as_str()).collect();
        secrets.sort_unstable();
        secrets.dedup();
        secrets
    }

    /// Nothing else than this can come of a try.
    fn only(&self, errnos: &[i32]) {
        for tally in &self.tallies {
            let strange = tally.errors.keys().find(|errno| !errnos.contains(errno));
            assert_eq!(strange, None, "{}, {}: {tally:?}\n{}", self.fixture, tally.way, self.outcome);
        }
    }
}

fn ends(one: &Value, path: &str) -> bool {
    // The workspace has a name of its own.
    let path = path.strip_prefix("code/").unwrap_or(path);
    one["path"].as_str().is_some_and(|found| found.ends_with(&format!("/{path}")))
}

/// `ENOSYS`: `openat2` that asks for a descriptor without data. `ELOOP`: no links were asked for. `EFAULT`: the page was not there.
const OPENS: [i32; 5] = [EACCES, libc::ENOSYS, libc::ELOOP, libc::EFAULT, libc::ENOENT];
const PATHS: [&str; 5] = ["e20-path-race", "e21-link-race", "e22-shared-path", "e27-signals", "e28-missing-pages"];

#[test]
fn raced_paths_lead_to_no_secret_and_every_refusal_is_counted() {
    for who in Who::all() {
        race(who, "enforce", &PATHS, |raced| {
            raced.only(&OPENS);
            for secret in raced.secrets() {
                let refused = raced.sum(secret, |tally| tally.failed(EACCES));
                let recorded = raced.recorded("read", "refused", |one| ends(one, secret));
                let what = format!("as {who:?}, {}: {secret}: {:#?}\n{}", raced.fixture, raced.tallies, raced.outcome);
                assert_eq!(raced.sum(secret, |tally| tally.won), 0, "a secret was read: {what}");
                assert_eq!(recorded, refused, "recorded, and refused: {what}");
                assert_eq!(raced.evidence("read", secret), refused, "in findings, and refused: {what}");
            }
        });
    }
}

#[test]
fn raced_paths_are_recorded_as_what_was_opened_when_observing() {
    for who in Who::all() {
        race(who, "observe", &PATHS, |raced| {
            raced.only(&[libc::ENOSYS, libc::ELOOP, libc::EFAULT, libc::ENOENT]);
            for secret in raced.secrets() {
                let read = raced.sum(secret, |tally| tally.won);
                let recorded = raced.recorded("read", "observed", |one| ends(one, secret));
                let what = format!("as {who:?}, {}: {secret}: {:#?}\n{}", raced.fixture, raced.tallies, raced.outcome);
                assert!(read > 0, "the race is none: {what}");
                assert_eq!(recorded, read, "recorded, and read: {what}");
            }
            // The harmless files lie in the package's own output; one is the system's, and one the workspace's.
            let harmless: u64 = raced.tallies.iter().map(|tally| tally.harmless).sum();
            let own = |one: &Value| {
                let path = one["path"].as_str().unwrap();
                path.starts_with("{out}/") || path == "/etc/hostname" || path.ends_with("/.enx")
            };
            let recorded = raced.recorded("read", "allowed", own);
            // The fixture's own looks at its tally come on top.
            let told = format!("{}: {harmless} harmless, {recorded} recorded\n{}", raced.fixture, raced.outcome);
            assert!(recorded >= harmless, "{told}");
            // Signals: the harmless file's own tries are not among the tallies.
            assert!(raced.fixture == "e27-signals" || recorded <= harmless + 100, "{told}");
        });
    }
}

#[test]
fn short_lived_processes_leave_their_records() {
    for who in Who::all() {
        race(who, "enforce", &["e26-short-lives"], |raced| {
            for tally in &raced.tallies {
                let recorded = raced.recorded("read", "refused", |one| ends(one, &tally.about));
                assert_eq!(tally.won, 0, "{tally:?}\n{}", raced.outcome);
                // Those that were killed before they heard of it are in the record and not in the tally.
                assert!(recorded >= tally.failed(EACCES) && tally.failed(EACCES) > 0, "{recorded} recorded: {tally:?}\n{}", raced.outcome);
            }
        });
    }
}

#[test]
fn raced_addresses_reach_nobody_and_every_refusal_is_counted() {
    for who in Who::all() {
        race(who, "enforce", &["e23-address-race"], |raced| {
            // A full queue is told as such.
            raced.only(&[EACCES, libc::EAGAIN, libc::ECONNREFUSED]);
            for (about, act) in [("tcp", "connect"), ("udp", "send")] {
                let refused = raced.sum(about, |tally| tally.failed(EACCES));
                let recorded = raced.recorded(act, "refused", |one| one["to"]["protocol"] == about);
                assert_eq!(raced.sum(about, |tally| tally.won), 0, "{:#?}\n{}", raced.tallies, raced.outcome);
                assert_eq!(recorded, refused, "{act}: {:#?}\n{}", raced.tallies, raced.outcome);
            }
        });
    }
}

#[test]
fn raced_programs_do_not_run_and_every_refusal_is_counted() {
    for who in Who::all() {
        race(who, "enforce", &["e24-argument-race"], |raced| {
            raced.only(&[EACCES, ENDED]);
            let stopped = raced.sum("exec", |tally| tally.failed(EACCES) + tally.failed(ENDED));
            let refused = raced.recorded("exec", "refused", |_| true);
            let exchanged = raced.recorded("tamper", "refused", |one| one["call"] == "execve");
            assert_eq!(raced.sum("exec", |tally| tally.won), 0, "{:#?}\n{}", raced.tallies, raced.outcome);
            assert_eq!(refused + exchanged, stopped, "{:#?}\n{}", raced.tallies, raced.outcome);
        });
    }
}
