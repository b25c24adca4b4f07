//! The house rules that no compiler holds: who may import whom, where `unsafe` may be, and what no source may contain.
//! `graph` finds circles of files and says what one is.

mod graph;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

/// Data flows from left to right; a room imports rooms to its right, and the two below.
const ROOMS: [&str; 10] = ["cli", "plan", "launch", "wall", "gate", "attribute", "judge", "report", "baseline", "sink"];
/// What everyone may import.
const SHARED: [&str; 2] = ["model", "sys"];
/// What stands above the rooms: `run` may import all of them, `demo` brings scenes for it, `suspect` a world, `main` starts it; `fuzz` throws garbage at them.
const ABOVE: [&str; 4] = ["run", "demo", "suspect", "fuzz"];

/// Imports to the left, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    ("src/suspect/decoys/tests.rs", "judge", "the catalogue says itself what must have a decoy"),
    ("src/gate/tests/stage.rs", "wall", "actors of the gate's own tests stand behind the real filter"),
    ("src/gate/tests/garbage.rs", "fuzz", "an actor that draws its calls from the same source"),
];

/// Lines of a file, tests in it included.
const MEDIAN: usize = 150;
const LONGEST: usize = 450;
/// Files longer than that, each with its reason.
const LONG: &[(&str, &str)] = &[("src/gate/tests/scenes.rs", "one scene for each thing an actor may try, read one by one")];

/// Where raw calls are made, and where another process is made to make them.
const UNSAFE: [&str; 2] = ["src/sys/", "src/launch/inject/"];

#[test]
fn rooms_import_only_to_their_right() {
    let mut wrong = Vec::new();
    let mut excused = [false; EXCEPTIONS.len()];
    for (path, text) in sources() {
        let room = room_of(&path);
        for import in imports(&text) {
            let exception = EXCEPTIONS.iter().position(|(file, of, _)| *file == path && *of == import);
            if let Some(at) = exception {
                excused[at] = true;
            } else if !may_import(room, import) {
                wrong.push(format!("{path}: `{room}` imports `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports to the left:\n{}", wrong.join("\n"));
    for ((file, room, reason), excused) in EXCEPTIONS.iter().zip(excused) {
        assert!(excused, "{file} imports `{room}` no more: the exception ({reason}) is to be deleted");
    }
}

#[test]
fn no_file_needs_itself_around_a_corner() {
    let graph = Graph::of(&sources());
    assert!(graph.unknown.is_empty(), "names that lead nowhere: {:#?}", graph.unknown);
    let circles = graph.circles();
    let told: Vec<String> = circles.iter().map(|circle| graph.tell(circle)).collect();
    assert!(told.is_empty(), "circles of files:\n{}", told.join("\n"));
}

#[test]
fn files_have_the_size_of_a_room() {
    let mut lengths: Vec<(usize, String)> = sources().into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= MEDIAN, "half of all files are longer than {median} lines");
    let long: Vec<&str> = lengths.iter().filter(|(length, _)| *length > LONGEST).map(|(_, path)| path.as_str()).collect();
    for path in &long {
        assert!(LONG.iter().any(|(file, _)| file == path), "{path} is longer than {LONGEST} lines, for no stated reason");
    }
    for (path, reason) in LONG {
        assert!(long.contains(path), "{path} is no longer that long: the exception ({reason}) is to be deleted");
    }
}

#[test]
fn every_room_is_known() {
    let mut found: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| !["lib", "main"].contains(&name.as_str()))
        .collect();
    found.sort();
    let mut known: Vec<&str> = [&ROOMS[..], &SHARED, &ABOVE].concat();
    known.sort_unstable();
    assert_eq!(found, known);
}

/// Whoever imports everything is not to be imported, and what is for tests is not part of the program.
#[test]
fn fuzzing_is_compiled_for_tests_only() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(lib.contains("#[cfg(test)]\nmod fuzz;\n"));
    for (path, text) in sources().into_iter().filter(|(path, _)| !EXCEPTIONS.iter().any(|(file, ..)| file == path)) {
        assert!(room_of(&path) == "fuzz" || !imports(&text).contains(&"fuzz"), "{path} imports `fuzz`");
    }
}

#[test]
fn unsafe_code_has_its_place() {
    let is_code = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe"].iter().any(|word| code.contains(word))
    };
    for (path, text) in sources() {
        let allowed = UNSAFE.iter().any(|place| path.starts_with(place));
        let found = text.lines().find(is_code);
        assert!(allowed || found.is_none(), "{path} is no place for this: {found:?}");
        assert!(
            !allowed || text.matches("unsafe {").count() <= text.matches("SAFETY: ").count(),
            "{path}: a block without its SAFETY note"
        );
    }
}

/// A page that leads to files which have moved leads nowhere.
#[test]
fn the_architecture_names_files_that_are_there() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let names: Vec<&str> =
        text.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs") && !word.contains(char::is_uppercase)).collect();
    assert!(names.len() > 20, "files are named: {names:?}");
    let files: Vec<String> = sources().into_iter().map(|(path, _)| path).collect();
    for name in names {
        let found = root().join(name).exists() || files.iter().any(|file| file.ends_with(&format!("/{name}")));
        assert!(found, "docs/architecture.md names {name}, which is nowhere");
    }
}

#[test]
fn every_file_says_what_lives_in_it() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{path} opens without a word about itself");
    }
}

#[test]
fn nothing_is_left_undone_and_no_path_leads_to_somebodys_machine() {
    // Put together here, so that this file does not hold them itself.
    let words = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let marks = [["FIX", "ME"], ["#[ign", "ore"], ["stand", "-in"], ["placeholder ", "until"]].map(|parts| parts.concat());
    let home = std::env::var("HOME").unwrap_or_default();
    let here = root().display().to_string();
    let machine = [&home, &here].map(|dir| format!("{}/", dir.trim_end_matches('/')));
    for (path, text) in sources() {
        for word in words.iter().chain(&marks) {
            assert!(!text.contains(word.as_str()), "{path} holds `{word}`");
        }
        for dir in machine.iter().filter(|dir| dir.len() > "/root/".len()) {
            assert!(!text.contains(dir.as_str()), "{path} names `{dir}`, a directory of this machine");
        }
    }
}

fn may_import(room: &str, import: &str) -> bool {
    let place = |name: &str| ROOMS.iter().position(|room| *room == name);
    match (place(room), place(import)) {
        _ if room == import => true,
        // The words everyone shares know nobody; raw calls know nobody either.
        _ if SHARED.contains(&room) => false,
        _ if SHARED.contains(&import) => true,
        (Some(room), Some(import)) => import > room,
        (Some(_), None) => false,
        (None, _) => ["run", "main", "lib", "fuzz"].contains(&room),
    }
}

/// Rooms a file names as `crate::room…`, also within `use crate::{…}`; in the program itself as `cargo_brig::room…`.
fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (root, line) in text.lines().flat_map(|line| ["crate::", "cargo_brig::"].map(|root| (root, line))) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (at, _) in line.match_indices(root) {
            let rest = &line[at + root.len()..];
            let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let many = if rest.starts_with('{') { names.split(',').collect() } else { vec![names] };
            found.extend(many.into_iter().map(|name| word(name.trim())).filter(|name| known(name)));
        }
    }
    found
}

fn known(name: &str) -> bool {
    ROOMS.iter().chain(&SHARED).chain(&ABOVE).any(|room| *room == name)
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())]
}

fn room_of(path: &str) -> &str {
    path.strip_prefix("src/").and_then(|rest| rest.split(['/', '.']).next()).unwrap_or_default()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source of ours below `src/`, by its path in the repository. The scenes of the demo are other people's code.
fn sources() -> Vec<(String, String)> {
    let mut open: Vec<PathBuf> = vec![root().join("src")];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "src/demo/workspace" {
                open.push(path);
            } else if name.ends_with(".rs") {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 100, "the sources were found");
    found
}
