//! Which programs may be run, and what a macro may have them do.

use super::*;

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
            // In its own temporary directory: hooks and programs that tests compile. Not in another's.
            (Program, exec("/tmp/brig-1/7/hook", &["x"]), file(), Allow),
            (Program, exec("/tmp/brig-1/8/hook", &["x"]), file(), dropped),
            (Program, exec("/tmp/rust-setup", &["x"]), file(), dropped),
            (Program, exec("/dev/shm/x", &["x"]), file(), dropped),
            (Program, exec("/memfd:x (deleted)", &["x"]), file(), dropped),
            (Program, exec("/home/u/app/target/tests/trybuild/debug/x", &["x"]), file(), Allow),
            (Tool, exec("/usr/bin/ssh", &["ssh"]), file(), Allow),
        ],
    );
}

#[test]
fn what_tests_write_and_run() {
    let dropped = Alarm(Rule::ExecDropped, High);
    check("strict", &[(Program, exec("/tmp/brig-1/7/hook", &["x"]), file(), dropped)]);
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
