//! What is done to decoys is let happen, and nothing else is: the same acts, here and there.

use super::*;
use crate::judge::Decoys;
use crate::model::Mode;

const ROOT: &str = "/t/r";
const CLOSED: [&str; 2] = ["/home/u", "/usr/local/cargo"];

fn lured(mode: Mode, root: &str) -> Policy {
    with_more(mode, root, &[])
}

fn with_more(mode: Mode, root: &str, more: &[&str]) -> Policy {
    let home = format!("{ROOT}/home/alex");
    let places = Places {
        workspace: Some(format!("{home}/work/tidemark").into()),
        target: format!("{home}/work/target").into(),
        build: format!("{home}/work/target").into(),
        toolchain: "/home/u/.rustup/toolchains/stable".into(),
        cargo_home: format!("{home}/.cargo").into(),
        home: Some(home.into()),
        tmp: format!("{ROOT}/tmp/brig-1").into(),
        report_dir: "/t/reports".into(),
        ..Places::default()
    };
    let mut profile = crate::plan::load("default", None).expect("embedded");
    profile.mode = mode;
    profile.decoys = Some(Decoys {
        root: root.into(),
        more: more.iter().map(Into::into).collect(),
        laid: vec!["/run/secrets".into()],
        kept: vec!["/home/u/.rustup/toolchains/stable".into()],
        given: vec!["/t/ssl/ca-certificates.crt".into()],
        closed: CLOSED.map(Into::into).to_vec(),
    });
    profile.resolve(&places, &ActorFacts::new(BuildScript, format!("{ROOT}/tmp/brig-1/00000001")))
}

fn file() -> Option<Object> {
    Some(Object { dev: 1, ino: 1, kind: ObjectKind::File })
}

fn ip(address: &str) -> Endpoint {
    Endpoint::Ip { protocol: "tcp".into(), address: address.parse().unwrap(), host: None }
}

/// What `enforce` refuses or blanks, and a decoy is there for.
fn on_decoys() -> Vec<Act> {
    let of = |path: &str| Hostile::from(&*format!("{ROOT}/{path}"));
    vec![
        Act::Read { path: of("home/alex/.ssh/id_ed25519") },
        Act::Read { path: of("home/alex/work/tidemark/.env") },
        Act::Read { path: of("home/alex/work/tidemark/.git/config") },
        Act::Write { path: of("home/alex/.bashrc") },
        Act::Create { path: of("home/alex/.config/autostart/x.desktop") },
        Act::Rename { from: of("home/alex/.env"), to: of("tmp/x") },
        Act::Exec { path: of("tmp/drop"), argv: vec!["drop".into()] },
        Act::Connect { to: ip("203.0.113.7:443") },
        Act::Send { to: ip("203.0.113.7:53") },
        Act::Lookup { name: "x.example".into(), via: ip("127.0.0.53:53") },
    ]
}

/// Of the user's, of others, of the kernel.
fn elsewhere() -> Vec<Act> {
    let decoy = || Hostile::from(&*format!("{ROOT}/home/alex/x"));
    vec![
        Act::Read { path: "/home/u/.ssh/id_ed25519".into() },
        Act::Read { path: "/usr/local/cargo/credentials.toml".into() },
        Act::Read { path: "/usr/local/cargo/config.toml".into() },
        Act::Read { path: "/t/reports/report.json".into() },
        Act::Write { path: "/t/reports/report.json".into() },
        Act::Create { path: "/t/rx".into() },
        Act::Write { path: "/home/u/.bashrc".into() },
        Act::Rename { from: decoy(), to: "/home/u/x".into() },
        Act::Rename { from: "/home/u/x".into(), to: decoy() },
        Act::Link { from: "/home/u/.ssh/id_ed25519".into(), to: decoy() },
        Act::Exec { path: "/home/u/bin/x".into(), argv: vec!["x".into()] },
        Act::Exec { path: "/tmp/x".into(), argv: vec!["x".into()] },
        Act::Connect { to: Endpoint::UnixPath { path: "/run/docker.sock".into() } },
        Act::Connect { to: Endpoint::UnixAbstract { name: "x".into() } },
        Act::Socket { family: "packet".into(), kind: "raw".into() },
        Act::Signal { signal: "SIGKILL".into(), to: "bash".into() },
        Act::Tamper { call: "ptrace".into(), detail: "x".into() },
        Act::Read { path: "/proc/1/environ".into() },
    ]
}

#[test]
fn decoys_may_be_taken_and_nothing_else() {
    let policy = lured(Mode::Decoy, ROOT);
    for act in on_decoys() {
        let judged = policy.judge(&act, file());
        assert_eq!(judged.verdict, Verdict::Decoy, "{act:?}: {judged:?}");
    }
    for act in elsewhere() {
        let judged = policy.judge(&act, file());
        assert!(judged.refused(), "{act:?}: {judged:?}");
    }
    assert_eq!(policy.judge(&Act::Read { path: "/t/ssl/ca-certificates.crt".into() }, file()).verdict, Verdict::Allow);
    assert!(policy.judge(&Act::Read { path: "/t/ssl/sent.json".into() }, file()).refused());
    // A program of the system is let run, with the name it broke a rule by.
    let act = Act::Exec { path: "/usr/bin/curl".into(), argv: vec!["curl".into()] };
    let judged = policy.judge(&act, file());
    assert_eq!((judged.verdict, judged.breach.map(|breach| breach.rule)), (Verdict::Decoy, Some(Rule::ExecDownloader)));
    // The user's compiler is read and run as ever, wherever it lies.
    let act = Act::Read { path: "/home/u/.rustup/toolchains/stable/lib/rustlib/x".into() };
    assert_eq!(policy.judge(&act, file()).verdict, Verdict::Allow);
}

/// Common directories and the user's home are the trial's in its own tree of files. What is the user's there all the same is no decoy.
#[test]
fn what_is_the_trials_alone_is_a_decoy_but_for_what_is_kept() {
    let (without, with) = (lured(Mode::Decoy, ROOT), with_more(Mode::Decoy, ROOT, &["/tmp", "/home/u"]));
    let exec = |path: &str| Act::Exec { path: path.into(), argv: vec!["x".into()] };
    for act in [
        Act::Create { path: "/tmp/x".into() },
        exec("/tmp/x"),
        Act::Write { path: "/home/u/.bashrc".into() },
        Act::Rename { from: "/tmp/x".into(), to: format!("{ROOT}/x").as_str().into() },
    ] {
        assert!(without.judge(&act, file()).refused(), "{act:?}");
        assert_eq!(with.judge(&act, file()).verdict, Verdict::Decoy, "{act:?}");
    }
    let kept = "/home/u/.rustup/toolchains/stable/lib/librustc_driver.so";
    for act in [
        Act::Write { path: kept.into() },
        Act::Create { path: format!("{kept}.2").as_str().into() },
        Act::Remove { path: kept.into() },
        Act::Rename { from: kept.into(), to: "/tmp/x".into() },
        Act::Link { from: kept.into(), to: "/tmp/x".into() },
        Act::Create { path: "/tmpx".into() },
        Act::Write { path: "/home/v/x".into() },
    ] {
        assert!(with.judge(&act, file()).refused(), "{act:?}");
    }
    assert_eq!(with.judge(&Act::Read { path: kept.into() }, file()).verdict, Verdict::Allow);
    // What was laid in the system's place can be read alone.
    assert_eq!(with.judge(&Act::Read { path: "/run/secrets/db".into() }, file()).verdict, Verdict::Decoy);
    assert!(with.judge(&Act::Write { path: "/run/secrets/db".into() }, file()).refused());
}

/// The mode without a place, and a place without the mode, are enforce.
#[test]
fn without_its_place_or_its_mode_nothing_is_a_decoy() {
    for (mode, root) in [(Mode::Enforce, ROOT), (Mode::Decoy, "/"), (Mode::Decoy, "")] {
        let policy = lured(mode, root);
        for act in on_decoys() {
            let judged = policy.judge(&act, file());
            assert!(judged.refused() || judged.verdict == Verdict::Redact, "{mode:?} {root:?} {act:?}: {judged:?}");
        }
    }
}

/// Both walls are of one policy: the kernel grants no more than the decoys, and ends where the user's own begins.
#[test]
fn the_kernel_is_granted_the_decoys_and_no_more() {
    let (enforced, lured) = (lured(Mode::Enforce, ROOT), lured(Mode::Decoy, ROOT));
    let new =
        |a: &[std::path::PathBuf], b: &[std::path::PathBuf]| -> Vec<_> { b.iter().filter(|tree| !a.contains(tree)).cloned().collect() };
    assert!(enforced.kernel.write.iter().all(|tree| lured.kernel.write.contains(tree)));
    assert_eq!(new(&enforced.kernel.write, &lured.kernel.write), new(&enforced.kernel.write, &[ROOT.into()]));
    let trees = || lured.kernel.read.iter().chain(&lured.kernel.exec);
    for closed in CLOSED {
        let inside = |tree: &&std::path::PathBuf| tree.starts_with(closed) && !tree.starts_with("/home/u/.rustup/toolchains");
        assert!(
            !trees().any(|tree| inside(&tree) || std::path::Path::new(closed).starts_with(tree) && std::path::Path::new(closed).exists())
        );
    }
}
