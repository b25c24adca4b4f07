//! HTTP/1.1 as a server reads it (RFC 9112). In: a line to a client. Out: requests, read to their end; answers go back.

use std::io::{self, Write};
use std::time::Duration;

use super::line::Line;

const LONGEST_HEAD: usize = 64 << 10;
/// Of a body, so much is kept; the rest is read and counted.
pub const LONGEST_BODY: usize = 4 << 20;
/// How long a client may take between two parts of a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// As it was sent, unprintable bytes replaced.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Bytes of the body, those that were not kept included.
    pub length: u64,
}

impl Request {
    /// The first header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Without scheme and host, as proxies get them, and without the query.
    pub fn path(&self) -> &str {
        let target = &self.target;
        let path = match target.find("://") {
            Some(at) if !target.starts_with('/') => target[at + 3..].find('/').map_or("/", |slash| &target[at + 3 + slash..]),
            _ => target,
        };
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// Each parameter of the query, escapes as they are.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// Does this connection carry another request?
    pub fn stays(&self) -> bool {
        let says = |word: &str| self.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains(word));
        !says("close")
    }
}

/// Does somebody begin an HTTP request with these bytes? `None` when more has to be seen.
pub fn begins(bytes: &[u8]) -> Option<bool> {
    const METHODS: [&str; 12] =
        ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PROPFIND ", "REPORT ", "MKCOL "];
    let fits = |method: &&str| method.as_bytes().starts_with(bytes) || bytes.starts_with(method.as_bytes());
    match METHODS.iter().find(|method| fits(method)) {
        None => Some(false),
        Some(method) if bytes.len() >= method.len() => Some(true),
        Some(_) => None,
    }
}

/// Reads a request whose first bytes are there.
///
/// # Errors
/// `InvalidData` where it is none; those of the line.
pub fn read(line: &mut Line<'_>) -> io::Result<Request> {
    let end = loop {
        if let Some(at) = line.held().windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        // Whoever writes requests by hand may leave out what is for machines.
        if let Some(at) = line.held().windows(2).position(|window| window == b"\n\n") {
            break at + 2;
        }
        if line.held().len() > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.more(PATIENCE)?;
    };
    let head = line.take(end);
    let mut request = head_of(&head).ok_or(io::ErrorKind::InvalidData)?;
    if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        line.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        chunked(line, &mut request)?;
    } else if let Some(length) = request.header("content-length").and_then(|value| value.trim().parse::<u64>().ok()) {
        sized(line, &mut request, length)?;
    }
    Ok(request)
}

fn head_of(head: &[u8]) -> Option<Request> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next().unwrap_or("HTTP/1.0"));
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    let mut request = Request { method: method.into(), target: target.into(), headers, ..Request::default() };
    if version == "HTTP/1.0" && !request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("keep-alive")) {
        request.headers.push(("Connection".into(), "close".into()));
    }
    Some(request)
}

/// What breaks off is kept as far as it came.
fn sized(line: &mut Line<'_>, request: &mut Request, length: u64) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        if line.held().is_empty() && line.more(PATIENCE).is_err() {
            return Ok(());
        }
        let part = line.take(usize::try_from(left).unwrap_or(usize::MAX).min(line.held().len()));
        left -= part.len() as u64;
        keep(request, &part);
    }
    Ok(())
}

fn chunked(line: &mut Line<'_>, request: &mut Request) -> io::Result<()> {
    loop {
        let size = text_line(line)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let length = u64::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if length == 0 {
            // Trailers, up to an empty line.
            while !text_line(line)?.is_empty() {}
            return Ok(());
        }
        sized(line, request, length)?;
        text_line(line)?;
    }
}

fn text_line(line: &mut Line<'_>) -> io::Result<String> {
    loop {
        if let Some(at) = line.held().iter().position(|byte| *byte == b'\n') {
            let taken = line.take(at + 1);
            return Ok(String::from_utf8_lossy(&taken).trim_end().to_owned());
        }
        if line.held().len() > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.more(PATIENCE)?;
    }
}

fn keep(request: &mut Request, part: &[u8]) {
    request.length += part.len() as u64;
    let room = LONGEST_BODY - request.body.len();
    request.body.extend(&part[..part.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::line::tests::{Fed, fed};

    fn requests(text: &[u8], size: usize) -> (Vec<Request>, Vec<u8>) {
        let mut fed: Fed = fed(text, size);
        let mut found = Vec::new();
        {
            let mut line = Line::new(&mut fed);
            while line.more(PATIENCE).is_ok() || !line.held().is_empty() {
                match read(&mut line) {
                    Ok(request) => found.push(request),
                    Err(_) => break,
                }
            }
        }
        (found, fed.said)
    }

    #[test]
    fn bodies_of_both_kinds_in_pieces_of_any_size() {
        let text =
            b"POST http://h.example/a/b?x=1&y=%32 HTTP/1.1\r\nHost: h.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello\
            PUT /c HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n\
            HEAD / HTTP/1.0\n\n";
        for size in [1, 2, 7, 4096] {
            let (found, said) = requests(text, size);
            let [post, put, head] = &found[..] else { panic!("{size}: {found:?}") };
            assert_eq!((post.path(), post.body.as_slice(), post.length, post.stays()), ("/a/b", &b"hello"[..], 5, true));
            assert_eq!(post.query().collect::<Vec<_>>(), [("x", "1"), ("y", "%32")]);
            assert_eq!(post.header("host"), Some("h.example"));
            assert_eq!(put.body, b"abc0123456789");
            assert_eq!((head.method.as_str(), head.stays()), ("HEAD", false));
            assert_eq!(said, b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    #[test]
    fn what_breaks_off_is_kept() {
        let (found, _) = requests(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nonly this", 3);
        assert_eq!((found[0].body.as_slice(), found[0].length), (&b"only this"[..], 9));
    }

    #[test]
    fn long_bodies_are_counted_not_kept() {
        let length = LONGEST_BODY + 1000;
        let text = [format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n").into_bytes(), vec![b'x'; length]].concat();
        let (found, _) = requests(&text, 1 << 16);
        assert_eq!((found[0].body.len(), found[0].length), (LONGEST_BODY, length as u64));
    }

    #[test]
    fn who_begins_a_request() {
        assert_eq!(begins(b"GET / HTTP/1.1"), Some(true));
        assert_eq!((begins(b"PO"), begins(b"")), (None, None));
        for other in [&b"\x16\x03\x01"[..], b"EHLO x", b"GETX", b"SSH-2.0-x", b"id\n"] {
            assert_eq!(begins(other), Some(false));
        }
        assert!(requests(b"GET / HTTP/2.0\r\n\r\n", 9).0.is_empty());
    }
}
