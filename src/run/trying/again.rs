//! A recorded run and what came of it among decoys, act by act. In: both reports, what was sent. Out: which acts came again, which did not, what was done besides,
//! as sentences; and whether an incident came again.

use std::collections::BTreeSet;

use super::laid::Laid;
use super::looked_up;
use super::recorded::Recorded;
use crate::model::report::{Report, VerdictWord};
use crate::model::{Act, Endpoint, Hostile, Package, Rule, Status};
use crate::report::incidents::{Deed, Incident, incidents};
use crate::report::wording::{Medium, QUOTED, count};
use crate::report::{escape, sent};

/// Lines of one sort.
const LISTED: usize = 12;

/// What became of one act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It broke a rule again.
    Again,
    /// It was done again, and the profile of a replay lets it happen.
    Allowed,
    Not,
    /// The replay did not run to its end.
    Unknown,
    /// A replay has no such thing.
    Nothing,
}

pub struct Was<'r> {
    pub then: Incident<'r>,
    pub deeds: Vec<(Deed<'r>, Fate, Option<Status>)>,
    /// The incidents of the same code now.
    now: Vec<Incident<'r>>,
}

pub struct Again<'r> {
    recorded: &'r Recorded,
    now: &'r Report,
    pub was: Vec<Was<'r>>,
    /// Incidents of code that had none.
    pub new: Vec<Incident<'r>>,
    /// Did it run to its end?
    whole: bool,
}

impl Again<'_> {
    /// `whole`: the replay ran to its end.
    pub fn of<'r>(recorded: &'r Recorded, now: &'r Report, whole: bool) -> Again<'r> {
        let told = |report: &'r Report| incidents(report).iter().filter(|one| one.standing.is_none()).filter_map(Incident::told).collect();
        let (then, all): (Vec<Incident>, Vec<Incident>) = (told(&recorded.then), told(now));
        let of = |one: &Incident<'r>| all.iter().filter(|other| same(one.whom, other.whom)).cloned().collect::<Vec<_>>();
        let was = then.into_iter().map(|incident| {
            let own = of(&incident);
            let deeds = incident.deeds().into_iter().map(|deed| {
                let (fate, status) = fate(&deed, &own, now, incident.whom, whole);
                (deed, fate, status)
            });
            Was { deeds: deeds.collect(), now: own, then: incident }
        });
        let was: Vec<Was> = was.collect();
        let known = |one: &Incident| was.iter().any(|was| same(was.then.whom, one.whom));
        let new = all.iter().filter(|one| !known(one)).cloned().collect();
        Again { recorded, now, was, new, whole }
    }

    /// Incidents that came again.
    pub fn number(&self) -> usize {
        self.was.iter().filter(|was| was.came()).count()
    }

    /// Nothing came, and not all of it ran?
    pub fn is_unknown(&self) -> bool {
        let nothing = self.new.is_empty() && self.was.iter().all(|was| was.now.is_empty());
        self.number() == 0 && nothing && (!self.whole || self.now.outcome.verdict == VerdictWord::Incomplete)
    }

    /// "1 of 2 incidents came again"
    pub fn sentence(&self) -> String {
        let (again, all) = (self.number(), self.was.len());
        let new = if self.new.is_empty() {
            String::new()
        } else {
            format!("; {} that it had not then", count(self.new.len() as u64, "incident"))
        };
        let rest = match again {
            0 if self.was.iter().any(|was| !was.now.is_empty()) => "the same code did something else".to_owned(),
            0 if self.is_unknown() => "what would have come since is not known".to_owned(),
            0 if all == 1 => "the incident did not come again".to_owned(),
            0 => format!("none of {all} incidents came again"),
            1 if all == 1 => "the incident came again".to_owned(),
            again => format!("{again} of {all} incidents came again"),
        };
        format!("{}: {rest}{new}", self.recorded.shown())
    }

    /// A heading for each incident and what became of it, line by line.
    pub fn parts(&self, medium: Medium, whose: &str) -> Vec<(String, Vec<String>)> {
        let mut parts: Vec<_> =
            self.was.iter().map(|was| (was.heading(&self.recorded.then, medium), was.lines(self.now, medium, whose))).collect();
        parts.extend(self.new.iter().map(|one| {
            let lines = sent::of(self.now, one).into_iter().take(LISTED).map(|message| medium.sent(message, whose)).collect();
            (format!("new: {}", medium.title(self.now, one.worst())), lines)
        }));
        parts
    }

    /// What is not as it was then.
    pub fn differs(&self) -> Vec<String> {
        let (then, now) = (&self.recorded.then.host, &self.now.host);
        let other = |what: &str, then: &Option<String>, now: &Option<String>| match (then, now) {
            (Some(then), Some(now)) if then != now => Some(format!("{what} was {then} then, and is {now}")),
            _ => None,
        };
        let all = [other("the compiler", &then.rustc, &now.rustc), other("cargo", &then.cargo, &now.cargo)];
        all.into_iter().flatten().map(|text| escape::ours(&text)).collect()
    }
}

impl Again<'_> {
    /// As plain text, for a file of its own.
    pub fn text(&self, run: Option<&Laid>, whose: &str) -> String {
        let mut text = format!("{}\n", escape::ours(&self.sentence()));
        for (head, lines) in self.parts(QUOTED, whose) {
            text.push_str(&format!("\n{head}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        text.push_str("\nnot the same:\n");
        let told = run.iter().flat_map(|run| run.told.clone()).chain(self.differs());
        told.for_each(|line| text.push_str(&format!("  {}\n", escape::ours(&line))));
        text
    }
}

impl<'r> Was<'r> {
    fn came(&self) -> bool {
        self.deeds.iter().any(|(_, fate, _)| matches!(fate, Fate::Again | Fate::Allowed))
    }

    /// "came again: build script of `x` 1.0.0 tried to …"
    fn heading(&self, then: &Report, medium: Medium) -> String {
        let fates: BTreeSet<bool> = self.deeds.iter().map(|(_, fate, _)| *fate == Fate::Unknown).collect();
        let word = match self.came() {
            true => "came again",
            false if self.deeds.is_empty() => "is about no act",
            false if !self.now.is_empty() => "did something else",
            false if fates.contains(&true) => "not known",
            false => "did not come again",
        };
        format!("{word}: {} {}", self.then.id, medium.title(then, self.then.worst()))
    }

    fn lines(&self, now: &'r Report, medium: Medium, whose: &str) -> Vec<String> {
        let mut lines: Vec<String> =
            self.deeds.iter().take(LISTED).map(|(deed, fate, status)| line(deed, (*fate, *status), medium)).collect();
        let more = self.deeds.len().saturating_sub(LISTED) as u64 + self.then.truncated();
        if more > 0 {
            lines.push(format!("{more} more in report.json"));
        }
        lines.extend(self.further(medium));
        let proven = self.now.iter().flat_map(|one| sent::of(now, one)).filter(|message| message.proven);
        let sentences: Vec<String> = proven.map(|message| medium.sent(message, whose)).collect();
        let mut known = BTreeSet::new();
        lines.extend(
            sentences.into_iter().filter(|text| known.insert(text.clone())).take(LISTED).map(|text| format!("went further: {text}")),
        );
        lines
    }

    /// What the same code did now, and did not get to then.
    fn further(&self, medium: Medium) -> Vec<String> {
        let before = |act: &Act| self.deeds.iter().any(|(deed, ..)| is_same(&deed.evidence.act, act));
        let mut all: Vec<String> = Vec::new();
        for one in &self.now {
            let deeds = one.deeds();
            let further: Vec<&Deed> = deeds.iter().filter(|deed| !before(&deed.evidence.act)).collect();
            for (_, text) in looked_up::told(&further, medium) {
                let text = format!("went further: {text}");
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
        let more = all.len().saturating_sub(LISTED);
        all.truncate(LISTED);
        all.extend((more > 0).then(|| format!("went further in {more} more ways, see report.json")));
        all
    }
}

fn line(deed: &Deed, (fate, status): (Fate, Option<Status>), medium: Medium) -> String {
    let act = medium.deed(&deed.evidence.act, Status::Refused);
    let act = act.strip_prefix("tried to ").unwrap_or(&act);
    match fate {
        Fate::Again => {
            let became = |status| match status {
                Status::Refused => "refused",
                Status::Decoy => "done on a decoy",
                Status::Redacted => "given a copy without credentials",
                Status::Observed | Status::Allowed => "let through",
            };
            let then = became(deed.finding.status_of(deed.evidence));
            format!("came again: {act} (then {then}, now {})", became(status.unwrap_or(Status::Decoy)))
        }
        Fate::Allowed => format!("came again: {act} (which breaks no rule of a replay's profile)"),
        Fate::Not => format!("did not come again: {act}"),
        Fate::Unknown => format!("not known, since it did not run to its end: {act}"),
        Fate::Nothing => format!("not to be compared: {act} (a replay withholds nothing, all of it are decoys)"),
    }
}

fn fate(deed: &Deed, own: &[Incident], now: &Report, whom: Option<&Package>, whole: bool) -> (Fate, Option<Status>) {
    let act = &deed.evidence.act;
    if matches!(act, Act::Withhold { .. }) {
        return (Fate::Nothing, None);
    }
    let found = own.iter().flat_map(|one| one.findings.iter()).find_map(|finding| {
        let evidence = finding.evidence.iter().find(|evidence| is_same(&evidence.act, act))?;
        Some(finding.status_of(evidence))
    });
    if let Some(status) = found {
        return (Fate::Again, Some(status));
    }
    // What only another profile forbids.
    let by = |id| now.actor(id).and_then(|actor| actor.package.as_ref());
    let did = now.behaviour.iter().find(|did| is_same(&did.act, act) && same(by(did.actor), whom));
    match did {
        Some(did) if did.status != Status::Refused && deed.finding.rule != Rule::ProcTimeout => (Fate::Allowed, Some(did.status)),
        _ if whole => (Fate::Not, None),
        _ => (Fate::Unknown, None),
    }
}

/// The same code, as far as both say it: what lies in the workspace may have another version since; what was fetched is another package by its version, and by
/// where it is from.
fn same(a: Option<&Package>, b: Option<&Package>) -> bool {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (a, b) => return a.is_none() && b.is_none(),
    };
    let sources = match (&a.source, &b.source) {
        (Some(one), Some(other)) => one == other && a.version == b.version,
        // A graph that is not known says nothing of where a package is from.
        (None, None) => true,
        _ => a.version == b.version,
    };
    let checksums = a.checksum.as_ref().zip(b.checksum.as_ref()).is_none_or(|(one, other)| one == other);
    a.name == b.name && sources && checksums
}

/// The same deed on the same thing. What is made where something lies already is written; of programs the words do not count, which name temporary files; of
/// hosts with a name the address does not, which is the sink's.
fn is_same(a: &Act, b: &Act) -> bool {
    match (a, b) {
        (Act::Write { path: a } | Act::Create { path: a }, Act::Write { path: b } | Act::Create { path: b })
        | (Act::Exec { path: a, .. }, Act::Exec { path: b, .. }) => a == b,
        (Act::Connect { to: a }, Act::Connect { to: b }) | (Act::Send { to: a }, Act::Send { to: b }) => is_same_end(a, b),
        (Act::Lookup { name: a, .. }, Act::Lookup { name: b, .. }) => plain(a) == plain(b),
        (a, b) => a == b,
    }
}

fn is_same_end(a: &Endpoint, b: &Endpoint) -> bool {
    match (a, b) {
        (Endpoint::Ip { protocol: p, address: a, host: Some(first) }, Endpoint::Ip { protocol: q, address: b, host: Some(second) }) => {
            p == q && a.port() == b.port() && plain(first) == plain(second)
        }
        (a, b) => a == b,
    }
}

/// Names have no case, and may end with a dot.
fn plain(name: &Hostile) -> Vec<u8> {
    let name = name.as_bytes();
    name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assemble;
    use crate::report::samples::*;

    fn end(address: &str, host: Option<&str>) -> Act {
        Act::Connect { to: Endpoint::Ip { protocol: "tcp".into(), address: address.parse().unwrap(), host: host.map(Into::into) } }
    }

    #[test]
    fn the_same_deed_on_the_same_thing() {
        let (read, create, write) =
            (|path: &str| Act::Read { path: path.into() }, Act::Create { path: "/a".into() }, Act::Write { path: "/a".into() });
        let exec = |words: &[&str]| Act::Exec { path: "/bin/sh".into(), argv: words.iter().map(|word| (*word).into()).collect() };
        for (a, b, expected) in [
            (read("/a"), read("/a"), true),
            (read("/a"), read("/b"), false),
            (read("/a"), write.clone(), false),
            (create, write, true),
            (exec(&["sh", "-c", "a"]), exec(&["sh", "/tmp/x"]), true),
            (end("203.0.113.7:80", Some("H.example.")), end("104.21.3.9:80", Some("h.example")), true),
            (end("203.0.113.7:80", Some("h.example")), end("203.0.113.7:443", Some("h.example")), false),
            (end("203.0.113.7:80", None), end("203.0.113.7:80", None), true),
            (end("203.0.113.7:80", None), end("203.0.113.8:80", None), false),
        ] {
            assert_eq!(is_same(&a, &b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_same_code() {
        let package = |name: &str, version: &str, source: Option<&str>, checksum: Option<&str>| Package {
            source: source.map(str::to_owned),
            checksum: checksum.map(str::to_owned),
            ..package(name, version)
        };
        let (registry, other) = (Some("registry+https://h.example/index"), Some("registry+https://other.example/index"));
        let x = package("x", "1.0.0", registry, Some("aa"));
        for (b, expected) in [
            (package("x", "1.0.0", registry, Some("aa")), true),
            (package("x", "1.0.0", registry, None), true),
            (package("x", "1.0.0", registry, Some("bb")), false),
            (package("x", "1.1.0", registry, None), false),
            (package("x", "1.0.0", other, None), false),
            (package("x", "1.0.0", None, None), true),
            (package("x", "1.1.0", None, None), false),
            (package("y", "1.0.0", registry, None), false),
        ] {
            assert_eq!(same(Some(&x), Some(&b)), expected, "{b:?}");
        }
        let (own, since) = (package("own", "1.0.0", None, None), package("own", "1.1.0", None, None));
        assert!(same(Some(&own), Some(&since)) && same(None, None) && !same(Some(&own), None) && !same(None, Some(&own)));
    }

    #[test]
    fn what_came_again_and_what_did_not() {
        let then = assemble(&stolen_env(), &facts(), &Graph);
        let recorded = |then: &Report| Recorded {
            then: then.clone(),
            words: super::super::words::Words::default(),
            workspace: "/w".into(),
            home: None,
            here: false,
        };
        let record = recorded(&then);
        let text = |again: &Again| {
            again.parts(QUOTED, "your").into_iter().flat_map(|(head, lines)| [vec![head], lines].concat()).collect::<Vec<_>>().join("\n")
        };
        let again = Again::of(&record, &then, true);
        assert_eq!((again.number(), again.new.len()), (1, 0));
        assert!(text(&again).contains("came again: read `{workspace}/.env` (then refused, now refused)"), "{}", text(&again));
        assert!(again.sentence().ends_with(": the incident came again"), "{}", again.sentence());

        let clean = assemble(&material(), &facts(), &Graph);
        let not = Again::of(&record, &clean, true);
        assert!(text(&not).contains("did not come again: read `{workspace}/.env`") && !not.is_unknown(), "{}", text(&not));
        let cut = Again::of(&record, &clean, false);
        assert!(cut.is_unknown() && text(&cut).contains("not known, since it did not run to its end: read"), "{}", text(&cut));

        // The same code, elsewhere.
        let mut other = then.clone();
        other.findings[0].evidence[0].act = Act::Read { path: "{home}/.netrc".into() };
        let other = Again::of(&record, &other, true);
        assert!(text(&other).contains("went further: tried to read `{home}/.netrc`") && other.number() == 0, "{}", text(&other));
        // And other code.
        let mut new = then.clone();
        new.findings[0].offender = Some(package("another", "1.0.0"));
        let new = Again::of(&record, &new, true);
        assert_eq!((new.number(), new.new.len()), (0, 1));
    }
}
