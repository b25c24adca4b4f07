//! What cargo said of the graph is remembered in the user's cache directory: asked again when something changed, and nobody in a build writes there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::place::{Place, visit};
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
/// What Brig says of it under `BRIG_LOG`.
const REMEMBERED: &str = "remembered=true";
const ASKED: &str = "remembered=false";

/// A place with a workspace of one library.
fn small(who: Who) -> Place {
    let place = Place::new("01-timeapi-test", who);
    fs::remove_dir_all(place.workspace()).unwrap();
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";
    place.write(&place.workspace().join("Cargo.toml"), manifest);
    place.write(&place.workspace().join("src/lib.rs"), "//! Nothing.\n");
    place
}

fn build(place: &Place) -> Outcome {
    guarded(place, &[], BUILD).env("BRIG_LOG", "1").go()
}

/// Builds until the answer is remembered: what is younger than two seconds is not.
fn settle(place: &Place) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let outcome = build(place);
        if outcome.exits(0).stderr_text().contains(REMEMBERED) {
            return;
        }
        assert!(Instant::now() < end, "never remembered\n{outcome}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn memory(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    visit(&place.path("home/.cache/brig"), &mut |path| drop(found.insert(path.to_owned(), fs::read(path).unwrap_or_default())));
    found
}

type Change = (&'static str, fn(&Place), &'static [&'static str]);

#[test]
fn whoever_changes_the_workspace_is_seen() {
    let changes: [Change; 4] = [
        ("a program", |place| place.write(&place.workspace().join("src/bin/more.rs"), "fn main() {}\n"), &["debug/more"]),
        ("configuration above the workspace", |place| place.write(&place.path("home/.cargo/config.toml"), "[build]\njobs = 1\n"), &[]),
        (
            "a manifest",
            |place| {
                let manifest = place.workspace().join("Cargo.toml");
                let text = fs::read_to_string(&manifest).unwrap();
                fs::write(manifest, format!("{text}\n[[bin]]\nname = \"named\"\npath = \"src/bin/more.rs\"\n")).unwrap();
            },
            &[],
        ),
        ("nothing", |_| (), &[]),
    ];
    for who in Who::all() {
        let place = small(who);
        for (what, change, made) in &changes {
            settle(&place);
            change(&place);
            place.hand_over();
            let outcome = build(&place);
            let expected = if *what == "nothing" { REMEMBERED } else { ASKED };
            assert!(outcome.exits(0).stderr_text().contains(expected), "{what}\n{outcome}");
            for file in *made {
                assert!(place.target().join(file).is_file(), "{what}: {file}\n{outcome}");
            }
        }
        let other = guarded(&place, &[], BUILD).env("BRIG_LOG", "1").env("CARGO_PROFILE_DEV_DEBUG", "0").go();
        assert!(other.exits(0).stderr_text().contains(ASKED), "a variable\n{other}");
    }
}

/// Does everything that would have the next run believe another graph.
const SCRIPT: &str = r#"use std::{fs, path::Path};
fn main() {
    let brig = Path::new(&std::env::var("HOME").unwrap()).join(".cache/brig");
    for entry in fs::read_dir(&brig).into_iter().flatten().flatten() {
        let _ = fs::write(entry.path(), "forged");
        let _ = fs::remove_file(entry.path());
    }
    let _ = fs::write(brig.join("graph-0000000000000000"), "forged");
    let _ = std::os::unix::fs::symlink("/tmp", brig.join("graph-1111111111111111"));
    let _ = fs::rename(&brig, brig.with_file_name("other"));
    let _ = fs::create_dir_all(&brig);
    let _ = fs::write(brig.join("graph-2222222222222222"), "forged");
}
"#;

#[test]
fn nobody_in_a_build_writes_there() {
    for who in Who::all() {
        let place = small(who);
        settle(&place);
        let before = memory(&place);
        assert!(!before.is_empty());
        place.write(&place.workspace().join("build.rs"), SCRIPT);
        place.hand_over();
        // The new script is asked for, and what cargo says is too young to be kept.
        let outcome = build(&place);
        assert!(outcome.exits(100).stderr_text().contains(ASKED), "{outcome}");
        assert_eq!(memory(&place), before, "{outcome}");

        // Where nothing is refused, nothing is believed afterwards.
        let observed = guarded(&place, &["--mode", "observe", "--fresh"], BUILD).go();
        observed.exits(0);
        assert!(memory(&place).is_empty(), "{observed}");

        fs::remove_dir_all(place.target()).unwrap();
        cargo(&place, BUILD).go().exits(0);
        assert!(memory(&place).keys().any(|path| path.ends_with("graph-2222222222222222")), "the script does no harm");
    }
}

#[test]
fn without_a_place_for_it_cargo_is_asked() {
    for who in Who::all() {
        let place = small(who);
        place.write(&place.path("home/.cache"), "no directory");
        place.hand_over();
        for _ in 0..2 {
            let outcome = build(&place);
            assert!(outcome.exits(0).stderr_text().contains(ASKED), "{outcome}");
            std::thread::sleep(Duration::from_millis(2500));
        }
    }
}
