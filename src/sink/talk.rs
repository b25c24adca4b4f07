//! One conversation over TCP: who begins it with what, and what is said to that. In: a line to a client, where it wanted to go. Out: what the client
//! said, by the places of its protocol.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answers::{self, Answer};
use super::http::{self, Request};
use super::kept::{Draft, Exchange};
use super::line::Line;
use super::mail::{self, Server};
use super::metadata::Metadata;
use super::names::Names;
use super::tls::{self, Authority, Met};
use super::{date, doh, labels, websocket};

/// Servers that speak first wait so long for a client that does.
const FIRST: Duration = Duration::from_millis(300);
/// Whoever says nothing at all (a shell that waits for its master) is left after this.
const SILENT: Duration = Duration::from_secs(10);
/// Whoever has said something nobody understands, and then nothing more.
const PAUSE: Duration = Duration::from_millis(1500);
/// Between two requests.
const IDLE: Duration = Duration::from_secs(10);
/// Proxies in proxies, TLS in TLS.
const DEEPEST: usize = 4;
const MOST_REQUESTS: usize = 10_000;

/// Where a conversation takes place.
#[derive(Clone)]
pub struct Scene<'s> {
    pub draft: &'s Mutex<Draft>,
    pub metadata: &'s Metadata,
    /// And whether there is IPv6.
    pub names: (&'s Mutex<Names>, bool),
    pub authority: &'s Authority,
    /// Seconds that the clock was moved by.
    pub shift: i64,
    /// The name, or the address, that the client connected to.
    pub host: String,
    pub port: u16,
    /// Is it an address of a cloud's metadata service?
    pub is_metadata: bool,
    pub secure: bool,
    pub depth: usize,
}

impl Scene<'_> {
    pub fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the protocol; the innermost has the last word.
    pub fn is(&self, protocol: &str) {
        self.draft().talk.protocol = protocol.to_owned();
    }

    /// Sums up, if nobody has yet.
    pub fn sums_up(&self, summary: impl FnOnce() -> String) {
        let talk = &mut self.draft().talk;
        if talk.summary.is_empty() {
            talk.summary = summary();
        }
    }
}

/// Leads a conversation to its end.
pub fn converse(line: &mut Line<'_>, scene: &Scene<'_>) {
    // An end that came early is one, too: what was said is written down.
    let _ = attempt(line, scene);
    let rest = line.take(usize::MAX);
    if !rest.is_empty() {
        scene.draft().said("stream", &rest);
    }
}

fn attempt(line: &mut Line<'_>, scene: &Scene<'_>) -> io::Result<()> {
    let server = Server::at(scene.port);
    loop {
        let held = line.held();
        if held.first() == Some(&0x16) && scene.depth < DEEPEST {
            return secured(line, scene, None);
        }
        match http::begins(held).filter(|_| !held.is_empty()) {
            Some(true) => return requests(line, scene),
            Some(false) => return unknown(line, scene, server.filter(|_| false)),
            None => {}
        }
        match line.more(if server.is_some() { FIRST } else { SILENT }) {
            Ok(()) => {}
            Err(error) if is_late(&error) && server.is_some() && line.held().is_empty() => return unknown(line, scene, server),
            Err(error) => return Err(error),
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// A server that speaks first, or nobody knows who.
fn unknown(line: &mut Line<'_>, scene: &Scene<'_>, server: Option<Server>) -> io::Result<()> {
    if let Some(server) = server {
        scene.is(server.name());
        mail::greet(line, server)?;
        return served(line, scene, server);
    }
    loop {
        match line.more(PAUSE) {
            Ok(()) => {
                let part = line.take(usize::MAX);
                scene.draft().said("stream", &part);
            }
            Err(error) => return Err(error),
        }
        scene.sums_up(|| "unknown protocol".into());
    }
}

/// Line by line, and on within TLS where the client asks for it.
fn served(line: &mut Line<'_>, scene: &Scene<'_>, server: Server) -> io::Result<()> {
    let (said, secures) = mail::serve(line, server, !scene.secure);
    scene.draft().said("stream", &said);
    if secures {
        return secured(line, scene, Some(server));
    }
    scene.sums_up(|| format!("{} bytes", said.len()));
    Ok(())
}

/// A conversation within TLS; with a server that was spoken to before.
fn secured(line: &mut Line<'_>, scene: &Scene<'_>, server: Option<Server>) -> io::Result<()> {
    scene.is("tls");
    let (name, met) = tls::meet(scene.authority, line, &scene.host);
    if let Some(name) = &name {
        scene.draft().said("server name", name.as_bytes());
    }
    let host = name.unwrap_or_else(|| scene.host.clone());
    match met {
        Met::Inside(mut inside) => {
            let scene = Scene { host, secure: true, depth: scene.depth + 1, ..scene.clone() };
            let line = &mut Line::new(&mut *inside);
            match server {
                Some(server) => {
                    scene.is(server.name());
                    served(line, &scene, server)?;
                }
                None => converse(line, &scene),
            }
            scene.sums_up(|| format!("TLS for {}", scene.host));
        }
        Met::Failed(why) => scene.sums_up(|| format!("TLS handshake for {host} went no further: {why}")),
    }
    Ok(())
}

fn requests(line: &mut Line<'_>, scene: &Scene<'_>) -> io::Result<()> {
    scene.is(if scene.secure { "https" } else { "http" });
    for _ in 0..MOST_REQUESTS {
        if line.held().is_empty() {
            line.more(IDLE)?;
        }
        let request = http::read(line)?;
        scene.sums_up(|| format!("{} {}", request.method, request.path()));
        let stays = request.stays();
        if request.method == "CONNECT" && scene.depth < DEEPEST {
            return through(line, scene, &request);
        }
        let (host, answer) = answered(scene, &request);
        let protocol = websocket::accepts(&request);
        let answer = protocol.as_ref().map_or(answer, |accept| websocket::answer(accept));
        write_down(scene, host, &request, &answer);
        if protocol.is_some() {
            line.write_all(&websocket::written(&answer))?;
            scene.is(if scene.secure { "wss" } else { "ws" });
            let said = websocket::listen(line);
            scene.draft().said("stream", &said);
            return Ok(());
        }
        line.write_all(&answer.written(&date::http(scene.shift), stays, request.method == "HEAD"))?;
        if !stays {
            return Ok(());
        }
    }
    Ok(())
}

/// The host that a request is for, and what it gets.
fn answered(scene: &Scene<'_>, request: &Request) -> (String, Answer) {
    let named = request.header("host").map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let host = named.filter(|host| !host.is_empty()).unwrap_or(&scene.host).to_ascii_lowercase();
    if scene.is_metadata {
        return (host, scene.metadata.answer(request));
    }
    let (names, v6) = scene.names;
    let resolved = doh::answer(request, &mut names.lock().unwrap_or_else(PoisonError::into_inner), v6);
    let answer = match resolved {
        Some((question, answer)) => {
            labels::write_down(&question, &mut scene.draft());
            answer
        }
        None => answers::to(request, &host),
    };
    (host, answer)
}

/// A proxy's CONNECT: what comes then is a conversation with whom it names, who is a sink as well.
fn through(line: &mut Line<'_>, scene: &Scene<'_>, request: &Request) -> io::Result<()> {
    let (host, port) = request.target.rsplit_once(':').unwrap_or((&request.target, "443"));
    let (host, port) = (host.to_owned(), port.parse().unwrap_or(443));
    write_down(scene, host.clone(), request, &Answer { headers: Vec::new(), ..Answer::text("") });
    line.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let inner = Scene { host, port, depth: scene.depth + 1, is_metadata: false, ..scene.clone() };
    attempt(line, &inner)
}

fn write_down(scene: &Scene<'_>, host: String, request: &Request, answer: &Answer) {
    let mut draft = scene.draft();
    draft.said("target", request.target.as_bytes());
    let last = request.path().rsplit('/').next().unwrap_or_default();
    draft.said("segment", last.as_bytes());
    for (name, value) in request.query() {
        draft.said(format!("query {name}"), value.as_bytes());
    }
    for (name, value) in &request.headers {
        draft.said(format!("header {}", name.to_ascii_lowercase()), value.as_bytes());
    }
    draft.said("body", &request.body);
    if request.body.len() as u64 != request.length {
        draft.talk.cut = true;
    }
    let at = draft.now();
    draft.exchanged(Exchange { at, secure: scene.secure, host, request: request.clone(), answer: answer.clone() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::kept::Kept;
    use crate::sink::kept::tests::visit;
    use crate::sink::line::tests::fed;

    fn talk(says: &[u8], port: u16) -> (Draft, String) {
        let (metadata, authority) = (Metadata::new().unwrap(), Authority::new().unwrap());
        let names = Mutex::default();
        let draft = Mutex::new(Kept::default().begin(visit("192.0.2.1:80"), None));
        let scene = Scene {
            draft: &draft,
            metadata: &metadata,
            names: (&names, true),
            authority: &authority,
            shift: 0,
            host: "h.example".into(),
            port,
            is_metadata: false,
            secure: false,
            depth: 0,
        };
        let mut fed = fed(says, 13);
        converse(&mut Line::new(&mut fed), &scene);
        (draft.into_inner().unwrap(), String::from_utf8_lossy(&fed.said).into_owned())
    }

    fn said(draft: &Draft, field: &str) -> Vec<u8> {
        draft.talk.said.iter().filter(|said| said.field == field).flat_map(|said| said.bytes.clone()).collect()
    }

    #[test]
    fn several_requests_on_one_connection() {
        let (draft, heard) = talk(
            b"POST /a/one?k=12 HTTP/1.1\r\nHost: x.example:80\r\nCookie: c\r\nContent-Length: 4\r\n\r\nbodyGET /b HTTP/1.1\r\nConnection: close\r\n\r\n",
            80,
        );
        assert_eq!((draft.talk.protocol.as_str(), draft.talk.summary.as_str()), ("http", "POST /a/one"));
        assert_eq!(heard.matches("HTTP/1.1 200 OK").count(), 2, "{heard}");
        assert_eq!(
            (said(&draft, "body"), said(&draft, "query k"), said(&draft, "segment")),
            (b"body".into(), b"12".into(), b"oneb".into())
        );
        assert_eq!(said(&draft, "header cookie"), b"c");
        let hosts: Vec<&str> = draft.talk.exchanges.iter().map(|exchange| exchange.host.as_str()).collect();
        assert_eq!(hosts, ["x.example", "h.example"]);
    }

    #[test]
    fn a_proxy_leads_to_another_sink() {
        let (draft, heard) = talk(b"CONNECT inner.example:80 HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\nConnection: close\r\n\r\n", 3128);
        assert!(heard.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK"), "{heard}");
        assert_eq!(draft.talk.exchanges[1].host, "inner.example");
    }

    #[test]
    fn garbage_ends_every_conversation() {
        let mut state = 3u64;
        let begins = ["", "GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "\x16\x03\x01", "EHLO x\r\n"];
        let upgrade = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
        for round in 0..600usize {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let length = (state >> 33) as usize % 200;
            let noise = (0..length).map(|i| (state.rotate_left(i as u32 * 7) >> 11) as u8);
            let begin = begins.iter().chain([&upgrade]).nth(round % 6).unwrap();
            let says: Vec<u8> = begin.bytes().chain(noise).collect();
            let (draft, _) = talk(&says, [80, 25, 443][round % 3]);
            assert_eq!(draft.talk.sent, 0, "nothing crossed a wire here");
        }
    }

    #[test]
    fn whoever_is_not_understood_is_written_down() {
        let (draft, heard) = talk(b"\x01\x02 something of its own", 4444);
        assert_eq!((said(&draft, "stream"), heard.as_str()), (b"\x01\x02 something of its own".into(), ""));
        let (draft, _) = talk(b"GET /half", 80);
        assert_eq!(said(&draft, "stream"), b"GET /half");
        let (draft, _) = talk(b"id\n", 25);
        assert_eq!(said(&draft, "stream"), b"id\n");
    }
}
