//! What else decides: a profile's strictness, named grants, what the kernel lets pass unasked, and where the places are.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::judge::{Reach, Secrets};

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
    assert_eq!(rule(&policy, &write("/home/u/app/brig.lock")), Some(Rule::FsPersist));
    policy.write.push("/home/u/.config".into());
    assert_eq!(rule(&policy, &write("/home/u/.config/brig/floor.toml")), Some(Rule::FsPersist));
    assert_eq!(rule(&policy, &write("/home/u/.config/brigade/x")), None);
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
