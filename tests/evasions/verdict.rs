//! What the trials say about one fixture. In: a fixture and both users' trials. Out: its line of the table, and what is not as it must be.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::finding::{actor, blamed};
use crate::fixture::Fixture;
use crate::trial::{How, Trial, name, offender};
use crate::who::Who;

/// All six, for the last user; where `strict` was asked for, the control and that.
pub type Trials = Vec<Trial>;

pub struct Verdict<'a> {
    pub fixture: &'a Fixture,
    /// Rules found about the offender in enforce mode, with the kinds of actor.
    pub rules: BTreeSet<String>,
    pub blamed: BTreeSet<String>,
    /// What stops its ways, and how many of them each.
    pub layers: BTreeSet<(String, usize)>,
    /// One word for each user, in their order.
    pub enforced: Vec<String>,
    pub observed: BTreeSet<String>,
    /// Under `strict`, where it was tried: one word for each user, and the rules.
    pub strict: Vec<String>,
    pub strict_rules: BTreeSet<String>,
    pub faults: Vec<String>,
}

pub fn of<'a>(fixture: &'a Fixture, users: &[(Who, Trials)]) -> Verdict<'a> {
    let mut verdict = Verdict {
        fixture,
        rules: BTreeSet::new(),
        blamed: BTreeSet::new(),
        layers: BTreeSet::new(),
        enforced: Vec::new(),
        observed: BTreeSet::new(),
        strict: Vec::new(),
        strict_rules: BTreeSet::new(),
        faults: Vec::new(),
    };
    for (who, trials) in users {
        verdict.control(*who, of_how(trials, How::Plain));
        for trial in trials {
            match trial.how {
                How::Enforce => verdict.enforce(*who, trial),
                How::Observe => verdict.observe(*who, trial),
                How::Strict => verdict.strict(*who, trial),
                _ => {}
            }
        }
    }
    if let Some((who, trials)) = users.last().filter(|(_, trials)| trials.iter().any(|trial| trial.how == How::Neither)) {
        verdict.layers(*who, trials);
    }
    if verdict.rules.is_empty()
        && verdict.strict_rules.is_empty()
        && fixture.says.acts.is_empty()
        && fixture.says.withholds.is_empty()
        && fixture.says.silent.is_none()
        && fixture.says.ways.iter().any(|way| !fixture.says.unseen_ways.contains_key(way))
    {
        verdict.faults.push("leaves nothing in the report".into());
    }
    verdict
}

fn of_how(trials: &Trials, how: How) -> &Trial {
    trials.iter().find(|trial| trial.how == how).expect("a trial that was run")
}

impl Verdict<'_> {
    /// A trick that does not work proves nothing.
    fn control(&mut self, who: Who, trial: &Trial) {
        let whole = trial.transcript.display();
        let unproven = self.fixture.unproven(who.is_root(), &trial.won_by(self.fixture));
        self.faults.extend(unproven.iter().map(|what| format!("as {}, plain cargo: {what}; the whole run: {whole}", name(who))));
    }

    fn enforce(&mut self, who: Who, trial: &Trial) {
        let (fixture, won) = (self.fixture, trial.won_by(self.fixture));
        for way in won.iter().filter(|way| !fixture.is_open(way)) {
            self.faults.push(format!("as {}, under Brig: `{way}` wins", name(who)));
        }
        for way in fixture.ways(who.is_root()).into_iter().filter(|way| fixture.is_open(way) && !won.contains(way)) {
            self.faults.push(format!("as {}, under Brig: `{way}` is said to be open, and is stopped", name(who)));
        }
        let found = found(fixture, trial);
        self.expect(who, "enforce", &found, trial, &["refused"]);
        for one in found.iter().filter(|one| one.is_certain(fixture)) {
            self.rules.insert(one.rule.clone());
            self.blamed.insert(one.named.clone());
        }
        let open = |map: &std::collections::BTreeMap<String, String>| {
            fixture.ways(who.is_root()).iter().filter(|way| map.contains_key(**way)).count()
        };
        let (recorded, unseen) = (open(&fixture.says.recorded_ways), open(&fixture.says.unseen_ways));
        let stopped = fixture.ways(who.is_root()).len() - recorded - unseen;
        let words = [(stopped, "stopped"), (recorded, "recorded"), (unseen, "not seen")];
        self.enforced.push(
            words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", "),
        );
    }

    fn observe(&mut self, who: Who, trial: &Trial) {
        let found = found(self.fixture, trial);
        // What would blind the record is refused in either mode.
        self.expect(who, "observe", &found, trial, &["observed", "refused", "allowed"]);
        self.observed.extend(found.iter().filter(|one| one.is_certain(self.fixture)).map(|one| one.status.clone()));
    }

    /// What stays open by default may be stopped here.
    fn strict(&mut self, who: Who, trial: &Trial) {
        let (fixture, won) = (self.fixture, trial.won_by(self.fixture));
        for way in won.iter().filter(|way| !fixture.is_open(way)) {
            self.faults.push(format!("as {}, under `strict`: `{way}` wins; the whole run: {}", name(who), trial.transcript.display()));
        }
        let found = found(fixture, trial);
        self.expect(who, STRICT, &found, trial, &["refused"]);
        self.strict_rules.extend(found.into_iter().filter(|one| one.is_certain(fixture)).map(|one| one.rule));
        let open = won.len();
        let stopped = fixture.ways(who.is_root()).len() - open;
        self.strict.push(if open == 0 { format!("{stopped} stopped") } else { format!("{stopped} stopped, {open} open") });
    }

    fn expect(&mut self, who: Who, mode: &str, found: &[Found], trial: &Trial, statuses: &[&str]) {
        let says = &self.fixture.says;
        let fits = |one: &Found, rule: &String| {
            (one.rule == *rule || mode == STRICT && family(&one.rule) == family(rule))
                && one.kind == says.actor
                && (statuses.contains(&&*one.status) || one.status == "allowed")
                && says.blames.as_ref().is_none_or(|name| one.crates.contains(name))
        };
        for rule in says.finds.iter().filter(|rule| !found.iter().any(|one| fits(one, rule))) {
            let by = says.blames.as_ref().map(|name| format!(" blaming `{name}`")).unwrap_or_default();
            let said: Vec<String> =
                found.iter().map(|one| format!("{} [{}] of {} {:?}", one.rule, one.status, one.named, one.crates)).collect();
            let offender = self.fixture.offender();
            self.faults.push(format!(
                "as {}, {mode}: no {rule} of {} of `{offender}`{by}; found: {said:#?}; the whole run: {}",
                name(who),
                says.actor,
                trial.transcript.display()
            ));
        }
        for act in says.acts.iter().filter(|act| !behaved(self.fixture, trial, act)) {
            self.faults.push(format!("as {}, {mode}: no `{act}` in the recorded behaviour", name(who)));
        }
        for variable in says.withholds.iter().filter(|variable| !withheld(self.fixture, trial, variable)) {
            self.faults.push(format!("as {}, {mode}: `{variable}` is not said to be withheld", name(who)));
        }
    }

    fn layers(&mut self, who: Who, trials: &Trials) {
        let wins = |how, way| of_how(trials, how).won_by(self.fixture).contains(way);
        let mut counts = std::collections::BTreeMap::new();
        // A compiler does not work behind the wall alone (see `Layers::has_gate`).
        let is_tried_alone = ["build-script", "program"].contains(&&*self.fixture.says.actor);
        for way in self.fixture.ways(who.is_root()) {
            if self.fixture.is_open(way) || self.fixture.says.chance_ways.contains_key(way) {
                continue;
            }
            let stops = |how| ran(self.fixture, of_how(trials, how)).then(|| !wins(how, way));
            let layer = match (stops(How::Neither), stops(How::WallOnly).filter(|_| is_tried_alone), stops(How::GateOnly)) {
                (Some(true), ..) => "preparation",
                (Some(false), Some(true), Some(true)) => "kernel wall and gate",
                (Some(false), Some(true) | None, Some(false)) => "kernel wall",
                (Some(false), Some(false), Some(true)) => "gate",
                (Some(false), Some(false), Some(false)) => "wall and gate together",
                (Some(false), None, Some(true)) => "gate, at least",
                (None, ..) | (_, _, None) => "not measured",
            };
            *counts.entry(layer.to_owned()).or_insert(0) += 1;
        }
        self.layers = counts.into_iter().collect();
    }
}

/// Where less is granted, an act may end at a wall before it comes to what the rule is about: it is told by another of the same family then.
const STRICT: &str = "strict";

/// `fs` of `fs/write-outside`.
fn family(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(family, _)| family)
}

/// Did the fixture get to try anything in this trial? What never ran was stopped by nobody. What acts inside a compiler is as far as its
/// package's compiler came, and where nothing stands around it, that is shown by what it wins.
fn ran(fixture: &Fixture, trial: &Trial) -> bool {
    let kind = match fixture.says.actor.as_str() {
        kind @ ("build-script" | "program") => kind,
        _ if trial.how == How::Neither && trial.won_by(fixture).is_empty() => return false,
        _ => "rustc",
    };
    let mut actors = trial.reports.iter().flat_map(|report| report["actors"].as_array().into_iter().flatten());
    actors.any(|actor| actor["kind"] == kind && actor["package"]["name"] == *fixture.name)
}

/// A finding about the fixture's offender.
struct Found {
    rule: String,
    kind: String,
    status: String,
    named: String,
    crates: BTreeSet<String>,
}

impl Found {
    /// Is it there whatever a race comes to?
    fn is_certain(&self, fixture: &Fixture) -> bool {
        !fixture.says.chance_finds.contains_key(&self.rule)
    }
}

fn found(fixture: &Fixture, trial: &Trial) -> Vec<Found> {
    let mut all = Vec::new();
    for report in &trial.reports {
        for finding in report["findings"].as_array().into_iter().flatten() {
            if *offender(report, finding) == fixture.offender()
                && (fixture.offender() == fixture.name || concerns(fixture, report, finding))
            {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let kind = text(&actor(report, finding)["kind"]);
                all.push(Found {
                    rule: text(&finding["rule"]),
                    status: text(&finding["status"]),
                    named: format!("{kind} of {}", fixture.offender()),
                    crates: blamed(finding).into_iter().map(str::to_owned).collect(),
                    kind,
                });
            }
        }
    }
    all
}

/// An offender that serves several fixtures: is this about the one who used it?
fn concerns(fixture: &Fixture, report: &Value, finding: &Value) -> bool {
    let host = &actor(report, finding)["host"];
    let mut actors = report["actors"].as_array().into_iter().flatten();
    host.is_null() || actors.any(|actor| actor["id"] == *host && actor["package"]["name"] == *fixture.name)
}

/// The actors of the fixture's own package.
fn actors<'r>(fixture: &Fixture, report: &'r Value) -> Vec<&'r Value> {
    let actors = report["actors"].as_array().into_iter().flatten();
    actors.filter(|actor| actor["package"]["name"] == *fixture.name).collect()
}

fn behaved(fixture: &Fixture, trial: &Trial, act: &str) -> bool {
    trial.reports.iter().any(|report| {
        let own: Vec<&Value> = actors(fixture, report).into_iter().map(|actor| &actor["id"]).collect();
        report["behaviour"].as_array().into_iter().flatten().any(|one| one["act"] == *act && own.contains(&&one["actor"]))
    })
}

fn withheld(fixture: &Fixture, trial: &Trial, variable: &str) -> bool {
    let named = |actor: &Value| actor["withheld"].as_array().is_some_and(|names| names.iter().any(|name| name == variable));
    trial.reports.iter().any(|report| actors(fixture, report).into_iter().any(named))
}
