//! From breaches to findings: grouped by (rule, actor, offender), correlated, ordered, numbered. In: the cast and its breaches. Out:
//! findings whose actor is still an index into the cast.

use std::collections::BTreeMap;

use crate::model::{Act, Actor, ActorKind, Blame, Event, Evidence, Finding, Hostile, Package, Rule, Severity, Status, digest};

use super::derive::Cast;
use super::led::Leads;
use super::material::{Facts, Material};
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
    blame: Option<Blame>,
    act: Act,
    chain: Vec<Hostile>,
    /// The offender's words led the actor there.
    led: bool,
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
            let offender = led.cloned().or_else(|| offender(&cast.actors[actor], blame.as_ref(), who));
            Breached { event, count: *count, actor, offender, blame, act: places.act(&event.act), chain, led: led.is_some() }
        })
        .collect();
    let mut groups: BTreeMap<Key, Vec<&Breached>> = BTreeMap::new();
    for breach in &breached {
        let rule = breach.event.breach.as_ref().map_or(Rule::ProcTamper, |breach| breach.rule);
        groups.entry((rule, breach.actor, breach.offender.clone())).or_default().push(breach);
    }
    correlate(&mut groups, &breached);
    let profile = facts.run.profile.as_slice();
    let mut placed: Vec<Placed> = groups.into_iter().map(|(key, group)| place(key, &group, cast, (who, profile))).collect();
    // Whoever was after a secret and the network is offered nothing.
    let critical: Vec<usize> = placed.iter().filter(|one| one.finding.severity == Severity::Critical).map(|one| one.actor).collect();
    placed.iter_mut().filter(|one| critical.contains(&one.actor)).for_each(|one| one.finding.except = None);
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

/// The package a finding names. Inside a program or build script: the innermost crate on the stack that is in the graph, unless the
/// innermost is the program's own code. A stack is evidence only, so an incomplete walk names nobody but the actor.
fn offender(actor: &Actor, blame: Option<&Blame>, who: &dyn Who) -> Option<Package> {
    let Some(blame) = blame.filter(|blame| blame.caveat.is_none() && matches!(actor.kind, ActorKind::Program | ActorKind::BuildScript))
    else {
        return actor.package.clone();
    };
    let own = actor.crate_name.as_ref().map(|name| name.replace('-', "_"));
    for candidate in &blame.crates {
        // The program's own code; of one that somebody else had started, who wanted it comes after.
        let started = blame.by == Blame::STARTED;
        if candidate.name.starts_with("build_script_") || Some(&candidate.name) == own.as_ref() {
            if started {
                continue;
            }
            break;
        }
        let package = candidate.package.clone().or_else(|| who.package_of_crate(&candidate.name));
        if started && package == actor.package {
            continue;
        }
        if package.is_some() {
            return package;
        }
    }
    actor.package.clone()
}

/// An actor that tried both a secret and the network gets a critical finding of its own, whatever became of either.
fn correlate<'a>(groups: &mut BTreeMap<Key, Vec<&'a Breached<'a>>>, breached: &'a [Breached<'a>]) {
    for actor in breached.iter().map(|breach| breach.actor).collect::<std::collections::BTreeSet<_>>() {
        let of = |rules: &[Rule]| {
            let matches = |b: &&Breached| b.actor == actor && b.event.breach.as_ref().is_some_and(|breach| rules.contains(&breach.rule));
            breached.iter().filter(matches).collect::<Vec<_>>()
        };
        let secrets = of(&[Rule::SecretRead]);
        let network = of(&[Rule::NetConnect, Rule::NetDns, Rule::ExecDownloader]);
        if let (Some(secret), false) = (secrets.first(), network.is_empty()) {
            let key = (Rule::SecretThenNetwork, actor, secret.offender.clone());
            groups.insert(key, [secrets, network].concat());
        }
    }
}

fn place((rule, actor, offender): Key, group: &[&Breached], cast: &Cast, (who, profile): (&dyn Who, &[String])) -> Placed {
    let correlated = rule == Rule::SecretThenNetwork;
    let severity = group.iter().filter_map(|b| b.event.breach.as_ref()).map(|breach| breach.severity).max().unwrap_or(Severity::High);
    let mut tried: BTreeMap<(Act, Vec<Hostile>), (Severity, u64)> = BTreeMap::new();
    for breach in group {
        // Of a correlation the secret comes first, then the network.
        let severity = match correlated {
            true if is_secret(breach) => Severity::Critical,
            true => Severity::Info,
            false => breach.event.breach.as_ref().map_or(Severity::Info, |breach| breach.severity),
        };
        let (worst, count) = tried.entry((breach.act.clone(), breach.chain.clone())).or_insert((severity, 0));
        (*worst, *count) = (severity.max(*worst), *count + breach.count);
    }
    let mut tried: Vec<_> = tried.into_iter().collect();
    tried.sort_by_key(|(_, (severity, _))| std::cmp::Reverse(*severity));
    let truncated = tried.len().saturating_sub(LISTED) as u64;
    let evidence: Vec<_> = tried.into_iter().take(LISTED).map(|((act, chain), (_, count))| Evidence { act, count, chain }).collect();
    let first = group.iter().find(|b| evidence.first().is_some_and(|e| (&b.act, &b.chain) == (&e.act, &e.chain)));
    let member = &cast.actors[actor];
    let worst = if correlated { Severity::Critical } else { severity };
    let pids = group.iter().map(|breach| breach.event.pid).collect();
    let named = |f: &dyn Fn(&str, &str) -> Vec<String>| offender.as_ref().map(|p| f(&p.name, &p.version)).unwrap_or_default();
    let finding = Finding {
        id: String::new(),
        rule,
        severity: worst,
        status: status(group, correlated),
        actor: member.id,
        truncated,
        blame: first.and_then(|b| b.blame.clone()),
        reason: reason(group, correlated),
        path_in_graph: named(&|name, version| who.why(name, version)),
        baseline: None,
        location: offender.as_ref().and_then(|package| who.lock_location(&package.name, &package.version)),
        fingerprint: fingerprint(rule, offender.as_ref(), member.kind, evidence.first().map(|e| &e.act)),
        // The wall of cargo is nothing that a line for tools would widen.
        allow: if truncated == 0 && !member.is_cargo() {
            remedy::line(rule, walled_as(member, cast), &evidence, &pids, profile)
        } else {
            None
        },
        except: proposal::of(rule, worst, member, &evidence, &pids).filter(|_| truncated == 0),
        offender,
        evidence,
    };
    Placed { actor, finding }
}

/// Whose grants decide: a macro and a linker live behind the wall of the compiler they were found in.
fn walled_as(member: &Actor, cast: &Cast) -> ActorKind {
    let derived = matches!(member.kind, ActorKind::ProcMacro | ActorKind::Linker);
    let host = member.host.filter(|_| derived).and_then(|id| cast.actors.iter().find(|actor| actor.id == id && actor.host.is_none()));
    host.map_or(member.kind, |host| host.kind)
}

fn is_secret(breach: &Breached) -> bool {
    breach.event.breach.as_ref().is_some_and(|breach| breach.rule == Rule::SecretRead)
}

/// The worst that happened in the group. A correlation is harmless only if the chain was cut: it counts as refused when either all
/// secrets or all ways out were.
fn status(group: &[&Breached], correlated: bool) -> Status {
    let refused = |secret: bool| group.iter().filter(|b| is_secret(b) == secret).all(|b| b.event.status == Status::Refused);
    if correlated {
        return if refused(true) || refused(false) { Status::Refused } else { Status::Observed };
    }
    group.iter().map(|b| b.event.status).max().unwrap_or(Status::Refused)
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
