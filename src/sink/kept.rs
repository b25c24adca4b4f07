//! What is kept of conversations, within bounds. In: bytes as they cross the wire, what was understood of them. Out: all of it, in order of time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answers::Answer;
use super::http::Request;
use super::line::Stream;

/// Of one conversation.
const MOST_EACH: usize = 4 << 20;
/// Of all.
const MOST_BYTES: usize = 64 << 20;
/// Conversations that are told of.
const MOST_TALKS: usize = 20_000;

/// Who spoke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// 0 when it is not known.
    pub pid: u32,
    /// The program's path, empty when it is not known.
    pub program: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Tcp,
    Udp,
}

/// Between whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub actor: u32,
    pub transport: Transport,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub who: Who,
}

/// Some bytes on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Milliseconds since the sink was opened.
    pub at: u64,
    /// From the client.
    pub outward: bool,
    pub bytes: Vec<u8>,
}

/// A request and what was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub at: u64,
    pub secure: bool,
    /// As the request named it.
    pub host: String,
    pub request: Request,
    pub answer: Answer,
}

/// What was said in one place of a protocol, as far as it is understood: what is looked through for canaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `body`, `path`, `query x`, `header cookie`, `label 1`, `stream` …: what has the same field may have been cut in pieces.
    pub field: String,
    pub bytes: Vec<u8>,
}

/// One conversation.
#[derive(Clone, Debug)]
pub struct Talk {
    pub visit: Visit,
    /// The name that was told to have the address.
    pub host: Option<String>,
    /// `http`, `https`, `tls`, `smtp`, `dns`, `tcp`, `udp` …
    pub protocol: String,
    pub summary: String,
    pub at: u64,
    pub wire: Vec<Piece>,
    pub exchanges: Vec<Exchange>,
    pub said: Vec<Said>,
    /// Bytes from the client, those included that were not kept.
    pub sent: u64,
    pub cut: bool,
}

/// All conversations.
pub struct Kept {
    began: Instant,
    room: Arc<AtomicUsize>,
    talks: Mutex<(Vec<Talk>, u64)>,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { began: Instant::now(), room: Arc::new(AtomicUsize::new(MOST_BYTES)), talks: Mutex::default() }
    }
}

impl Kept {
    /// Milliseconds since the sink was opened.
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// A conversation begins.
    pub fn begin(&self, visit: Visit, host: Option<String>) -> Draft {
        let at = self.now();
        let protocol = if visit.transport == Transport::Tcp { "tcp" } else { "udp" };
        let talk = Talk {
            visit,
            host,
            protocol: protocol.into(),
            summary: String::new(),
            at,
            wire: Vec::new(),
            exchanges: Vec::new(),
            said: Vec::new(),
            sent: 0,
            cut: false,
        };
        Draft { talk, began: self.began, room: Arc::clone(&self.room), kept: 0 }
    }

    /// A conversation has ended.
    pub fn end(&self, draft: Draft) {
        let mut talks = self.lock();
        if talks.0.len() < MOST_TALKS {
            talks.0.push(draft.talk);
        } else {
            talks.1 += 1;
        }
    }

    /// Adds to a conversation that is kept already, or begins it.
    pub fn add(&self, visit: &Visit, host: Option<String>, add: impl FnOnce(&mut Draft)) {
        let mut talks = self.lock();
        let same = |talk: &Talk| {
            let (a, b) = (&talk.visit, visit);
            (a.actor, a.transport, a.from, a.to) == (b.actor, b.transport, b.from, b.to)
        };
        // Among the last ones only: a storm of datagrams from ever new ports must not be looked through each time.
        let last = talks.0.len().saturating_sub(64);
        let at = talks.0[last..].iter().rposition(same).map(|at| last + at);
        match at {
            Some(at) => {
                let talk = talks.0.remove(at);
                let kept = talk.wire.iter().map(|piece| piece.bytes.len()).sum();
                let mut draft = Draft { talk, began: self.began, room: Arc::clone(&self.room), kept };
                add(&mut draft);
                talks.0.insert(at, draft.talk);
            }
            None => {
                let mut draft = self.begin(visit.clone(), host);
                add(&mut draft);
                drop(talks);
                self.end(draft);
            }
        }
    }

    /// All of them in order of time, and how many more there were.
    pub fn take(&self) -> (Vec<Talk>, u64) {
        let (mut talks, more) = std::mem::take(&mut *self.lock());
        talks.sort_by_key(|talk| talk.at);
        (talks, more)
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<Talk>, u64)> {
        self.talks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A conversation that goes on.
pub struct Draft {
    pub talk: Talk,
    began: Instant,
    room: Arc<AtomicUsize>,
    kept: usize,
}

impl Draft {
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Something crossed the wire.
    pub fn crossed(&mut self, outward: bool, bytes: &[u8]) {
        if outward {
            self.talk.sent += bytes.len() as u64;
        }
        let part = &bytes[..self.allowed(bytes.len())];
        if part.is_empty() {
            return;
        }
        let at = self.now();
        match self.talk.wire.last_mut() {
            Some(last) if last.outward == outward && at - last.at < 20 => last.bytes.extend(part),
            _ => self.talk.wire.push(Piece { at, outward, bytes: part.to_vec() }),
        }
    }

    /// Something was said in a place of the protocol.
    pub fn said(&mut self, field: impl Into<String>, bytes: &[u8]) {
        let part = bytes[..self.allowed(bytes.len())].to_vec();
        if !part.is_empty() {
            self.talk.said.push(Said { field: field.into(), bytes: part });
        }
    }

    /// A request was answered.
    pub fn exchanged(&mut self, exchange: Exchange) {
        let size = exchange.request.body.len() + exchange.answer.body.len() + exchange.request.target.len() + 256;
        if self.allowed(size) == size {
            self.talk.exchanges.push(exchange);
        }
    }

    /// How much of this may be kept. Each kind of thing counts against the same bounds; three times the stream's is what one takes at most.
    fn allowed(&mut self, wanted: usize) -> usize {
        let own = wanted.min((3 * MOST_EACH).saturating_sub(self.kept));
        let take = |room: usize| Some(room - own.min(room));
        let before = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or(0);
        let allowed = own.min(before);
        self.kept += allowed;
        self.talk.cut |= allowed < wanted;
        allowed
    }
}

/// A stream that writes down what crosses it.
pub struct Tap<'d> {
    pub stream: TcpStream,
    pub draft: &'d Mutex<Draft>,
}

impl Tap<'_> {
    fn note(&self, outward: bool, bytes: &[u8]) {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner).crossed(outward, bytes);
    }
}

impl Read for Tap<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.note(true, &buffer[..length]);
        Ok(length)
    }
}

impl Write for Tap<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.stream.write(bytes)?;
        self.note(false, &bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for Tap<'_> {
    fn wait_at_most(&mut self, limit: Duration) {
        // One that cannot be set is one that is gone.
        let _ = self.stream.set_read_timeout(Some(limit.max(Duration::from_millis(1))));
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn visit(to: &str) -> Visit {
        Visit {
            actor: 3,
            transport: Transport::Tcp,
            from: "10.0.0.1:5000".parse().unwrap(),
            to: to.parse().unwrap(),
            who: Who { pid: 42, program: "/bin/curl".into() },
        }
    }

    #[test]
    fn one_conversation_is_bounded_and_so_are_all() {
        let kept = Kept::default();
        let mut total = 0;
        for number in 0..10 {
            let mut draft = kept.begin(visit("192.0.2.1:80"), None);
            (0..20).for_each(|_| draft.crossed(true, &vec![number; 1 << 20]));
            assert_eq!((draft.talk.sent, draft.talk.cut), (20 << 20, true));
            let size: usize = draft.talk.wire.iter().map(|piece| piece.bytes.len()).sum();
            assert!(size <= 3 * MOST_EACH);
            total += size;
            kept.end(draft);
        }
        assert_eq!(total, MOST_BYTES);
        assert_eq!(kept.take().0.len(), 10);
    }

    #[test]
    fn datagrams_of_one_flow_are_one_conversation() {
        let kept = Kept::default();
        for to in ["192.0.2.1:9", "192.0.2.2:9", "192.0.2.1:9"] {
            kept.add(&Visit { transport: Transport::Udp, ..visit(to) }, None, |draft| draft.crossed(true, b"x"));
        }
        let sizes: Vec<u64> = kept.take().0.iter().map(|talk| talk.sent).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
