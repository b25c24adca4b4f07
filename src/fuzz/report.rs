//! Reports as an enemy would write them: every field there is, with text that wants to be something else in every place for text.

use crate::model::report::{
    Behaviour, Costs, Counts, Coverage, Enforcement, Host, Kept, Loosened, Outcome, Phases, PolicyLine, Report, ReportedActor,
    ReportedPackage, ReviewedUse, Rotate, Run, SCHEMA, Tool, VerdictWord, Vouched, Weakness,
};
use crate::model::{
    Act, ActorId, ActorKind, Blame, Candidate, Carried, Endpoint, Evidence, Exception, ExceptionState, ExceptionUse, Finding, Mode,
    Package, Process, Proposal, Reviewed, Rule, Sent, Severity, Span, Standing, Status,
};

use super::source::Source;

pub const KINDS: [ActorKind; 7] = [
    ActorKind::BuildScript,
    ActorKind::ProcMacro,
    ActorKind::Rustc,
    ActorKind::Linker,
    ActorKind::Rustdoc,
    ActorKind::Program,
    ActorKind::Tool,
];
const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
const STATUSES: [Status; 5] = [Status::Allowed, Status::Redacted, Status::Decoy, Status::Observed, Status::Refused];
const MODES: [Mode; 3] = [Mode::Enforce, Mode::Observe, Mode::Decoy];
const VERDICTS: [VerdictWord; 7] = [
    VerdictWord::Clean,
    VerdictWord::Observed,
    VerdictWord::Violation,
    VerdictWord::Unaccepted,
    VerdictWord::NotRun,
    VerdictWord::Incomplete,
    VerdictWord::TimedOut,
];

pub fn report(source: &mut Source) -> Report {
    Report {
        schema: SCHEMA.into(),
        tool: Tool { name: source.text(), version: source.text() },
        run: Run {
            id: source.text(),
            command: source.many(4, Source::hostile),
            mode: source.pick(&MODES),
            profile: source.many(3, Source::text),
            policy_digest: source.text(),
            workspace: source.maybe(Source::hostile),
            within: source.maybe(Source::hostile),
            target: source.maybe(Source::hostile),
            source: source.maybe(built),
            job: source.maybe(Source::hostile),
            started: source.number(),
            duration_ms: source.number(),
            fresh: source.one_in(2),
            timeout_ms: source.maybe(Source::number),
            phases: Phases { fetched: source.one_in(2), offline: source.one_in(2), wanted: source.number() },
            costs: Costs { confine_us: source.number(), ..Costs::default() },
        },
        host: Host {
            kernel: source.text(),
            arch: source.text(),
            rustc: source.maybe(Source::text),
            cargo: source.maybe(Source::text),
            user: source.text(),
        },
        enforcement: Enforcement {
            landlock_abi: source.number() as u32,
            probed: source.one_in(2),
            sockets: source.text(),
            degraded: source.many(2, |s| Weakness { what: s.text(), means: s.text(), covered: s.one_in(2) }),
            floors: source.many(2, Source::hostile),
            vouched: source.many(2, |s| Vouched { import: s.text(), name: s.text(), version: s.text(), what: s.text() }),
            loosened: source.maybe(|s| Loosened { file: s.hostile(), than: s.text(), grants: s.many(3, Source::text) }),
        },
        coverage: Coverage {
            units: source.maybe(Source::number),
            ran: source.many(2, |s| (s.text(), s.number())).into_iter().collect(),
            fresh: source.maybe(Source::number),
            not_reached: source.maybe(Source::number),
            events: source.number(),
            lost: source.number(),
            holes: source.many(4, Source::text),
            unattributed: source.number(),
            complete: source.one_in(2),
        },
        outcome: Outcome {
            verdict: source.pick(&VERDICTS),
            exit_code: source.number() as u8,
            cargo_exit: source.maybe(|s| s.number() as i32),
            timed_out: source.one_in(4),
            barred: source.one_in(4),
            given: source.many(3, |s| s.number() as i32),
            closed: source.many(3, |s| s.number() as i32),
            counts: Counts {
                actors: source.number(),
                processes: source.number(),
                refused: source.number(),
                observed: source.number(),
                findings: source.many(2, |s| (s.text(), s.number())).into_iter().collect(),
            },
        },
        packages: source.many(4, |s| {
            let Package { name, version, source, checksum, .. } = package(s);
            let (purl, manifest) = (s.text(), s.maybe(Source::hostile));
            ReportedPackage { name, version, purl, source, checksum, manifest, member: s.one_in(2), direct: s.one_in(2) }
        }),
        actors: source.many(6, actor),
        processes: source.many(6, process),
        processes_truncated: source.number(),
        behaviour: source.many(6, |s| Behaviour {
            actor: id(s),
            act: act(s),
            status: s.pick(&STATUSES),
            count: s.number(),
            first_ms: s.number(),
        }),
        behaviour_truncated: source.number(),
        kept: source.many(3, |s| Kept { actor: id(s), act: act(s), allow: s.maybe(Source::text) }),
        findings: source.many(6, finding),
        sent: source.many(4, sent),
        policy: source.many(3, |s| PolicyLine { actor: s.text(), list: s.text(), entry: s.text(), origin: s.text() }),
        reviewed: source.many(4, |s| ReviewedUse { by: reviewed(s), count: s.number() }),
        exceptions: source.many(4, exception),
        standing: source.many(2, |s| Standing {
            run: s.text(),
            started: s.number(),
            command: s.many(3, Source::hostile),
            actors: s.many(3, actor),
            findings: s.many(4, finding),
        }),
        rotate: source.many(3, |s| Rotate { path: s.hostile(), actor: id(s), networked: s.one_in(2) }),
        end: true,
        reach: crate::model::Reach::default(),
    }
}

fn exception(source: &mut Source) -> ExceptionUse {
    const STATES: [ExceptionState; 5] =
        [ExceptionState::Used, ExceptionState::Unused, ExceptionState::NotReached, ExceptionState::Absent, ExceptionState::Expired];
    let exception = Exception {
        whom: source.text(),
        actor: source.pick(&KINDS),
        grants: source.many(3, Source::text),
        reason: source.text(),
        expires: source.text(),
        by: source.maybe(Source::text),
        origin: source.text(),
        wide: source.one_in(2),
    };
    ExceptionUse {
        exception,
        state: source.pick(&STATES),
        count: source.number(),
        days: source.maybe(Source::number),
        instead: source.maybe(Source::text),
    }
}

fn proposal(source: &mut Source) -> Proposal {
    Proposal {
        whom: source.text(),
        actor: source.pick(&KINDS),
        list: source.pick(&["read", "write", "exec", "connect", "unix"]).to_owned(),
        what: source.many(3, Source::text),
        secret: source.one_in(2),
    }
}

fn reviewed(source: &mut Source) -> Reviewed {
    Reviewed {
        name: source.text(),
        version: source.text(),
        actor: source.pick(&KINDS),
        list: source.text(),
        grant: source.text(),
        versions: source.text(),
        reason: source.text(),
        origin: source.text(),
    }
}

/// Few numbers, so that things meet; also such as are in no list.
fn id(source: &mut Source) -> ActorId {
    ActorId(source.pick(&[0, 1, 1, 2, 2, 3, 4, 5, 6, u32::MAX]))
}

fn actor(source: &mut Source) -> ReportedActor {
    ReportedActor {
        id: id(source),
        kind: source.pick(&KINDS),
        package: source.maybe(package),
        host: source.maybe(id),
        crate_name: source.maybe(Source::text),
        role: source.maybe(|s| if s.one_in(2) { "tests".into() } else { s.text() }),
        path_in_graph: source.many(3, Source::text),
        attributed_by: source.text(),
        withheld: source.many(3, Source::text),
        unit: source.text(),
        arguments: source.many(2, Source::hostile),
        failed: source.one_in(2),
        pid: source.number() as u32,
        argv: source.many(3, Source::hostile),
        ran: source.maybe(|s| Span { started_ms: s.number(), ended_ms: s.maybe(Source::number), exit: s.maybe(|s| s.number() as i32) }),
    }
}

fn package(source: &mut Source) -> Package {
    let names = ["serde".to_owned(), source.text()];
    let versions = ["1.0.0".to_owned(), format!("1.0.0{}", source.text()), source.text()];
    Package {
        name: source.pick(&names),
        version: source.pick(&versions),
        source: source.maybe(Source::text),
        checksum: source.maybe(Source::text),
        manifest_dir: None,
    }
}

fn process(source: &mut Source) -> Process {
    Process {
        actor: id(source),
        pid: source.number() as u32 % 8,
        parent: source.number() as u32 % 8,
        exe: source.hostile(),
        argv: source.many(4, Source::hostile),
        started_ms: source.number(),
        blame: source.maybe(blame),
        steered: source.one_in(4),
    }
}

fn finding(source: &mut Source) -> Finding {
    let locations = [source.text(), format!("{}:{}", source.text(), source.number()), "Cargo.lock:1204".into()];
    Finding {
        id: source.text(),
        rule: source.pick(Rule::ALL),
        severity: source.pick(&SEVERITIES),
        status: source.pick(&STATUSES),
        actor: id(source),
        offender: source.maybe(package),
        through: source.many(2, package),
        own: source.one_in(2),
        compiled: source.one_in(2),
        candidates: source.many(3, package),
        evidence: source.many(12, |s| Evidence {
            act: act(s),
            count: s.number(),
            status: s.maybe(|s| s.pick(&STATUSES)),
            chain: s.many(3, Source::hostile),
            pid: s.number() as u32,
            at_ms: s.number(),
            stacks: s.many(2, blame),
        }),
        truncated: source.number(),
        blame: source.maybe(blame),
        reason: source.text(),
        path_in_graph: source.many(3, Source::text),
        baseline: source.maybe(|s| if s.one_in(2) { "new".into() } else { s.text() }),
        before: source.maybe(Source::text),
        location: source.maybe(|s| s.pick(&locations)),
        fingerprint: source.text(),
        allow: source.maybe(Source::text),
        except: source.maybe(proposal),
        advice: source.many(2, Source::text),
    }
}

fn built(source: &mut Source) -> crate::model::Source {
    crate::model::Source {
        commit: source.maybe(Source::text),
        within: source.maybe(Source::hostile),
        member: source.maybe(Source::hostile),
        outside: source.one_in(4),
        lock: source.maybe(Source::text),
        dirty: source.maybe(|s| s.one_in(2)),
        changed: source.many(3, Source::hostile),
    }
}

fn sent(source: &mut Source) -> Sent {
    Sent {
        actor: id(source),
        by: source.maybe(|s| (s.text(), s.text())),
        to: source.hostile(),
        how: source.text(),
        what: source.hostile(),
        bytes: source.number(),
        proven: source.one_in(2),
        carried: source.many(5, |s| Carried { place: s.text(), name: s.text(), encoding: s.text() }),
        names: source.maybe(Source::number),
    }
}

pub fn blame(source: &mut Source) -> Blame {
    Blame {
        crates: source.many(3, |s| Candidate {
            name: s.text(),
            function: s.maybe(Source::hostile),
            object: s.maybe(Source::hostile),
            package: s.maybe(package),
        }),
        by: source.text(),
        caveat: source.maybe(Source::text),
    }
}

pub fn act(source: &mut Source) -> Act {
    let path = source.hostile();
    match source.below(21) {
        0 => Act::Read { path },
        1 => Act::Write { path },
        2 => Act::Create { path },
        3 => Act::Remove { path },
        4 => Act::Rename { from: source.hostile(), to: path },
        5 => Act::Link { from: source.hostile(), to: path },
        6 => Act::Symlink { target: source.hostile(), path },
        7 => Act::Metadata { call: source.text(), path },
        8 => Act::Exec { path, argv: source.many(4, Source::hostile) },
        9 => Act::Socket { family: source.text(), kind: source.text() },
        10 => Act::Connect { to: endpoint(source) },
        11 => Act::Send { to: endpoint(source) },
        12 => Act::Bind { to: endpoint(source) },
        13 => Act::Lookup { name: path, via: endpoint(source) },
        14 => Act::Tamper { call: source.text(), detail: path },
        15 => Act::Survive { exe: path },
        16 => Act::Withhold { name: source.text() },
        17 => Act::Signal { signal: source.text(), to: path },
        18 => Act::Linger { exe: path },
        19 => Act::Tell { directive: source.text(), value: path },
        _ => Act::Read { path: "/home/u/app/.env".into() },
    }
}

fn endpoint(source: &mut Source) -> Endpoint {
    let addresses = ["203.0.113.7:443", "[::1]:53", "127.0.0.1:0", "[2001:db8::1]:65535"];
    match source.below(4) {
        0 => Endpoint::Ip {
            protocol: source.text(),
            address: source.pick(&addresses).parse().expect("an address"),
            host: source.maybe(Source::hostile),
        },
        1 => Endpoint::UnixPath { path: source.hostile() },
        2 => Endpoint::UnixAbstract { name: source.hostile() },
        _ => Endpoint::Other { name: source.text() },
    }
}
