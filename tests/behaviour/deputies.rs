//! What stands in the place of something cargo means to start: a script that bears the compiler's name, a runner that bears the name of one
//! of cargo's own. It runs as what it stands for, or not at all, and whose word it was is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::finding::{actor, violations};
use crate::place::{Place, toolchain};
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

/// Rules broken, and the package that did.
fn found(outcome: &Outcome) -> Vec<(String, Value)> {
    let report = outcome.report();
    let package = |finding| actor(report, finding)["package"]["name"].clone();
    violations(report).map(|finding| (finding["rule"].as_str().unwrap().to_owned(), package(finding))).collect()
}

/// A directive puts a directory with a `rustc` in front of the search path.
#[test]
fn a_compiler_put_on_the_path_is_a_finding_of_its_crate() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let rustc = toolchain().join("bin/rustc");
        let script = format!(
            "use std::os::unix::fs::PermissionsExt;\n\
             fn main() {{\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    let file = format!(\"{{out}}/rustc\");\n    \
             std::fs::write(&file, \"#!/bin/sh\\necho zoo-other-rustc >&2\\nexec {} \\\"$@\\\"\\n\").unwrap();\n    \
             std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();\n    \
             println!(\"cargo::rustc-env=PATH={{out}}:{{}}\", std::env::var(\"PATH\").unwrap());\n}}\n",
            rustc.display()
        );
        place.write(&place.workspace().join("build.rs"), &script);
        let plain = cargo(&place, &["build", "--offline"]).go();
        assert!(plain.exits(0).stderr_text().contains("zoo-other-rustc"), "it must run under plain cargo\n{plain}");
        place.clean();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        let found = found(outcome.exits(100));
        for rule in ["env/loader", "exec/dropped"] {
            assert!(found.contains(&(rule.to_owned(), "app".into())), "{rule} is not told\n{outcome}");
        }
        assert!(found.iter().all(|(_, package)| package == "app"), "{outcome}");
    }
}

/// The user's own that nobody named: said to be one, before anything is compiled.
#[test]
fn a_compiler_of_the_users_that_is_a_script_is_told_as_that() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        // Not where everybody leaves files, which is no place on a path for cargo's wall.
        let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-compiler/bin");
        let file = bin.join("rustc");
        place.write(&file, &format!("#!/bin/sh\nexec {} \"$@\"\n", toolchain().join("bin/rustc").display()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let outcome = guarded(&place, &[], &["build", "--offline"]).env("PATH", format!("{}:/usr/bin:/bin", bin.display())).go();
        outcome.exits(104);
        assert!(outcome.stderr_text().contains("bin/rustc\" is a script"), "{outcome}");
    }
}

/// A repository's runner is the program it runs, whatever it is called and whatever its words look like.
#[test]
fn a_runner_is_the_repositorys_whatever_its_name() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let key = place.path("home/.ssh/id_ed25519");
        let registry = place.path("home/.cargo/registry/src/index-0a/serde-1.0.228/src/lib.rs");
        place.write(&place.workspace().join("tools/rustc"), &format!("cat {}\n", key.display()));
        let path = |name: &str| toolchain().join("bin").join(name).display().to_string();
        for runner in [
            vec![path("rustfmt"), key.display().to_string()],
            vec![path("rustc"), "--crate-name".into(), "serde".into(), key.display().to_string(), "-L".into()],
            vec!["sh".into(), "tools/rustc".into(), "--crate-name".into(), "serde".into(), registry.display().to_string()],
        ] {
            place.write(&place.workspace().join(".cargo/config.toml"), &format!("[target.'cfg(all())']\nrunner = {runner:?}\n"));
            let plain = cargo(&place, &["run", "--offline"]).go();
            assert!(!crate::effect::spilled(&place, &plain).is_empty(), "{runner:?} must read it under plain cargo\n{plain}");
            let outcome = guarded(&place, &[], &["run", "--offline"]).go();
            let found = found(outcome.exits(100));
            assert!(crate::effect::spilled(&place, &outcome).is_empty(), "{runner:?}\n{outcome}");
            assert!(found.contains(&("secret/read".to_owned(), "app".into())), "{runner:?}\n{outcome}");
            assert!(found.iter().all(|(_, package)| package == "app"), "{runner:?} blames somebody else\n{outcome}");
        }
    }
}
