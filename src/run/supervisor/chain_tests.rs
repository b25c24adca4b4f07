//! Who conducts: lines of a user's own, and what a repository or a build would have conduct.

use super::*;

struct Scene {
    chain: Chain,
    places: Places,
}

const BIN: &str = "/home/u/.rustup/toolchains/stable/bin";

impl Scene {
    /// The user typed this behind `cargo`; an alias of the repository's and one of the user's are known.
    fn typed(line: &str) -> Scene {
        let places = Places {
            workspace: Some("/home/u/app".into()),
            target: "/home/u/app/target".into(),
            build: "/home/u/app/target".into(),
            cargo_home: "/home/u/.cargo".into(),
            rustup_home: Some("/home/u/.rustup".into()),
            toolchain: "/home/u/.rustup/toolchains/stable".into(),
            home: Some("/home/u".into()),
            tmp: "/tmp/brig-1".into(),
            ..Places::default()
        };
        let alias = |name: &str, subcommand: &str, is_users| (name.into(), Alias { subcommand: subcommand.into(), is_users });
        let aliases =
            [alias("lint", "clippy", false), alias("sneak", "make", false), alias("mine", "make", true), alias("fixes", "fix", false)];
        let cargo = PathBuf::from(BIN).join("cargo");
        let chain = Chain::new(cargo.clone(), cargo, HashMap::from(aliases));
        let mut scene = Scene { chain, places };
        assert_eq!(scene.first(&format!("{BIN}/cargo"), &format!("cargo {line}")), cargo_told(line));
        scene
    }

    fn first(&mut self, called: &str, line: &str) -> Rank {
        self.enter(1, 0, called, called, line, &[])
    }

    /// `exe` of another name than `called` is where a link led.
    fn enter(&mut self, pid: i32, parent: i32, called: &str, exe: &str, line: &str, env: &[(&str, &str)]) -> Rank {
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let tracee = Tracee {
            pid,
            in_place: pid == 1,
            parent,
            exe: exe.into(),
            called: called.into(),
            argv: &argv,
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            cwd: "/home/u/app".into(),
        };
        self.chain.enter(&tracee, &self.places)
    }

    /// A child of process 1.
    fn child(&mut self, called: &str, exe: &str, line: &str) -> Rank {
        self.enter(2, 1, called, exe, line, &[])
    }
}

fn cargo_told(line: &str) -> Rank {
    Rank::Conducts(Post::Cargo(line.split(' ').next().map(OsString::from)))
}

const DRIVER: Rank = Rank::Conducts(Post::Driver);
const STRANGER: Rank = Rank::Stranger { ends_cargo: false };
const ENDS: Rank = Rank::Stranger { ends_cargo: true };

fn in_bin(name: &str) -> String {
    format!("{BIN}/{name}")
}

fn shim(name: &str) -> Rank {
    Rank::Conducts(Post::Shim(name.into()))
}

#[test]
fn what_the_user_asked_for_conducts() {
    let mut clippy = Scene::typed("clippy --all");
    assert_eq!(clippy.first(&in_bin("cargo-clippy"), "cargo-clippy clippy --all"), DRIVER);
    assert_eq!(clippy.child(&in_bin("cargo"), &in_bin("cargo"), "cargo check --all"), cargo_told("check"));
    assert_eq!(clippy.enter(3, 2, &in_bin("clippy-driver"), &in_bin("clippy-driver"), "clippy-driver rustc -vV", &[]), STRANGER);

    let mut fmt = Scene::typed("fmt");
    assert_eq!(fmt.first(&in_bin("cargo-fmt"), "cargo-fmt fmt"), DRIVER);
    assert_eq!(fmt.child(&in_bin("rustfmt"), &in_bin("rustfmt"), "rustfmt src/lib.rs"), Rank::Helps);

    let mut help = Scene::typed("help build");
    assert_eq!(help.child("/usr/bin/man", "/usr/bin/man", "man ./cargo-build.x"), Rank::Shows);
    assert_eq!(help.child("/usr/bin/cat", "/usr/bin/cat", "cat ./cargo-build.x"), STRANGER);
    assert_eq!(help.child("/home/u/app/man", "/home/u/app/man", "man ./cargo-build.x"), STRANGER);
    assert_eq!(Scene::typed("run").child("/usr/bin/man", "/usr/bin/man", "man x"), STRANGER);
    let mut new = Scene::typed("new x");
    assert_eq!(new.child(&in_bin("rustfmt"), &in_bin("rustfmt"), "rustfmt x/src/main.rs"), Rank::Helps);

    let mut fix = Scene::typed("fix --lib");
    assert_eq!(fix.child(&in_bin("cargo"), &in_bin("cargo"), "cargo rustc --crate-name x"), Rank::Conducts(Post::Fixer));
    assert_eq!(fix.enter(3, 2, &in_bin("rustc"), &in_bin("rustc"), "rustc --crate-name x", &[]), STRANGER);

    let mut nextest = Scene::typed("nextest run");
    let installed = "/home/u/.cargo/bin/cargo-nextest";
    assert_eq!(nextest.first(installed, "cargo-nextest nextest run"), DRIVER);
    assert_eq!(nextest.child(installed, installed, "cargo-nextest __double-spawn"), DRIVER);
    assert_eq!(nextest.enter(2, 1, "/home/u/app/target/debug/deps/x-0a", "/home/u/app/target/debug/deps/x-0a", "x-0a", &[]), STRANGER);
}

#[test]
fn shims_become_what_they_are_called() {
    let rustup = "/home/u/.cargo/bin/rustup";
    let mut build = Scene::typed("build");
    assert_eq!(build.child("/home/u/.cargo/bin/rustc", rustup, "rustc -vV"), shim("rustc"));
    assert_eq!(build.enter(2, 1, &in_bin("rustc"), &in_bin("rustc"), "rustc -vV", &[]), STRANGER, "a compiler is confined");
    for (called, line) in
        [(rustup, "rustup self uninstall"), ("/home/u/.cargo/bin/rustc", "rustup default x"), ("/home/u/.cargo/bin/cargo", "cargo x")]
    {
        assert_eq!(build.child(called, rustup, line), STRANGER, "{line}");
    }
    let mut clippy = Scene::typed("clippy");
    assert_eq!(
        clippy.enter(1, 0, "/home/u/.cargo/bin/cargo-clippy", rustup, "/home/u/.cargo/bin/cargo-clippy clippy", &[]),
        shim("cargo-clippy")
    );
    assert_eq!(clippy.first(&in_bin("cargo-clippy"), "cargo-clippy clippy"), DRIVER);
    assert_eq!(clippy.child("/home/u/.cargo/bin/cargo", rustup, "cargo check"), shim("cargo"));
    assert_eq!(clippy.child(&in_bin("cargo"), &in_bin("cargo"), "cargo check"), cargo_told("check"));
}

#[test]
fn links_and_configurations_make_no_conductor() {
    for line in ["build", "test", "run", "clippy"] {
        for tool in ["cargo", "cargo-fmt", "cargo-clippy", "rustfmt"] {
            let mut scene = Scene::typed(line);
            // A runner, or a credential provider.
            assert_eq!(scene.child(&in_bin(tool), &in_bin(tool), tool), STRANGER, "{line}: {tool}");
            // What the build was to make, and is a link.
            let script = "/home/u/app/target/debug/build/x-0a/build-script-build";
            assert_eq!(scene.child(script, &in_bin(tool), script), STRANGER, "{line}: {tool}");
        }
    }
    // `cargo run` with a runner, or with a link for a program.
    let mut run = Scene::typed("run");
    assert_eq!(run.first(&in_bin("cargo-fmt"), "cargo-fmt target/debug/app"), ENDS);
    let mut run = Scene::typed("run");
    assert_eq!(run.enter(1, 0, "/home/u/app/target/debug/app", &in_bin("cargo"), "app", &[]), ENDS);
    // A toolchain's program in the repository.
    let mut clippy = Scene::typed("clippy");
    assert_eq!(clippy.enter(1, 0, "/home/u/app/bin/cargo-clippy", &in_bin("cargo-clippy"), "cargo-clippy clippy", &[]), ENDS);
    // A build script's environment.
    let script = [("OUT_DIR", "/o"), ("HOST", "h"), ("TARGET", "t"), ("NUM_JOBS", "2")];
    let mut clippy = Scene::typed("clippy");
    assert_eq!(clippy.enter(1, 0, &in_bin("cargo-clippy"), &in_bin("cargo-clippy"), "cargo-clippy clippy", &script), ENDS);
    // Once its process is another's, nobody inherits from it.
    let mut scene = Scene::typed("clippy");
    assert_eq!(scene.first("/home/u/app/target/debug/x", "x"), ENDS);
    assert_eq!(scene.child(&in_bin("cargo"), &in_bin("cargo"), "cargo check"), STRANGER);
}

#[test]
fn an_alias_of_the_repositorys_leads_to_the_toolchain_alone() {
    let installed = "/home/u/.cargo/bin/cargo-make";
    assert_eq!(Scene::typed("lint").first(&in_bin("cargo-clippy"), "cargo-clippy clippy"), DRIVER);
    assert_eq!(Scene::typed("sneak").first(installed, "cargo-make make"), ENDS);
    assert_eq!(Scene::typed("mine").first(installed, "cargo-make make"), DRIVER);
    assert_eq!(Scene::typed("make").first(installed, "cargo-make make"), DRIVER);
    assert_eq!(Scene::typed("fixes").child(&in_bin("cargo"), &in_bin("cargo"), "cargo rustc --crate-name x"), STRANGER);
}

/// `cargo miri` and `cargo llvm-cov` have cargo start them again in the compiler's place.
#[test]
fn a_driver_may_wrap_the_compiler_by_a_variable() {
    let miri = in_bin("cargo-miri");
    for (env, rank) in [
        (vec![("RUSTC_WRAPPER", miri.as_str())], DRIVER),
        (vec![("CARGO_TARGET_X_RUNNER", "cargo-miri runner")], DRIVER),
        (vec![], STRANGER),
    ] {
        let mut scene = Scene::typed("miri test");
        assert_eq!(scene.first(&miri, "cargo-miri miri test"), DRIVER);
        assert_eq!(scene.enter(2, 1, &in_bin("cargo"), &in_bin("cargo"), "cargo test", &env), cargo_told("test"));
        assert_eq!(scene.enter(3, 2, &miri, &miri, "cargo-miri rustc --crate-name x", &[]), rank, "{env:?}");
    }
}
