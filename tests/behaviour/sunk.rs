//! A sink in place of the internet (`--sink`): every name resolves, every port answers, what was sent is told by the canaries in it, and nothing leaves.
//!
//! There is no control under plain cargo: this harm would really leave. That the fixture does it is told by the sink, byte by byte; that it did not leave, by
//! who listens on this machine's own loopback at the very ports, and by the routes of the namespace, of which there are none.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::place::{Place, visit};
use crate::run::{Outcome, guarded};
use crate::sink::Door;
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// Listeners of both kinds at an address of this machine that others could reach, where it has one.
fn here() -> Option<(TcpListener, UdpSocket, SocketAddr)> {
    // Only asks for the way there: connecting a datagram socket sends nothing (udp(7)).
    let probe = UdpSocket::bind("0.0.0.0:0").ok()?;
    probe.connect("192.0.2.1:9").ok()?;
    let tcp = TcpListener::bind((probe.local_addr().ok()?.ip(), 0)).ok()?;
    let at = tcp.local_addr().ok()?;
    let udp = UdpSocket::bind(at).ok()?;
    tcp.set_nonblocking(true).ok()?;
    udp.set_nonblocking(true).ok()?;
    Some((tcp, udp, at))
}

fn sunk(place: &Place, options: &[&str], here: Option<SocketAddr>) -> (Outcome, PathBuf) {
    let dir = place.path("run/sink");
    let canaries = json!([{ "value": format!("{}-dotenv", place.canary), "place": "<workspace>/.env", "name": "ZOO_SECRET" }]);
    place.write(&dir.join("canaries.json"), &canaries.to_string());
    let options = [&["--sink", dir.to_str().unwrap()], options].concat();
    let mut run = guarded(place, &options, BUILD).env("ZOO_SINK", &dir);
    if let Some(here) = here {
        run = run.env("ZOO_HERE", here.to_string());
    }
    (run.go(), dir)
}

fn said(place: &Place) -> String {
    let mut said = String::new();
    visit(&place.target(), &mut |path| {
        if path.ends_with("output") {
            said += &std::fs::read_to_string(path).unwrap_or_default();
        }
    });
    said
}

fn told(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("sent.json")).unwrap()).unwrap()
}

/// How the secret was written in the entry that this is true of.
fn carried<'v>(sent: &'v Value, name: &str, fits: impl Fn(&Value) -> bool) -> Vec<(&'v Value, &'v str)> {
    let entries = sent["entries"].as_array().unwrap().iter().filter(|entry| fits(entry));
    let canary = |entry: &'v Value| entry["canaries"].as_array().unwrap().iter().find(|canary| canary["name"] == name);
    entries.filter_map(|entry| Some((entry, canary(entry)?["encoding"].as_str()?))).collect()
}

#[test]
fn everything_is_heard_and_nothing_leaves() {
    for who in Who::all() {
        let place = Place::new("sunk", who);
        let listening = here();
        let (outcome, dir) = sunk(&place, &["--mode", "observe"], listening.as_ref().map(|(.., at)| *at));
        outcome.exits(0);
        let (said, sent) = (said(&place), told(&dir));
        for line in [
            "posted: HTTP/1.1 200 OK",
            "second stage: exit status: 0",
            "credentials: HTTP/1.1 200 OK",
            "own server: hello",
            "neighbour: failed, ConnectionRefused",
            "scanned: 400",
        ] {
            assert!(said.contains(&format!("zoo: {line}\n")), "as {who:?}: {line}\n{said}\n{outcome}");
        }
        assert!(said.contains("zoo: unknown name: failed"), "as {who:?}: {said}\n{outcome}");
        let host = |name: &'static str| move |entry: &Value| entry["host"] == name;
        let [(post, "plain")] = carried(&sent, "ZOO_SECRET", host("collect.evil.test"))[..] else {
            panic!("as {who:?}: {sent:#}\n{outcome}")
        };
        assert_eq!((&post["summary"], &post["protocol"]), (&json!("POST /collect"), &json!("http")), "as {who:?}");
        assert!(post["to"].as_str().unwrap().ends_with(":80") && post["pid"] != 0 && post["cut"] == false, "as {who:?}: {post}");
        assert!(post["program"].as_str().unwrap().contains("build-script"), "as {who:?}: {post}");
        let [(_, "reversed")] = carried(&sent, "ZOO_SECRET", host("drop.evil.test"))[..] else { panic!("as {who:?}: {sent:#}\n{outcome}") };
        let names = carried(&sent, "ZOO_SECRET", |entry| entry["protocol"] == "dns");
        assert!(names.len() >= 3 && names.iter().all(|(_, how)| *how == "hex"), "as {who:?}: {names:#?}\n{outcome}");
        let [(_, "plain")] = carried(&sent, "SecretAccessKey", |_| true)[..] else { panic!("as {who:?}: {sent:#}\n{outcome}") };
        if !said.contains("not installed") {
            assert!(said.contains("zoo: curl, plain: 200") && said.contains("zoo: curl, trusting: 200"), "as {who:?}: {said}\n{outcome}");
            assert_eq!(carried(&sent, "ZOO_SECRET", host("curl.evil.test")).len(), 1, "as {who:?}: {sent:#}");
            let within = carried(&sent, "ZOO_SECRET", host("secure.evil.test"));
            assert!(within.len() == 1 && within[0].0["protocol"] == "https", "as {who:?}: {within:#?}");
            let doubts = |entry: &&Value| entry["protocol"] == "tls" && entry["summary"].as_str().unwrap().contains("secure.evil.test");
            assert_eq!(sent["entries"].as_array().unwrap().iter().filter(doubts).count(), 1, "as {who:?}: {sent:#}");
        }
        assert_eq!(sent["limits"], json!([]), "as {who:?}: {sent:#}");
        // It is in the record as ever.
        let recorded = outcome.report()["behaviour"].as_array().unwrap().iter();
        let connects = recorded.filter(|one| one["act"] == "connect" && one["to"]["host"] == "collect.evil.test").count();
        assert!(connects > 0, "as {who:?}\n{outcome}");
        for door in [Door::Tcp, Door::Udp] {
            assert!(place.sinks.heard(door).is_empty(), "as {who:?}: {door:?} was reached\n{outcome}");
        }
        if let Some((tcp, udp, at)) = listening {
            let is_late = |kind: ErrorKind| kind == ErrorKind::WouldBlock;
            assert!(tcp.accept().is_err_and(|error| is_late(error.kind())), "as {who:?}: {at} was reached\n{outcome}");
            assert!(udp.recv(&mut [0; 64]).is_err_and(|error| is_late(error.kind())), "as {who:?}: {at} was reached\n{outcome}");
            let heard = carried(&sent, "ZOO_SECRET", |entry| entry["to"] == at.to_string());
            assert_eq!(heard.len(), 2, "as {who:?}: by both ways: {heard:#?}\n{outcome}");
            assert!(said.contains("zoo: here: HTTP/1.1 200 OK"), "as {who:?}: {said}");
        }
        captured(&dir, &format!("{}-dotenv", place.canary));
        let har: Value = serde_json::from_slice(&std::fs::read(dir.join("network.har")).unwrap()).unwrap();
        let urls = |entry: &Value| entry["request"]["url"] == "http://collect.evil.test/collect?v=1";
        assert!(har["log"]["entries"].as_array().unwrap().iter().any(urls), "as {who:?}: {har:#}");
    }
}

/// Reads the capture by its own lengths, and finds the secret in a packet's payload.
fn captured(dir: &Path, secret: &str) {
    let capture = std::fs::read(dir.join("network.pcapng")).unwrap();
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut packets, mut found) = (0, 0, false);
    while at < capture.len() {
        let length = word(at + 4);
        assert_eq!(word(at + length - 4), length, "both lengths of a block");
        if word(at) == 6 {
            let packet = &capture[at + 28..at + 28 + word(at + 20)];
            found |= packet.windows(secret.len()).any(|window| window == secret.as_bytes());
            packets += 1;
        }
        at += length;
    }
    assert!(packets > 20 && found, "{packets} packets");
}

#[test]
fn without_a_private_network_there_is_no_sink() {
    for who in Who::all() {
        let place = Place::new("sunk", who);
        let dir = place.path("run/sink");
        let options = ["--mode", "observe", "--sink", dir.to_str().unwrap()];
        let outcome = guarded(&place, &options, BUILD).env("BRIG_TEST_SOCKETS", "loopback-device").env("ZOO_SINK", &dir).go();
        outcome.exits(104);
        assert!(outcome.stderr_text().contains("network namespace for each actor"), "as {who:?}\n{outcome}");
        assert_eq!(said(&place), "", "as {who:?}: it ran\n{outcome}");
        let (outcome, _) = sunk(&place, &["--mode", "enforce"], None);
        outcome.exits(2);
    }
}
