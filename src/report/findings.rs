//! From breaches to findings: grouped by (rule, actor, offender), correlated, ordered, numbered. In: the cast and its breaches. Out:
//! findings whose actor is still an index into the cast.

use std::collections::BTreeMap;

use crate::model::report::Run;
use crate::model::{Act, Actor, ActorKind, Blame, Event, Evidence, Finding, Hostile, Mode, Package, Rule, Severity, Status, digest};

use super::correlate;
use super::derive::Cast;
use super::led::Leads;
use super::loaded;
use super::material::{Facts, Material};
use super::parties::{Parties, is_network};
use super::proposal;
use super::remedy;
use super::trace::Trace;
use super::who::Who;

/// Acts listed per finding; the rest is counted.
const LISTED: usize = 100;

/// A finding, and the index of its actor in the cast.
pub struct Placed {
    pub actor: usize,
    pub finding: Finding,
}

/// One breach with everything the report says about it.
struct Breached<'a> {
    event: &'a Event,
    count: u64,
    actor: usize,
    offender: Option<Package>,
    parties: Parties,
    blame: Option<Blame>,
    act: Act,
    chain: Vec<Hostile>,
    /// The offender's words led the actor there.
    led: bool,
}

/// The same act by the same way: how grave, how often, and when and by which process first.
struct Tried {
    severity: Severity,
    status: Status,
    count: u64,
    first: (u64, u32),
    stacks: Vec<Blame>,
}

/// Who broke which rule: acts of one key become one finding.
type Key = (Rule, usize, Option<Package>);

pub fn findings(material: &Material, facts: &Facts, who: &dyn Who, trace: &Trace, cast: &Cast) -> Vec<Placed> {
    let leads = Leads::new(material);
    let breached: Vec<Breached> = material
        .breaches
        .iter()
        .enumerate()
        .filter(|(_, (event, _))| event.breach.is_some())
        .map(|(at, (event, count))| {
            let actor = cast.of_breach[at];
            let blame = cast.blame_of_breach[at].clone();
            let places = facts.places_of(&cast.actors[actor]);
            let chain = trace.chain(&cast.actors[cast.host_of_breach[at]], event, &places);
            let led = leads.of(&cast.actors[actor], &event.act);
            let parties = Parties::of(&cast.actors[actor], blame.as_ref(), who);
            let suggested = loaded::suggested(material, &cast.actors[actor], who);
            // With one macro in that compiler, nobody else can have said so.
            let only = if let [only] = &suggested[..] { Some(only) } else { None };
            let offender = led.or(only).or(parties.accused(rule_of(event)).0).cloned();
            Breached { event, count: *count, actor, offender, parties, blame, act: places.act(&event.act), chain, led: led.is_some() }
        })
        .collect();
    let mut groups: BTreeMap<Key, Vec<&Breached>> = BTreeMap::new();
    for breach in &breached {
        groups.entry((rule_of(breach.event), breach.actor, breach.offender.clone())).or_default().push(breach);
    }
    correlate(&mut groups, &breached);
    let mut placed: Vec<Placed> = groups.into_iter().map(|(key, group)| place(key, &group, cast, (who, &facts.run, material))).collect();
    // Whoever was after a secret and the network is offered nothing.
    let critical: Vec<usize> = placed.iter().filter(|one| one.finding.severity == Severity::Critical).map(|one| one.actor).collect();
    placed.iter_mut().filter(|one| critical.contains(&one.actor)).for_each(|one| {
        one.finding.except = None;
        // Nor to every package, which is more.
        one.finding.allow = None;
    });
    placed.sort_by(|a, b| order(a, cast).cmp(&order(b, cast)));
    for (number, placed) in placed.iter_mut().enumerate() {
        placed.finding.id = format!("F{}", number + 1);
    }
    placed
}

fn order<'a>(placed: &'a Placed, cast: &'a Cast) -> impl Ord + 'a {
    let finding = &placed.finding;
    let actor = &cast.actors[placed.actor];
    (
        std::cmp::Reverse(finding.severity),
        &finding.offender,
        finding.rule,
        actor.kind,
        &actor.package,
        &finding.fingerprint,
        &actor.crate_name,
    )
}

fn rule_of(event: &Event) -> Rule {
    event.breach.as_ref().map_or(Rule::ProcTamper, |breach| breach.rule)
}

/// Whoever in an actor tried both a secret and the network gets a critical finding of its own, whatever became of either.
fn correlate<'a>(groups: &mut BTreeMap<Key, Vec<&'a Breached<'a>>>, breached: &'a [Breached<'a>]) {
    for actor in breached.iter().map(|breach| breach.actor).collect::<std::collections::BTreeSet<_>>() {
        let of = |rules: &[Rule]| -> Vec<&Breached> {
            breached.iter().filter(|breach| breach.actor == actor && rules.contains(&rule_of(breach.event))).collect()
        };
        let secrets = of(&[Rule::SecretRead]);
        let network = of(&[Rule::NetConnect, Rule::NetDns, Rule::ExecDownloader]);
        let parties = |all: &[&'a Breached]| all.iter().map(|breach| &breach.parties).collect::<Vec<_>>();
        for (culprit, both) in correlate::both(&parties(&secrets), &parties(&network)) {
            let own = both.secrets.into_iter().map(|at| secrets[at]).chain(both.network.into_iter().map(|at| network[at]));
            groups.insert((Rule::SecretThenNetwork, actor, culprit), own.collect());
        }
    }
}

fn place((rule, actor, offender): Key, group: &[&Breached], cast: &Cast, (who, run, material): (&dyn Who, &Run, &Material)) -> Placed {
    let correlated = rule == Rule::SecretThenNetwork;
    let severity = group.iter().filter_map(|b| b.event.breach.as_ref()).map(|breach| breach.severity).max().unwrap_or(Severity::High);
    let mut tried: BTreeMap<(Act, Vec<Hostile>), Tried> = BTreeMap::new();
    for breach in group {
        // Of a correlation the secret comes first, then the network.
        let severity = match correlated {
            true if is_secret(breach) => Severity::Critical,
            true => Severity::Info,
            false => breach.event.breach.as_ref().map_or(Severity::Info, |breach| breach.severity),
        };
        let first = (breach.event.at_ms, breach.event.pid);
        let status = breach.event.status;
        let one = tried.entry((breach.act.clone(), breach.chain.clone())).or_insert(Tried {
            severity,
            status,
            count: 0,
            first,
            stacks: Vec::new(),
        });
        let mut stacks = std::mem::take(&mut one.stacks);
        if rule == Rule::ProcTamper && run.mode == Mode::Decoy {
            // One that was not looked at is one of which nothing is known.
            stacks.push(breach.blame.clone().unwrap_or_default());
        }
        *one = Tried {
            stacks,
            severity: severity.max(one.severity),
            // What was let through once was done.
            status: if harm(status) > harm(one.status) { status } else { one.status },
            count: one.count + breach.count,
            first: first.min(one.first),
        };
    }
    let mut tried: Vec<_> = tried.into_iter().collect();
    tried.sort_by_key(|(_, tried)| std::cmp::Reverse(tried.severity));
    let truncated = tried.len().saturating_sub(LISTED) as u64;
    let whole = status(group, correlated);
    let one = |((act, chain), Tried { count, status, first: (at_ms, pid), stacks, .. })| {
        let status = Some(status).filter(|status| *status != whole);
        Evidence { act, count, status, chain, pid, at_ms, stacks }
    };
    let evidence: Vec<_> = tried.into_iter().take(LISTED).map(one).collect();
    let first = group.iter().find(|b| evidence.first().is_some_and(|e| (&b.act, &b.chain) == (&e.act, &e.chain)));
    let member = &cast.actors[actor];
    let worst = if correlated { Severity::Critical } else { severity };
    let pids = group.iter().map(|breach| breach.event.pid).collect();
    let parties = first.map(|breached| &breached.parties);
    // Where the rules themselves would say the same with one line more, none is worth following.
    let beyond = group.iter().any(|breach| material.beyond.contains(&(breach.event.actor, breach.event.act.clone())));
    let offers = truncated == 0 && !beyond;
    let through: Vec<Package> = match parties {
        Some(parties) if !correlated => parties.accused(rule).1.into_iter().cloned().collect(),
        _ => Vec::new(),
    };
    let callers: Vec<Package> = parties.filter(|_| is_network(rule)).map(|parties| parties.candidates.clone()).unwrap_or_default();
    let mut macros = loaded::candidates(material, member, &evidence, who);
    macros.extend(loaded::suggested(material, member, who));
    macros.retain(|package| Some(package) != offender.as_ref());
    let finding = Finding {
        id: String::new(),
        rule,
        severity: worst,
        status: whole,
        actor: member.id,
        truncated,
        blame: first.and_then(|b| b.blame.clone()),
        reason: reason(group, correlated),
        path_in_graph: if callers.is_empty() { way(cast, actor, offender.as_ref(), &through, who) } else { Vec::new() },
        through,
        own: offender.as_ref().is_some_and(|package| who.is_member(package)),
        compiled: !macros.is_empty(),
        candidates: if macros.is_empty() { callers } else { macros },
        baseline: None,
        before: None,
        location: offender.as_ref().and_then(|package| who.location(package, member, first.and_then(|b| b.blame.as_ref()))),
        fingerprint: fingerprint(rule, offender.as_ref(), member.kind, evidence.first().map(|e| &e.act)),
        // The wall of cargo is nothing that a line for tools would widen.
        allow: if offers && !member.is_cargo() {
            remedy::line(rule, walled_as(member, cast), &evidence, &pids, &run.profile)
        } else {
            None
        },
        except: proposal::of(rule, worst, (member, walled_as(member, cast)), &evidence, &pids)
            .filter(|_| offers && is_told_apart(member, group)),
        offender,
        evidence,
        advice: Vec::new(),
    };
    Placed { actor, finding }
}

/// An exception of a macro's holds where that macro alone is on the stack: where it was not seen to be, none would do.
fn is_told_apart(member: &Actor, group: &[&Breached]) -> bool {
    let alone = |blame: &Blame| {
        let mut objects = blame.crates.iter().map(|found| found.object.as_ref());
        let first = objects.next().flatten();
        blame.is_whole() && first.is_some() && objects.all(|object| object == first)
    };
    member.kind != ActorKind::ProcMacro || group.iter().all(|breach| breach.blame.as_ref().is_some_and(alone))
}

/// How one comes to who did it: through the package whose program or compiler it was, and on to what it did it through.
fn way(cast: &Cast, actor: usize, offender: Option<&Package>, through: &[Package], who: &dyn Who) -> Vec<String> {
    let member = &cast.actors[actor];
    let host = member.host.and_then(|id| cast.actors.iter().find(|actor| actor.id == id && actor.host.is_none()));
    let packages = [host.and_then(|host| host.package.as_ref()), member.package.as_ref(), offender];
    let mut packages: Vec<Package> = packages.into_iter().flatten().chain(through).cloned().collect();
    packages.dedup();
    who.way(&packages)
}

/// Whose grants decide: a macro, a linker and a compiler of doctests live behind the wall of the compiler they were found in.
fn walled_as(member: &Actor, cast: &Cast) -> ActorKind {
    let derived = matches!(member.kind, ActorKind::ProcMacro | ActorKind::Linker | ActorKind::Rustc);
    let host = member.host.filter(|_| derived).and_then(|id| cast.actors.iter().find(|actor| actor.id == id && actor.host.is_none()));
    host.map_or(member.kind, |host| host.kind)
}

fn is_secret(breach: &Breached) -> bool {
    breach.event.breach.as_ref().is_some_and(|breach| breach.rule == Rule::SecretRead)
}

/// Of one act that was answered in more ways than one: what was done once was done, and worst is what enforce would have refused.
fn harm(status: Status) -> (bool, bool, Status) {
    (was_done(status), status != Status::Refused, status)
}

/// Done, where enforce would have refused it: to the user's own, or to a decoy.
pub fn was_done(status: Status) -> bool {
    matches!(status, Status::Observed | Status::Decoy)
}

/// The worst that happened in the group. A correlation is harmless only if the chain was cut: it counts as refused when either all
/// secrets or all ways out were.
fn status(group: &[&Breached], correlated: bool) -> Status {
    let refused = |secret: bool| group.iter().filter(|b| is_secret(b) == secret).all(|b| b.event.status == Status::Refused);
    if correlated && (refused(true) || refused(false)) {
        return Status::Refused;
    }
    if correlated {
        let all_decoys = !group.iter().any(|b| b.event.status == Status::Observed);
        return if all_decoys && group.iter().any(|b| b.event.status == Status::Decoy) { Status::Decoy } else { Status::Observed };
    }
    let worst = |status: &Status| (was_done(*status), *status);
    group.iter().map(|b| b.event.status).max_by_key(worst).unwrap_or(Status::Refused)
}

/// The policy lines behind the group, each once.
fn reason(group: &[&Breached], correlated: bool) -> String {
    if correlated {
        return "a secret and the network, tried by the same code".to_owned();
    }
    let reasons: std::collections::BTreeSet<_> =
        group.iter().filter_map(|b| b.event.breach.as_ref()).map(|breach| breach.reason.as_str()).collect();
    let mut text = reasons.into_iter().take(3).collect::<Vec<_>>().join("; ");
    if let Some(Breached { offender: Some(package), .. }) = group.iter().find(|breached| breached.led) {
        text.push_str(&format!("; the build script of {} had libraries looked for there", package.name));
    }
    text
}

/// The same for the same behaviour of the same crate, whatever its version: 64-bit FNV-1a of (rule, crate, kind, act).
fn fingerprint(rule: Rule, package: Option<&Package>, kind: ActorKind, act: Option<&Act>) -> String {
    let act = act.and_then(|act| serde_json::to_string(act).ok()).unwrap_or_default();
    let text = [rule.id(), package.map_or("", |package| &package.name), kind.name(), &act].join("\0");
    digest::hex(text.as_bytes())
}
