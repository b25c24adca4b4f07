//! The policy as a table: who does what, in which mode, and what is said to it. The profiles used are the embedded ones.

use std::path::Path;
use std::sync::Arc;

use crate::judge::{Places, Policy, Reach, Secrets};
use crate::model::act::ObjectKind;
use crate::model::{Act, ActorKind, Endpoint, Hostile, Judgement, Object, Rule, Severity, Verdict};
use crate::plan::profile::ActorFacts;
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
        (Verdict::Redact, None) => Redact,
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

#[test]
fn reads() {
    let secret = Alarm(Rule::SecretRead, High);
    let outside = |severity| Alarm(Rule::FsReadOutside, severity);
    check(
        "default",
        &[
            (BuildScript, read("/usr/include/stdio.h"), file(), Allow),
            (BuildScript, read("/etc/passwd"), file(), Allow),
            (BuildScript, read("/home/u/app/src/lib.rs"), file(), Allow),
            (BuildScript, read("/home/u/app/proto/a.proto"), file(), Allow),
            (BuildScript, read("/home/u/.cargo/registry/src/idx/bar-2/.env"), file(), Allow),
            (BuildScript, read("/home/u/.cargo/registry/src/idx/bar-2/tests/server.key"), file(), Allow),
            (BuildScript, read("/home/u/app/target/debug/build/z-1/out/z.h"), file(), Allow),
            (BuildScript, read("/home/u/app/target/debug/.fingerprint/z-1/run-build-script-x.json"), file(), secret),
            (Rustc, read("/home/u/app/target/x/debug/.fingerprint/z-1/run-build-script-x.json"), file(), secret),
            (Program, read("/home/u/app/target/debug/.fingerprint/z-1/run-build-script-x.json"), file(), Quiet),
            (Program, read("/home/u/app/target/debug/.fingerprint/z-1/lib-z"), file(), Allow),
            (Program, read("/home/u/app/target/tests/debug/.fingerprint/z-1/lib-z.json"), file(), Allow),
            (BuildScript, read("/home/u/.rustup/settings.toml"), file(), Allow),
            (BuildScript, read("/dev/null"), file(), Allow),
            (BuildScript, read("pipe:[4711]"), None, Allow),
            (BuildScript, read("/home/u/app/.env"), file(), secret),
            (BuildScript, read("/home/u/app/.ENV.Local"), file(), secret),
            (BuildScript, read("/home/u/app/.env"), None, Quiet),
            (Rustc, read("/home/u/app/.env"), file(), secret),
            (Program, read("/home/u/app/.env"), file(), secret),
            (Rustc, read("/home/.env"), None, Quiet),
            (Rustc, read("/.env"), file(), secret),
            (BuildScript, read("/home/u/app/.env.example"), file(), Allow),
            (Program, read("/home/u/app/tests/certs/server.key"), file(), Allow),
            (Program, read("/home/u/app/tests/fixtures/ca.pem"), file(), Allow),
            (Rustc, read("/home/u/app/certs/ca.pem"), file(), Allow),
            (Rustc, read("/home/u/app/certs/server.key"), file(), secret),
            (BuildScript, read("/home/u/.ssh/id_ed25519"), file(), secret),
            (BuildScript, read("/home/u/.ssh"), dir(), Alarm(Rule::SecretRead, Medium)),
            (BuildScript, read("/home/u/.cargo/credentials.toml"), file(), secret),
            (BuildScript, read("/etc/shadow"), file(), secret),
            (BuildScript, read("/etc/ssl/certs/ca.pem"), file(), Allow),
            (BuildScript, read("/etc/ssl/private"), dir(), Allow),
            (BuildScript, read("/etc/ssl/private/host.key"), file(), Quiet),
            (BuildScript, read("/opt"), dir(), Allow),
            (BuildScript, read("/"), dir(), Allow),
            (BuildScript, read("/home"), dir(), Quiet),
            (BuildScript, read("/home/u/.gitconfig"), file(), Redact),
            (BuildScript, read("/home/u/app/.git/config"), file(), Redact),
            (BuildScript, read("/home/u/.cargo/config.toml"), file(), Redact),
            (BuildScript, read("/home/u/other/.git/config"), file(), outside(Medium)),
            (BuildScript, read("/home/u/.terminfo"), dir(), Quiet),
            (BuildScript, read("/home/u/.inputrc"), file(), Quiet),
            (BuildScript, read("/home/u/.config/pkgconfig/x.pc"), file(), Quiet),
            (BuildScript, read("/home/u/.cmake/packages/Foo"), dir(), Quiet),
            (BuildScript, read("/home/u/Cargo.toml"), file(), Quiet),
            (BuildScript, read("/home/Cargo.toml"), file(), Quiet),
            (BuildScript, read("/home/u/.sometool"), file(), outside(Info)),
            (BuildScript, read("/home/u/Documents/x"), file(), outside(Medium)),
            (BuildScript, read("/home/v/x"), file(), outside(High)),
            (BuildScript, read("/srv/data"), file(), outside(Medium)),
            (Program, read("/srv/data"), file(), outside(Low)),
            (BuildScript, read("/dev/pts/3"), file(), Quiet),
            (Program, read("/dev/tty"), file(), Allow),
            (Tool, read("/home/u/.ssh/id_ed25519"), file(), Allow),
            (Rustdoc, read("/home/u/app/src/lib.rs"), file(), Allow),
        ],
    );
}

#[test]
fn proc_entries() {
    let tamper = Alarm(Rule::ProcTamper, High);
    let call = |call: &str| Act::Tamper { call: call.into(), detail: "".into() };
    check(
        "default",
        &[
            (Rustc, read("/proc/self/maps"), file(), Allow),
            (Rustc, read("/proc/self/statm"), file(), Allow),
            (Rustc, read("/proc/sys/vm/overcommit_memory"), file(), Allow),
            (BuildScript, read("/proc/cpuinfo"), file(), Allow),
            (BuildScript, read("/proc/self/net/tcp"), file(), Quiet),
            (BuildScript, read("/proc/self/task/7/net/unix"), file(), Quiet),
            (BuildScript, read("/proc/self/net/if_inet6"), file(), Allow),
            (Program, read("/proc/thread-self/net/udp6"), file(), Quiet),
            (Tool, read("/proc/self/net/tcp"), file(), Allow),
            (BuildScript, read("/proc/1/environ"), file(), Quiet),
            (BuildScript, read("/proc/1/cmdline"), file(), Quiet),
            (BuildScript, read("/proc/1/task/2/cmdline"), file(), Quiet),
            (BuildScript, read("/proc"), dir(), Allow),
            (BuildScript, read("/proc/1/comm"), file(), Allow),
            (BuildScript, read("/proc/1/status"), file(), Allow),
            (BuildScript, read("/proc/1/task/2/stat"), file(), Allow),
            (BuildScript, read("/proc/1"), dir(), Quiet),
            (BuildScript, read("/proc/1/mem"), file(), tamper),
            (BuildScript, read("/proc/1/maps"), file(), tamper),
            (BuildScript, read("/proc/1/task/2/mem"), file(), tamper),
            (BuildScript, read("/proc/1/fd/3"), file(), tamper),
            (BuildScript, read("/proc/kcore"), file(), Alarm(Rule::SecretRead, High)),
            (BuildScript, write("/proc/self/oom_score_adj"), file(), Allow),
            (BuildScript, write("/proc/sysrq-trigger"), file(), tamper),
            (BuildScript, write("/proc/1/mem"), file(), tamper),
            (BuildScript, call("ptrace"), None, tamper),
            (Program, call("io_uring_setup"), None, Alarm(Rule::ProcTamper, Medium)),
            (BuildScript, Act::Survive { exe: "/x".into() }, None, Alarm(Rule::ProcSurvivor, High)),
            (BuildScript, Act::Withhold { name: "X".into() }, None, Note(Rule::EnvWithheld)),
        ],
    );
}

#[test]
fn writes() {
    let outside = |severity| Alarm(Rule::FsWriteOutside, severity);
    let persist = Alarm(Rule::FsPersist, High);
    let foreign = |severity| Alarm(Rule::FsForeignArtifact, severity);
    let source = |severity| Alarm(Rule::FsWriteSource, severity);
    let link = |from: &str, to: &str| Act::Link { from: from.into(), to: to.into() };
    let rename = |from: &str, to: &str| Act::Rename { from: from.into(), to: to.into() };
    let metadata = |path: &str| Act::Metadata { call: "chmod".into(), path: path.into() };
    check(
        "default",
        &[
            (BuildScript, create(&format!("{OUT}/gen.rs")), None, Allow),
            (BuildScript, create(&format!("{OUT}/repo/.git/hooks/x")), None, Allow),
            (BuildScript, create("/tmp/brig-1/7/ccA.s"), None, Allow),
            (BuildScript, create("/home/u/app/target/cxxbridge/foo-sys/x.h"), None, Allow),
            (BuildScript, write("/dev/null"), file(), Allow),
            (BuildScript, write("/dev/pts/1"), file(), Allow),
            // Writing to them is everybody's, they themselves are the machine's.
            (BuildScript, metadata("/dev/null"), file(), Quiet),
            (Rustc, metadata("/dev/null"), file(), Quiet),
            (BuildScript, Act::Remove { path: "/dev/null".into() }, file(), outside(High)),
            (BuildScript, rename(&format!("{OUT}/a"), "/dev/null"), file(), outside(High)),
            (BuildScript, rename("/dev/null", &format!("{OUT}/a")), file(), outside(High)),
            (Program, Act::Remove { path: "/dev/urandom".into() }, file(), outside(High)),
            (Program, metadata("/dev"), dir(), Quiet),
            (Program, metadata("/dev/pts/1"), file(), Allow),
            (BuildScript, create("/home/u/app/target/debug/build/other-1/out/x"), None, foreign(High)),
            (BuildScript, create("/home/u/app/target/debug/deps/libz.so.1"), None, foreign(High)),
            (BuildScript, create("/home/u/app/target/gn_out"), None, outside(Medium)),
            (BuildScript, write("/home/u/.cargo/registry/src/idx/bar-2/build.rs"), file(), foreign(High)),
            (BuildScript, write("/home/u/.cargo/registry/src/idx/bar-2/.cargo/config.toml"), file(), foreign(High)),
            (BuildScript, create("/home/u/.cargo/registry/src/idx/foo-sys-1.0.0/gen.rs"), None, foreign(Medium)),
            (BuildScript, write("/home/u/.rustup/toolchains/stable/bin/rustc"), file(), Alarm(Rule::FsPersist, Critical)),
            (BuildScript, write("/home/u/.cargo/bin/cargo"), file(), persist),
            (BuildScript, create("/home/u/.cargo/config.toml"), None, persist),
            (BuildScript, write("/home/u/.cargo/.package-cache"), file(), Quiet),
            // A nested cargo's memory of rustc: refused all the same, and only that file, only by whom cargo is started.
            (BuildScript, write("/home/u/app/target/.rustc_info.json"), file(), Quiet),
            (BuildScript, create("/home/u/app/target/.rustc_info.json"), None, Quiet),
            (BuildScript, Act::Remove { path: "/home/u/app/target/.rustc_info.json".into() }, file(), outside(Medium)),
            (BuildScript, write("/home/u/app/target/debug/.rustc_info.json"), file(), foreign(High)),
            (Rustc, write("/home/u/app/target/.rustc_info.json"), file(), outside(Medium)),
            (BuildScript, write("/home/u/.cargo/.global-cache"), file(), Quiet),
            (BuildScript, write("/home/u/.bashrc"), file(), persist),
            (BuildScript, create("/home/u/.ssh/authorized_keys"), None, persist),
            (BuildScript, create("/home/u/.config/systemd/user/x.service"), None, persist),
            (BuildScript, create("/etc/ld.so.preload"), None, persist),
            (BuildScript, create("/home/u/app/.git/hooks/pre-commit"), None, persist),
            (BuildScript, create("/home/u/app/.cargo/config.toml"), None, persist),
            (Rustc, create("/home/u/app/.git/index.lock"), None, Quiet),
            (BuildScript, create("/home/u/app/scripts/__pycache__/x.pyc"), None, Quiet),
            (BuildScript, write("/home/u/app/src/lib.rs"), file(), source(High)),
            (BuildScript, write("/home/u/app/Cargo.lock"), file(), source(High)),
            (BuildScript, create("/home/u/app/.vscode/tasks.json"), None, source(High)),
            (BuildScript, create("/home/u/app/.github/workflows/x.yml"), None, source(High)),
            (BuildScript, create("/home/u/app/bindings/x.txt"), None, source(Medium)),
            (BuildScript, create("/home/u/app/brig.toml"), None, persist),
            (BuildScript, create("/home/u/app/target/brig/report.json"), None, persist),
            (BuildScript, create("/tmp/rust-setup"), None, outside(Medium)),
            (BuildScript, create("/home/u/notes.txt"), None, outside(High)),
            (BuildScript, create("/home/u/.cache/ccache/x"), None, Quiet),
            (BuildScript, write("/home/u/ci/set_env_1"), file(), Alarm(Rule::CiCommandFile, High)),
            (Tool, write("/home/u/ci/set_env_1"), file(), Alarm(Rule::CiCommandFile, High)),
            (BuildScript, write("/w/_temp/_runner_file_commands/set_env_2"), file(), Alarm(Rule::CiCommandFile, High)),
            (BuildScript, link("/home/u/.ssh/id_rsa", &format!("{OUT}/x")), file(), Alarm(Rule::SecretRead, High)),
            (BuildScript, rename("/home/u/app/.env", &format!("{OUT}/x")), file(), Alarm(Rule::SecretRead, High)),
            (BuildScript, rename(&format!("{OUT}/a"), &format!("{OUT}/b")), file(), Allow),
            (BuildScript, Act::Symlink { target: "/x".into(), path: format!("{OUT}/l").as_str().into() }, None, Allow),
            (BuildScript, metadata("/home/u/.ssh/id_rsa"), file(), persist),
            (Rustc, create("/home/u/app/target/debug/deps/libfoo-00112233aabbccdd.rlib"), None, Allow),
            (Rustc, create("/home/u/app/target/debug/deps/rmetaAb12Cd"), None, Allow),
            (Rustc, write("/home/u/app/target/debug/deps/libbar-ffffffffffffffff.rlib"), file(), foreign(High)),
            (Rustc, create("/home/u/app/target/debug/deps/foo-00112233aabbccdd.8c1f2.rcgu.o"), None, Allow),
            (Rustc, create("/home/u/app/target/debug/deps/stAb12Cd"), None, Allow),
            (Rustc, create("/home/u/app/target/debug/deps/.tmpV7PD0P.temp-archive"), None, Allow),
            (Rustc, create("/home/u/app/target/debug/deps/libz.so.1"), None, foreign(High)),
            (Rustc, create("/home/u/app/target/debug/deps/libserde-0.rlib"), None, foreign(High)),
            (Rustc, create("/home/u/app/target/debug/deps/libevil-00112233aabbccdd-ffffffffffffffff.so"), None, foreign(High)),
            // Link-time optimization: what is made of others' code, named after both.
            (
                Rustc,
                create("/home/u/app/target/debug/deps/foo-00112233aabbccdd.std-ffffffffffffffff.std.0f-cgu.0.rcgu.o.rcgu.o"),
                None,
                Allow,
            ),
            (Rustc, create("/home/u/app/target/debug/deps/foo-00112233aabbccdd.std-ffffffffffffffff.so"), None, foreign(High)),
            (Rustc, create("/home/u/app/target/debug/deps/bar-ffffffffffffffff.foo-00112233aabbccdd.rcgu.o"), None, foreign(High)),
            (Rustc, rename("/home/u/app/target/debug/deps", "/home/u/app/target/debug/incremental/foo-1/d"), dir(), foreign(High)),
            (Rustc, create("/home/u/app/target/debug/incremental/foo-1abc/s-x/dep-graph.bin"), None, Allow),
            (Rustc, write("/home/u/app/target/debug/incremental/bar-1abc/s-x/x.o"), file(), foreign(High)),
            (Rustc, write("/home/u/app/target/debug/incremental/foo_bar-1abc/s-x/x.o"), file(), foreign(High)),
            // A second name for what may not be written would be a way to write it.
            (BuildScript, link("/home/u/app/src/lib.rs", &format!("{OUT}/x")), file(), Quiet),
            (BuildScript, link("/home/u/app/.git/config", &format!("{OUT}/x")), file(), Alarm(Rule::SecretRead, High)),
            (BuildScript, link("/home/u/.rustup/toolchains/stable/lib/libx.so", &format!("{OUT}/x")), file(), Quiet),
            (BuildScript, link(&format!("{OUT}/a"), &format!("{OUT}/b")), file(), Allow),
            (
                Rustc,
                link(
                    "/home/u/app/target/debug/deps/libbar-ffffffffffffffff.rlib",
                    "/home/u/app/target/debug/deps/libfoo-00112233aabbccdd.x",
                ),
                file(),
                foreign(High),
            ),
            (BuildScript, link("/home/u/app/target/debug/deps/libbar-ffffffffffffffff.rlib", &format!("{OUT}/x")), file(), Quiet),
            // Freshness is in times and modes.
            (Rustc, metadata("/home/u/app/target/debug/deps/libbar-ffffffffffffffff.rlib"), file(), foreign(High)),
            (Rustc, metadata("/home/u/app/target/debug/deps/libfoo-00112233aabbccdd.rlib"), file(), Allow),
            (Rustc, metadata("/home/u/app/target/debug/deps"), dir(), foreign(High)),
            // What somebody else keeps there for a moment.
            (Rustc, write("/home/u/app/target/debug/deps/rmetaXy34Zz/full.rmeta"), file(), foreign(High)),
            (Rustc, create("/home/u/app/target/debug/deps/rustcXy34Zz/symbols.o"), None, foreign(High)),
            (Rustc, write("/home/u/app/target/debug/deps/stXy34Zz"), file(), foreign(High)),
            (Rustc, rename("/home/u/app/target/debug/deps/rustcXy34Zz", "/home/u/app/target/debug/deps/rustcAb12Cd"), dir(), foreign(High)),
            (Rustc, create("/home/u/app/target/debug/build/other-1/out/x"), None, foreign(High)),
            (Program, create("/home/u/app/target/tmp/x"), None, Allow),
            (Program, create("/home/u/app/tests/snapshots/a.snap.new"), None, Allow),
            (Program, write("/home/u/app/proptest-regressions/a.txt"), file(), Allow),
            (Program, write("/home/u/app/src/lib.rs"), file(), source(High)),
            (Program, create("/home/u/app/.vscode/tasks.json"), None, source(High)),
            (Program, create("/home/u/app/brig.lock"), None, persist),
            (Program, create("/dev/shm/x"), None, Allow),
            (Tool, create("/home/u/.cargo/git/db/x"), None, Allow),
        ],
    );
}

/// rustix 0.38 and its like probe with `rustc --emit=metadata -o - -`, in their own package.
#[test]
fn what_a_compiler_leaves_beside_a_script_for_a_moment() {
    let package = "/home/u/.cargo/registry/src/idx/foo-sys-1.0.0";
    let at = |rest: &str| format!("{package}/{rest}");
    let refused = |policy: &Policy, act: Act| policy.judge(&act, None).refused();
    for profile in ["default", "strict"] {
        let policy = policy_of(profile, BuildScript);
        let (directory, file) = (at("rmetaAb12Cd"), at("rmetaAb12Cd/full.rmeta"));
        // Nothing lies there before the directory was made, and made by this script.
        assert!(refused(&policy, create(&file)) && refused(&policy, write(&file)));
        assert!(refused(&policy_of(profile, Rustc), create(&directory)));
        assert!(!refused(&policy, create(&directory)));
        policy.done(&create(&directory));
        for act in
            [create(&file), write(&file), Act::Remove { path: file.as_str().into() }, Act::Remove { path: directory.as_str().into() }]
        {
            assert!(!refused(&policy, act.clone()), "{act:?}");
        }
        for act in [
            create(&at("rmetaAb12Cd/build.rs")),
            create(&at("rmetaAb12Cd/deeper/full.rmeta")),
            create(&at("rmetaAb12C")),
            create(&at("rmeta../..x")),
            create(&at("src/rmetaAb12Cd")),
            create("/home/u/.cargo/registry/src/idx/bar-1.0.0/rmetaAb12Cd"),
            write(&at("full.rmeta")),
            Act::Symlink { target: "/home/u/.netrc".into(), path: file.as_str().into() },
            Act::Rename { from: file.as_str().into(), to: at("build.rs").as_str().into() },
            Act::Metadata { call: "chmod".into(), path: directory.as_str().into() },
        ] {
            assert!(refused(&policy, act.clone()), "{act:?}");
        }
        assert_eq!(crate::judge::scratch::left(&policy), [Path::new(&directory)]);
        policy.done(&Act::Remove { path: directory.as_str().into() });
        assert!(crate::judge::scratch::left(&policy).is_empty() && refused(&policy, create(&file)));
        // Not without end.
        for n in 0..100 {
            policy.done(&create(&at(&format!("rmeta{n:06}"))));
        }
        assert!(refused(&policy, create(&directory)));
    }
}

#[test]
fn programs_run() {
    let unexpected = |severity| Alarm(Rule::ExecUnexpected, severity);
    let downloader = Alarm(Rule::ExecDownloader, High);
    let dropped = Alarm(Rule::ExecDropped, High);
    check(
        "default",
        &[
            (BuildScript, exec("/usr/bin/make", &["make"]), file(), Allow),
            (BuildScript, exec("/usr/bin/git", &["git"]), file(), Allow),
            (BuildScript, exec("/home/u/.cargo/bin/rustup", &["rustc"]), file(), Allow),
            (BuildScript, exec("/home/u/.rustup/toolchains/stable/bin/rustc", &["rustc"]), file(), Allow),
            (BuildScript, exec(&format!("{OUT}/conftest"), &["conftest"]), file(), Allow),
            (BuildScript, exec(SCRIPT, &["build-script-build"]), file(), Allow),
            // Its own program is that one file: not another's, nothing beside it, and not for writing.
            (BuildScript, exec("/home/u/app/target/debug/build/bar-3/build-script-build", &["x"]), file(), dropped),
            (BuildScript, exec("/home/u/app/target/debug/build/foo-sys-2/other", &["x"]), file(), dropped),
            (BuildScript, write(SCRIPT), file(), Alarm(Rule::FsForeignArtifact, High)),
            (BuildScript, exec("/home/u/.cargo/registry/src/idx/protoc-1/bin/protoc", &["protoc"]), file(), Allow),
            (BuildScript, exec("/nonexistent/bin/cc", &["cc"]), None, Quiet),
            (BuildScript, exec("/usr/bin/curl", &["curl", "-s"]), file(), downloader),
            (BuildScript, exec("/usr/bin/nc.openbsd", &["nc"]), file(), downloader),
            (BuildScript, exec("/usr/bin/busybox", &["busybox", "wget"]), file(), downloader),
            (BuildScript, exec("/usr/bin/busybox", &["busybox", "ls"]), file(), Allow),
            (Program, exec("/usr/bin/curl", &["curl"]), file(), Allow),
            (BuildScript, exec("/usr/bin/sudo", &["sudo", "-n"]), file(), unexpected(High)),
            (BuildScript, exec("/home/u/app/tool", &["tool"]), file(), unexpected(Medium)),
            (BuildScript, exec("/tmp/rust-setup", &["x"]), file(), dropped),
            (BuildScript, exec("/tmp/brig-1/7/x", &["x"]), file(), dropped),
            (BuildScript, exec("/memfd:x (deleted)", &["x"]), file(), dropped),
            (BuildScript, exec("/dev/shm/x", &["x"]), file(), dropped),
            (BuildScript, exec("/usr/lib64/ld-linux-x86-64.so.2", &["ld.so", "/tmp/x"]), file(), dropped),
            (BuildScript, exec("/usr/lib64/ld-linux-x86-64.so.2", &["ld.so", "--verify", "/usr/bin/ls"]), file(), Allow),
            (Rustc, exec("/usr/bin/x86_64-linux-gnu-gcc-12", &["cc"]), file(), Allow),
            (Rustc, exec("/usr/libexec/gcc/x86_64-linux-gnu/12/collect2", &["collect2"]), file(), Allow),
            (Rustc, exec("/home/u/.rustup/toolchains/stable/bin/rustfmt", &["rustfmt"]), file(), unexpected(Medium)),
            (Rustc, exec("/usr/bin/dash", &["sh"]), file(), unexpected(Medium)),
            (Rustc, exec("/usr/bin/curl", &["curl"]), file(), downloader),
            (Rustc, exec(&format!("{OUT}/cc"), &["cc"]), file(), dropped),
            (Rustc, exec("/home/u/app/target/debug/deps/x", &["x"]), file(), dropped),
            (Rustdoc, exec("/tmp/brig-1/7/rust_out", &["x"]), file(), Allow),
            (Program, exec("/home/u/app/target/debug/app", &["app"]), file(), Allow),
            (Program, exec("/home/u/app/target/tmp/x", &["x"]), file(), dropped),
            (Program, exec("/tmp/brig-1/7/rust-setup", &["x"]), file(), dropped),
            (Program, exec("/home/u/app/target/tests/trybuild/debug/x", &["x"]), file(), Allow),
            (Tool, exec("/usr/bin/ssh", &["ssh"]), file(), Allow),
        ],
    );
}

/// A macro may ask git, which starts nobody and writes nothing for it: what git would run for its settings, aliases and hooks is refused.
#[test]
fn macros_that_ask_git() {
    let installed = crate::plan::placeholders::expand("git", &places(), None);
    assert!(!installed.is_empty(), "git is not installed: nothing was tried");
    for git in installed {
        let git = git.to_str().expect("a plain name");
        check("default", &[Rustc, Rustdoc].map(|kind| (kind, exec(git, &["git", "describe"]), file(), Allow)));
        let refused = Alarm(Rule::ExecUnexpected, Medium);
        check("strict", &[Rustc, Rustdoc].map(|kind| (kind, exec(git, &["git", "describe"]), file(), refused)));
    }
    let unexpected = Alarm(Rule::ExecUnexpected, Medium);
    check(
        "default",
        &[
            (Rustc, exec("/usr/bin/dash", &["sh", "-c", "x"]), file(), unexpected),
            (Rustc, exec("/usr/bin/less", &["less"]), file(), unexpected),
            (Rustc, exec("/usr/bin/ssh", &["ssh"]), file(), Alarm(Rule::ExecDownloader, High)),
            (Rustc, exec("/usr/lib/git-core/git-remote-https", &["git-remote-https"]), file(), unexpected),
            (Rustc, exec("/home/u/app/.git/hooks/post-checkout", &["x"]), file(), unexpected),
            (Rustc, create("/home/u/app/.git/index.lock"), None, Quiet),
            (Rustc, create("/home/u/app/.git/hooks/x"), None, Alarm(Rule::FsPersist, High)),
            (Rustc, write("/home/u/app/.git/config"), file(), Alarm(Rule::FsPersist, High)),
            (Rustc, read("/home/u/.git-credentials"), file(), Alarm(Rule::SecretRead, High)),
        ],
    );
}

/// What a macro may ask cargo it could find out itself; that cargo does more, nothing lets it.
#[test]
fn macros_that_ask_cargo() {
    let cargo = "/home/u/.rustup/toolchains/stable/bin/cargo";
    let asks = || exec(cargo, &["cargo", "locate-project", "--workspace"]);
    let unexpected = Alarm(Rule::ExecUnexpected, Medium);
    check("default", &[Rustc, Rustdoc].map(|kind| (kind, asks(), file(), Allow)));
    check("strict", &[(Rustc, asks(), file(), unexpected)]);
    check(
        "default",
        &[
            (Rustc, exec("/home/u/.rustup/toolchains/stable/bin/rustc", &["rustc", "-vV"]), file(), unexpected),
            (Rustc, exec("/home/u/.cargo/bin/cargo", &["cargo", "build"]), file(), unexpected),
            (Rustc, exec("/home/u/.cargo/bin/cargo-evil", &["cargo-evil", "evil"]), file(), unexpected),
            (Rustc, exec("/home/u/app/target/debug/build/bar-1/build-script-build", &["x"]), file(), Alarm(Rule::ExecDropped, High)),
            (Rustc, write("/home/u/.cargo/config.toml"), file(), Alarm(Rule::FsPersist, High)),
            (Rustc, write("/home/u/app/Cargo.lock"), file(), Alarm(Rule::FsWriteSource, High)),
            (Rustc, read("/home/u/.cargo/credentials.toml"), file(), Alarm(Rule::SecretRead, High)),
        ],
    );
}

#[test]
fn network_and_agents() {
    let net = |severity| Alarm(Rule::NetConnect, severity);
    let agent = Alarm(Rule::IpcAgent, High);
    let lookup = |name: &str| Act::Lookup { name: name.into(), via: ip("127.0.0.53:53", None) };
    let abstract_name = |name: &str| Act::Connect { to: Endpoint::UnixAbstract { name: name.into() } };
    let socket = |family: &str| Act::Socket { family: family.into(), kind: "raw".into() };
    check(
        "default",
        &[
            (BuildScript, connect("93.184.216.34:443"), None, net(High)),
            (BuildScript, Act::Send { to: ip("8.8.8.8:9", None) }, None, net(High)),
            (BuildScript, connect("169.254.169.254:80"), None, net(Critical)),
            (BuildScript, connect("[fd00:ec2::254]:80"), None, net(Critical)),
            (BuildScript, connect("[::ffff:169.254.169.254]:80"), None, net(Critical)),
            (BuildScript, connect("127.0.0.1:4226"), None, net(Medium)),
            (BuildScript, connect("8.8.8.8:53"), None, Alarm(Rule::NetDns, Medium)),
            (BuildScript, lookup("evil.example"), None, Alarm(Rule::NetDns, Medium)),
            (BuildScript, lookup("localhost"), None, Allow),
            (Program, connect("127.0.0.1:5432"), None, Allow),
            (Program, connect("[::1]:8080"), None, Allow),
            (Program, connect("93.184.216.34:443"), None, net(High)),
            (Tool, connect("93.184.216.34:443"), None, Allow),
            (BuildScript, unix("/run/user/1000/bus"), file(), agent),
            (BuildScript, unix("/var/run/docker.sock"), file(), agent),
            (Program, unix("/tmp/ssh-XXXX/agent.1"), file(), agent),
            (BuildScript, unix("/home/u/agents/my.sock"), file(), agent),
            (BuildScript, unix("/run/nscd/socket"), None, Quiet),
            (BuildScript, unix("/run/systemd/userdb/io.systemd.DynamicUser"), None, Quiet),
            (BuildScript, unix("/tmp/brig-1/7/s"), file(), Allow),
            (BuildScript, unix("/srv/pg/.s.PGSQL.5432"), file(), Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, abstract_name("/tmp/.X11-unix/X0"), None, agent),
            (Program, abstract_name("somebodys"), None, Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, abstract_name("somebodys"), None, Alarm(Rule::IpcAgent, Medium)),
            (BuildScript, Act::Bind { to: ip("127.0.0.1:0", None) }, None, Note(Rule::NetBind)),
            (Program, Act::Bind { to: ip("127.0.0.1:0", None) }, None, Allow),
            (BuildScript, socket("AF_VSOCK"), None, net(Medium)),
            (BuildScript, socket("netlink-audit"), None, Quiet),
        ],
    );
}

#[test]
fn strict_closes_the_workspace_to_crates() {
    check(
        "strict",
        &[
            (BuildScript, read("/home/u/app/src/lib.rs"), file(), Alarm(Rule::FsReadOutside, Medium)),
            (BuildScript, read("/home/u/app/Cargo.toml"), file(), Quiet),
            (BuildScript, read("/usr/include/stdio.h"), file(), Allow),
            (BuildScript, exec("/home/u/.rustup/toolchains/stable/bin/rustc", &["rustc"]), file(), Allow),
            (BuildScript, exec("/usr/bin/wget", &["wget"]), file(), Alarm(Rule::ExecDownloader, High)),
            (BuildScript, create(&format!("{OUT}/gen.rs")), None, Allow),
        ],
    );
}

#[test]
fn named_grants_open_what_wide_ones_do_not() {
    let mut policy = policy_of("default", BuildScript);
    policy.write.push("/home/u/app".into());
    policy.exec.push("/usr/bin/curl".into());
    policy.connect = vec!["cdn.example.org:443".into(), "*.files.example:*".into()];
    let rule = |policy: &Policy, act: &Act| policy.judge(act, file()).breach.map(|breach| breach.rule);
    assert_eq!(rule(&policy, &write("/home/u/app/src/generated.rs")), None);
    assert_eq!(rule(&policy, &write("/home/u/app/.git/hooks/x")), Some(Rule::FsPersist));
    assert_eq!(rule(&policy, &write("/home/u/app/brig.toml")), Some(Rule::FsPersist));
    assert_eq!(rule(&policy, &write("/home/u/app/.env")), Some(Rule::SecretRead));
    assert_eq!(rule(&policy, &exec("/usr/bin/curl", &["curl"])), None);
    policy.write.push("/home/u/app/.cargo/config.toml".into());
    assert_eq!(rule(&policy, &write("/home/u/app/.cargo/config.toml")), None);
    for (address, host, expected) in [
        ("1.2.3.4:443", Some("cdn.example.org"), Reach::Host),
        ("1.2.3.4:80", Some("cdn.example.org"), Reach::Nowhere),
        ("1.2.3.4:443", Some("evil-cdn.example.org"), Reach::Nowhere),
        ("1.2.3.4:443", None, Reach::Nowhere),
        ("1.2.3.4:9", Some("a.files.example"), Reach::Host),
        ("1.2.3.4:9", Some("files.example"), Reach::Nowhere),
        ("8.8.8.8:53", None, Reach::Resolver),
        ("169.254.169.254:443", Some("cdn.example.org"), Reach::Nowhere),
    ] {
        assert_eq!(policy.reach(&ip(address, host)), expected, "{address} {host:?}");
    }
    let lookup = |name: &str| Act::Lookup { name: name.into(), via: ip("127.0.0.53:53", None) };
    assert_eq!(rule(&policy, &lookup("CDN.example.org.")), None);
    assert_eq!(rule(&policy, &lookup("secret.cdn.example.org")), Some(Rule::NetDns));
}

#[test]
fn the_kernel_is_granted_no_secret() {
    for kind in [BuildScript, Rustc, Rustdoc, Program] {
        let policy = policy_of("default", kind);
        for tree in &policy.kernel.read {
            let private = ["/home/u/app", "/etc", "/home/u/.ssh", "/proc"].iter().any(|place| Path::new(place).starts_with(tree));
            assert!(!private, "{kind:?}: {}", tree.display());
        }
        // A program may run what lies in the target directory, so the kernel would let it read cargo's fingerprints there.
        let exact = kind != Program;
        assert_eq!(policy.may_pass(Path::new("/usr/include/stdio.h")), exact && Path::new("/usr/include").exists());
        assert_eq!(policy.may_pass(Path::new("/home/u/.cargo/registry/src/idx/foo-1/src/lib.rs")), exact);
        for closed in
            ["/home/u/app/src/lib.rs", "/usr/../home/u/x", "/usr//x", "/usr/./x", "usr/x", "/usr/x/.env", "/usr", "/etc/passwd", ""]
        {
            assert!(!policy.may_pass(Path::new(closed)) || closed == "/usr", "{closed}");
        }
    }
    assert!(!policy_of("observe", BuildScript).may_pass(Path::new("/usr/include/stdio.h")));
}

#[test]
fn a_hard_link_to_a_secret_is_the_secret() {
    let mut policy = policy_of("default", BuildScript);
    let secrets = Secrets::compile(&places(), &Default::default()).expect("compiles");
    policy.secrets = Arc::new(secrets.with_inodes([("/home/u/.ssh/id_rsa".into(), 1, 2)]));
    let judgement = policy.judge(&read("/home/u/app/notes.txt"), file());
    assert_eq!(said(&judgement), Alarm(Rule::SecretRead, High));
    assert!(judgement.breach.is_some_and(|breach| breach.reason.contains("ssh, by another name")));
}

#[test]
fn a_build_directory_of_its_own_counts_as_the_target_directory() {
    let places = Places { build: "/var/built".into(), ..places() };
    let policy = |kind, out: &str| {
        let mut facts = ActorFacts::new(kind, "/tmp/brig-1/7");
        facts.outputs = vec![out.into()];
        crate::plan::load("default", None).expect("embedded").resolve(&places, &facts)
    };
    let script = policy(BuildScript, "/var/built/debug/build/foo-sys-1/out");
    let program = policy(Program, "/var/built/none");
    for (policy, act, expected) in [
        (&script, read("/var/built/debug/build/other-1/out/x.h"), Allow),
        (&script, write("/var/built/debug/build/foo-sys-1/out/x.rs"), Allow),
        (&script, exec("/var/built/debug/build/foo-sys-1/out/probe", &["probe"]), Allow),
        (&script, create("/var/built/cxxbridge"), Allow),
        (&script, write("/var/built/debug/deps/libserde-1.rlib"), Alarm(Rule::FsForeignArtifact, High)),
        (&script, write("/home/u/app/target/debug/deps/libserde-1.rlib"), Alarm(Rule::FsForeignArtifact, High)),
        (&script, exec("/var/built/debug/other", &["other"]), Alarm(Rule::ExecDropped, High)),
        (&program, exec("/var/built/debug/deps/app-1", &["app"]), Allow),
        (&program, create("/var/built/tmp/x"), Allow),
    ] {
        assert_eq!(said(&policy.judge(&act, file())), expected, "{act:?}");
    }
}

#[test]
fn reasons_name_profile_and_class() {
    let breach = policy_of("default", BuildScript).judge(&read("/home/u/app/.env"), file()).breach.expect("breach");
    assert_eq!(breach.reason, "profile `default`: secrets (project env)");
}

/// Not a benchmark, a guard against accidental quadratic work: generous by a factor of twenty for debug builds.
#[test]
fn judging_is_fast() {
    let policy = policy_of("default", BuildScript);
    let acts = [read("/usr/include/x86_64-linux-gnu/bits/types/struct_iovec.h"), read("/home/u/app/target/debug/deps/libserde-1.rmeta")];
    const ROUNDS: u32 = 100;
    // The best of many short spells: on a busy machine some of them are interrupted, not all.
    let spell = || {
        let start = std::time::Instant::now();
        for _ in 0..ROUNDS {
            for act in &acts {
                assert_eq!(policy.judge(std::hint::black_box(act), file()).verdict, Verdict::Allow);
            }
        }
        start.elapsed() / (2 * ROUNDS)
    };
    let each = (0..100).map(|_| spell()).min().expect("a spell");
    eprintln!("one judgement: {each:?}");
    assert!(each < std::time::Duration::from_micros(100), "{each:?}");
}
