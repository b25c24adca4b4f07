//! The table of what a program may leave in its own package: the embedded lists `record` and `data`.

use super::*;

/// A list of what tests leave, not of what they may not touch.
#[test]
fn what_a_program_may_leave_in_its_package() {
    let source = |severity| Alarm(Rule::FsWriteSource, severity);
    let app = |rest: &str| format!("/home/u/app/{rest}");
    // Seen in tests of public repositories, and what the tools of COMPAT.md write. (No repository here: what is there is somebody's.)
    for new in [
        "src/snapshots/app__tests__x.snap.new",
        "src/.lib.rs.pending-snap",
        "tests/ui/case.stderr",
        "wip/case.stderr",
        "wip/.gitignore",
        "proptest-regressions/lib.txt",
        "tests/x.proptest-regressions",
        "tests/expand/a.expanded.rs",
        "default_123_0.profraw",
        "fuzz/corpus/parse/crash-0a1b2c",
        "tests/golden/out.yaml",
        "test_output.parquet",
        "test-user-article.html",
        "snippets/x.html.txt",
        "test_abort_workflow.md",
        "tests/orders.mem",
        "tests/test.zip",
        "tests/cords.txt",
        "tests/outputs/rc.csv",
        "tests/bootstrap.ron",
        "tests/resources/error_codes_diff.txt",
        "tests/fixtures/golden_game3_replay.json",
        "test_outputs/tick.svg",
        "test_node_table.bin",
        "test_puzzle.txt",
        "test.wasm",
        "testfile.txt",
        "log/test.txt",
        "data.dat",
        "foo.txt",
        "notes.txt",
        "todo.json",
        "app.log",
        "state/app.sqlite3-wal",
        "testdb/MANIFEST-000001",
        ".tmpAb12Cd",
        ".tmpAb12Cd/src/main.rs",
        "(unnamed)",
    ] {
        check("default", &[(Program, create(&app(new)), None, Allow)]);
    }
    // Existing ones: those that are known as a test's, wherever they come from.
    for changed in ["tests/a.snap", "tests/ui/case.stderr", "tests/cases/expected.json", "test_output.txt", "tests/golden/out.yaml"] {
        let (write, remove) = (write(&app(changed)), Act::Remove { path: app(changed).as_str().into() });
        check("default", &[(Program, write, file(), Allow), (Program, remove, file(), Allow)]);
    }
    let touched = [
        "bin/release",
        "GNUmakefile",
        "makefile",
        "Justfile",
        "Jenkinsfile",
        "flake.nix",
        "flake.lock",
        "native/shim.S",
        "native/shim.cxx",
        "native/fast.asm",
        "native/x.bash",
        "Taskfile.yml",
        "docker-compose.yml",
        "azure-pipelines.yml",
        "compose.yaml",
        "configure",
        "migrations.sql",
        "BUILD.bazel",
        "server.key",
        "prod.tfvars",
        "terraform.tfstate",
        "id_rsa",
        "certs.pem",
        "x.code-workspace",
        "CARGO.TOML",
        "claude.md",
        "AGENTS.md",
        "tools/GEMINI.md",
        "package.json",
        "tsconfig.json",
        "rust-project.json",
        "CMakeLists.txt",
        "requirements.txt",
        "renovate.json5",
        "src/lib.rs",
        "build.rs",
        "tests/planted.rs",
        "tests/run.sh",
        "examples/x.rs",
        ".env",
        ".cargo/config.toml",
        ".vscode/tasks.json",
        ".github/workflows/x.snap",
        ".git/x.snap",
        "Dockerfile.dev",
        "x.service",
        "Vagrantfile",
        "Procfile",
        "tests/docker-compose.yml",
        "conftest.py",
        "script",
        "deny.toml",
        "Makefile.am",
    ];
    for rest in touched {
        let policy = policy_of("default", Program);
        for act in [
            create(&app(rest)),
            write(&app(rest)),
            Act::Remove { path: app(rest).as_str().into() },
            Act::Rename { from: app(rest).as_str().into(), to: "/home/u/app/target/tmp/x".into() },
            Act::Rename { from: "/home/u/app/target/tmp/x".into(), to: app(rest).as_str().into() },
        ] {
            let judgement = policy.judge(&act, file().filter(|_| !matches!(act, Act::Create { .. })));
            assert!(judgement.refused() && judgement.breach.is_some(), "{act:?}: {judgement:?}");
        }
    }
    check(
        "default",
        &[
            (Program, create(&app("tests/data")), dir(), Allow),
            (Program, Act::Remove { path: app("tests/data").as_str().into() }, dir(), Allow),
            (Program, create(&app(".cargo")), dir(), Alarm(Rule::FsWriteSource, High)),
            (Program, write(&app("notes.txt")), file(), source(Medium)),
            // A link that was made elsewhere is one here.
            (Program, Act::Symlink { target: "/x".into(), path: app("a.txt").as_str().into() }, None, source(Medium)),
            (
                Program,
                Act::Rename { from: "/home/u/app/target/tmp/l".into(), to: app("a.txt").as_str().into() },
                Some(Object { dev: 1, ino: 4, kind: ObjectKind::Symlink }),
                source(Medium),
            ),
            (Program, create("/home/u/app2/a.snap"), None, Alarm(Rule::FsWriteOutside, High)),
            (BuildScript, create(&app("tests/a.snap.new")), None, source(Medium)),
            (Rustc, create(&app("tests/a.snap.new")), None, source(Medium)),
        ],
    );
    // A FIFO is no record, wherever it was made; a socket is.
    let special = Some(Object { dev: 1, ino: 4, kind: ObjectKind::Special });
    check(
        "default",
        &[
            (Program, create(&app("f.txt")), special, source(Medium)),
            (Program, create(&app("tests/ui/case.stderr")), special, source(Medium)),
            (Program, Act::Rename { from: "/home/u/app/target/tmp/f".into(), to: app("f.txt").as_str().into() }, special, source(Medium)),
            (Program, create(&app("server.sock")), special, Allow),
            (Program, create(&app("opencode.json")), None, source(High)),
            // A package of its own.
            (Program, create(&app("member/x.txt")), None, source(Medium)),
            (Program, create(&app("member/tests/a.snap.new")), None, source(Medium)),
            (Program, create(&app("member/tests")), dir(), source(High)),
            (Program, create(&app("member2/x.txt")), None, Allow),
        ],
    );
    // What it made itself is its own.
    let policy = policy_of("default", Program);
    policy.done(&create(&app("todo.json")));
    assert_eq!(said(&policy.judge(&write(&app("todo.json")), file())), Allow);
    policy.done(&Act::Remove { path: app("todo.json").as_str().into() });
    assert_eq!(said(&policy.judge(&write(&app("todo.json")), file())), source(High));
}
