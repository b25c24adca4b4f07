//! Where findings are shown at the sources: counted from the top of the repository, and at the file and line that is to be read.

use std::fs;

use serde_json::Value;

use crate::place::{Place, visit};
use crate::run::{cargo, guarded};
use crate::who::Who;

const SCRIPT: &str = "mod steps;\nfn main() {\n    steps::collect();\n}\n";
const STEP: &str = "use std::{env, fs, path::Path};\n\n#[inline(never)]\npub fn collect() {\n    \
    let key = fs::read(Path::new(&env::var(\"HOME\").unwrap()).join(\".ssh/id_ed25519\")).unwrap_or_default();\n    \
    fs::write(Path::new(&env::var(\"OUT_DIR\").unwrap()).join(\"key\"), key).unwrap();\n}\n";
const LIBRARY: &str = "//! Innocent up here.\n\n#[inline(never)]\npub fn check() { println!(\"{}\", std::fs::read_to_string(\".env\").unwrap_or_default()) }\n";

/// A repository with the workspace in `rust`, and beside it a package that the workspace uses.
fn place(who: Who) -> Place {
    let place = Place::new("honest-run", who);
    let top = place.workspace().to_owned();
    fs::remove_dir_all(&top).unwrap();
    let package = |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
    fs::create_dir_all(top.join(".git")).unwrap();
    let needs = "[dependencies]\nscripted = { path = \"crates/scripted\" }\nshared = { path = \"../shared\" }\n[workspace]\n";
    for (path, text) in [
        ("rust/Cargo.toml", package("app", needs)),
        ("rust/src/lib.rs", "#[test]\nfn it() { shared::check() }\n".to_owned()),
        ("rust/crates/scripted/Cargo.toml", package("scripted", "build = \"build/main.rs\"\n")),
        ("rust/crates/scripted/src/lib.rs", String::new()),
        ("rust/crates/scripted/build/main.rs", SCRIPT.to_owned()),
        ("rust/crates/scripted/build/steps.rs", STEP.to_owned()),
        ("shared/Cargo.toml", package("shared", "")),
        ("shared/src/lib.rs", LIBRARY.to_owned()),
        ("rust/.env", format!("ZOO_SECRET={}-dotenv\n", place.canary)),
    ] {
        place.write(&top.join(path), &text);
    }
    place
}

#[test]
fn findings_point_into_the_repository() {
    for who in Who::all() {
        let control = place(who);
        let test = ["test", "--offline", "--", "--nocapture"];
        let plain = cargo(&control, &test).at(&control.workspace().join("rust")).go();
        let mut kept = Vec::new();
        visit(&control.workspace().join("rust/target"), &mut |path| {
            if path.ends_with("out/key") {
                kept = fs::read(path).unwrap();
            }
        });
        let both = plain.exits(0).stdout_text() + &String::from_utf8_lossy(&kept);
        assert_eq!(both.matches(&control.canary).count(), 2, "plain cargo: the keys are not stolen\n{plain}");

        let place = place(who);
        let log = place.path("run/log.sarif");
        let rust = place.workspace().join("rust");
        let outcome = guarded(&place, &["--sarif", log.to_str().unwrap()], &test).at(&rust).env("GITHUB_ACTIONS", "true").go();
        outcome.exits(100);
        let log: Value = serde_json::from_slice(&fs::read(&log).unwrap()).unwrap();
        let at = |result: &Value| {
            let place = &result["locations"][0]["physicalLocation"];
            (place["artifactLocation"]["uri"].as_str().unwrap().to_owned(), place["region"]["startLine"].as_u64().unwrap())
        };
        let told: Vec<_> = log["runs"][0]["results"].as_array().unwrap().iter().map(at).collect();
        let expected = [("rust/crates/scripted/build/steps.rs", 4), ("shared/src/lib.rs", 4)];
        assert_eq!(told, expected.map(|(file, line)| (file.to_owned(), line)), "as {who:?}\n{outcome}");
        for (file, line) in expected {
            let annotation = format!("::error file={file},line={line},title=secret/read::");
            assert!(outcome.stderr_text().lines().any(|told| told.starts_with(&annotation)), "no {annotation}\n{outcome}");
        }
    }
}
