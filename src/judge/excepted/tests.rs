//! What exceptions open, and what they do not: a policy as the profile has it beside one with an exception.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::judge::{Places, SecretLists, Secrets};
use crate::model::{ActorKind, Candidate, Exception, Mode, Verdict};

pub(in crate::judge) fn plain(mode: Mode) -> Policy {
    let places = Places { workspace: Some("/w".into()), target: "/w/target".into(), build: "/w/target".into(), ..Places::default() };
    Policy {
        decoys: None,
        shift: None,
        hostname: None,
        profile: "default".into(),
        mode,
        kind: ActorKind::BuildScript,
        read: vec!["/usr".into(), "/w".into()],
        write: vec!["/w/target/out".into()],
        exec: vec!["/usr/bin".into()],
        patterns: Default::default(),
        kernel: crate::judge::KernelGrants { exec: vec!["/usr/bin".into()], ..Default::default() },
        exact: true,
        connect: Vec::new(),
        unix: Vec::new(),
        records: Default::default(),
        secrets: Arc::new(Secrets::compile(&places, &SecretLists::default()).unwrap()),
        places: Arc::new(places),
        own: Default::default(),
        made: Default::default(),
        reviewed: Vec::new(),
        granted: Vec::new(),
        without: None,
        for_all: None,
        accepted: None,
        scripts: Vec::new(),
    }
}

fn granted() -> Granted {
    let by = Exception {
        whom: "x@1.0.0".into(),
        actor: ActorKind::BuildScript,
        grants: Vec::new(),
        reason: "r".into(),
        expires: "never".into(),
        by: None,
        origin: "brig.toml:1".into(),
        wide: false,
    };
    let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    Granted {
        by: Arc::new(by),
        read: paths(&["/srv/data", "/w/.env", "/home/u/.ssh"]),
        write: paths(&["/w/gen", "/srv/run-*"]),
        exec: paths(&["/usr/bin/curl"]),
        connect: vec!["cdn.example:443".into(), "10.0.0.7:5432".into()],
        unix: paths(&["/run/db.sock"]),
        arguments: Vec::new(),
        via: Vec::new(),
        reveal: Vec::new(),
        objects: None,
    }
}

fn excepting(granted: Granted, mode: Mode) -> Policy {
    let mut policy = plain(mode);
    policy.without = Some(Arc::new(policy.clone()));
    policy.read.extend(granted.read.iter().cloned());
    let (patterns, trees): (Vec<_>, Vec<_>) = granted.write.iter().cloned().partition(|path| path.to_string_lossy().contains('*'));
    policy.patterns.write = patterns;
    policy.write.extend(trees);
    policy.exec.extend(granted.exec.iter().cloned());
    policy.kernel.exec.extend(granted.exec.iter().cloned());
    policy.connect.extend(granted.connect.iter().cloned());
    policy.unix.extend(granted.unix.iter().cloned());
    policy.granted = vec![granted];
    policy
}

fn file() -> Option<Object> {
    Some(Object { dev: 1, ino: 1, kind: ObjectKind::File })
}

fn ip(address: &str, host: Option<&str>) -> Endpoint {
    Endpoint::Ip { protocol: "tcp".into(), address: address.parse().unwrap(), host: host.map(Into::into) }
}

#[test]
fn what_the_exception_names_and_nothing_beside() {
    let policy = excepting(granted(), Mode::Enforce);
    let exec = |path: &str| Act::Exec { path: path.into(), argv: Vec::new() };
    for (act, allowed, spent) in [
        (Act::Read { path: "/srv/data/x".into() }, true, 1),
        (Act::Read { path: "/srv/other".into() }, false, 0),
        (Act::Read { path: "/usr/x".into() }, true, 0),
        (Act::Read { path: "/w/.env".into() }, true, 1),
        (Act::Read { path: "/w/sub/.env".into() }, false, 0),
        (Act::Read { path: "/home/u/.ssh/id_ed25519".into() }, false, 0),
        (Act::Write { path: "/w/.env".into() }, false, 0),
        (Act::Create { path: "/w/gen/x.rs".into() }, true, 1),
        (Act::Create { path: "/srv/run-77/x".into() }, true, 1),
        (Act::Create { path: "/w/target/out/x".into() }, true, 0),
        (Act::Create { path: "/w/src/x.rs".into() }, false, 0),
        (Act::Rename { from: "/w/target/out/x".into(), to: "/w/gen/x".into() }, true, 1),
        (Act::Rename { from: "/w/gen/x".into(), to: "/w/src/x".into() }, false, 0),
        (exec("/usr/bin/curl"), true, 1),
        (exec("/usr/bin/wget"), false, 0),
        (exec("/usr/bin/cc"), true, 0),
        (Act::Connect { to: ip("203.0.113.7:443", Some("cdn.example")) }, true, 1),
        (Act::Connect { to: ip("203.0.113.7:443", None) }, false, 0),
        (Act::Connect { to: ip("203.0.113.7:80", Some("cdn.example")) }, false, 0),
        (Act::Connect { to: ip("10.0.0.7:5432", None) }, true, 1),
        (Act::Lookup { name: "cdn.example".into(), via: Endpoint::Other { name: "nss".into() } }, true, 1),
        (Act::Lookup { name: "x.cdn.example".into(), via: Endpoint::Other { name: "nss".into() } }, false, 0),
        (Act::Connect { to: Endpoint::UnixPath { path: "/run/db.sock".into() } }, true, 1),
        (Act::Connect { to: Endpoint::UnixPath { path: "/run/docker.sock".into() } }, false, 0),
    ] {
        let judgement = policy.judge(&act, file());
        assert_eq!(!judgement.refused(), allowed, "{act:?}: {judgement:?}");
        let by = policy.spent(&act, file(), &judgement);
        assert_eq!(by.as_ref().map_or(0, |spent| spent.by.len()), spent, "{act:?}");
        assert!(by.is_none_or(|spent| spent.otherwise.refused()), "{act:?}");
    }
}

#[test]
fn a_program_that_has_to_be_told_certain_words_first() {
    let words = |words: &[&str]| words.iter().map(|word| Hostile::from(*word)).collect::<Vec<_>>();
    let told = Granted { arguments: vec!["-V".into(), "x y".into()], ..granted() };
    let mut policy = excepting(told.clone(), Mode::Enforce);
    for (argv, allowed) in [
        (&["curl", "-V", "x y"][..], true),
        (&["other", "-V", "x y", "z"], true),
        (&["curl", "-V"], false),
        (&["curl", "-V", "x", "y"], false),
        (&["curl", "-Vx", "x y"], false),
        (&["-V", "x y"], false),
        (&[], false),
    ] {
        let act = Act::Exec { path: "/usr/bin/curl".into(), argv: words(argv) };
        let judgement = policy.judge(&act, file());
        assert_eq!(!judgement.refused(), allowed, "{argv:?}: {judgement:?}");
        assert_eq!(policy.spent(&act, file(), &judgement).is_some(), allowed, "{argv:?}");
    }
    // What the profile lets run needs no such words, and another exception may ask for none.
    let act = |path: &str| Act::Exec { path: path.into(), argv: words(&["x"]) };
    assert!(!policy.judge(&act("/usr/bin/cc"), file()).refused());
    policy.granted.push(Granted { arguments: Vec::new(), ..told });
    assert!(!policy.judge(&act("/usr/bin/curl"), file()).refused());
}

/// The record of an observed run lists what would have been refused, and what is excepted would not.
#[test]
fn observing_counts_uses_too() {
    let policy = excepting(granted(), Mode::Observe);
    for (path, spent) in [("/srv/data/x", true), ("/srv/other", false)] {
        let act = Act::Read { path: path.into() };
        let judgement = policy.judge(&act, file());
        assert_eq!((judgement.breach.is_none(), policy.spent(&act, file(), &judgement).is_some()), (spent, spent), "{path}");
    }
}

#[test]
fn a_secret_is_handed_over_whole_or_by_variables() {
    let act = Act::Read { path: "/w/.env".into() };
    let whole = excepting(granted(), Mode::Enforce);
    assert_eq!((whole.judge(&act, file()).verdict, whole.revealed_in(b"/w/.env")), (Verdict::Allow, None));
    let some = excepting(Granted { reveal: vec!["A".into()], ..granted() }, Mode::Enforce);
    assert_eq!((some.judge(&act, file()).verdict, some.revealed_in(b"/w/.env")), (Verdict::Redact, Some(vec!["A"])));
    // No other file, and no directory: what lies in it tomorrow nobody has seen.
    assert_eq!(some.revealed_in(b"/w/.env.local"), None);
    let ssh = Act::Read { path: "/home/u/.ssh".into() };
    let directory = Some(Object { kind: ObjectKind::Directory, ..file().unwrap() });
    assert!(whole.naming(b"/home/u/.ssh", directory).next().is_none());
    assert!(whole.judge(&ssh, directory).refused() || whole.secrets.class_of(b"/home/u/.ssh").is_none());
    // A second name of it is none that was named.
    assert!(whole.judge(&Act::Link { from: "/w/.env".into(), to: "/w/target/out/x".into() }, file()).refused());
    assert!(some.judge(&Act::Link { from: "/w/.env".into(), to: "/w/target/out/x".into() }, file()).refused());
}

#[test]
fn a_macros_exception_wants_the_macro_alone_on_the_stack() {
    let own = "/w/target/debug/deps/libm-0123456789abcdef.so";
    let granted = Granted { objects: Some(vec![own.into()]), ..granted() };
    let found = |object: Option<&str>| Candidate { name: "m".into(), function: None, object: object.map(Into::into), package: None };
    let blame = |crates: Vec<Candidate>, caveat: Option<&str>| Blame { crates, by: "stack".into(), caveat: caveat.map(str::to_owned) };
    for (stack, ok) in [
        (blame(vec![found(Some(own))], None), true),
        (blame(vec![found(Some(own)), found(Some("/w/target/debug/deps/libn-fedcba9876543210.so"))], None), false),
        (blame(vec![found(None)], None), false),
        (blame(Vec::new(), None), false),
        (blame(vec![found(Some(own))], Some("the stack could not be walked to its end")), false),
    ] {
        assert_eq!(granted.is_for(&stack), ok, "{stack:?}");
    }
}

#[test]
fn by_one_library_of_a_program() {
    let via = |names: &[&str], reveal: &[&str]| Granted {
        via: names.iter().map(|name| (*name).to_owned()).collect(),
        reveal: reveal.iter().map(|name| (*name).to_owned()).collect(),
        ..granted()
    };
    let stack = |names: &[&str]| Blame {
        crates: names.iter().map(|name| Candidate { name: (*name).into(), function: None, object: None, package: None }).collect(),
        by: "stack".into(),
        caveat: None,
    };
    // Two exceptions are about one act, each about a part of it: the part for some of the code decides.
    let of_all = Granted { write: vec!["/w/gen".into()], read: vec!["/w".into()], ..granted() };
    let of_some = Granted { via: vec!["dotenvy".into()], write: vec!["/w/keep".into()], read: vec!["/w/.env".into()], ..granted() };
    let mut two = excepting(of_all.clone(), Mode::Enforce);
    two.for_all = Some(Arc::new(two.clone()));
    two.read.extend(of_some.read.iter().cloned());
    two.write.extend(of_some.write.iter().cloned());
    two.granted.push(of_some);
    let by = |act: Act| {
        let judgement = two.judge(&act, file());
        let spent = two.spent(&act, file(), &judgement).expect("an exception allows it");
        spent.by.iter().map(|granted| granted.asks_who()).collect::<Vec<_>>()
    };
    assert_eq!(by(Act::Rename { from: "/w/gen/x".into(), to: "/w/keep/x".into() }), [true]);
    assert_eq!(by(Act::Read { path: "/w/.env".into() }), [true]);
    assert_eq!(by(Act::Rename { from: "/w/gen/x".into(), to: "/w/gen/y".into() }), [false]);
    let one = via(&["dotenvy"], &["A"]);
    for (names, ok) in [(&["dotenvy", "app"][..], true), (&["app", "dotenvy"], true), (&["dotenv", "app"], false), (&[], false)] {
        assert_eq!(one.is_for(&stack(names)), ok, "{names:?}");
    }
    assert!(one.asks_who() && one.in_environment().is_empty() && !via(&[], &["A"]).asks_who());
    // What some of a program may read is not what all of it may.
    let mut both = excepting(one.clone(), Mode::Enforce);
    assert_eq!(both.revealed_in(b"/w/.env"), Some(vec!["A"]));
    both.granted.push(via(&[], &["B"]));
    assert_eq!(both.revealed_in(b"/w/.env"), Some(vec!["B"]));
    both.granted.push(via(&["other"], &[]));
    assert_eq!(both.revealed_in(b"/w/.env"), Some(vec!["B"]));
}

#[test]
fn a_lookup_is_for_whom_the_exception_is() {
    let policy = excepting(Granted { via: vec!["alpha".into()], ..granted() }, Mode::Enforce);
    let lookup = Act::Lookup { name: "cdn.example.".into(), via: ip("127.0.0.53:53", None) };
    let judgement = policy.judge(&lookup, None);
    let spent = policy.spent(&lookup, None, &judgement).unwrap();
    let by = |names: &[&str]| {
        let one = |name: &&str| Candidate { name: (*name).to_owned(), function: None, object: None, package: None };
        Blame { crates: names.iter().map(one).collect(), by: "stack".into(), caveat: None }
    };
    let counts = |blame: Option<Blame>| spent.counting(blame.as_ref()).len();
    assert_eq!((counts(Some(by(&["beta"]))), counts(None), counts(Some(by(&["beta", "alpha"])))), (0, 0, 1));
    let all = excepting(granted(), Mode::Enforce);
    assert_eq!(all.spent(&lookup, None, &judgement).unwrap().counting(None).len(), 1);
}
