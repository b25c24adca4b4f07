//! What stands in place of the internet where a suspect is tried: every name resolves, every port answers, and nothing leaves. In: conversations that
//! the gate brings, from sockets of an actor's own network. Out: answers that let the other side go on, and afterwards what was sent, to whom, and
//! which canaries were in it: `sent.json`, `network.pcapng`, `network.har`.
//!
//! `talk` leads a conversation, `tls`, `http`, `mail`, `websocket` know the protocols, `dns`, `doh`, `labels`, `names` and `lot` the names, `ntp` the time, `answers`, `goods` and `metadata` what
//! is said; `kept` keeps it, within bounds; `hits` looks through it, with `canaries` and `views`; `sent`, `pcapng`, `har` tell it.

mod answers;
mod canaries;
mod date;
mod dns;
mod doh;
mod goods;
mod har;
mod hits;
mod http;
mod kept;
mod labels;
mod line;
mod lot;
mod mail;
mod metadata;
mod names;
mod ntp;
mod pcapng;
pub mod sent;
mod talk;
mod tls;
mod views;
mod websocket;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use canaries::Index;
use kept::{Kept, Tap};
pub use kept::{Transport, Visit, Who};
use line::Line;
use metadata::Metadata;
use names::Names;
use sent::Sent;
use talk::Scene;
use tls::Authority;

use crate::model::Canary;

/// How long the last conversations may take to end, once nobody is there to go on with them.
const ENDING: Duration = Duration::from_secs(3);
/// Names per actor that are known to have been asked before; beyond, they are kept again.
const MOST_ASKED: usize = 20_000;
/// Where time servers listen.
const TIME: u16 = 123;
/// What is remembered of who connected from where.
const MOST_CALLERS: usize = 4096;

/// One for each trial.
pub struct Sink {
    dir: PathBuf,
    /// Milliseconds since 1970.
    opened: u64,
    shift: i64,
    v6: bool,
    canaries: Vec<Canary>,
    names: Mutex<Names>,
    kept: Kept,
    metadata: Metadata,
    authority: Authority,
    /// Who connected, by actor and own address.
    callers: Mutex<HashMap<(u32, SocketAddr), Who>>,
    asked: Mutex<HashSet<(u32, Vec<Vec<u8>>)>>,
    limits: Mutex<BTreeSet<String>>,
    active: Mutex<usize>,
    quiet: Condvar,
}

impl Sink {
    /// Makes `dir` if need be (for nobody else to read) and lays the certificate of a new authority there. `shift`: so many seconds does the trial's clock
    /// stand ahead of the machine's.
    ///
    /// # Errors
    /// When the directory cannot be written to, or the kernel gives no randomness.
    pub fn open(dir: &Path, canaries: Vec<Canary>, shift: Option<i64>) -> io::Result<Arc<Sink>> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let (metadata, authority) = (Metadata::new()?, Authority::new()?);
        let canaries = canaries.into_iter().chain(metadata.canaries()).collect();
        let sink = Sink {
            dir: dir.to_owned(),
            opened: date::now(),
            shift: shift.unwrap_or(0),
            // Without IPv6 this table is not there, proc_pid_net(5).
            v6: Path::new("/proc/self/net/if_inet6").exists(),
            canaries,
            names: Mutex::default(),
            kept: Kept::default(),
            metadata,
            authority,
            callers: Mutex::default(),
            asked: Mutex::default(),
            limits: Mutex::default(),
            active: Mutex::default(),
            quiet: Condvar::new(),
        };
        sink.write("ca-certificates.crt", sink.authority.certificate.as_bytes())?;
        Ok(Arc::new(sink))
    }

    /// Where the authority's certificate lies, in PEM: for `SSL_CERT_FILE`, `CURL_CA_BUNDLE` and the like.
    pub fn authority(&self) -> PathBuf {
        self.dir.join("ca-certificates.crt")
    }

    /// All that is looked for, with the canaries that the sink itself hands out.
    pub fn canaries(&self) -> &[Canary] {
        &self.canaries
    }

    /// The name that was told to have this address.
    pub fn name_of(&self, address: IpAddr) -> Option<String> {
        lock(&self.names).name_of(address).map(str::to_owned)
    }

    /// Something could not be had or kept: told with all the rest.
    pub fn limit(&self, what: &str) {
        lock(&self.limits).insert(what.to_owned());
    }

    /// A name server was asked: its answer, `None` where it is no question and none is due. Kept is each name of an actor once.
    pub fn ask(&self, visit: &Visit, query: &[u8]) -> Option<Vec<u8>> {
        let question = dns::question(query);
        let answer = question.as_ref().map(|question| dns::answer(query, question, &mut lock(&self.names), self.v6));
        let is_new = question.as_ref().is_none_or(|question| {
            let mut asked = lock(&self.asked);
            let is_new = asked.insert((visit.actor, question.labels.clone()));
            if asked.len() > MOST_ASKED {
                asked.clear();
            }
            is_new
        });
        let mut draft = self.kept.begin(visit.clone(), None);
        draft.talk.protocol = "dns".into();
        draft.crossed(true, query);
        if let Some(answer) = &answer {
            draft.crossed(false, answer);
        }
        match &question {
            Some(question) => {
                draft.talk.summary = format!("{} {}", question.kind_name(), question.name());
                draft.talk.host = Some(question.name());
                if is_new {
                    labels::write_down(question, &mut draft);
                }
            }
            None => draft.said("datagrams", query),
        }
        self.kept.end(draft);
        answer
    }

    /// A datagram came. What is to be sent back, if anything.
    pub fn datagram(&self, visit: &Visit, payload: &[u8]) -> Option<Vec<u8>> {
        let answer = if visit.to.port() == TIME { ntp::answer(payload, self.shift) } else { None };
        self.kept.add(visit, self.name_of(visit.to.ip()), |draft| {
            draft.crossed(true, payload);
            draft.said("datagrams", payload);
            draft.talk.summary = format!("{} bytes", draft.talk.sent);
            if let Some(answer) = &answer {
                draft.crossed(false, answer);
                draft.talk.protocol = "ntp".into();
            }
        });
        answer
    }

    /// Somebody has connected from there: whose conversation it is, once that has come.
    pub fn called(&self, actor: u32, from: SocketAddr, who: Who) {
        let mut callers = lock(&self.callers);
        if callers.len() < MOST_CALLERS {
            callers.insert((actor, from), who);
        }
    }

    /// A conversation is about to begin on a thread of its own: `finish` waits for the guard to be dropped.
    pub fn expect(self: &Arc<Sink>) -> Expected {
        *lock(&self.active) += 1;
        Expected(Arc::clone(self))
    }

    /// Leads a whole conversation. Returns when the client is gone, has said all, or says nothing.
    pub fn converse(&self, visit: Visit, stream: TcpStream) {
        let name = self.name_of(visit.to.ip());
        let (actor, from, to) = (visit.actor, visit.from, visit.to);
        let draft = Mutex::new(self.kept.begin(visit, name.clone()));
        let ready = stream.set_nonblocking(false).and_then(|()| stream.set_write_timeout(Some(ENDING))).is_ok();
        if ready {
            let scene = Scene {
                draft: &draft,
                metadata: &self.metadata,
                names: (&self.names, self.v6),
                authority: &self.authority,
                shift: self.shift,
                host: name.unwrap_or_else(|| to.ip().to_string()),
                port: to.port(),
                is_metadata: is_metadata(to.ip()),
                secure: false,
                depth: 0,
            };
            let mut tap = Tap { stream, draft: &draft };
            talk::converse(&mut Line::new(&mut tap), &scene);
        }
        let mut draft = draft.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(who) = lock(&self.callers).remove(&(actor, from)) {
            draft.talk.visit.who = who;
        }
        self.kept.end(draft);
    }

    /// Waits for the last conversations, looks through everything, and writes it down. To be asked once. `pid`: of the process that cargo started, by its
    /// actor's number; 0 where that is not known.
    ///
    /// # Errors
    /// When one of the files cannot be written.
    pub fn finish(&self, pid: &dyn Fn(u32) -> u32) -> io::Result<Sent> {
        self.settle();
        let (talks, more) = self.kept.take();
        // The table of all canaries is the dearest part of a stage in which nobody spoke to anybody.
        let index = Index::new(if talks.is_empty() { Vec::new() } else { self.canaries.clone() });
        let (hits, whole) = hits::hits(&index, &talks);
        if more > 0 {
            self.limit(&format!("{more} more conversations are not told of"));
        }
        if talks.iter().any(|talk| talk.cut) {
            self.limit("of long conversations not all was kept");
        }
        if !whole {
            self.limit("there was too much to look through all of it for canaries");
        }
        let limits = lock(&self.limits).iter().cloned().collect();
        let sent = Sent { schema: 1, opened: self.opened, entries: sent::told(&talks, &hits, &index, pid), limits };
        self.write("sent.json", &serde_json::to_vec_pretty(&sent).map_err(io::Error::other)?)?;
        self.write("network.pcapng", &pcapng::capture(&talks, self.opened, &self.authority.keys()))?;
        self.write("network.har", &serde_json::to_vec_pretty(&har::archive(&talks, self.opened)).map_err(io::Error::other)?)?;
        Ok(sent)
    }

    fn settle(&self) {
        let end = Instant::now() + ENDING;
        let mut active = lock(&self.active);
        while *active > 0 {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                drop(active);
                return self.limit("a conversation went on when all was written down");
            };
            active = self.quiet.wait_timeout(active, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write;
        let path = self.dir.join(name);
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path)?;
        file.write_all(bytes)
    }
}

/// A conversation that is about to begin, or goes on.
pub struct Expected(Arc<Sink>);

impl Drop for Expected {
    fn drop(&mut self) {
        *lock(&self.0.active) -= 1;
        self.0.quiet.notify_all();
    }
}

/// Addresses at which clouds hand out credentials.
fn is_metadata(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => matches!(ip.octets(), [169, 254, ..] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192]),
        IpAddr::V6(ip) => ip.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
