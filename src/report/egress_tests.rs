//! The list, golden, and that nothing gets onto it that the walls have closed.

use super::*;
use crate::model::{ActorId, Mode, Rule, Severity};
use crate::report::samples::*;
use crate::report::{Material, assemble};

fn list(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn to(protocol: &str, address: &str, host: Option<&str>) -> Endpoint {
    Endpoint::Ip { protocol: protocol.into(), address: address.parse().unwrap(), host: host.map(Into::into) }
}

/// What a firewall would be given: lines that are no comments.
fn open(list: &str) -> Vec<&str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn material_of_all() -> Material {
    let mut material = material();
    let lookup = |name: &str| Act::Lookup { name: name.into(), via: to("udp", "192.0.2.53:53", None) };
    material.behaviours = vec![
        did(BUILD, Act::Connect { to: to("tcp", "198.51.100.7:443", Some("mirror.example")) }, Status::Allowed, 2),
        did(TESTS, Act::Connect { to: to("tcp", "198.51.100.7:443", Some("mirror.example")) }, Status::Allowed, 1),
        did(BUILD, lookup("mirror.example"), Status::Allowed, 2),
        did(BUILD, Act::Send { to: to("udp", "[2001:db8::1]:123", None) }, Status::Allowed, 1),
        did(TESTS, Act::Connect { to: to("tcp", "127.0.0.1:8080", None) }, Status::Allowed, 9),
        did(TESTS, Act::Bind { to: to("tcp", "0.0.0.0:80", None) }, Status::Allowed, 1),
        did(BUILD, Act::Send { to: to("raw", "198.51.100.9:0", None) }, Status::Allowed, 1),
    ];
    let (mut event, n) = breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High);
    event.blame = stack(&[("chrono_anchor", None), ("app", None)]);
    material.breaches = vec![(event, n), breach(BUILD, 400, lookup("thief.example"), Rule::NetDns, Severity::High)];
    material
}

#[test]
fn below_each_destination_is_who_needs_it() {
    let list = list(&assemble(&material_of_all(), &facts(), &Graph));
    let expected = "# Where the code of this build went: `host:port`, one a line, below who needs it.\n\
        # What begins with `#` is closed, or was open only while nothing was refused; `grep -v '^#'` leaves the rest.\n\
        # Left out, as no firewall sees it: what was after an address of this machine itself (×9), done or refused.\n\
        \n# build script of `quickfetch-sys` 0.3.2: raw\n#198.51.100.9:0\n\
        \n# `chrono_anchor` 0.1.0, in the tests of `app` 0.1.0: tcp, refused\n#203.0.113.7:443\n\
        \n# build script of `quickfetch-sys` 0.3.2: udp\n[2001:db8::1]:123\n\
        \n# build script of `quickfetch-sys` 0.3.2: tcp (×2)\n# tests of `app` 0.1.0: tcp\nmirror.example:443\n\
        \n# build script of `quickfetch-sys` 0.3.2: dns, refused\n# thief.example (looked up, and no more)\n";
    assert_eq!(list, expected);
    assert_eq!(open(&list), ["[2001:db8::1]:123", "mirror.example:443"]);
}

#[test]
fn nowhere_is_an_answer_too() {
    assert!(list(&assemble(&material(), &facts(), &Graph)).ends_with("\n\n# Nobody went anywhere.\n"));
    // Refused on the way to this machine itself: somebody went somewhere.
    let mut material = material();
    material.breaches = vec![breach(TESTS, 1200, connect("127.0.0.1:8080"), Rule::NetConnect, Severity::High)];
    let near = list(&assemble(&material, &facts(), &Graph));
    let left = "# Left out, as no firewall sees it: what was after an address of this machine itself, done or refused.\n";
    assert!(near.ends_with(&format!("{left}\n# Nobody was after anything beyond this machine.\n")), "{near}");
}

#[test]
fn what_was_open_only_while_nothing_was_refused_is_no_policy() {
    let mut material = material_of_all();
    material.breaches.iter_mut().for_each(|(event, _)| event.status = Status::Observed);
    let mut facts = facts();
    (facts.run.mode, facts.run.phases.fetched) = (Mode::Observe, true);
    let list = list(&assemble(&material, &facts, &Graph));
    assert!(list.contains(": tcp, let through, enforce would refuse it\n#203.0.113.7:443\n"), "{list}");
    assert!(list.contains("# Cargo itself had a network"), "{list}");
    assert_eq!(open(&list).len(), 2);
}

#[test]
fn names_of_others_make_no_entries() {
    let mut material = material();
    let attacks = ["a\nevil.example:443", "*.example", "#x", "[x", "", "-x", "a b", "x/y", "\u{202e}x", "*"];
    let connects = attacks.iter().map(|name| Act::Connect { to: to("tcp\nevil.example:1", "198.51.100.7:443", Some(name)) });
    let lookups = attacks.iter().map(|name| Act::Lookup { name: (*name).into(), via: to("udp", "192.0.2.53:53", None) });
    material.behaviours = connects.chain(lookups).map(|act| did(BUILD, act, Status::Allowed, 1)).collect();
    material.actors[1].package = Some(package("x\nevil.example:443", "1\nevil.example:443"));
    let mut report = assemble(&material, &facts(), &Graph);
    report.behaviour.push(did(999, connect("198.51.100.8:1"), Status::Allowed, 1));
    report.behaviour[0].actor = ActorId(999);
    let list = list(&report);
    assert_eq!(open(&list), ["198.51.100.7:443", "198.51.100.8:1"], "{list}");
    assert!(list.lines().all(|line| line.is_ascii() || line.starts_with("# ")), "{list}");
}
