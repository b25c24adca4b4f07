//! What a web server that knows nothing says, so that whoever asks goes on to the next step. In: a request and the host it was for. Out: an answer of
//! the kind that was asked for: a program, script or archive that does nothing, a page, or JSON that says yes.

use super::goods::{self, Machine, SCRIPT};
use super::http::Request;

/// An answer in the making; lengths and dates come with its writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub kind: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, kind, headers: Vec::new(), body: body.into() }
    }

    pub fn text(body: &str) -> Answer {
        Answer::of("text/plain; charset=utf-8", body)
    }

    pub fn json(body: &str) -> Answer {
        Answer::of("application/json", body)
    }

    pub fn missing() -> Answer {
        Answer { status: 404, ..Answer::text("404 page not found\n") }
    }

    /// The words of the status line.
    pub fn reason(&self) -> &'static str {
        match self.status {
            101 => "Switching Protocols",
            200 => "OK",
            201 => "Created",
            204 => "No Content",
            206 => "Partial Content",
            404 => "Not Found",
            _ => "Unknown",
        }
    }

    /// On the wire: `date` is an HTTP date (RFC 9110 §5.6.7), `stays` whether the connection carries another.
    pub fn written(&self, date: &str, stays: bool, head_only: bool) -> Vec<u8> {
        let connection = if stays { "keep-alive" } else { "close" };
        let mut out = format!("HTTP/1.1 {} {}\r\nServer: nginx\r\nDate: {date}\r\n", self.status, self.reason()).into_bytes();
        if self.status != 204 {
            out.extend(format!("Content-Type: {}\r\nContent-Length: {}\r\n", self.kind, self.body.len()).bytes());
        }
        self.headers.iter().for_each(|(name, value)| out.extend(format!("{name}: {value}\r\n").bytes()));
        out.extend(format!("Connection: {connection}\r\n\r\n").bytes());
        if !head_only {
            out.extend(&self.body);
        }
        out
    }
}

/// Says yes to every question that is known.
const YES: &str = r#"{"ok":true,"success":true,"status":"ok","id":"1f0c9a7e44d2b6853e21","result":{},"data":{}}"#;
const PAGE: &str = "<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n";

/// The answer to a request for `host`.
pub fn to(request: &Request, host: &str) -> Answer {
    let path = request.path();
    let last = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(answer) = known(request, host, path) {
        return answer;
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return if request.method == "OPTIONS" { Answer { status: 204, ..Answer::text("") } } else { Answer::json(YES) };
    }
    file(&last, path).unwrap_or_else(|| {
        let accepts = |word: &str| request.header("accept").is_some_and(|value| value.contains(word));
        if accepts("json") || host.starts_with("api.") || path.contains("/api/") {
            Answer::json(YES)
        } else if accepts("text/html") || last.is_empty() {
            Answer::of("text/html; charset=utf-8", PAGE)
        } else if has_word(&last, &["bin", "agent", "payload", "linux", "elf", "x86_64", "amd64", "aarch64", "arm64", "loader", "miner"]) {
            program(path)
        } else {
            // Piped into a shell it is a script, made executable it is a program.
            Answer::of("application/octet-stream", SCRIPT)
        }
    })
}

/// Services whose clients look closely at what they get.
fn known(request: &Request, host: &str, path: &str) -> Option<Answer> {
    let posts = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if host == "api.telegram.org" || path.starts_with("/bot") && path.contains(':') {
        return Some(Answer::json(
            r#"{"ok":true,"result":{"message_id":7,"date":1700000000,"chat":{"id":1,"type":"private"},"from":{"id":1,"is_bot":true,"first_name":"b","username":"b_bot"}}}"#,
        ));
    }
    if path.starts_with("/gists") || path.starts_with("/repos/") && posts {
        let body = r#"{"id":"5f2c8ad0b917e4c3","number":1,"html_url":"https://gist.github.com/5f2c8ad0b917e4c3","url":"https://api.github.com/gists/5f2c8ad0b917e4c3","content":{"sha":"9d1a64508b3f7c2e"},"files":{}}"#;
        return Some(Answer { status: 201, ..Answer::json(body) });
    }
    if path.starts_with("/api/webhooks/") && posts {
        return Some(Answer { status: 204, ..Answer::text("") });
    }
    if host == "hooks.slack.com" {
        return Some(Answer::text("ok"));
    }
    if path.starts_with("/api/v1/crates") {
        return Some(Answer::json(if posts {
            r#"{"ok":true,"warnings":{"invalid_categories":[],"invalid_badges":[],"other":[]}}"#
        } else {
            r#"{"crates":[],"users":[],"ok":true,"meta":{"total":0,"next_page":null}}"#
        }));
    }
    // "What is my address?", asked of many.
    if ["ipify", "ifconfig", "icanhazip", "ipinfo", "checkip", "ip-api", "myip"].iter().any(|word| host.contains(word)) {
        let json = host.contains("ip-api") || host.contains("ipinfo") || request.target.contains("json");
        return Some(if json {
            Answer::json(r#"{"ip":"84.115.212.37","query":"84.115.212.37","country":"Austria","countryCode":"AT","status":"success"}"#)
        } else {
            Answer::text("84.115.212.37\n")
        });
    }
    None
}

/// By the name's ending.
fn file(last: &str, path: &str) -> Option<Answer> {
    let program_here = || goods::program(machine(path));
    Some(match last {
        _ if last.ends_with(".tar.gz") || last.ends_with(".tgz") || last.ends_with(".crate") => {
            Answer::of("application/gzip", goods::gzip(&goods::tar("agent", &program_here())))
        }
        _ => match last.rsplit_once('.')?.1 {
            "json" => Answer::json(YES),
            "txt" | "md" | "log" | "csv" => Answer::text("ok\n"),
            "html" | "htm" | "php" => Answer::of("text/html; charset=utf-8", PAGE),
            "sh" | "bash" => Answer::of("application/x-sh", SCRIPT),
            "py" | "rb" => Answer::text("pass\n"),
            "js" | "mjs" => Answer::of("text/javascript", ";\n"),
            "toml" | "yaml" | "yml" | "cfg" | "conf" | "ini" => Answer::text("\n"),
            "tar" => Answer::of("application/x-tar", goods::tar("agent", &program_here())),
            "gz" => Answer::of("application/gzip", goods::gzip(&program_here())),
            "zip" | "jar" | "whl" => Answer::of("application/zip", goods::zip("agent", &program_here())),
            "elf" | "bin" | "exe" | "out" | "run" | "so" | "dat" => program(path),
            _ => return None,
        },
    })
}

fn program(path: &str) -> Answer {
    Answer::of("application/octet-stream", goods::program(machine(path)))
}

/// The machine that the path names, else this one.
fn machine(path: &str) -> Machine {
    let path = path.to_ascii_lowercase();
    match path {
        _ if path.contains("aarch64") || path.contains("arm64") => Machine::Aarch64,
        _ if path.contains("x86_64") || path.contains("amd64") || path.contains("x64") => Machine::X86_64,
        _ => Machine::HERE,
    }
}

fn has_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(host: &str, target: &str) -> Answer {
        to(&Request { method: "GET".into(), target: target.into(), ..Request::default() }, host)
    }

    #[test]
    fn downloads_are_what_was_asked_for() {
        for (target, begins) in [
            ("/x/agent-linux-aarch64", &b"\x7fELF"[..]),
            ("/payload.bin?x=1", b"\x7fELF"),
            ("/install.sh", b"#!/bin/sh\n"),
            ("/i", b"#!/bin/sh\n"),
            ("/a.tar.gz", b"\x1f\x8b"),
            ("/a.zip", b"PK\x03\x04"),
            ("/a.tar", b"agent\0"),
            ("/config.json", b"{\"ok\":true"),
            ("/", b"<!doctype html>"),
            ("/notes.txt", b"ok\n"),
        ] {
            assert!(get("files.example", target).body.starts_with(begins), "{target}");
        }
        assert_eq!(get("h", "/agent-aarch64").body[18], 183);
        assert_eq!(get("h", "/agent-amd64").body[18], 62);
    }

    #[test]
    fn services_say_yes_in_json() {
        let post = |host: &str, target: &str| to(&Request { method: "POST".into(), target: target.into(), ..Request::default() }, host);
        for answer in [
            post("x.example", "/collect"),
            post("api.telegram.org", "/bot123:abc/sendMessage"),
            post("api.github.com", "/gists"),
            get("api.example", "/v1/me"),
            get("h", "/api/v1/crates?q=serde"),
        ] {
            let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(told["ok"] == true || told["id"].is_string(), "{told}");
        }
        assert_eq!(post("discord.com", "/api/webhooks/1/x").status, 204);
    }

    #[test]
    fn on_the_wire() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let whole = text(Answer::text("hello").written("Mon", true, false));
        assert!(
            whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with("Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"),
            "{whole}"
        );
        assert!(text(Answer::text("hello").written("Mon", false, true)).ends_with("Content-Length: 5\r\nConnection: close\r\n\r\n"));
        let empty = Answer { status: 204, ..Answer::text("") };
        assert!(!text(empty.written("Mon", true, false)).contains("Content-Length"));
    }
}
