//! What may be read, `/proc` included.

use super::*;

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
            // What leads to something readable may be asked whether it goes in a circle.
            (BuildScript, read("/home"), dir(), Allow),
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
            // What cargo cannot say on a command line.
            (Rustc, read("/tmp/brig-1/00000000/cargo-argfile.AbC123"), file(), Allow),
            (BuildScript, read("/tmp/brig-1/00000000/cargo-argfile.AbC123"), file(), outside(Medium)),
            (Rustc, read("/tmp/brig-1/00000009/cargo-argfile.AbC123"), file(), outside(Medium)),
            (Rustc, read("/tmp/brig-1/00000000/other"), file(), outside(Medium)),
            // Of an actor's own terminals the rules are not asked.
            (BuildScript, read("/dev/tty"), file(), Quiet),
            (BuildScript, read("/dev/pts/3"), file(), Alarm(Rule::ProcTamper, High)),
            (Program, read("/dev/pts/3"), file(), Alarm(Rule::ProcTamper, High)),
            (Program, read("/dev/tty"), file(), Quiet),
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
            (BuildScript, read("/proc/1/fd"), dir(), Quiet),
            (BuildScript, read("/proc/1/task/2/fdinfo"), dir(), Quiet),
            (BuildScript, read("/proc/1/fdinfo/3"), file(), tamper),
            (Program, call("mount"), None, Alarm(Rule::ProcTamper, Medium)),
            (BuildScript, call("io_uring_setup"), None, Alarm(Rule::ProcTamper, Info)),
            (Program, call("io_uring_enter"), None, Alarm(Rule::ProcTamper, Medium)),
            (Program, call("perf_event_open"), None, Alarm(Rule::ProcTamper, Info)),
            (BuildScript, call("perf_event_open"), None, tamper),
            (BuildScript, Act::Survive { exe: "/x".into() }, None, Alarm(Rule::ProcSurvivor, High)),
            (BuildScript, Act::Withhold { name: "X".into() }, None, Note(Rule::EnvWithheld)),
        ],
    );
}

#[test]
fn who_is_forgotten_is_no_daemon() {
    for (kind, stayed, expected) in [
        (Program, true, Quiet),
        (Program, false, Alarm(Rule::ProcSurvivor, Low)),
        (BuildScript, true, Alarm(Rule::ProcSurvivor, High)),
        (Rustc, true, Alarm(Rule::ProcSurvivor, High)),
    ] {
        assert_eq!(said(&policy_of("default", kind).judge_survivor(stayed)), expected, "{kind:?}, stayed: {stayed}");
    }
}
