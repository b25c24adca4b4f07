//! Command lines and environments as cargo 1.95 wrote them for a workspace with a macro, a build script, tests, doctests and clippy; the
//! build script forges `CARGO_PKG_NAME=serde` by directive.

use super::*;

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("Cargo.toml", "[workspace]\nmembers = ['app']\n[workspace.package]\nversion = '1.2.3'\n");
        write("app/Cargo.toml", "[package]\nname = 'my-app'\nversion.workspace = true\n");
        Workspace(dir)
    }

    fn places(&self) -> Places {
        let root = self.0.path();
        Places {
            workspace: Some(root.into()),
            target: root.join("target"),
            toolchain: "/tc".into(),
            cargo_home: "/h/.cargo".into(),
            tmp: root.join("tmp"),
            ..Places::default()
        }
    }

    /// `{ws}` in any text stands for the workspace.
    fn facts(&self, exe: &str, argv: &[&str], env: &[(&str, &str)]) -> ExecFacts {
        let here = |text: &str| text.replace("{ws}", self.0.path().to_str().expect("text"));
        ExecFacts {
            exe: here(exe).into(),
            called: here(exe).into(),
            ends_cargo: false,
            argv: argv.iter().map(|a| here(a).into()).collect(),
            env: env.iter().map(|(k, v)| (k.into(), here(v).into())).collect(),
            cwd: self.0.path().into(),
        }
    }

    fn identify(&self, exe: &str, argv: &[&str], env: &[(&str, &str)]) -> Identity {
        self.look(&self.facts(exe, argv, env))
    }

    /// The user typed one word for compilers.
    fn look(&self, facts: &ExecFacts) -> Identity {
        let users = |word: &OsStr| word == "--emit=asm=target/app.s";
        identify(
            facts,
            &Light { places: &self.places(), graph: None, users: &users, compilers: &[("/opt/own/bin/rustc".into(), ActorKind::Rustc)] },
        )
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }
}

fn named(identity: &Identity) -> Option<(&str, &str)> {
    identity.package.as_ref().map(|p| (p.name.as_str(), p.version.as_str()))
}

const LIB: [&str; 31] = [
    "/tc/bin/rustc",
    "--crate-name",
    "my_app",
    "--edition=2021",
    "app/src/lib.rs",
    "--error-format=json",
    "--json=diagnostic-rendered-ansi,artifacts,future-incompat",
    "--crate-type",
    "lib",
    "--emit=dep-info,metadata,link",
    "-C",
    "embed-bitcode=no",
    "-C",
    "debuginfo=2",
    "--check-cfg",
    "cfg(docsrs,test)",
    "--check-cfg",
    "cfg(feature, values())",
    "-C",
    "metadata=773fca238be227f2",
    "-C",
    "extra-filename=-77e559b7c1e74149",
    "--out-dir",
    "{ws}/target/debug/deps",
    "-C",
    "incremental={ws}/target/debug/incremental",
    "-L",
    "dependency={ws}/target/debug/deps",
    "--extern",
    "my_mac={ws}/target/debug/deps/libmy_mac-6d65f9cfa48204c6.so",
    "-Cdebuginfo=0",
];
const FORGED: [(&str, &str); 3] = [("CARGO_MANIFEST_DIR", "{ws}/app"), ("CARGO_PKG_NAME", "serde"), ("CARGO_PKG_VERSION", "1.2.3")];

#[test]
fn a_compiler_is_its_crate_root_whatever_its_environment_says() {
    let ws = Workspace::new();
    let identity = ws.identify("/tc/bin/rustc", &LIB, &FORGED);
    assert_eq!((identity.kind, named(&identity)), (ActorKind::Rustc, Some(("my-app", "1.2.3"))));
    assert_eq!(identity.attributed_by, "manifest above the crate root; its environment claims another name");
    assert_eq!(identity.crate_name.as_deref(), Some("my_app"));
    assert_eq!(identity.artifact.as_deref(), Some("my_app-77e559b7c1e74149"));
    assert_eq!(identity.outputs, [ws.path("target/debug/deps"), ws.path("target/debug/incremental")]);

    let honest = ws.identify("/tc/bin/rustc", &LIB, &[("CARGO_PKG_NAME", "my-app"), ("CARGO_PKG_VERSION", "1.2.3")]);
    assert_eq!(honest.attributed_by, "manifest above the crate root");
}

#[test]
fn a_registry_crate_is_its_directory() {
    let ws = Workspace::new();
    let root = "/h/.cargo/registry/src/index-1949cf8c6b5b557f/anyhow-1.0.104/src/lib.rs";
    let argv = ["rustc", "--crate-name", "anyhow", "--edition=2021", root, "--cfg", "feature=\"std\"", "--cap-lints", "warn"];
    let facts = ExecFacts { called: "/h/.cargo/bin/rustc".into(), ..ws.facts("/h/.cargo/bin/rustup", &argv, &FORGED) };
    let identity = ws.look(&facts);
    assert_eq!((identity.kind, named(&identity)), (ActorKind::Rustc, Some(("anyhow", "1.0.104"))));
    assert_eq!(identity.attributed_by, "registry path of the crate root; its environment claims another name");
}

#[test]
fn clippy_and_compilers_of_the_users_are_compilers() {
    let ws = Workspace::new();
    let mut argv = vec!["/tc/bin/clippy-driver"];
    argv.extend(LIB);
    assert_eq!(named(&ws.identify("/tc/bin/clippy-driver", &argv, &[])), Some(("my-app", "1.2.3")));
    assert_eq!(named(&ws.identify("/opt/own/bin/rustc", &LIB, &[])), Some(("my-app", "1.2.3")));
}

/// A word in the place of the first argument makes no compiler of whoever gets it, and no path there an author.
#[test]
fn what_a_configuration_names_is_not_its_arguments() {
    let ws = Workspace::new();
    let root = "/h/.cargo/registry/src/index-0a/serde-1.0.228/src/lib.rs";
    for exe in ["/bin/sh", "/opt/wrapper", "{ws}/tools/sh"] {
        let identity = ws.identify(exe, &[exe, "tools/rustc", "--crate-name", "serde", root, "{ws}/target/debug/app"], &[]);
        assert_eq!((identity.kind, identity.package), (ActorKind::Tool, None), "{exe}");
    }
    let own = ws.identify("{ws}/tools/rustc", &["{ws}/tools/rustc", "--crate-name", "serde", root], &[]);
    assert_eq!((own.kind, own.package), (ActorKind::Rustc, None));
    assert_eq!(own.attributed_by, "a program of the repository's own in a compiler's place");
}

/// Cargo meant to start what it had made; where that is a link, it is still that, with that wall and that name.
#[test]
fn a_link_is_what_it_stands_for() {
    let ws = Workspace::new();
    let script = ws.path("target/debug/build/my-app-41e2620d4e3e5beb/build-script-build");
    let test = ws.path("target/debug/deps/my_app-bd09bb0749279718");
    let script_env = [
        ("CARGO_PKG_NAME", "my-app"),
        ("CARGO_PKG_VERSION", "1.2.3"),
        ("CARGO_MANIFEST_DIR", "{ws}/app"),
        ("OUT_DIR", "{ws}/target/debug/build/my-app-b3/out"),
        ("HOST", "h"),
        ("TARGET", "t"),
        ("NUM_JOBS", "2"),
    ];
    for tool in ["/tc/bin/cargo-fmt", "/tc/bin/rustc", "/tc/bin/rustdoc", "/h/.cargo/bin/rustup", "/usr/bin/dash"] {
        for (path, kind) in [(&script, ActorKind::BuildScript), (&test, ActorKind::Program)] {
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
            let _ = std::fs::remove_file(path);
            std::os::unix::fs::symlink(tool, path).expect("made");
            let facts = ExecFacts { called: path.clone(), ..ws.facts(tool, &[path.to_str().expect("text")], &script_env) };
            let identity = ws.look(&facts);
            assert_eq!((identity.kind, named(&identity), identity.is_exchanged), (kind, Some(("my-app", "1.2.3")), true), "{tool}");
        }
    }
    // Honest: the file itself, a script by its interpreter, a file that is gone by now, a target directory behind the user's own link.
    let real = ws.0.path().canonicalize().expect("is there");
    std::fs::remove_file(&test).expect("was there");
    std::fs::write(&test, "#!/bin/sh\n").expect("written");
    let called = real.join("target/debug/deps/my_app-bd09bb0749279718");
    let gone = PathBuf::from(format!("{} (deleted)", called.display()));
    for exe in [called.clone(), "/usr/bin/dash".into(), gone] {
        assert!(!is_exchanged(&called, &exe), "{exe:?}");
    }
    std::os::unix::fs::symlink(&real, real.join("link")).expect("made");
    assert!(!is_exchanged(&real.join("link/target/debug/deps/my_app-bd09bb0749279718"), &called));
    std::fs::write(&test, "\x7fELF").expect("written");
    assert!(is_exchanged(&called, Path::new("/usr/bin/dash")));
}

/// `cargo run` ends in the program, which may call itself what it likes.
#[test]
fn cargo_never_becomes_a_compiler() {
    let ws = Workspace::new();
    let facts = ExecFacts { ends_cargo: true, ..ws.facts("/tc/bin/rustc", &LIB, &[]) };
    assert_eq!(ws.look(&facts).kind, ActorKind::Tool);
}

#[test]
fn probes_have_no_package() {
    let ws = Workspace::new();
    for argv in [&["rustc", "-vV"][..], &["rustc", "-", "--crate-name", "___", "--print=file-names", "--crate-type", "bin", "--print=cfg"]]
    {
        let identity = ws.identify("/tc/bin/rustc", argv, &[]);
        assert_eq!((identity.kind, identity.package), (ActorKind::Rustc, None), "{argv:?}");
    }
}

#[test]
fn rustdoc_documents_and_tests() {
    let ws = Workspace::new();
    let doc = ["rustdoc", "--edition=2021", "--crate-type", "lib", "--crate-name", "my_app", "app/src/lib.rs", "-o", "{ws}/target/doc"];
    let identity = ws.identify("/tc/bin/rustdoc", &doc, &[]);
    assert_eq!((identity.kind, named(&identity)), (ActorKind::Rustdoc, Some(("my-app", "1.2.3"))));
    assert_eq!(identity.outputs, [ws.path("target/doc")]);
    let test = ["rustdoc", "--color", "auto", "--crate-name", "my_app", "--test", "app/src/lib.rs", "--test-run-directory", "{ws}/app"];
    let identity = ws.identify("/tc/bin/rustdoc", &test, &[]);
    assert_eq!((named(&identity), identity.outputs.len()), (Some(("my-app", "1.2.3")), 0));
}

#[test]
fn build_scripts_in_both_layouts() {
    let ws = Workspace::new();
    let env = [
        ("CARGO_MANIFEST_DIR", "{ws}/app"),
        ("CARGO_PKG_NAME", "my-app"),
        ("CARGO_PKG_VERSION", "1.2.3"),
        ("HOST", "x86_64-unknown-linux-gnu"),
        ("TARGET", "x86_64-unknown-linux-gnu"),
        ("NUM_JOBS", "2"),
        ("OUT_DIR", "{ws}/target/debug/build/my-app-b35259620ea98f73/out"),
    ];
    for exe in [
        "{ws}/target/debug/build/my-app-41e2620d4e3e5beb/build-script-build",
        "{ws}/target/debug/build/my-app/41e2620d4e3e5beb/out/build-script-build",
        "/tmp/cargo-installAbCdEf/release/build/my-app-41e2620d4e3e5beb/build-script-main",
    ] {
        let identity = ws.identify(exe, &[exe], &env);
        assert_eq!((identity.kind, named(&identity)), (ActorKind::BuildScript, Some(("my-app", "1.2.3"))), "{exe}");
        assert_eq!(identity.outputs, [ws.path("target/debug/build/my-app-b35259620ea98f73/out")]);
        assert_eq!(identity.crate_name.as_deref(), Some("build_script_build"));
    }
    // A test that borrows the name is where tests are, and does not get a build script's variables.
    let exe = "{ws}/target/debug/deps/build-script-build-bd09bb0749279718";
    assert_eq!(ws.identify(exe, &[exe], &env).kind, ActorKind::Program);
}

#[test]
fn programs_and_tools() {
    let ws = Workspace::new();
    let env = [("CARGO_MANIFEST_DIR", "{ws}/app"), ("CARGO_PKG_NAME", "serde"), ("CARGO_PKG_VERSION", "1.2.3")];
    let exe = "{ws}/target/debug/deps/my_app-bd09bb0749279718";
    let identity = ws.identify(exe, &[exe], &env);
    assert_eq!(
        (identity.kind, named(&identity), identity.crate_name.as_deref()),
        (ActorKind::Program, Some(("my-app", "1.2.3")), Some("my_app"))
    );
    let disguised = ws.identify("{ws}/target/debug/rustc", &["rustc", "other/src/lib.rs"], &env);
    assert_eq!(disguised.kind, ActorKind::Program);
    let git = ws.identify("/usr/bin/git", &["git", "fetch"], &[]);
    assert_eq!((git.kind, git.package), (ActorKind::Tool, None));
    assert_eq!(ws.look(&ExecFacts::default()).kind, ActorKind::Tool);
}

/// A script that a directive put on the search path as `rustc`: it is a program of the build, and the crate that is compiled has it.
#[test]
fn a_compiler_from_the_build_is_a_program() {
    let ws = Workspace::new();
    let script = "{ws}/target/debug/build/my-app-b3/out/rustc";
    let facts = ws.facts("/usr/bin/dash", &[&["/bin/sh", script][..], &LIB[1..]].concat(), &FORGED);
    let facts = ExecFacts { called: ws.path("target/debug/build/my-app-b3/out/rustc"), ..facts };
    let identity = ws.look(&facts);
    assert_eq!((identity.kind, named(&identity)), (ActorKind::Program, Some(("my-app", "1.2.3"))));
    assert!(identity.outputs.is_empty());
}

/// A library whose root lies below another package's manifest is whose target it is in the build graph.
#[test]
fn a_borrowed_manifest_accuses_nobody() {
    let ws = Workspace::new();
    let metadata = |path: &str| ws.path(path).to_str().expect("text").to_owned();
    let package = |name: &str, root: &str| {
        serde_json::json!({
            "name": name, "version": "0.1.0", "id": format!("path+file:///{name}#0.1.0"), "source": null, "dependencies": [], "features": {},
            "manifest_path": metadata(&format!("{name}/Cargo.toml")),
            "targets": [{ "name": name, "kind": ["lib"], "crate_types": ["lib"], "src_path": metadata(root), "edition": "2021" }],
        })
    };
    let text = serde_json::json!({
        "packages": [package("evil", "app/src/evil.rs"), package("my-app", "app/src/lib.rs"), package("sly", "@sly/lib.rs")], "workspace_members": [], "resolve": null,
        "workspace_root": metadata(""), "target_directory": metadata("target"), "version": 1,
    });
    let graph = Graph::of(&cargo_metadata::MetadataCommand::parse(text.to_string()).expect("understood"));
    let argv = ["rustc", "--crate-name", "evil", "--edition=2021", "app/src/evil.rs"];
    for claim in ["evil", "my-app", "serde"] {
        let env = [("CARGO_PKG_NAME", claim), ("CARGO_PKG_VERSION", "0.1.0"), ("CARGO_MANIFEST_DIR", "{ws}/evil")];
        let facts = ws.facts("/tc/bin/rustc", &argv, &env);
        let users = |_: &OsStr| false;
        let identity = identify(&facts, &Light { places: &ws.places(), graph: Some(&graph), users: &users, compilers: &[] });
        assert_eq!(named(&identity), Some(("evil", "0.1.0")), "{claim}");
        assert!(!identity.is_disputed);
        assert!(identify(&facts, &Light { places: &ws.places(), graph: None, users: &users, compilers: &[] }).is_disputed, "{claim}");
    }
    // For the compiler the root of this one is a file of arguments, whatever is in it.
    let env = [("CARGO_PKG_NAME", "my-app"), ("CARGO_PKG_VERSION", "1.2.3"), ("CARGO_MANIFEST_DIR", "{ws}/app")];
    let users = |_: &OsStr| false;
    for (word, owner) in [("@sly/lib.rs", Some(("sly", "0.1.0"))), ("@sly/other.rs", None), ("@app/src/evil.rs", None)] {
        let facts = ws.facts("/tc/bin/rustc", &["rustc", "--crate-name", "my_app", "--edition=2021", word], &env);
        let identity = identify(&facts, &Light { places: &ws.places(), graph: Some(&graph), users: &users, compilers: &[] });
        assert_eq!(named(&identity), owner, "{word}");
    }
}

/// Only cargo's own file is read: of its name, in its temporary directory, and nothing besides.
#[test]
fn long_command_lines_come_in_a_file() {
    let ws = Workspace::new();
    let line = "--crate-name\nmy_app\napp/src/lib.rs\n--out-dir\ntarget/debug/deps\n--cfg\n@x";
    std::fs::create_dir_all(ws.path("tmp/00000000")).expect("made");
    for path in ["tmp/00000000/cargo-argfile.AbCdEf", "tmp/00000000/other", "tmp/00000007/cargo-argfile.AbCdEf", "cargo-argfile.AbCdEf"] {
        std::fs::create_dir_all(ws.path(path).parent().expect("has one")).expect("made");
        std::fs::write(ws.path(path), line).expect("written");
        let file = format!("@{{ws}}/{path}");
        let identity = ws.identify("/tc/bin/rustc", &["rustc", &file], &[]);
        let is_cargos = path == "tmp/00000000/cargo-argfile.AbCdEf";
        assert_eq!(named(&identity), is_cargos.then_some(("my-app", "1.2.3")), "{path}");
        assert_eq!(identity.outputs, if is_cargos { vec![ws.path("target/debug/deps")] } else { vec![] }, "{path}");
        let among = ws.identify("/tc/bin/rustc", &["rustc", "--crate-name", "x", &file], &[]);
        assert!(among.outputs.is_empty() && among.package.is_none(), "{path}");
        assert_eq!(among.invocation.expect("a compiler").argument_files.len(), 1, "{path}");
        let wrapped = ws.identify("/tc/bin/clippy-driver", &["clippy-driver", "rustc", &file], &[]);
        assert_eq!(wrapped.package.is_some(), is_cargos, "{path}");
    }
}

#[test]
fn outputs_are_cargos_words_and_the_users() {
    let ws = Workspace::new();
    let outputs =
        |argv: &[&str]| ws.identify("/tc/bin/rustc", &[&["rustc", "--crate-name", "my_app", "app/src/lib.rs"], argv].concat(), &[]).outputs;
    const DEPS: &[&str] = &["--out-dir", "target/debug/deps"];
    let with = |more: &[&str]| outputs(&[DEPS, more].concat());
    let deps = [ws.path("target/debug/deps")];
    // Cargo's, in every form.
    assert_eq!(with(&[]), deps);
    let incremental = [ws.path("target/debug/deps"), ws.path("target/debug/incremental")];
    assert_eq!(with(&["-C", "incremental=target/debug/incremental"]), incremental);
    assert_eq!(with(&["-Cincremental=target/debug/incremental"]), incremental);
    assert_eq!(with(&["--codegen=incremental=target/debug/incremental", "-C", "incremental=target"]), incremental);
    assert_eq!(outputs(&["--out-dir=target/debug/build/x-0a"]), [ws.path("target/debug/build/x-0a")]);
    // Anybody else's.
    for more in [
        &["-C", "incremental=target"][..],
        &["-C", "incremental=target/debug/build/victim-0a/out"],
        &["--emit=dep-info=target/whatever.d"],
        &["--emit", "link=target/debug/build/victim-0a/out/x"],
        &["-o", "target/x"],
        &["--out-dir", "target"],
        &["@target/args"],
        &["--cfg", "@target/args"],
        &["--check-cfg", "--out-dir=target"],
        &["-L", "incremental=target/debug/incremental"],
        &["-L", "--out-dir=target"],
    ] {
        assert_eq!(with(more), deps, "{more:?}");
        assert!(outputs(more).iter().all(|output| more.contains(&"--out-dir") && output.ends_with("target")), "{more:?}");
    }
    // The user's own, the file by itself, and only where there is no link.
    assert_eq!(with(&["--emit=asm=target/app.s"]), [ws.path("target/debug/deps"), ws.path("target/app.s")]);
    std::fs::create_dir_all(ws.path("target")).expect("made");
    std::os::unix::fs::symlink("/etc", ws.path("target/app.s")).expect("made");
    assert_eq!(with(&["--emit=asm=target/app.s"]), deps);
    assert_eq!(outputs(&["-o", "/home/u/.bashrc", "-Cincremental=/home/u/.ssh", "--out-dir", "target/../.."]), [] as [PathBuf; 0]);
    // `cargo install` builds in a temporary directory.
    let temporary = ["--out-dir", "/tmp/cargo-install0a/release/deps", "-C", "incremental=/tmp/cargo-install0a/release/incremental"];
    assert_eq!(outputs(&temporary).len(), 2);
}

/// A fact is the value of its own option, not a word that looks like it.
#[test]
fn facts_are_values_of_their_options() {
    let ws = Workspace::new();
    let read = |argv: &[&str]| {
        ws.identify("/tc/bin/rustc", &[&["rustc", "--crate-name", "my_app", "app/src/lib.rs"], argv].concat(), &[])
            .invocation
            .expect("a compiler")
    };
    for words in [
        &["-L", "linker=/x"][..],
        &["-Llinker=/x"],
        &["--cfg", "linker=/x"],
        &["linker=/x"],
        &["-l", "extra-filename=-0a"],
        &["--crate-type", "extra-filename=-0a"],
    ] {
        let found = read(words);
        assert_eq!((found.linker, found.extra_filename), (None, None), "{words:?}");
    }
    // rustc takes the last linker; the first hash is cargo's.
    for words in [
        &["-C", "linker=a", "-C", "extra-filename=-1", "-C", "linker=b", "-C", "extra_filename=-2"][..],
        &["-Clinker=a", "-Cextra-filename=-1", "-gClinker=b", "-gC", "extra-filename=-2"],
        &["--codegen", "extra_filename=-1", "--codegen=linker=b"],
    ] {
        let found = read(words);
        assert_eq!((found.linker, found.extra_filename.as_deref()), (Some("b".into()), Some("-1")), "{words:?}");
    }
    // The first operand, whatever it is called.
    let odd = ws.identify("/tc/bin/rustc", &["rustc", "--crate-name", "x", "app/src/lib", "--cfg", "other/src/lib.rs"], &[]);
    assert_eq!(odd.invocation.expect("a compiler").root, Some(ws.path("app/src/lib")));
}
