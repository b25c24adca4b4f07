//! Weaker ground.

use std::fs;

use crate::finding::list;
use crate::grounds::{Ground, all};
use crate::place::Place;
use crate::run::{Run, bare, guarded, shell};
use crate::who::Who;

const THEFTS: &[&str] = &[
    "04-sh-unawaited/build-info",
    "15-runner-memory/deps/changed-files",
    "16-fastopen/deps/fast-opener",
    "17-dns-labels/deps/dns-labels",
    "21-aliases/deps/aliaser",
    "28-abstract-names/deps/abstract-caller",
];
const HONEST: &[&str] = &[
    "honest-scripts/deps/rustc-probe",
    "honest-scripts/deps/c-library",
    "honest-scripts/deps/make-user",
    "honest-scripts/deps/system-lister",
    "honest-scripts/deps/process-lister",
    "honest-scripts/deps/parent-prober",
    "honest-scripts/deps/temp-user",
];

fn standing<'a>(run: Run<'a>, ground: &Ground, place: &Place) -> Run<'a> {
    ground.lowers.iter().fold(run.on(&(ground.steps)(place)), |run, (name, value)| run.env(name, *value))
}

#[test]
#[ignore = "exploration"]
fn matrix() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for ground in all().iter().filter(|ground| ground.name.contains(&only)) {
        for who in Who::all() {
            let place = Place::new("honest-run", who);
            place.gather(&[THEFTS, HONEST].concat());
            let begun = std::time::Instant::now();
            println!("=== {} as {who:?}", ground.name);
            if !ground.tells.is_empty() {
                let told = standing(shell(&place, &ground.tells), ground, &place).go();
                let off = shell(&place, &ground.tells).go();
                println!("control: on {} off {}  {}", told.code, off.code, told.stderr_text().trim());
            }
            let _runner = crate::zoo::Process(crate::zoo::runner_worker(&place));
            let link = place.workspace().join("deps/aliaser/notes.txt");
            fs::hard_link(place.path("home/.ssh/id_ed25519"), link).unwrap();
            let doctor = standing(bare(&place, &["doctor"]), ground, &place).go();
            println!("doctor: {}", doctor.code);
            for line in doctor.stdout_text().lines().filter(|line| !line.trim_start().starts_with("ok")) { println!("    {line}"); }
            println!("    {}", doctor.stderr_text());
            let build = standing(guarded(&place, &[], &["build", "--offline"]), ground, &place).go();
            println!("build: {} in {:?}", build.code, begun.elapsed());
            if let Some(report) = &build.report {
                println!("    cargo {} sockets {}", report["outcome"], report["enforcement"]["sockets"]);
                for weak in report["enforcement"]["degraded"].as_array().unwrap() { println!("    weak {}", weak["what"]); }
                for line in list(report) { println!("    {}", &line.chars().take(150).collect::<String>()); }
                println!("    coverage {}", report["coverage"]);
            }
            println!("    spilled {:?}", crate::effect::spilled(&place, &build));
            if build.code != 100 { for line in build.stderr_text().lines() { println!("    | {line}"); } }
        }
    }
}

#[test]
#[ignore = "exploration"]
fn honest() {
    let only = std::env::var("ONLY").unwrap_or_default();
    for ground in all().iter().filter(|ground| only.split(',').any(|name| name == ground.name)) {
        for who in Who::all() {
            let place = Place::new("honest-tests", who);
            fs::remove_file(place.workspace().join(".env")).unwrap();
            println!("=== {} as {who:?}", ground.name);
            let plain = standing(crate::run::cargo(&place, &["test", "--offline"]), ground, &place).go();
            fs::remove_dir_all(place.target()).unwrap();
            let build = standing(guarded(&place, &[], &["test", "--offline"]), ground, &place).go();
            println!("plain: {} build: {}", plain.code, build.code);
            if let Some(report) = &build.report {
                for line in list(report) { println!("    {}", &line.chars().take(350).collect::<String>()); }
                println!("    coverage {}", report["coverage"]);
            }
            if build.code != 0 { for line in build.stdout_text().lines().chain(build.stderr_text().lines()) { println!("    | {line}"); } }
        }
    }
}
