//! What was sent, told: the form of `sent.json`. In: conversations and hits. Out: plain data.

use serde::Serialize;

use super::canaries::Index;
use super::hits::Hit;
use super::kept::{Talk, Transport};
use crate::model::Hostile;

/// Everything that actors tried to send, in order of time. Nothing of it left this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// 1.
    pub schema: u32,
    /// When the sink was opened, in milliseconds since 1970 by the machine's own clock.
    pub opened: u64,
    pub entries: Vec<Entry>,
    /// What was not kept or not looked through, in words. Empty where nothing was.
    pub limits: Vec<String>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `address:port` that was connected or sent to.
    pub to: String,
    /// The name that was told to have this address, or that the client spoke of (`Host`, SNI); for a name that was looked up, that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Hostile>,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// `http`, `https`, `ws`, `wss`, `tls` (the handshake went no further), `smtp`, `pop3`, `imap`, `ftp`, `ssh`, `dns`, `ntp`; `tcp` or `udp` for anything else.
    pub protocol: String,
    /// Method and path of the first request, kind and name of a question …
    pub summary: Hostile,
    /// From the client, on the wire.
    pub bytes: u64,
    /// Requests, of HTTP.
    pub requests: usize,
    /// Of the process that cargo started: the report's actor with this `pid`.
    pub actor_pid: u32,
    /// 0 when it is not known.
    pub pid: u32,
    /// Path of the program; empty when it is not known.
    pub program: Hostile,
    /// Milliseconds after `opened`.
    pub at: u64,
    pub canaries: Vec<Carried>,
    /// Not all of it was kept.
    pub cut: bool,
}

/// A canary, or a part of it, that an entry carried.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Carried {
    pub place: String,
    pub name: String,
    /// How it was written: `plain`, `hex`, `base64`, `base32`, `url-encoded`, `gzip`, `zlib`, `deflate`, `reversed`, `xor 0x…`, and `a of b` for a
    /// text in `a` that holds one in `b`.
    pub encoding: String,
}

/// All conversations told. `pid`: of an actor by its number, which is the journal's; the report has others.
pub fn told(talks: &[Talk], hits: &[Hit], index: &Index, pid: &dyn Fn(u32) -> u32) -> Vec<Entry> {
    let entry = |(number, talk): (usize, &Talk)| Entry {
        to: talk.visit.to.to_string(),
        host: host(talk),
        transport: if talk.visit.transport == Transport::Tcp { "tcp" } else { "udp" },
        protocol: talk.protocol.clone(),
        summary: Hostile::new(talk.summary.as_bytes()),
        bytes: talk.sent,
        requests: talk.exchanges.len(),
        actor_pid: pid(talk.visit.actor),
        pid: talk.visit.who.pid,
        program: Hostile::new(talk.visit.who.program.as_bytes()),
        at: talk.at,
        canaries: hits
            .iter()
            .filter(|hit| hit.talk == number)
            .map(|hit| {
                let canary = &index.canaries[hit.canary];
                Carried { place: canary.place.clone(), name: canary.name.clone(), encoding: hit.encoding.clone() }
            })
            .collect(),
        cut: talk.cut,
    };
    talks.iter().enumerate().map(entry).collect()
}

/// Told first by who looked it up, else by the client.
fn host(talk: &Talk) -> Option<Hostile> {
    let named = talk.host.clone().or_else(|| talk.exchanges.first().map(|exchange| exchange.host.clone()));
    named.map(|name| Hostile::new(name.into_bytes()))
}
