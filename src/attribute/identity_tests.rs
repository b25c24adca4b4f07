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
            ..Places::default()
        }
    }

    /// `{ws}` in any text stands for the workspace.
    fn facts(&self, exe: &str, argv: &[&str], env: &[(&str, &str)]) -> ExecFacts {
        let here = |text: &str| text.replace("{ws}", self.0.path().to_str().expect("text"));
        ExecFacts {
            exe: here(exe).into(),
            argv: argv.iter().map(|a| here(a).into()).collect(),
            env: env.iter().map(|(k, v)| (k.into(), here(v).into())).collect(),
            cwd: self.0.path().into(),
        }
    }

    fn identify(&self, exe: &str, argv: &[&str], env: &[(&str, &str)]) -> Identity {
        identify(&self.facts(exe, argv, env), &self.places())
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
    let identity = ws.identify("/h/.cargo/bin/rustup", &argv, &FORGED);
    assert_eq!((identity.kind, named(&identity)), (ActorKind::Rustc, Some(("anyhow", "1.0.104"))));
    assert_eq!(identity.attributed_by, "registry path of the crate root; its environment claims another name");
}

#[test]
fn clippy_and_wrappers_are_compilers() {
    let ws = Workspace::new();
    let mut argv = vec!["/tc/bin/clippy-driver"];
    argv.extend(LIB);
    assert_eq!(named(&ws.identify("/tc/bin/clippy-driver", &argv, &[])), Some(("my-app", "1.2.3")));
    argv[0] = "/opt/wrapper";
    let wrapped = ws.identify("/opt/wrapper", &argv, &[]);
    assert_eq!((wrapped.kind, wrapped.crate_name.as_deref()), (ActorKind::Rustc, Some("my_app")));
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
    let disguised = ws.identify("{ws}/target/debug/rustc", &["rustc", "app/src/lib.rs"], &env);
    assert_eq!(disguised.kind, ActorKind::Program);
    let git = ws.identify("/usr/bin/git", &["git", "fetch"], &[]);
    assert_eq!((git.kind, git.package), (ActorKind::Tool, None));
    assert_eq!(identify(&ExecFacts::default(), &ws.places()).kind, ActorKind::Tool);
}

#[test]
fn long_command_lines_come_in_a_file() {
    let ws = Workspace::new();
    std::fs::write(ws.path("args"), "--crate-name\nmy_app\napp/src/lib.rs\n--out-dir\ntarget/debug/deps\n").expect("written");
    let identity = ws.identify("/tc/bin/rustc", &["rustc", "@{ws}/args"], &[]);
    assert_eq!(named(&identity), Some(("my-app", "1.2.3")));
    assert_eq!(identity.outputs, [ws.path("target/debug/deps")]);
}

#[test]
fn outputs_are_read_in_every_form_and_kept_to_the_build() {
    let ws = Workspace::new();
    let outputs = |argv: &[&str]| ws.identify("/tc/bin/rustc", argv, &[]).outputs;
    assert_eq!(outputs(&["rustc", "app/src/lib.rs", "-Cincremental=target/i"]), [ws.path("target/i")]);
    assert_eq!(outputs(&["rustc", "app/src/lib.rs", "--codegen", "incremental=target/i"]), [ws.path("target/i")]);
    assert_eq!(outputs(&["rustc", "--emit=dep-info=target/d/x.d,link", "-o", "target/o/x"]), [ws.path("target/d"), ws.path("target/o")]);
    assert_eq!(outputs(&["rustc", "--emit", "link=target/l/x", "--out-dir=target/a/../b"]), [ws.path("target/l"), ws.path("target/b")]);
    assert_eq!(outputs(&["rustc", "-o", "/home/u/.bashrc", "-Cincremental=/home/u/.ssh", "--out-dir", "target/../.."]), [] as [PathBuf; 0]);
    // `cargo install` builds in a temporary directory.
    let temporary =
        ["rustc", "--out-dir", "/tmp/cargo-install0a/release/deps", "-C", "incremental=/tmp/cargo-install0a/release/incremental"];
    assert_eq!(outputs(&temporary).len(), 2);
}
