//! What one crate left in the directories of results, and another lays hands on: refused whatever way it goes about it, and named. And
//! what two build scripts that run at the same time can learn of each other: nothing.

use std::fs;

use serde_json::Value;

use crate::effect::Before;
use crate::effect::Effect::Says;
use crate::finding::{expect, refused, violations};
use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

/// As the acts are called in `tests/crates/30-artefacts/deps/acts.rs`; and what the report must call them, with the end of their path.
const ACTS: &[(&str, &str, &str)] = &[
    ("open to write", "write", ".rmeta"),
    ("open to read and write", "write", ".rmeta"),
    ("append", "write", ".rmeta"),
    ("truncate on opening", "write", ".d"),
    ("truncate", "write", ".rmeta"),
    ("change the mode", "metadata", ".rmeta"),
    ("change the time", "metadata", ".rmeta"),
    ("link", "link", ""),
    ("write through a link", "write", ".rmeta"),
    ("exchange", "rename", ".rmeta"),
    ("move over it", "remove", ".rmeta"),
    ("move away", "rename", ".rmeta"),
    ("put a link in its place", "rename", "-aside"),
    ("remove", "remove", ".d"),
    ("plant a pipe", "create", ".so.1"),
    ("move the directory", "rename", "deps-zoo"),
    ("write into a passing directory", "write", "full.rmeta"),
    ("create in a passing directory", "create", ""),
    ("remove from a passing directory", "remove", ""),
    ("open a passing file", "write", "stZooZoo"),
    ("write into another OUT_DIR", "write", "generated.rs"),
    ("forge words to cargo", "write", "/output"),
    ("open another build script", "write", "build-script-build"),
    ("forge freshness", "create", ""),
    ("write into another session", "create", ""),
    ("write into a session of the same name", "create", ""),
];

/// With what other compilers would have there for a moment.
fn place(who: Who) -> Place {
    let place = Place::new("30-artefacts", who).incremental();
    fs::remove_file(place.workspace().join(".env")).unwrap();
    let debug = place.target().join("debug");
    for name in ["full.rmeta", "other-macro", "other-script"] {
        place.write(&debug.join("deps/rmetaZooZoo").join(name), "");
    }
    place.write(&debug.join("deps/stZooZoo"), "");
    for session in ["app-zoo", "build_script_build-zoo"] {
        place.write(&debug.join("incremental").join(session).join("dep-graph.bin"), "");
    }
    place
}

fn done(place: &Place, outcome: &Outcome, who: &str, act: &str) -> bool {
    let words: &'static str = format!("zoo: {who}: {act} done").leak();
    Says(words).seen(place, outcome, &Before::look(place, &[]))
}

#[test]
fn another_crates_results_are_out_of_reach() {
    for who in Who::all() {
        let control = place(who);
        // One after the other, or the script meets the macro's traces.
        let plain = cargo(&control, &["build", "--offline", "-j1"]).go();
        for actor in ["macro", "script"] {
            for (act, _, _) in ACTS {
                assert!(done(&control, &plain, actor, act), "as {who:?}, plain cargo: the {actor} cannot {act}\n{plain}");
            }
        }
        let place = place(who);
        let brig = guarded(&place, &[], &["build", "--offline", "-j1"]).go();
        brig.exits(100);
        for actor in ["macro", "script"] {
            let all: Vec<&str> = ACTS.iter().map(|(act, _, _)| *act).filter(|act| done(&place, &brig, actor, act)).collect();
            assert!(all.is_empty(), "as {who:?}, under Brig: the {actor} can {all:?}\n{brig}");
        }
        expect(
            &brig,
            &[
                refused(&["fs/foreign-artifact"], "meddler", &["proc-macro"]),
                refused(&["fs/foreign-artifact"], "prowler", &["build-script"]),
            ],
        );
        // Each act of the macro's is in the report, as one of the macro's.
        let evidence = evidence(&brig, "meddler", "proc-macro");
        for (act, called, end) in ACTS {
            let ends = |value: &Value| value.as_str().is_some_and(|path| path.ends_with(end));
            let known = evidence.iter().any(|one| one["act"] == *called && ["path", "from", "to"].iter().any(|end| ends(&one[*end])));
            assert!(known, "as {who:?}: `{act}` ({called} …{end}) is not in the report: {evidence:#?}\n{brig}");
        }
    }
}

fn evidence<'o>(outcome: &'o Outcome, package: &str, kind: &str) -> Vec<&'o Value> {
    let report = outcome.report();
    let is_of = |finding: &&Value| {
        let actor = report["actors"].as_array().unwrap().iter().find(|actor| actor["id"] == finding["actor"]).unwrap();
        actor["package"]["name"] == package && actor["kind"] == kind && finding["rule"] == "fs/foreign-artifact"
    };
    violations(report).filter(is_of).flat_map(|finding| finding["evidence"].as_array().unwrap()).collect()
}

const TURNS_PAGES: &str = r#"use std::{fs, os::unix::fs::symlink, path::PathBuf};
use proc_macro::TokenStream;
#[proc_macro]
pub fn go(_: TokenStream) -> TokenStream {
    let target = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("target");
    let home = PathBuf::from(std::env::var("HOME").unwrap());
    let (doc, other) = (target.join("doc/victim"), target.join("doc/other"));
    if std::env::args().next().is_some_and(|name| name.ends_with("rustdoc")) {
        let done = |act: &str, done: std::io::Result<()>| if done.is_ok() { eprintln!("zoo: {act} done") };
        let append = |path: PathBuf| {
            let text = b"<script>zoo</script>";
            fs::OpenOptions::new().append(true).open(path).and_then(|mut file| std::io::Write::write_all(&mut file, text))
        };
        done("append", append(doc.join("index.html")));
        done("append to its source", append(target.join("doc/src/victim/lib.rs.html")));
        done("link", symlink(home.join(".bashrc"), doc.join("all2.html")));
        done("remove", fs::remove_file(doc.join("all.html")));
        done("move away", fs::rename(doc.join("fn.it.html"), target.join("doc/app.fn.html")));
        done("new pages", fs::create_dir_all(&other).and_then(|()| fs::write(other.join("index.html"), "")));
        done("move in", fs::write(target.join("doc/app.html"), "").and_then(|()| fs::rename(target.join("doc/app.html"), doc.join("x.html"))));
        let scripts = fs::read_dir(target.join("doc/static.files")).into_iter().flatten().flatten().map(|entry| entry.path());
        let script = scripts.filter(|path| path.extension().is_some_and(|ending| ending == "js")).next().unwrap_or_default();
        done("append to the script of all pages", append(script));
        done("help", append(target.join("doc/help.html")));
        done("new page at the top", fs::write(target.join("doc/new.html"), ""));
        done("by a child", std::process::Command::new("/bin/sh").args(["-c", "echo >>target/doc/settings.html"]).status().and_then(|status| {
            if status.success() { Ok(()) } else { Err(std::io::ErrorKind::Other.into()) }
        }));
        done("move all", fs::rename(&doc, target.join("doc/moved")));
    }
    TokenStream::new()
}
"#;

/// A macro runs in rustdoc, too, and there are the pages of all crates: those of its dependencies were written before.
#[test]
fn pages_of_other_crates_are_out_of_reach() {
    let package = |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let ws = place.workspace().to_owned();
        fs::remove_dir_all(&ws).unwrap();
        place.write(
            &ws.join("Cargo.toml"),
            &package("app", "[dependencies]\nvictim = { path = \"victim\" }\nturns = { path = \"turns\" }\n[workspace]\n"),
        );
        place.write(&ws.join("src/lib.rs"), "turns::go!();\n");
        place.write(&ws.join("victim/Cargo.toml"), &package("victim", ""));
        place.write(&ws.join("victim/src/lib.rs"), "pub fn it() {}\n");
        place.write(&ws.join("turns/Cargo.toml"), &package("turns", "[lib]\nproc-macro = true\n"));
        place.write(&ws.join("turns/src/lib.rs"), TURNS_PAGES);
        place.write(&place.path("home/.bashrc"), "# the user's own\n");
        let doc = &["doc", "--offline"];
        let all: Vec<&str> = TURNS_PAGES.split("done(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let done = |outcome: &Outcome| {
            let said = outcome.stderr_text();
            all.iter().copied().filter(|act| said.contains(&format!("zoo: {act} done"))).collect::<Vec<_>>()
        };
        let plain = cargo(&place, doc).go();
        assert_eq!(done(&plain), all, "{plain}");
        for mode in ["enforce", "observe"] {
            fs::remove_dir_all(place.target()).unwrap();
            let brig = guarded(&place, &["--mode", mode], doc).go();
            assert!(mode == "observe" || done(&brig).is_empty(), "{:?}\n{brig}", done(&brig));
            let found = evidence(&brig, "turns", "proc-macro");
            for act in ["write", "symlink", "remove", "rename"] {
                assert!(found.iter().any(|one| one["act"] == act), "{mode}: {act}\n{found:#?}\n{brig}");
            }
        }
    }
}

/// A doctest has no pages to write; rustdoc itself writes those of all crates as ever, with and without macros in it.
#[test]
fn doctests_write_no_pages() {
    let lib = "/// ```\n/// let doc = std::path::Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"target/doc\");\n\
               /// for file in [\"help.html\", \"new.html\", \"static.files/new.js\", \"app/index.html\"] {\n\
               ///     if std::fs::write(doc.join(file), \"zoo\").is_ok() { eprintln!(\"zoo: {file} written\") }\n/// }\n\
               /// panic!(\"shown only then\");\n/// ```\npub fn it() {}\n";
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let ws = place.workspace().to_owned();
        fs::remove_dir_all(&ws).unwrap();
        place.write(&ws.join("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n");
        place.write(&ws.join("src/lib.rs"), lib);
        guarded(&place, &[], &["doc", "--offline"]).go().exits(0);
        let test = &["test", "--offline", "--doc"];
        let help = fs::read(place.target().join("doc/help.html")).unwrap();
        let brig = guarded(&place, &[], test).go();
        let said = [brig.stderr_text(), brig.stdout_text()].concat();
        assert!(said.contains("shown only then") && !said.contains("zoo: "), "as {who:?}\n{brig}");
        assert_eq!(fs::read(place.target().join("doc/help.html")).unwrap(), help);
        expect(&brig, &[refused(&["fs/foreign-artifact"], "app", &["program"])]);
        let plain = cargo(&place, test).go();
        assert_eq!([plain.stderr_text(), plain.stdout_text()].concat().matches("zoo: ").count(), 4, "{plain}");
    }
}

/// Ways to learn what a sibling keeps, and things to do to it, as `tests/crates/31-siblings` tells of them.
const WAYS: &[&str] = &[
    "zoo: by environ: zoo-kept-environment",
    "zoo: by mem: zoo-kept-memory",
    "zoo: by process_vm_readv: zoo-kept-memory",
    "zoo: by descriptor: zoo-kept-descriptor",
    "zoo: by pidfd_getfd: zoo-kept-descriptor",
    "zoo: by note: zoo-kept-file",
    "zoo: could list its directory",
    "zoo: could write there",
    "zoo: could write its memory",
    "zoo: could see its maps",
    "zoo: could signal it",
    "zoo: could trace it",
];

#[test]
fn build_scripts_that_run_at_the_same_time_learn_nothing_of_each_other() {
    let build = &["build", "--offline", "-j2"];
    for who in Who::all() {
        let control = Place::new("31-siblings", who);
        let plain = cargo(&control, build).go();
        plain.exits(0);
        for way in WAYS {
            assert!(Says(way).seen(&control, &plain, &Before::look(&control, &[])), "as {who:?}, plain cargo: not `{way}`\n{plain}");
        }
        let place = Place::new("31-siblings", who);
        let brig = guarded(&place, &[], build).go();
        brig.exits(100);
        let says = |words| Says(words).seen(&place, &brig, &Before::look(&place, &[]));
        assert!(!says("zoo: nobody was there") && !says("zoo: nobody looked"), "as {who:?}: they did not meet\n{brig}");
        let learned: Vec<_> = WAYS.iter().filter(|way| says(way)).collect();
        assert!(learned.is_empty(), "as {who:?}, under Brig: {learned:?}\n{brig}");
        expect(&brig, &[refused(&["proc/tamper"], "spy", &["build-script"])]);
    }
}
