//! What was sent, of all stages: by whom, where to, with which canaries. In: what each stage's sink wrote down, and its report. Out: the same in one file of
//! each form, and sentences; nothing is said that the sinks did not see.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::looked_up;
use super::stages::Ended;
use crate::model::report::Report;
use crate::model::{ActorId, Carried, Hostile, Package, Sent};
use crate::report::json::Output;
use crate::report::parties::is_network;
use crate::suspect::decoys::PROJECT;

/// Messages that a report tells of.
const MOST: usize = 200;

/// The part of `sent.json` that sentences are made of.
#[derive(Debug, Default, Deserialize)]
struct Told {
    entries: Vec<Entry>,
    limits: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    to: String,
    #[serde(default)]
    host: Option<Hostile>,
    protocol: String,
    summary: Hostile,
    bytes: u64,
    actor_pid: u32,
    canaries: Vec<Carried>,
}

#[derive(Debug, Default)]
pub struct Proof {
    /// In order of time, each once.
    pub messages: Vec<Sent>,
    /// What was not kept or looked through.
    pub limits: BTreeSet<String>,
    /// In every stage the kernel gave a network out of which nothing leads, and everything that was let happen stayed in it.
    pub sealed: bool,
}

impl Proof {
    /// Of stages that ran, by their numbers, each with the directory of its sink. Actors are numbered as in the report of all of them.
    pub fn of<'e>(ended: impl Iterator<Item = (&'e Ended, &'e Path)>) -> Proof {
        let mut proof = Proof { sealed: true, ..Proof::default() };
        // As `report::joined` numbers them.
        let mut before = 0;
        for (one, dir) in ended {
            let Some(report) = &one.report else { continue };
            proof.sealed &= report.enforcement.sockets == "private-network";
            let first = before;
            before += report.actors.iter().map(|actor| actor.id.0).max().unwrap_or(0);
            let Some(sent) = fs::read(dir.join("sent.json")).ok().and_then(|text| serde_json::from_slice::<Told>(&text).ok()) else {
                proof.limits.insert(format!("what was sent in the stage `{}` was not written down", one.name));
                continue;
            };
            proof.limits.extend(sent.limits);
            let told: Vec<Sent> = sent.entries.into_iter().map(|entry| entry.told(report)).collect();
            for mut message in looked_up::summed(told) {
                message.actor.0 += first;
                if !proof.messages.contains(&message) {
                    proof.messages.push(message);
                }
            }
        }
        proof
    }

    /// Messages that carried something that was laid out.
    pub fn proven(&self) -> impl Iterator<Item = &Sent> {
        self.messages.iter().filter(|message| message.proven)
    }

    /// For the report: what is proven first. Of names that were looked up only to be spoken to nothing is said.
    pub fn told(&self) -> Vec<Sent> {
        let spoken = self.messages.iter().filter(|message| !message.proven && message.how != "dns");
        self.proven().chain(spoken).take(MOST).cloned().collect()
    }
}

impl Entry {
    fn told(self, report: &Report) -> Sent {
        let port = self.to.rsplit(':').next().unwrap_or_default().to_owned();
        let to = match self.host {
            Some(host) if self.protocol == "dns" => host,
            Some(host) => Hostile::new([host.as_bytes(), b":", port.as_bytes()].concat()),
            None => Hostile::from(&*self.to),
        };
        let carried: Vec<Carried> = self.canaries.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let actor = report.actors.iter().find(|actor| actor.pid == self.actor_pid && actor.pid > 0).map(|actor| actor.id);
        let by = actor.and_then(|actor| by(report, actor)).map(|package| (package.name.clone(), package.version.clone()));
        let (actor, proven) = (actor.unwrap_or(ActorId(0)), !carried.is_empty());
        Sent { actor, by, to, how: self.protocol, what: self.summary, bytes: self.bytes, proven, carried, names: None }
    }
}

/// Whose code that is: whom a finding in this actor, or in a macro that it loaded, names, one about the network first; else whose program it is. The workspace
/// that was made for the trial does nothing of its own accord.
fn by(report: &Report, actor: ActorId) -> Option<&Package> {
    let is_in = |id: ActorId| id == actor || report.actor(id).and_then(|one| one.host) == Some(actor);
    let mut findings: Vec<_> = report.findings.iter().filter(|finding| is_in(finding.actor)).collect();
    findings.sort_by_key(|finding| !is_network(finding.rule));
    let named = findings.into_iter().filter_map(|finding| finding.offender.as_ref());
    named.chain(report.actor(actor).and_then(|actor| actor.package.as_ref())).find(|package| package.name != PROJECT)
}

/// Writes what all sinks kept into one file of each form: `sent.json`, `network.har` and `network.pcapng`, of which captures may follow one another.
///
/// # Errors
/// When one cannot be written.
pub fn keep<'e>(stages: impl Iterator<Item = (&'e Ended, &'e Path)>, into: &Path) -> Result<()> {
    let (mut sent, mut har, mut capture): (Vec<Value>, Option<Value>, Vec<u8>) = (Vec::new(), None, Vec::new());
    for (one, dir) in stages {
        let json = |name: &str| fs::read(dir.join(name)).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if let Some(told) = json("sent.json") {
            sent.push(json!({ "stage": one.name, "args": one.args, "sent": told }));
        }
        match (&mut har, json("network.har")) {
            (None, more) => har = more,
            (Some(all), Some(mut more)) => {
                let more = more.pointer_mut("/log/entries").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
                if let Some(entries) = all.pointer_mut("/log/entries").and_then(Value::as_array_mut) {
                    entries.extend(more);
                }
            }
            (Some(_), None) => {}
        }
        capture.extend(fs::read(dir.join("network.pcapng")).unwrap_or_default());
    }
    let write =
        |name: &str, bytes: &[u8]| Output::prepare_in(into, name)?.write(|w| w.write_all(bytes)).with_context(|| format!("write {name}"));
    write("sent.json", &serde_json::to_vec_pretty(&json!({ "schema": 1, "stages": sent })).context("write sent.json")?)?;
    write("network.har", &serde_json::to_vec_pretty(&har.unwrap_or(Value::Null)).context("write network.har")?)?;
    write("network.pcapng", &capture)
}
