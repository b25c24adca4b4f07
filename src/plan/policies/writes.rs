//! What may be made, changed and removed.

use std::path::Path;

use super::*;

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
            (BuildScript, write("/dev/tty"), file(), Quiet),
            (BuildScript, write("/dev/pts/1"), file(), Alarm(Rule::ProcTamper, High)),
            (Program, write("/dev/pts/1"), file(), Alarm(Rule::ProcTamper, High)),
            // Where a container's `/dev/ptmx` leads.
            (BuildScript, write("/dev/pts/ptmx"), file(), Allow),
            (Program, write("/dev/console"), file(), Alarm(Rule::ProcTamper, High)),
            // Writing to them is everybody's, they themselves are the machine's.
            (BuildScript, metadata("/dev/null"), file(), Quiet),
            (Rustc, metadata("/dev/null"), file(), Quiet),
            (BuildScript, Act::Remove { path: "/dev/null".into() }, file(), outside(High)),
            (BuildScript, rename(&format!("{OUT}/a"), "/dev/null"), file(), outside(High)),
            (BuildScript, rename("/dev/null", &format!("{OUT}/a")), file(), outside(High)),
            (Program, Act::Remove { path: "/dev/urandom".into() }, file(), outside(High)),
            (Program, metadata("/dev"), dir(), Quiet),
            (Program, metadata("/dev/pts/1"), file(), Alarm(Rule::ProcTamper, High)),
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
            // A shell that a test starts ends; nobody else has a history to add to, and nobody reads one.
            (Program, write("/home/u/.bash_history"), file(), Quiet),
            (Program, create("/home/u/.python_history-04711.tmp"), None, Quiet),
            (Program, create("/home/u/.python_history-x.tmp"), None, outside(High)),
            (Program, Act::Remove { path: "/home/u/.bash_history".into() }, file(), outside(High)),
            (Program, read("/home/u/.bash_history"), file(), Alarm(Rule::SecretRead, High)),
            (BuildScript, write("/home/u/.bash_history"), file(), outside(High)),
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
