//! Exceptions of the user's, `[[allow]]` and `[[deny]]`: one package, one version, one kind of actor, the acts that are named, until a day. Two
//! build scripts do the same, and two macros do: what is allowed to one is refused to the other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::finding::{actor, expect_silence, violations};
use crate::isle::{Isle, Stand};
use crate::place::{Place, copy_program};
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FIXTURE: &str = "exceptions";

/// With a directory to write to, a program to run and a secret to read; `acts` are what the scripts do.
fn place(who: Who) -> Place {
    let place = Place::new(FIXTURE, who);
    place.write(&place.workspace().join("generated/.keep"), "");
    place.write(&place.workspace().join(".env"), &format!("DATABASE_URL=postgres://zoo\nZOO_SECRET={}-dotenv\n", place.canary));
    place.write(&place.path("home/tools/.keep"), "");
    copy_program(Path::new("/bin/echo"), &place.path("home/tools/helper"));
    place
}

fn does<'a>(run: Run<'a>, place: &Place, acts: &str) -> Run<'a> {
    let run = run.env("ZOO_ACTS", acts).env("ZOO_HELPER", place.path("home/tools/helper"));
    // What is allowed is left in the sources: the cases look at that themselves.
    run.compared()
}

fn exceptions(place: &Place, entries: &str) {
    place.write(&place.workspace().join("brig.toml"), &format!("version = 1\n{entries}"));
}

fn allow(whom: &str, actor: &str, grants: &str) -> String {
    format!("\n[[allow]]\ncrate = \"{whom}\"\nactor = \"{actor}\"\n{grants}\nreason = \"looked at\"\nexpires = \"never\"\n")
}

/// Names of the packages that broke the profile, each once.
fn guilty(outcome: &Outcome) -> Vec<String> {
    let report = outcome.report();
    let mut names: Vec<String> =
        violations(report).map(|finding| actor(report, finding)["package"]["name"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The report, where the next run does not look for its own.
fn kept(place: &Place) -> PathBuf {
    let directory = place.path("home/kept");
    fs::create_dir_all(&directory).unwrap();
    fs::copy(place.path("report/report.json"), directory.join("report.json")).unwrap();
    directory
}

fn states(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    outcome.report()["exceptions"].as_array().into_iter().flatten().map(|one| (text(&one["crate"]), text(&one["state"]))).collect()
}

fn state(whom: &str, state: &str) -> (String, String) {
    (whom.to_owned(), state.to_owned())
}

#[test]
fn one_package_may_and_the_other_may_not() {
    for who in Who::all() {
        let place = place(who);
        let (acts, done) = ("write,connect,exec,read", ["writes true", "connects true", "runs Some(", "-dotenv"]);
        let says = |outcome: &Outcome, name: &str| {
            let stderr = outcome.stderr_text();
            let lines: Vec<&str> = stderr.lines().filter(|line| line.contains(&format!("zoo: {name} "))).collect();
            done.map(|done| lines.iter().any(|line| line.contains(done)))
        };
        let plain = does(cargo(&place, BUILD), &place, acts).go();
        assert_eq!((says(plain.exits(0), "alpha"), says(&plain, "beta")), ([true; 4], [true; 4]), "plain cargo\n{plain}");
        let fresh = |entries: &str| {
            exceptions(&place, entries);
            place.again();
            for name in ["alpha", "beta"] {
                fs::remove_file(place.workspace().join("generated").join(name)).ok();
            }
        };
        let grants = |program: &str| {
            let port = place.sinks.tcp_port;
            format!(
                "write = [\"{{workspace}}/generated\"]\nconnect = [\"127.0.0.1:{port}\"]\nexec = [\"{program}\"]\nread = [\"{{workspace}}/.env\"]"
            )
        };
        fresh("");
        let refused = does(guarded(&place, &[], BUILD), &place, acts).go();
        assert_eq!(guilty(refused.exits(100)), ["alpha", "beta"], "{refused}");
        assert_eq!((says(&refused, "alpha"), says(&refused, "beta")), ([false; 4], [false; 4]), "{refused}");
        let alpha = allow("path#alpha@1.2.3", "build-script", &grants("{home}/tools/helper"));
        fresh(&alpha);
        let one = does(guarded(&place, &[], BUILD), &place, acts).go();
        assert_eq!(guilty(one.exits(100)), ["beta"], "{one}");
        assert_eq!((says(&one, "alpha"), says(&one, "beta")), ([true; 4], [false; 4]), "{one}");
        assert_eq!(states(&one), [state("path#alpha@1.2.3", "used")], "{one}");
        // By a requirement, and a directory of programs.
        fresh(&(alpha.replace("@1.2.3", "@^1.2") + &allow("path#beta@1.2.3", "build-script", &grants("{home}/tools"))));
        let both = does(guarded(&place, &[], BUILD), &place, acts).go();
        expect_silence(both.exits(0));
        assert_eq!((says(&both, "alpha"), says(&both, "beta")), ([true; 4], [true; 4]), "{both}");
        assert!(both.stderr_text().contains("with 2 exceptions (`path#alpha@^1.2`, `path#beta@1.2.3`)"), "{both}");
        assert!(
            both.stderr_text().contains("Loosened `brig.toml` grants more than profile `default`: `path#alpha@^1.2 build-script"),
            "{both}"
        );
    }
}

/// Of two exceptions for one program, the one whose words it was told counts.
#[test]
fn a_program_and_the_words_it_has_to_be_told() {
    for who in Who::all() {
        let place = place(who);
        let runs = |outcome: &Outcome, name: &str| outcome.stderr_text().contains(&format!("zoo: {name} runs Some("));
        let exec = |word: &str| format!("exec = [\"{{home}}/tools/helper\"]\narguments = [{word:?}]");
        let entries = allow("path#alpha@1.2.3", "build-script", &exec("done")) + &allow("path#beta@1.2.3", "build-script", &exec("undone"));
        exceptions(&place, &entries);
        let outcome = does(guarded(&place, &[], BUILD), &place, "exec").go();
        assert_eq!(guilty(outcome.exits(100)), ["beta"], "{outcome}");
        assert_eq!((runs(&outcome, "alpha"), runs(&outcome, "beta")), (true, false), "{outcome}");
        assert_eq!(states(&outcome), [state("path#alpha@1.2.3", "used"), state("path#beta@1.2.3", "unused")], "{outcome}");
        // As it is typed.
        exceptions(&place, "");
        for name in ["alpha", "beta"] {
            let whom = format!("path#{name}@1.2.3");
            let typed = ["allow", &whom, "--build-script", "--exec", "{home}/tools/helper", "--arguments", "done", "--reason", "looked at"];
            bare(&place, &typed).go().exits(0);
        }
        place.again();
        let both = does(guarded(&place, &[], BUILD), &place, "exec").go();
        expect_silence(both.exits(0));
        assert_eq!((runs(&both, "alpha"), runs(&both, "beta")), (true, true), "{both}");
    }
}

/// A build has the policy that was there when it began: what is written meanwhile is for the next one.
#[test]
fn a_policy_that_changes_during_the_build() {
    for who in Who::all() {
        let place = place(who);
        exceptions(&place, "");
        let built = place.target().join("debug/build");
        let changes = || {
            let outs = || fs::read_dir(&built).into_iter().flatten().flatten().map(|entry| entry.path().join("out"));
            while outs().filter(|out| out.join("ready").exists()).count() < 2 {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            let write = "write = [\"{workspace}/generated\"]";
            exceptions(&place, &["alpha", "beta"].map(|name| allow(&format!("path#{name}@1.2.3"), "build-script", write)).concat());
            outs().filter(|out| out.join("ready").exists()).for_each(|out| fs::write(out.join("go"), "").unwrap());
        };
        let outcome = std::thread::scope(|scope| {
            scope.spawn(changes);
            does(guarded(&place, &[], &["build", "--offline", "-j2"]), &place, "wait,write").go()
        });
        assert_eq!(guilty(outcome.exits(100)), ["alpha", "beta"], "{outcome}");
        assert_eq!(states(&outcome), [], "{outcome}");
        place.again();
        let next = does(guarded(&place, &[], BUILD), &place, "write").go();
        expect_silence(next.exits(0));
        assert_eq!(states(&next), [state("path#alpha@1.2.3", "used"), state("path#beta@1.2.3", "used")], "{next}");
    }
}

#[test]
fn another_version_kind_or_day_does_not_count() {
    for who in Who::all() {
        let place = place(who);
        does(cargo(&place, &["generate-lockfile", "--offline"]), &place, "").go().exits(0);
        let write = "write = [\"{workspace}/generated\"]";
        let good = allow("path#alpha@1.2.3", "build-script", write);
        let wrong = [
            (good.replace("1.2.3", "1.2.4"), "absent"),
            (good.replace("1.2.3", "^2"), "absent"),
            (good.replace("build-script", "program"), "not-reached"),
            (good.replace("build-script", "rustc"), "unused"),
            (good.replace("path#alpha@1.2.3", "workspace"), "not-reached"),
            (good.replace("path#", ""), "absent"),
            (good.replace("\"never\"", "2026-01-31"), "expired"),
            (good.replace("write =", "read ="), "unused"),
            (good.replace("/generated", "/generate"), "unused"),
        ];
        exceptions(&place, &wrong.iter().map(|(entry, _)| entry.as_str()).collect::<String>());
        place.again();
        let outcome = does(guarded(&place, &[], BUILD), &place, "write").go();
        assert_eq!(guilty(outcome.exits(100)), ["alpha", "beta"], "{outcome}");
        let (found, expected) = (states(&outcome), wrong.each_ref().map(|(_, expected)| *expected));
        assert_eq!(found.iter().map(|(_, state)| state.as_str()).collect::<Vec<_>>(), expected, "{outcome}");
        let stderr = outcome.stderr_text();
        assert_eq!(stderr.matches("warning[policy/expired]: the exception for `path#alpha@1.2.3`").count(), 1, "{outcome}");
        // Everything ran and cargo was content, so what nobody needed is told: three, and three that are for no package there is.
        assert_eq!(stderr.matches("note[policy/unused]").count(), 6, "{outcome}");
        let other = "the exception for `alpha@1.2.3` (build-script, `brig.toml:";
        assert!(stderr.contains(other) && stderr.contains("this build has `path#alpha@1.2.3`, which is another one"), "{outcome}");
        // And without the file it is as if there were none.
        exceptions(&place, &good);
        place.again();
        let without = does(guarded(&place, &["--no-config"], BUILD), &place, "write").go();
        assert_eq!(guilty(without.exits(100)), ["alpha", "beta"], "{without}");
        assert_eq!(states(&without), [], "{without}");
    }
}

#[test]
fn a_denied_package_stops_the_build_before_anything_runs() {
    for who in Who::all() {
        let place = place(who);
        does(cargo(&place, &["generate-lockfile", "--offline"]), &place, "").go().exits(0);
        let denial = "\n[[deny]]\ncrate = \"alpha\"\nreason = \"phones home\"\n";
        exceptions(&place, &(allow("path#alpha@1.2.3", "build-script", "write = [\"{workspace}/generated\"]") + denial));
        let outcome = does(guarded(&place, &[], BUILD), &place, "write").go();
        let stderr = outcome.exits(100).stderr_text();
        for said in ["error[package/denied]: package `alpha` 1.2.3 is denied", "phones home (brig.toml:10)", "app 0.1.0 → alpha 1.2.3"] {
            assert!(stderr.contains(said), "no {said}\n{outcome}");
        }
        assert!(!stderr.contains("Compiling") && !place.workspace().join("generated/alpha").exists(), "{outcome}");
        // Without a lock file cargo has to make one first: then it stops before the build.
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        let outcome = does(guarded(&place, &[], &["build"]), &place, "write").go();
        assert!(outcome.exits(100).stderr_text().contains("package `alpha` 1.2.3 is denied — kept from the build"), "{outcome}");
        assert!(!outcome.stderr_text().contains("zoo: ") && !place.workspace().join("generated/alpha").exists(), "{outcome}");
        // It can be taken out, of course.
        guarded(&place, &[], &["tree", "--offline", "-i", "alpha"]).go().exits(0);
        guarded(&place, &[], &["remove", "--offline", "alpha"]).compared().go().exits(0);
        let manifest = fs::read_to_string(place.workspace().join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("alpha"), "{manifest}");
        // A package that is not there is no reason to stop.
        exceptions(&place, &denial.replace("alpha", "omega"));
        does(guarded(&place, &[], BUILD), &place, "").go().exits(0);
    }
}

/// The named variable, in the environment and out of `.env`, for that actor and no other; the other value of the file is nobody's.
#[test]
fn a_secret_is_given_to_one_and_only_what_it_needs() {
    for who in Who::all() {
        let place = place(who);
        let url = "postgres://user:hush@localhost/db";
        let test = ["test", "--offline", "--test", "dotenv", "--", "--nocapture"];
        let run = || does(guarded(&place, &[], &test), &place, "read,env").env("DATABASE_URL", url).env("ZOO_MACROS", "1").go();
        let entry = allow("workspace", "program", "read = [\"{workspace}/.env\"]\nreveal = [\"DATABASE_URL\"]");
        exceptions(&place, &entry);
        let outcome = run();
        let text = outcome.stderr_text() + &String::from_utf8_lossy(&outcome.stdout);
        assert_eq!(guilty(outcome.exits(100)), ["alpha", "beta", "delta", "gamma"], "{outcome}");
        assert!(text.contains(r#"zoo: test reads Some("DATABASE_URL=postgres://zoo\nZOO_SECRET=\n")"#), "{outcome}");
        assert!(text.contains(&format!("zoo: test knows Some({url:?})")), "{outcome}");
        assert!(!text.contains(&place.canary), "{outcome}");
        for said in
            ["zoo: alpha knows None", "zoo: beta knows None", "zoo: alpha reads None", "zoo: gamma reads None", "zoo: delta reads None"]
        {
            assert!(text.contains(said), "no {said}\n{outcome}");
        }
        assert!(!fs::read_to_string(place.path("report/report.json")).unwrap().contains("hush"), "{outcome}");
        // The variable alone, to a build script: that is a use of it, and nobody else knows it.
        place.again();
        exceptions(&place, &allow("path#alpha@1.2.3", "build-script", "reveal = [\"DATABASE_URL\"]"));
        let outcome = does(guarded(&place, &[], BUILD), &place, "env").env("DATABASE_URL", url).go();
        expect_silence(outcome.exits(0));
        let text = outcome.stderr_text().replace('\\', "");
        assert!(text.contains(&format!("zoo: alpha knows Some({url:?})")) && text.contains("zoo: beta knows None"), "{outcome}");
        assert_eq!(states(&outcome), [state("path#alpha@1.2.3", "used")], "{outcome}");
        // A macro: in whatever compiler needs it, with nobody else's code on the stack.
        place.clean();
        exceptions(
            &place,
            &(entry + &allow("path#gamma@1.2.3", "proc-macro", "read = [\"{workspace}/.env\"]\nreveal = [\"DATABASE_URL\"]")),
        );
        let outcome = run();
        let text = outcome.stderr_text();
        assert_eq!(guilty(outcome.exits(100)), ["alpha", "beta", "delta"], "{outcome}");
        assert!(text.contains(r#"zoo: gamma reads Some("DATABASE_URL=postgres://zoo\nZOO_SECRET=\n")"#), "{outcome}");
        assert!(text.contains("zoo: delta reads None") && !text.contains(&place.canary), "{outcome}");
        assert_eq!(states(&outcome), [state("workspace", "used"), state("path#gamma@1.2.3", "used")], "{outcome}");
        // Its library is there already: whose it is hangs neither on its being compiled in this run nor on its package's tests being.
        let root = place.workspace().join("src/lib.rs");
        for args in [BUILD, &["test", "--offline", "--package", "app", "--package", "gamma"]] {
            place.write(&root, &(fs::read_to_string(&root).unwrap() + "\n"));
            let warm = does(guarded(&place, &[], args), &place, "").env("ZOO_MACROS", "1").go();
            let text = warm.stderr_text();
            assert!(text.contains("Compiling app") && !text.contains("Compiling delta"), "{warm}");
            assert_eq!(guilty(warm.exits(100)), ["delta"], "{warm}");
            assert!(text.contains("zoo: gamma reads Some(") && !text.contains("zoo: gamma reads None"), "{warm}");
            assert!(text.contains("zoo: delta reads None") && !text.contains(&place.canary), "{warm}");
            assert_eq!(states(&warm)[1], state("path#gamma@1.2.3", "used"), "{warm}");
        }
    }
}

/// A macro's own tests use it as everybody else does, and nothing else of its package loads it.
#[test]
fn a_macro_in_its_own_tests() {
    for who in Who::all() {
        let place = place(who);
        let (own, manifest) = (place.workspace().join("deps/gamma"), place.workspace().join("Cargo.toml"));
        let text = fs::read_to_string(&manifest).unwrap();
        place.write(&manifest, &text.replace("exclude", "members = [\"deps/gamma\"]\nexclude"));
        place.write(&own.join("tests/own.rs"), "#[test]\nfn own() {\n    assert_eq!(gamma::seen!(), \"\");\n}\n");
        place.write(&own.join(".env"), &format!("DATABASE_URL=postgres://zoo\nZOO_SECRET={}-dotenv\n", place.canary));
        let args = ["test", "--offline", "--package", "gamma", "--test", "own"];
        let whole = format!("zoo: gamma reads Some(\"DATABASE_URL=postgres://zoo\\nZOO_SECRET={}-dotenv\\n\")", place.canary);
        let plain = does(cargo(&place, &args), &place, "").env("ZOO_MACROS", "1").go();
        assert!(plain.exits(0).stderr_text().contains(&whole), "{plain}");
        place.clean();
        let run = || does(guarded(&place, &[], &args), &place, "").env("ZOO_MACROS", "1").go();
        let refused = run();
        assert!(refused.exits(100).stderr_text().contains("zoo: gamma reads None"), "{refused}");
        place.clean();
        let grants = "read = [\"{workspace}/deps/gamma/.env\"]\nreveal = [\"DATABASE_URL\"]";
        exceptions(&place, &allow("path#gamma@1.2.3", "proc-macro", grants));
        let outcome = run();
        expect_silence(outcome.exits(0));
        assert!(outcome.stderr_text().contains(r#"zoo: gamma reads Some("DATABASE_URL=postgres://zoo\nZOO_SECRET=\n")"#), "{outcome}");
        assert_eq!(states(&outcome), [state("path#gamma@1.2.3", "used")], "{outcome}");
    }
}

/// One program, three readers of its `.env`: the one it is allowed `via` has what it needs, and the others are told by their names. What stands in
/// the environment a whole program would have, so nobody has it.
#[test]
fn a_program_may_by_one_of_its_libraries_alone() {
    for who in Who::all() {
        let place = place(who);
        let args = ["test", "--offline", "--test", "loaded", "--", "--nocapture"];
        let url = "postgres://user:hush@localhost/db";
        let text = |outcome: &Outcome| outcome.stderr_text() + &String::from_utf8_lossy(&outcome.stdout);
        let whole = format!("Some(\"DATABASE_URL=postgres://zoo\\nZOO_SECRET={}-dotenv\\n\")", place.canary);
        let plain = does(cargo(&place, &args), &place, "").env("DATABASE_URL", url).go();
        let said = text(plain.exits(0));
        for name in ["alpha", "beta", "test"] {
            assert!(said.contains(&format!("zoo: {name} loads {whole}")), "{plain}");
        }
        let grants = "via = [\"alpha\"]\nread = [\"{workspace}/.env\"]\nreveal = [\"DATABASE_URL\"]";
        let typed =
            ["--via", "alpha", "--read", "{workspace}/.env", "--reveal", "DATABASE_URL", "--reason", "looked at", "--expires", "never"];
        bare(&place, &[&["allow", "workspace", "--program"], &typed[..]].concat()).go().exits(0);
        for by_hand in [false, true] {
            if by_hand {
                exceptions(&place, &allow("workspace", "program", grants));
            }
            let outcome = does(guarded(&place, &[], &args), &place, "").env("DATABASE_URL", url).go();
            let said = text(outcome.exits(100));
            assert!(said.contains(r#"zoo: alpha loads Some("DATABASE_URL=postgres://zoo\nZOO_SECRET=\n")"#), "{outcome}");
            for refused in ["zoo: beta loads None", "zoo: test loads None", "zoo: test knows None"] {
                assert!(said.contains(refused), "no {refused}\n{outcome}");
            }
            let blamed: Vec<&str> =
                violations(outcome.report()).filter_map(|finding| finding["blame"]["crates"][0]["name"].as_str()).collect();
            assert!(blamed.contains(&"beta") && !blamed.contains(&"alpha"), "{blamed:?}\n{outcome}");
            assert_eq!(states(&outcome), [state("workspace", "used")], "{outcome}");
        }
    }
}

#[test]
fn what_cannot_be_meant_is_an_error_with_its_place() {
    for who in Who::all() {
        let place = place(who);
        let write = |grant: &str| allow("path#alpha@1.2.3", "build-script", grant);
        for (entry, said) in [
            (write("write = [\"~/\"]"), "brig.toml:6:10: `~/` "),
            (write("write = [\"{home}\"]"), "brig.toml:6:10: `{home}` is too wide: "),
            (write("connect = [\"*:*\"]"), "brig.toml:6:12: `*:*` is too wide: "),
            (write(&format!("write = [\"{}\"]", place.path("home").display())), "is too wide: the user's home lies in it"),
            (write("conect = [\"h.example:443\"]"), "brig.toml:6:1: unknown key `conect`; did you mean `connect`?"),
            (write("write = [\"{workspace}/a\"]\nvia = []"), "brig.toml:7:7: `via` names no crate"),
            (write("reveal = [\"A\"]\nvia = [\"alpha\"]"), "brig.toml:7:7: a variable of the environment is given to the whole program"),
            (write("write = [\"{workspace}/a\"]\nvia = [\"a b\"]"), "brig.toml:7:8: "),
            (
                allow("path#gamma@1.2.3", "proc-macro", "via = [\"alpha\"]\nwrite = [\"{workspace}/a\"]"),
                "`via` is for a `program` or a `build-script`",
            ),
            (write("write = [\"{workspace}/linked\"]"), "brig.toml:3:1: `{workspace}/linked`: a symbolic link stands there"),
        ] {
            exceptions(&place, &entry);
            std::os::unix::fs::symlink("/tmp", place.workspace().join("linked")).ok();
            let outcome = does(guarded(&place, &[], BUILD), &place, "write").go();
            assert!(outcome.exits(96).stderr_text().contains(said), "{entry}: no {said}\n{outcome}");
        }
    }
}

/// A finding is made an exception by its number, and the next run is clean: nothing was edited by hand.
#[test]
fn what_a_finding_was_about_is_allowed_by_its_number() {
    for who in Who::all() {
        let place = place(who);
        let written = "# ours\nversion = 1\npolicy = \"default\" # as ever\n";
        place.write(&place.workspace().join("brig.toml"), written);
        let acts = "write,connect";
        let refused = does(guarded(&place, &[], BUILD), &place, acts).go();
        assert_eq!(guilty(refused.exits(100)), ["alpha", "beta"], "{refused}");
        let ids: Vec<&str> = violations(refused.report()).map(|finding| finding["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["F1", "F2", "F3", "F4"], "{refused}");
        // Where it lies is said, since nobody would look there.
        let line = format!("expected? `cargo brig --report-dir {} allow --from F1 F3 --reason …`", place.path("report").display());
        assert!(refused.stderr_text().contains(&line), "{refused}");
        let report = kept(&place);
        let explained = bare(&place, &["--report-dir", report.to_str().unwrap(), "explain", "F1"]).go();
        let line = "`cargo brig allow 'path#alpha@1.2.3' --build-script --write '{workspace}/generated/alpha' --reason …`";
        assert!(explained.exits(0).stdout_text().contains(line), "{explained}");
        let allow = [&["--report-dir", report.to_str().unwrap(), "allow", "--from"], &ids[..], &["--reason", "looked at"]].concat();
        let said = bare(&place, &allow).go();
        let text = String::from_utf8_lossy(&said.exits(0).stdout).into_owned();
        assert!(text.contains("added to brig.toml:") && !text.contains("no package there is"), "{said}");
        let text = fs::read_to_string(place.workspace().join("brig.toml")).unwrap();
        // One entry for each of the two, and all that stood there before.
        assert!(text.starts_with(written) && text.matches("[[allow]]").count() == 2, "{text}");
        let again = bare(&place, &allow).go();
        assert!(String::from_utf8_lossy(&again.exits(0).stdout).contains("says so already: nothing was written"), "{again}");
        assert_eq!(fs::read_to_string(place.workspace().join("brig.toml")).unwrap(), text);
        place.again();
        let allowed = does(guarded(&place, &[], BUILD), &place, acts).go();
        expect_silence(allowed.exits(0));
        assert_eq!(states(&allowed), [state("path#alpha@1.2.3", "used"), state("path#beta@1.2.3", "used")], "{allowed}");
    }
}

/// Observed, proposed, allowed, enforced: nothing was edited by hand. What is secret or critical is proposed by nobody.
#[test]
fn what_an_observed_run_would_need_is_proposed() {
    for who in Who::all() {
        let place = place(who);
        let acts = "write,connect";
        expect_proposals(&place, acts);
        place.again();
        fs::remove_file(place.workspace().join("brig.toml")).unwrap();
        let observed = does(guarded(&place, &["--mode", "observe"], BUILD), &place, "write,read,connect").go();
        observed.exits(0);
        let report = kept(&place);
        let said = bare(&place, &["--report-dir", report.to_str().unwrap(), "suggest"]).go();
        let text = said.exits(0).stdout_text();
        assert!(!text.contains("[[allow]]") && text.contains("(secret/then-network): critical"), "{said}");
    }
}

fn expect_proposals(place: &Place, acts: &str) {
    let observed = does(guarded(place, &["--mode", "observe"], BUILD), place, acts).go();
    assert_eq!(guilty(observed.exits(0)), ["alpha", "beta"], "{observed}");
    let report = kept(place);
    let brig = |words: &[&str]| bare(place, &[&["--report-dir", report.to_str().unwrap()], words].concat()).go();
    let said = brig(&["suggest"]);
    let text = said.exits(0).stdout_text();
    assert!(text.matches("[[allow]]").count() == 2 && text.contains("write = [\"{workspace}/generated/alpha\"]"), "{said}");
    assert!(!place.workspace().join("brig.toml").exists(), "it only tells\n{said}");
    let line = text.lines().find_map(|line| line.split_once(" allow --from ")).map(|(_, ids)| ids).unwrap_or_else(|| panic!("{said}"));
    let ids: Vec<&str> = line.split(" --reason").next().unwrap().split(' ').collect();
    brig(&[&["allow", "--from"], &ids[..], &["--reason", "looked at"]].concat()).exits(0);
    place.again();
    expect_silence(does(guarded(place, &[], BUILD), place, acts).go().exits(0));
    let report = kept(place);
    let after = bare(place, &["--report-dir", report.to_str().unwrap(), "suggest"]).go();
    assert_eq!(after.exits(0).stdout_text(), "# that run needs no exceptions\n", "{after}");
}

#[test]
fn what_is_too_much_is_not_written_down() {
    for who in Who::all() {
        let place = place(who);
        does(guarded(&place, &[], BUILD), &place, "read").go().exits(100);
        let report = kept(&place);
        let brig = |words: &[&str]| bare(&place, &[&["--report-dir", report.to_str().unwrap()], words].concat()).go();
        let file = place.workspace().join("brig.toml");
        let mine = ["allow", "path#alpha@1.2.3", "--build-script", "--reason", "r"];
        for (words, said) in [
            (vec!["allow", "--from", "F1", "--reason", "r"], "a secret, which is never taken over from a finding"),
            (vec!["allow", "--from", "F77", "--reason", "r"], "the last report has no finding `F77`"),
            ([&mine[..], &["--write", "/"]].concat(), "`/` is too wide"),
            ([&mine[..], &["--connect", "*:*"]].concat(), "add `--wide`"),
            ([&mine[..], &["--write", "here"]].concat(), "`here` must be an absolute path"),
            (mine.to_vec(), "grants nothing"),
            (vec!["allow", "path#alpha", "--build-script", "--write", "/srv/x", "--reason", "r"], "names no version"),
            (vec!["allow", "path#alpha@1.2.3", "--write", "/srv/x", "--reason", "r"], "--build-script"),
            (vec!["allow", "path#alpha@1.2.3", "--build-script", "--write", "/srv/x"], "--reason"),
            (vec!["deny", "path#alpha@1.2.3", "--reason", "r"], "holds for every version"),
        ] {
            let outcome = brig(&words);
            assert!(outcome.exits(2).stderr_text().contains(said), "{words:?}: no {said}\n{outcome}");
            assert!(!file.exists(), "{words:?}\n{outcome}");
        }
        // Meant: then it is written, and each run says so.
        brig(&[&mine[..], &["--write", "{workspace}", "--wide", "--expires", "never"]].concat()).exits(0);
        // For nobody there is: said, with whom there is.
        let kept = fs::read_to_string(&file).unwrap();
        let other = brig(&["allow", "alpha@1.2.3", "--build-script", "--write", "/srv/x", "--reason", "r"]);
        assert!(other.exits(0).stdout_text().contains("note: it is for no package there is: Cargo.lock has `path#alpha@1.2.3`"), "{other}");
        fs::write(&file, kept).unwrap();
        let wide = does(guarded(&place, &[], BUILD), &place, "write").go();
        assert!(wide.exits(100).stderr_text().contains("note[policy/too-wide]: the exception for `path#alpha@1.2.3`"), "{wide}");
        // A word for what was denied, beside the allow: it wins.
        brig(&["deny", "alpha", "--reason", "phones home"]).exits(0);
        let denied = does(guarded(&place, &[], BUILD), &place, "write").go();
        assert!(denied.exits(100).stderr_text().contains("package `alpha` 1.2.3 is denied — kept from the build"), "{denied}");
        // What is wrong already, and what leads elsewhere, stays as it is.
        fs::write(&file, "<<<<<<< HEAD\nversion = 1\n").unwrap();
        brig(&["deny", "beta", "--reason", "r"]).exits(96);
        assert_eq!(fs::read_to_string(&file).unwrap(), "<<<<<<< HEAD\nversion = 1\n");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(place.path("home/elsewhere.toml"), &file).unwrap();
        place.write(&place.path("home/elsewhere.toml"), "version = 1\n");
        assert!(brig(&["deny", "beta", "--reason", "r"]).exits(96).stderr_text().contains("brig.toml: is a symbolic link"));
        let refused = does(guarded(&place, &[], BUILD), &place, "").go();
        assert!(refused.exits(96).stderr_text().contains("brig.toml is a link to "), "{refused}");
        assert_eq!(fs::read_to_string(place.path("home/elsewhere.toml")).unwrap(), "version = 1\n");
    }
}

#[test]
fn a_file_to_start_from_is_written_once() {
    for who in Who::all() {
        let place = place(who);
        let file = place.workspace().join("brig.toml");
        bare(&place, &["init"]).go().exits(0);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("# [[allow]]") && text.contains("version = 1"), "{text}");
        let clean = does(guarded(&place, &[], BUILD), &place, "").go();
        expect_silence(clean.exits(0));
        assert!(!clean.stderr_text().contains("Loosened"), "{clean}");
        fs::write(&file, "version = 1 # mine\n").unwrap();
        assert!(bare(&place, &["init"]).go().exits(2).stderr_text().contains("is there already: nothing was written"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "version = 1 # mine\n");
    }
}

/// By its name: not by the address, and no other name.
#[test]
fn a_host_is_reached_by_the_name_that_was_allowed() {
    for who in Who::all() {
        let (place, isle) = (Place::new("name-services", who), Isle::default());
        exceptions(&place, &allow("path#name-caller@0.1.0", "build-script", "connect = [\"data.example.test:443\"]"));
        let outcome = isle.of(&place, guarded(&place, &[], BUILD)).go();
        isle.settle();
        outcome.exits(100);
        assert_eq!(isle.heard(Stand::Host), b"zoo: by name", "as {who:?}\n{outcome}");
        assert!(isle.heard(Stand::Metadata).is_empty(), "as {who:?}\n{outcome}");
        assert_eq!(states(&outcome), [state("path#name-caller@0.1.0", "used")], "as {who:?}\n{outcome}");
    }
}

/// Rustdoc runs doctests, and macros run inside of rustdoc: what is for the tests is not for those, nor for what they start.
#[test]
fn what_doctests_may_a_macro_in_rustdoc_may_not() {
    const MACRO: &str = "use std::{env, fs, process::Command};\n#[proc_macro]\n\
        pub fn steal(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \
        let helper = env::temp_dir().join(\"rust_out\");\n    let _ = fs::copy(\"/bin/cat\", &helper);\n    \
        let read = fs::read_to_string(\".env\").unwrap_or_default();\n    \
        let ran = Command::new(&helper).arg(\".env\").output().map(|output| output.stdout).unwrap_or_default();\n    \
        eprintln!(\"stolen {read:?} {:?}\", String::from_utf8_lossy(&ran));\n    Default::default()\n}\nextern crate proc_macro;\n";
    const TEST: &[&str] = &["test", "--offline", "--doc"];
    for who in Who::all() {
        for edition in ["2021", "2024"] {
            let place = Place::new("honest-run", who);
            let workspace = place.workspace().to_owned();
            fs::remove_dir_all(&workspace).unwrap();
            let package =
                |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = {edition:?}\n{more}");
            let needs = "[dependencies]\nthief = { path = \"thief\" }\n[workspace]\nexclude = [\"thief\"]\n";
            place.write(&workspace.join("Cargo.toml"), &package("app", needs));
            let doctest = "/// ```\n/// assert!(std::fs::read_to_string(\".env\").unwrap().contains(\"-dotenv\"));\n/// ```\n";
            place.write(
                &workspace.join("src/lib.rs"),
                &format!("thief::steal!();\n{doctest}pub fn one() {{}}\n{doctest}pub fn two() {{}}\n"),
            );
            place.write(&workspace.join("thief/Cargo.toml"), &package("thief", "[lib]\nproc-macro = true\n[workspace]\n"));
            place.write(&workspace.join("thief/src/lib.rs"), MACRO);
            place.write(&workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
            let plain = cargo(&place, TEST).go();
            let theft = format!("stolen \"ZOO_SECRET={}-dotenv", place.canary);
            assert!(plain.exits(0).stderr_text().matches(&theft).count() > 1, "in rustc and rustdoc\n{plain}");
            place.clean();
            exceptions(&place, &allow("workspace", "program", "read = [\"{workspace}/.env\"]"));
            let outcome = guarded(&place, &[], TEST).go();
            let said = outcome.exits(100).stderr_text();
            assert!(outcome.stdout_text().contains("2 passed"), "{outcome}");
            assert!(said.contains("stolen \"\" \"\"") && !said.contains(&*place.canary), "{outcome}");
            assert!(
                said.contains("proc-macro `thief` 0.1.0 inside the rustdoc of `app` 0.1.0 tried to read `{workspace}/.env`"),
                "{outcome}"
            );
            assert_eq!(states(&outcome), [state("workspace", "used")], "{outcome}");
        }
    }
}
