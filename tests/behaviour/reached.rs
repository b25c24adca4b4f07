//! What did not run: because cargo had it already, or because it never came to it. Plain cargo says the one and not the other.

use std::fs;

use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

/// `later` needs `broken`, `early` needs nobody; each has a build script.
fn place() -> Place {
    let place = Place::new("honest-run", Who::Myself);
    let workspace = place.workspace().to_owned();
    fs::remove_dir_all(&workspace).unwrap();
    let package = |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
    for (name, needs) in [("early", ""), ("broken", ""), ("later", "[build-dependencies]\nbroken = { path = \"../broken\" }\n")] {
        place.write(&workspace.join(name).join("Cargo.toml"), &package(name, needs));
        place.write(&workspace.join(name).join("src/lib.rs"), "");
        place.write(&workspace.join(name).join("build.rs"), "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n");
    }
    let needs = "[dependencies]\nearly = { path = \"early\" }\nlater = { path = \"later\" }\n[workspace]\n";
    place.write(&workspace.join("Cargo.toml"), &package("app", needs));
    place.write(&workspace.join("src/lib.rs"), "");
    place
}

fn fail(place: &Place) {
    let script = "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); std::process::exit(3) }\n";
    place.write(&place.workspace().join("broken/build.rs"), script);
}

/// Ran, fresh, not reached.
fn coverage(outcome: &Outcome) -> (u64, u64, u64) {
    let coverage = &outcome.report()["coverage"];
    let of = |name: &str| coverage[name].as_u64().unwrap();
    (coverage["ran"]["build-script"].as_u64().unwrap_or_default(), of("fresh"), of("not_reached"))
}

#[test]
fn what_cargo_never_came_to_is_not_called_fresh() {
    const BUILD: &[&str] = &["build", "--offline", "-j1", "--keep-going"];
    let place = place();
    fail(&place);
    cargo(&place, BUILD).go().exits(101);
    place.clean();
    let summary = place.path("run/summary.md");
    let cold = guarded(&place, &["--markdown", summary.to_str().unwrap()], BUILD).go();
    assert_eq!(coverage(cold.exits(101)), (2, 0, 1), "{cold}");
    assert!(cold.stderr_text().contains("cargo did not come to 1 build script or macro"), "{cold}");
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(
        summary.starts_with("## Brig: what ran was clean, cargo failed\n") && summary.contains("cargo's exit code is 101"),
        "{summary}"
    );

    place.write(&place.workspace().join("broken/build.rs"), "fn main() {}\n");
    assert_eq!(coverage(guarded(&place, &[], BUILD).go().exits(0)).2, 0);
    let warm = guarded(&place, &[], BUILD).go();
    assert_eq!(warm.exits(0).report()["outcome"]["verdict"], "not-run");
    // What was built before, and is to be built again because of what it needs, is not fresh either.
    fail(&place);
    let again = guarded(&place, &[], BUILD).go();
    assert_eq!(coverage(again.exits(101)), (1, 1, 1), "{again}");
}
