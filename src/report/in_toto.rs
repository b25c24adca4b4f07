//! An in-toto Statement with the runtime-trace predicate, for a signer to sign: who ran, and where it went. In: a `&Report`. Out: JSON, unsigned.
//!
//! What it is a statement about is only what has a digest that somebody took: the report itself, as this program writes it to JSON, and packages by the
//! checksum that `Cargo.lock` has of them. Files that were opened have none, since nobody hashed them while they were; they are in the report.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::crates::{Blamed, key};
use super::numbers::Numbers;
use crate::model::report::{Behaviour, Report};
use crate::model::sha256::Hashing;
use crate::model::{Act, ActorId, Endpoint, Hostile, Mode, Process, Status, moment};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/runtime-trace/v0.2";
/// What was traced: a command of cargo's.
const TRACED: &str = "https://doc.rust-lang.org/cargo/";
/// Where it ran, if no CI server says.
const HERE: &str = "file://localhost/";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'r> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Subject>,
    predicate_type: &'static str,
    predicate: Predicate<'r>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    name: String,
    digest: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'r> {
    monitor: Monitor<'r>,
    monitored_process: Monitored,
    monitor_log: Log<'r>,
    metadata: Metadata,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Monitor<'r> {
    #[serde(rename = "type")]
    kind: String,
    trace_policy: Policy<'r>,
}

/// Under which policy, and how far what is traced can be relied upon.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'r> {
    mode: Mode,
    profile: &'r [String],
    policy_digest: &'r str,
    landlock_abi: u32,
    probed: bool,
    sockets: &'r str,
    degraded: Vec<&'r str>,
    verdict: crate::model::report::VerdictWord,
    complete: bool,
    lost: u64,
    /// Processes and acts that there was no room for.
    truncated: u64,
}

#[derive(Serialize)]
struct Monitored {
    #[serde(rename = "hostID")]
    host_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    event: String,
}

#[derive(Serialize)]
struct Log<'r> {
    process: Processes<'r>,
    network: Connections<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    build_started_on: String,
    build_finished_on: String,
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let (host_id, event) = place(report);
    let (run, walls) = (&report.run, &report.enforcement);
    let statement = Statement {
        kind: STATEMENT,
        subject: subjects(report)?,
        predicate_type: PREDICATE,
        predicate: Predicate {
            monitor: Monitor {
                kind: format!("pkg:generic/cargo-brig@{}", env!("CARGO_PKG_VERSION")),
                trace_policy: Policy {
                    mode: run.mode,
                    profile: &run.profile,
                    policy_digest: &run.policy_digest,
                    landlock_abi: walls.landlock_abi,
                    probed: walls.probed,
                    sockets: &walls.sockets,
                    degraded: walls.degraded.iter().map(|weak| weak.what.as_str()).collect(),
                    verdict: report.outcome.verdict,
                    complete: report.coverage.complete,
                    lost: report.coverage.lost,
                    truncated: report.processes_truncated.saturating_add(report.behaviour_truncated),
                },
            },
            monitored_process: Monitored { host_id, kind: TRACED, event },
            monitor_log: Log { process: Processes(report), network: Connections { report, blamed: Blamed::of(report) } },
            metadata: Metadata {
                build_started_on: moment::rfc3339(run.started),
                build_finished_on: moment::rfc3339(run.started.saturating_add(run.duration_ms / 1000)),
            },
        },
    };
    super::inert::write(&statement, w)
}

/// The report, and every package with a checksum.
fn subjects(report: &Report) -> io::Result<Vec<Subject>> {
    let mut hashed = Hashed(Hashing::default());
    super::json::write(report, &mut hashed)?;
    let one = |name: String, sha256: String| Subject { name, digest: [("sha256", sha256)].into() };
    let is_digest = |sum: &&String| sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let packages = report.packages.iter().filter_map(|package| {
        let sum = package.checksum.as_ref().filter(is_digest)?;
        Some(one(package.purl.clone(), sum.clone()))
    });
    // A name is to be unique.
    let packages: BTreeSet<Subject> = packages.collect();
    Ok([one("report.json".to_owned(), hashed.0.hex())].into_iter().chain(packages).collect())
}

struct Hashed(Hashing);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where and as which job it ran: as the CI server said, if one did, else as which run of this machine's.
fn place(report: &Report) -> (String, String) {
    let job = report.run.job.as_ref().and_then(|job| std::str::from_utf8(job.as_bytes()).ok());
    let parts = job.and_then(|job| {
        let (scheme, rest) = job.split_once("://")?;
        Some((format!("{scheme}://{}", rest.split('/').next()?), job.to_owned()))
    });
    let id = if report.run.id.is_empty() { moment::stamp(report.run.started) } else { report.run.id.clone() };
    parts.unwrap_or_else(|| (HERE.to_owned(), id))
}

struct Processes<'r>(&'r Report);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneProcess<'r> {
    event_type: &'static str,
    process_binary: &'r Hostile,
    arguments: &'r [Hostile],
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    pid: u32,
    started_ms: u64,
    #[serde(flatten)]
    of: Of<'r>,
}

/// Whose it was.
#[derive(Serialize)]
struct Of<'r> {
    actor: ActorId,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'r str>,
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    whom: Option<String>,
}

impl Serialize for Processes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = Numbers::of(self.0);
        let mut all = serializer.serialize_seq(None)?;
        for (at, process) in self.0.processes.iter().enumerate() {
            let Process { actor: id, exe, argv, pid, started_ms, .. } = process;
            let actor = self.0.actor(*id);
            all.serialize_element(&OneProcess {
                event_type: "process",
                process_binary: exe,
                // The first is what it calls itself.
                arguments: argv.get(1..).unwrap_or_default(),
                id: numbers.of_process(at),
                parent: numbers.find(process.parent, Some(*started_ms)),
                pid: *pid,
                started_ms: *started_ms,
                of: Of {
                    actor: *id,
                    kind: actor.map(|actor| actor.kind.name()),
                    whom: actor.and_then(|actor| actor.package.as_ref()).map(key),
                },
            })?;
        }
        all.end()
    }
}

struct Connections<'r> {
    report: &'r Report,
    blamed: Blamed<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<&'r Hostile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'r str>,
    invoking_process: Of<'r>,
    status: Status,
    count: u64,
}

impl Serialize for Connections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.report.behaviour.iter().filter_map(|did| self.one(did)))
    }
}

impl<'r> Connections<'r> {
    /// What leads to another end: what an actor listens on is none.
    fn one(&'r self, did: &'r Behaviour) -> Option<Connection<'r>> {
        let (ip, hostname, port, protocol) = match &did.act {
            Act::Connect { to: Endpoint::Ip { protocol, address, host } } | Act::Send { to: Endpoint::Ip { protocol, address, host } } => {
                // To a name a sink gave an address that is nobody's.
                let ip = Some(address.ip().to_string()).filter(|_| host.is_none() || did.status != Status::Decoy);
                (ip, host.as_ref(), Some(address.port()).filter(|port| *port > 0), Some(protocol.as_str()))
            }
            Act::Lookup { name, .. } => (None, Some(name), None, None),
            _ => return None,
        };
        let actor = self.report.actor(did.actor);
        let whom = self.blamed.whose(actor, did).map(key);
        let of = Of { actor: did.actor, kind: actor.map(|actor| actor.kind.name()), whom };
        Some(Connection { ip, hostname, port, protocol, invoking_process: of, status: did.status, count: did.count })
    }
}

#[cfg(test)]
#[path = "in_toto_tests.rs"]
mod tests;
