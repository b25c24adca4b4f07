//! Brig itself, attacked by the repository: what it may try to switch it off, to lead around it, or to open its walls. Every trick works
//! under plain cargo, and is refused, confined or loudly shown under Brig.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;

use crate::control::Control;
use crate::finding::{expect_silence, violations};
use crate::place::{Place, brig, toolchain};
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

fn configure(place: &Place, text: &str) {
    place.write(&place.workspace().join(".cargo/config.toml"), text);
}

/// A program of the repository's own: leaves a mark in the throw-away home and goes on as `becomes`.
fn script(place: &Place, name: &str, becomes: &str) -> String {
    let path = place.workspace().join(name);
    place.write(&path, &format!("#!/bin/sh\necho run >> \"{}\"\n{becomes}\n", place.path("home/mark").display()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn marked(place: &Place) -> bool {
    place.path("home/mark").exists()
}

/// Brig as cargo finds it: the real subcommand, on the path.
fn through_cargo<'a>(place: &'a Place, args: &[&str]) -> Run<'a> {
    let toolchain = toolchain().join("bin");
    let dirs = [brig().parent().unwrap(), &toolchain, Path::new("/usr/bin"), Path::new("/bin")];
    cargo(place, args).env("PATH", std::env::join_paths(dirs).unwrap())
}

/// A trick of `.cargo/config.toml`: under plain cargo the program it names runs and leaves its mark; under Brig it leaves none.
struct Trick {
    name: &'static str,
    /// Of the script's path: the configuration.
    configuration: fn(&str) -> String,
    becomes: &'static str,
    cargo: &'static [&'static str],
}

const TRICKS: [Trick; 10] = [
    Trick {
        name: "a runner",
        configuration: |path| format!("[target.'cfg(all())']\nrunner = {path:?}\n"),
        becomes: "exec \"$@\"",
        cargo: &["run", "--offline"],
    },
    Trick {
        name: "a linker",
        configuration: |path| format!("[target.{}]\nlinker = {path:?}\n", triple()),
        becomes: "exec cc \"$@\"",
        cargo: BUILD,
    },
    Trick {
        name: "a linker by flag",
        configuration: |path| format!("[build]\nrustflags = [\"-Clinker={path}\"]\n"),
        becomes: "exec cc \"$@\"",
        cargo: BUILD,
    },
    Trick {
        name: "rustdoc",
        configuration: |path| format!("[build]\nrustdoc = {path:?}\n"),
        becomes: "exec rustdoc \"$@\"",
        cargo: &["doc", "--offline"],
    },
    Trick {
        name: "a browser",
        configuration: |path| format!("[doc]\nbrowser = [{path:?}, \"-new-tab\"]\n"),
        becomes: "",
        cargo: &["doc", "--offline", "--open"],
    },
    Trick { name: "a compiler", configuration: |path| format!("[build]\nrustc = {path:?}\n"), becomes: "exec rustc \"$@\"", cargo: BUILD },
    Trick {
        name: "a wrapper for members",
        configuration: |path| format!("[build]\nrustc-workspace-wrapper = {path:?}\n"),
        becomes: "exec \"$@\"",
        cargo: BUILD,
    },
    Trick { name: "a wrapper", configuration: |path| format!("[build]\nrustc-wrapper = {path:?}\n"), becomes: "exec \"$@\"", cargo: BUILD },
    Trick {
        name: "a credential provider",
        configuration: |path| format!("[registries.zoo]\nindex = \"sparse+http://127.0.0.1:9/\"\ncredential-provider = [{path:?}]\n"),
        becomes: "echo '{\"v\":[1]}'; read request; echo '{\"Ok\":{\"kind\":\"logout\"}}'",
        cargo: &["logout", "--registry", "zoo"],
    },
    Trick {
        name: "a shell in the way of the compiler's linker",
        configuration: |path| {
            format!("[env]\nPATH = {{ value = \"{}:{}/bin:/usr/bin:/bin\", force = true }}\n", parent(path), toolchain().display())
        },
        becomes: "exec /usr/bin/cc \"$@\"",
        cargo: BUILD,
    },
];

fn parent(path: &str) -> &str {
    path.rsplit_once('/').unwrap().0
}

fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

#[test]
fn programs_a_configuration_names_are_confined_or_refused() {
    for (who, trick) in Who::all().into_iter().flat_map(|who| TRICKS.iter().map(move |trick| (who, trick))) {
        let prepared = || {
            let place = Place::new("honest-run", who);
            // Named like what it stands in for: a linker is found by its name on the path.
            let path = script(&place, "bin/cc", trick.becomes);
            configure(&place, &(trick.configuration)(&path));
            place
        };
        Control::of(trick.name, "honest-run", who).unless_won(|| {
            let place = prepared();
            let plain = cargo(&place, trick.cargo).go();
            assert!(marked(&place), "{}: it must run under plain cargo\n{plain}", trick.name);
        });
        let place = prepared();
        let outcome = guarded(&place, &[], trick.cargo).go();
        assert!(!marked(&place), "{}: it ran outside a wall\n{outcome}", trick.name);
        // Refused before it started, or confined and told.
        assert!([100, 104].contains(&outcome.code), "{}: not told\n{outcome}", trick.name);
        if outcome.code == 104 {
            assert!(outcome.stderr_text().contains("bin/cc\" wraps the compiler"), "{}\n{outcome}", trick.name);
        }
    }
}

/// Where nothing is refused, it is told: whatever of these runs is the workspace's.
#[test]
fn programs_a_configuration_names_are_told_where_they_are_watched() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let [cc, runner, rustdoc, browser, provider] = [
            ("bin/cc", "exec cc \"$@\""),
            ("bin/runner", "exec \"$@\""),
            ("bin/rustdoc", "exec rustdoc \"$@\""),
            ("bin/browser", ""),
            ("bin/provider", "echo '{\"v\":[1]}'; read request; echo '{\"Ok\":{\"kind\":\"logout\"}}'"),
        ]
        .map(|(name, becomes)| script(&place, name, becomes));
        configure(
            &place,
            &format!(
                "[target.{}]\nlinker = {cc:?}\n[target.'cfg(all())']\nrunner = {runner:?}\n[build]\nrustdoc = {rustdoc:?}\n[doc]\nbrowser = {browser:?}\n\
                 [registries.zoo]\nindex = \"sparse+http://127.0.0.1:9/\"\ncredential-provider = [{provider:?}]\n",
                triple()
            ),
        );
        let runs: [(&[&str], usize); 3] =
            [(&["run", "--offline"], 2), (&["doc", "--offline", "--open"], 2), (&["logout", "--registry", "zoo"], 1)];
        for (args, programs) in runs {
            let outcome = guarded(&place, &["--mode", "observe"], args).go();
            let report = outcome.report();
            // Each leaves its mark, and is somebody.
            let left = |finding: &&Value| {
                finding["evidence"].as_array().unwrap().iter().any(|one| one["path"].as_str().is_some_and(|path| path.ends_with("/mark")))
            };
            let who: std::collections::BTreeSet<_> = violations(report).filter(left).map(|finding| finding["actor"].to_string()).collect();
            assert!(marked(&place) && who.len() >= programs, "{who:?}\n{outcome}");
            fs::remove_file(place.path("home/mark")).unwrap();
        }
    }
}

/// What cargo 1.95 does with `[alias] brig = …`: it warns, and runs the alias. Nothing of ours runs then, so the direct call is the one to use.
#[test]
fn an_alias_takes_our_name_but_not_our_program() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let path = script(&place, "bin/runner", "exec \"$@\"");
        configure(&place, &format!("[alias]\nbrig = [\"run\", \"--offline\", \"--\"]\n[target.'cfg(all())']\nrunner = {path:?}\n"));
        let called = through_cargo(&place, &["brig", "build", "--offline"]).go();
        assert!(called.stderr_text().contains("user-defined alias `brig` is shadowing an external subcommand"), "{called}");
        assert!(marked(&place) && !called.stderr_text().contains("Confining"), "cargo has changed: the alias no longer wins\n{called}");
        fs::remove_file(place.path("home/mark")).unwrap();
        let direct = bare(&place, &["--report-dir", place.path("report").to_str().unwrap(), "build", "--offline"]).go();
        expect_silence(direct.exits(0));
        assert!(direct.stderr_text().contains("Confining cargo build"), "{direct}");
    }
}

/// Cargo tells an external subcommand nothing of `[env]`: the repository cannot speak to us through `BRIG_*`, nor choose the cargo we run.
#[test]
fn variables_of_a_configuration_do_not_reach_us() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let force = |name: &str, value: &str| format!("{name} = {{ value = {value:?}, force = true }}\n");
        let mut text = "[env]\n".to_owned();
        for (name, value) in
            [("BRIG_MODE", "observe"), ("BRIG_POLICY", "observe"), ("BRIG_CONFIG", "/nowhere"), ("CARGO", "/nowhere"), ("BRIG_QUIET", "1")]
        {
            text.push_str(&force(name, value));
        }
        configure(&place, &text);
        let report = place.path("report");
        let outcome = through_cargo(&place, &["brig", "--report-dir", report.to_str().unwrap(), "build", "--offline"]).go();
        expect_silence(outcome.exits(0));
        assert_eq!(outcome.report()["run"]["mode"], "enforce", "{outcome}");
        assert_eq!(outcome.report()["run"]["profile"], serde_json::json!(["default"]), "{outcome}");
    }
}

/// Other variables are the build's own business, as far as its walls go: nothing is written where they point. (`CARGO_HOME` and
/// `RUSTUP_HOME` there are an error of cargo's own.)
#[test]
fn homes_and_temporary_directories_of_a_configuration_open_nothing() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        place.plant("home/elsewhere/notes.txt", "notes", "");
        let elsewhere = place.path("home/elsewhere");
        let force = |name: &str| format!("{name} = {{ value = {elsewhere:?}, force = true }}\n");
        configure(&place, &["[env]\n".to_owned(), force("HOME"), force("TMPDIR"), force("LD_PRELOAD")].concat());
        let script = "fn main() {\n    for name in [\"HOME\", \"TMPDIR\"] {\n        \
            let dir = std::env::var(name).unwrap();\n        \
            if let Ok(text) = std::fs::read_to_string(format!(\"{dir}/notes.txt\")) { println!(\"zoo: {text}\"); }\n        \
            let _ = std::fs::write(format!(\"{dir}/planted\"), \"\");\n    }\n}\n";
        place.write(&place.workspace().join("build.rs"), script);
        let planted = elsewhere.join("planted");
        let plain = cargo(&place, BUILD).go();
        assert!(planted.exists(), "plain cargo must let it\n{plain}");
        fs::remove_file(&planted).unwrap();
        place.clean();
        let outcome = guarded(&place, &[], BUILD).go();
        outcome.exits(100);
        assert!(!planted.exists(), "{outcome}");
        assert!(crate::effect::spilled(&place, &outcome).is_empty(), "{outcome}");
        assert!(rules(&outcome).contains(&"env/loader".to_owned()), "the preloaded library is not told of\n{outcome}");
    }
}

/// `cargo brig b2`: what an alias stands for is confined like what it is.
#[test]
fn an_alias_of_a_subcommand_is_confined_like_what_it_stands_for() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let thief = "fn main() {\n    let key = std::fs::read_to_string(std::env::var(\"HOME\").unwrap() + \"/.ssh/id_ed25519\");\n    println!(\"zoo: {key:?}\");\n}\n";
        place.write(&place.workspace().join("src/bin/evil.rs"), thief);
        configure(&place, "[alias]\nb2 = [\"run\", \"--offline\", \"--bin\", \"evil\"]\nbuild = [\"run\", \"--bin\", \"evil\"]\n");
        let plain = cargo(&place, &["b2"]).go();
        assert!(plain.stdout_text().contains(&place.canary), "{plain}");
        let outcome = guarded(&place, &[], &["b2"]).go();
        assert!(!outcome.stdout_text().contains(&place.canary), "{outcome}");
        assert!(rules(outcome.exits(100)).contains(&"secret/read".to_owned()), "{outcome}");
        // A built-in command cannot be shadowed.
        let built = guarded(&place, &[], BUILD).go();
        assert!(built.stderr_text().contains("alias `build` is ignored"), "{built}");
        expect_silence(built.exits(0));
    }
}

/// `{target}` may be read by the whole build, so a repository must not choose what it is.
#[test]
fn a_target_directory_in_somebody_elses_place_is_refused() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        place.plant("home/Documents/notes.txt", "notes", "");
        fs::create_dir_all(place.path("home/cache")).unwrap();
        let documents = place.path("home/Documents");
        let script =
            format!("fn main() {{\n    println!(\"zoo: {{:?}}\", std::fs::read_to_string({:?}));\n}}\n", documents.join("notes.txt"));
        place.write(&place.workspace().join("build.rs"), &script);
        fs::create_dir_all(place.workspace().join(".git/hooks")).unwrap();
        let git = place.workspace().join(".git");
        let home = place.path("home");
        for (key, dir) in [
            ("target-dir", &*documents),
            ("build-dir", &documents),
            ("target-dir", &home),
            ("target-dir", Path::new("/")),
            ("build-dir", &home),
            ("target-dir", &git),
            ("target-dir", &git.join("hooks")),
        ] {
            configure(&place, &format!("[build]\n{key} = {dir:?}\n"));
            let outcome = guarded(&place, &[], BUILD).compared().go();
            refuses_target(&outcome);
            assert!(!dir.join("debug").exists(), "something was built\n{outcome}");
        }
        // The same by a link, which a repository can bring along.
        configure(&place, "");
        fs::remove_dir_all(place.target()).unwrap();
        symlink(&documents, place.target()).unwrap();
        // The secret is where it was, and the link leads there.
        refuses_target(&guarded(&place, &[], BUILD).compared().go());
        fs::remove_file(place.target()).unwrap();
        place.write(&place.workspace().join("build.rs"), "fn main() {}\n");
        // A directory of cargo's own, an empty one, and one the user names are as good as ever.
        configure(&place, &format!("[build]\ntarget-dir = {:?}\n", place.path("home/cache")));
        for _ in 0..2 {
            guarded(&place, &[], BUILD).compared().go().exits(0);
        }
        configure(&place, "");
        let named = guarded(&place, &[], BUILD).env("CARGO_TARGET_DIR", documents.as_os_str()).compared().go();
        named.exits(0);
    }
}

fn refuses_target(outcome: &Outcome) {
    outcome.exits(2);
    let said = outcome.stderr_text();
    assert!(["`--target-dir` or `CARGO_TARGET_DIR`", "`CARGO_BUILD_BUILD_DIR`"].iter().any(|words| said.contains(words)), "{outcome}");
}

/// Other sources for a dependency are other code behind the same walls.
#[test]
fn replaced_sources_and_overridden_paths_run_behind_the_walls() {
    let thief = "fn main() {\n    let key = std::fs::read_to_string(std::env::var(\"HOME\").unwrap() + \"/.ssh/id_ed25519\");\n    println!(\"zoo: {key:?}\");\n}\n";
    for who in Who::all() {
        let place = Place::new("02-timeapi-build", who);
        let manifest = fs::read_to_string(place.workspace().join("deps/time_calibrator/Cargo.toml")).unwrap();
        let other = place.workspace().join("other/time_calibrator");
        place.write(&other.join("Cargo.toml"), &manifest);
        place.write(&other.join("src/lib.rs"), "");
        place.write(&other.join("build.rs"), thief);
        configure(&place, &format!("paths = [{other:?}]\n"));
        let plain = cargo(&place, BUILD).go();
        assert!(!plain.stderr_text().contains("error"), "{plain}");
        assert!(!crate::effect::spilled(&place, &plain).is_empty(), "the other code must run\n{plain}");
        place.clean();
        let outcome = guarded(&place, &[], BUILD).go();
        assert!(rules(outcome.exits(100)).contains(&"secret/read".to_owned()), "{outcome}");
        assert!(crate::effect::spilled(&place, &outcome).is_empty(), "{outcome}");
    }
}

#[test]
fn a_policy_of_the_repository_that_loosens_is_told_before_the_build() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let file = place.workspace().join("brig.toml");
        for (text, said) in [
            ("version = 1\nmode = \"observe\"\n", "mode observe: nothing is refused"),
            ("version = 1\npolicy = \"observe\"\n", "mode observe: nothing is refused"),
            (
                "version = 1\npolicy = \"mine\"\n[profile.mine]\ninherits = \"default\"\nnot-secrets = [\"*.pem\"]\n\
                 [profile.mine.build-script]\nextend-connect = [\"*:443\"]\n",
                "build-script connect *:443",
            ),
            (
                "version = 1\n[profile.default]\ninherits = \"default\"\n[profile.default.rustc]\nextend-write = [\"{home}\"]\n",
                "rustc write {home}",
            ),
        ] {
            place.write(&file, text);
            let outcome = guarded(&place, &["-q"], BUILD).go();
            let loosened = &outcome.exits(0).report()["enforcement"]["loosened"];
            assert_eq!((&loosened["file"], &loosened["than"]), (&"brig.toml".into(), &"default".into()), "{outcome}");
            assert!(loosened["grants"].as_array().unwrap().contains(&Value::from(said)), "{outcome}");
            let lines: Vec<String> = outcome.stderr_text().lines().filter(|line| line.contains("Loosened")).map(str::to_owned).collect();
            assert!(lines.len() == 1 && lines[0].contains("`brig.toml` grants more than profile `default`"), "{lines:?}\n{outcome}");
            // Whoever does not trust the repository leaves it out; whoever names the file means it.
            let outcome = guarded(&place, &["--no-config"], BUILD).go();
            assert!(outcome.exits(0).report()["enforcement"].get("loosened").is_none(), "{outcome}");
            assert_eq!(
                (&outcome.report()["run"]["mode"], &outcome.report()["run"]["profile"]),
                (&"enforce".into(), &serde_json::json!(["default"]))
            );
            let outcome = guarded(&place, &["--config", file.to_str().unwrap()], BUILD).go();
            assert!(outcome.exits(0).report()["enforcement"].get("loosened").is_none(), "{outcome}");
        }
        place.write(&file, "version = 1\npolicy = \"mine\"\ntimeout = \"1h\"\n[profile.mine]\ninherits = \"strict\"\n");
        let outcome = guarded(&place, &[], BUILD).go();
        assert!(!outcome.exits(0).stderr_text().contains("Loosened"), "{outcome}");
        assert_eq!(outcome.report()["run"]["timeout_ms"], 3_600_000, "{outcome}");
    }
}

/// Neither a link at the report's place nor one made there during the build makes us write somewhere else.
#[test]
fn the_report_goes_where_it_was_meant_to_go() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let victim = place.path("home/victim");
        place.write(&victim, "precious\n");
        // A link that the repository brought along: to a directory, or in the place of a file.
        fs::create_dir_all(place.target()).unwrap();
        symlink(place.path("home"), place.target().join("brig")).unwrap();
        let outcome = bare(&place, BUILD).go();
        assert!(![0, 100, 101].contains(&outcome.code), "{outcome}");
        assert!(!place.path("home/report.json").exists(), "{outcome}");
        fs::remove_file(place.target().join("brig")).unwrap();
        symlink(&victim, place.path("link.json")).unwrap();
        let outcome = guarded(&place, &["--json", place.path("link.json").to_str().unwrap()], BUILD).go();
        assert!(outcome.stderr_text().contains("is not a regular file") && ![0, 100, 101].contains(&outcome.code), "{outcome}");
        // Made while the build runs, as far as a build script gets.
        let script = format!(
            "use std::os::unix::fs::symlink;\nfn main() {{\n    for path in [{0:?}, {1:?}] {{\n        let _ = std::fs::remove_file(path);\n        \
             let _ = std::fs::remove_dir_all(path);\n        let _ = symlink({2:?}, path);\n    }}\n}}\n",
            place.target().join("brig"),
            place.target().join("brig/report.json"),
            victim
        );
        place.write(&place.workspace().join("build.rs"), &script);
        let outcome = bare(&place, BUILD).go();
        assert_eq!(outcome.code, 100, "{outcome}");
        let report = fs::symlink_metadata(place.target().join("brig/report.json")).unwrap();
        assert!(report.is_file() && report.len() > 1000, "{outcome}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious\n", "{outcome}");
    }
}

fn rules(outcome: &Outcome) -> Vec<String> {
    violations(outcome.report()).filter_map(|finding| finding["rule"].as_str()).map(str::to_owned).collect()
}
