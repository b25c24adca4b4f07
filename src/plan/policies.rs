//! The policy as a table: who does what, in which mode, and what is said to it. The profiles used are the embedded ones. Here: how a row is
//! written and checked; the rows are in the files below.

mod decoys;
mod grants;
mod network;
mod programs;
mod reads;
mod writes;

use crate::judge::{Places, Policy};
use crate::model::act::ObjectKind;
use crate::model::{Act, ActorKind, Endpoint, Hostile, Judgement, Object, Rule, Severity, Verdict};
use crate::plan::actor_facts::ActorFacts;
use ActorKind::{BuildScript, Program, Rustc, Rustdoc, Tool};
use Severity::{Critical, High, Info, Low, Medium};

mod records;
mod shared;

fn places() -> Places {
    Places {
        workspace: Some("/home/u/app".into()),
        target: "/home/u/app/target".into(),
        toolchain: "/home/u/.rustup/toolchains/stable".into(),
        cargo_home: "/home/u/.cargo".into(),
        rustup_home: Some("/home/u/.rustup".into()),
        home: Some("/home/u".into()),
        members: vec!["/home/u/app".into(), "/home/u/app/member".into()],
        tmp: "/tmp/brig-1".into(),
        report_dir: "/home/u/app/target/brig".into(),
        ci_files: vec!["/home/u/ci/set_env_1".into()],
        linkers: vec!["/usr/bin/x86_64-linux-gnu-gcc-12".into(), "/usr/libexec/gcc".into()],
        agents: vec!["/home/u/agents/my.sock".into()],
        ..Places::default()
    }
}

fn policy_of(profile: &str, kind: ActorKind) -> Policy {
    let mut facts = ActorFacts::new(kind, "/tmp/brig-1/7");
    facts.package_dir = Some(match kind {
        BuildScript => "/home/u/.cargo/registry/src/idx/foo-sys-1.0.0".into(),
        _ => "/home/u/app".into(),
    });
    facts.outputs = match kind {
        BuildScript => vec!["/home/u/app/target/debug/build/foo-sys-1/out".into()],
        Rustc => vec!["/home/u/app/target/debug/deps".into(), "/home/u/app/target/debug/incremental".into()],
        Rustdoc => vec!["/home/u/app/target/doc".into()],
        _ => Vec::new(),
    };
    facts.program = Some(match kind {
        BuildScript => SCRIPT.into(),
        _ => "/home/u/.rustup/toolchains/stable/bin/rustc".into(),
    });
    facts.package_name = Some(if kind == BuildScript { "foo-sys".into() } else { "app".into() });
    facts.extra_filename = (kind == Rustc).then(|| "-00112233aabbccdd".to_owned());
    facts.crate_name = matches!(kind, Rustc | Rustdoc).then(|| "foo".to_owned());
    crate::plan::load(profile, None).expect("embedded").resolve(&places(), &facts)
}

fn file() -> Option<Object> {
    Some(Object { dev: 1, ino: 2, kind: ObjectKind::File })
}

fn dir() -> Option<Object> {
    Some(Object { dev: 1, ino: 3, kind: ObjectKind::Directory })
}

fn read(path: &str) -> Act {
    Act::Read { path: path.into() }
}

fn write(path: &str) -> Act {
    Act::Write { path: path.into() }
}

fn create(path: &str) -> Act {
    Act::Create { path: path.into() }
}

fn exec(path: &str, argv: &[&str]) -> Act {
    Act::Exec { path: path.into(), argv: argv.iter().map(|text| Hostile::from(*text)).collect() }
}

fn ip(address: &str, host: Option<&str>) -> Endpoint {
    Endpoint::Ip { protocol: "tcp".into(), address: address.parse().expect("address"), host: host.map(Hostile::from) }
}

fn connect(address: &str) -> Act {
    Act::Connect { to: ip(address, None) }
}

fn unix(path: &str) -> Act {
    Act::Connect { to: Endpoint::UnixPath { path: path.into() } }
}

/// What a table expects.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expect {
    Allow,
    Quiet,
    Redact,
    Alarm(Rule, Severity),
    Note(Rule),
}
use Expect::{Alarm, Allow, Note, Quiet, Redact};

fn said(judgement: &Judgement) -> Expect {
    match (&judgement.verdict, &judgement.breach) {
        (Verdict::Allow, None) => Allow,
        (Verdict::Redact | Verdict::Decoy, None) => Redact,
        (Verdict::Refuse(_), None) => Quiet,
        (Verdict::Refuse(_), Some(breach)) => Alarm(breach.rule, breach.severity),
        (_, Some(breach)) => Note(breach.rule),
    }
}

fn check(profile: &str, rows: &[(ActorKind, Act, Option<Object>, Expect)]) {
    let mut wrong = Vec::new();
    for (kind, act, object, expected) in rows {
        let judgement = policy_of(profile, *kind).judge(act, *object);
        if said(&judgement) != *expected {
            wrong.push(format!("{kind:?} {act:?}: expected {expected:?}, got {judgement:?}"));
        }
        if profile == "default" {
            let observed = policy_of("observe", *kind).judge(act, *object);
            let always = act.is_hostile();
            let rules = [&judgement, &observed].map(|judgement| judgement.breach.as_ref().map(|breach| (breach.rule, breach.severity)));
            if (observed.refused() && !always) || rules[0] != rules[1] {
                wrong.push(format!("{kind:?} {act:?}: observe says {observed:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "profile {profile}:\n{}", wrong.join("\n"));
}

const OUT: &str = "/home/u/app/target/debug/build/foo-sys-1/out";
const SCRIPT: &str = "/home/u/app/target/debug/build/foo-sys-2/build-script-build";
