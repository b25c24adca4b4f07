//! No quiet refusal stands behind a bare "Clean": it is counted, named for who asks, and told of whoever failed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::finding::expect_silence;
use crate::honest::{calm, clean};
use crate::place::Place;
use crate::run::{Outcome, Run, cargo, guarded};
use crate::who::Who;

const TEST: &[&str] = &["test", "--offline", "--lib"];
const SECRET: &str = "ZOO_API_TOKEN";

/// Of all that looks like a credential only what is asked for here.
fn bare(run: Run) -> Run {
    run.without("CARGO_REGISTRY_TOKEN").without("SSH_AUTH_SOCK").without("DOCKER_HOST")
}

/// A directory that nobody is granted, and a variable that looks like a credential.
fn dress<'p>(run: Run<'p>, data: &Path) -> Run<'p> {
    bare(run).env("ZOO_DATA", data).env(SECRET, "zoo-3f1d9ce2a7704b51")
}

fn data() -> std::path::PathBuf {
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kept-data");
    fs::create_dir_all(&data).unwrap();
    data
}

fn place(who: Who) -> Place {
    calm("kept", std::ffi::OsStr::new("code"), who)
}

/// Does this kernel tell how a process ended (Linux 6.15)?
fn tells_ends() -> bool {
    let release = nix::sys::utsname::uname().unwrap().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 15)
}

/// The lines of Brig's own at the end.
fn last_words(outcome: &Outcome) -> Vec<String> {
    let text = outcome.stderr_text();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.starts_with("       Clean ")).unwrap_or_else(|| panic!("no verdict\n{outcome}"));
    lines[at..].to_vec()
}

#[test]
fn who_does_without_is_one_line_and_a_count() {
    for who in Who::all() {
        let (place, data) = (place(who), data());
        dress(cargo(&place, TEST), &data).go().exits(0);
        let brig = dress(guarded(&place, &[], TEST), &data).go();
        expect_silence(brig.exits(0));
        clean(&brig);
        let words = last_words(&brig);
        assert_eq!(words.len(), 1, "{brig}");
        assert!(words[0].contains("; 1 refusal without alarm (`-v` names them) · "), "{brig}");
        let named = dress(guarded(&place, &["-v"], TEST), &data).go();
        let line = format!("             tried to read `{}` — refused", data.display());
        assert!(named.stderr_text().contains(&line), "{line}\n{named}");
        let behaviour = brig.report()["behaviour"].as_array().unwrap();
        let refused: Vec<&Value> = behaviour.iter().filter(|did| did["status"] == "refused").collect();
        assert!(matches!(&refused[..], [did] if did["path"] == data.to_str().unwrap()), "{refused:?}");
    }
}

/// Settings in a home, of which a finding informs that is shown with `-v` alone: it does not stand for the count.
#[test]
fn what_only_informs_is_counted_as_well() {
    const SCRIPT: &str = "fn main() {\n    let home = std::path::PathBuf::from(std::env::var(\"HOME\").unwrap());\n    \
        let read = std::fs::read_to_string(home.join(\".zootoolrc\"));\n    \
        println!(\"cargo::warning=settings {}\", read.unwrap_or_default());\n}\n";
    const BUILD: &[&str] = &["build", "--offline"];
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let workspace = place.workspace().to_owned();
        fs::remove_dir_all(&workspace).unwrap();
        place.write(&workspace.join("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        place.write(&workspace.join("src/lib.rs"), "");
        place.write(&workspace.join("build.rs"), SCRIPT);
        place.write(&place.path("home/.zootoolrc"), "are read");
        let plain = bare(cargo(&place, BUILD)).go();
        assert!(plain.exits(0).stderr_text().contains("settings are read"), "{plain}");
        place.clean();
        let brig = bare(guarded(&place, &[], BUILD)).go();
        let words = last_words(&brig);
        assert_eq!(brig.exits(0).report()["findings"][0]["severity"], "info", "{brig}");
        assert!(!brig.stderr_text().contains("settings are read"), "{brig}");
        assert!(words.len() == 1 && words[0].contains("; 1 refusal without alarm (`-v` names them) · "), "{brig}");
    }
}

#[test]
fn who_fails_is_told_what_was_kept_from_it_and_which_line_gives_it() {
    if !tells_ends() {
        return;
    }
    for who in Who::all() {
        let (place, data) = (place(who), data());
        let run = |run: Run| dress(run, &data).env("ZOO_MINDS", "1").go();
        run(cargo(&place, TEST)).exits(0);
        let brig = run(guarded(&place, &[], TEST));
        expect_silence(brig.exits(101));
        let words = last_words(&brig);
        assert!(words[0].contains("; cargo's exit code is 101 · "), "{brig}");
        assert_eq!(words.len(), 3, "{brig}");
        assert!(words[1..].iter().all(|line| line.starts_with("             tests of `kept` 0.1.0 failed, and ")), "{brig}");
        let kept = brig.report()["kept"].as_array().unwrap();
        let lines: Vec<&str> = kept.iter().map(|kept| kept["allow"].as_str().unwrap_or_else(|| panic!("no line: {kept}"))).collect();
        assert!(words[1].contains(lines[0]) && words[2].contains("`environment.extend-pass`") && words[2].contains(SECRET), "{brig}");
        // The first line makes the profile, the next one is offered for it.
        let mut file = format!("version = 1\npolicy = \"mine\"\n{}\n", lines[0]);
        place.write(&place.workspace().join("brig.toml"), &file);
        let next = run(guarded(&place, &[], TEST));
        let left: Vec<&str> =
            next.exits(101).report()["kept"].as_array().unwrap().iter().filter_map(|kept| kept["allow"].as_str()).collect();
        assert!(matches!(&left[..], [line] if line.starts_with("profile.mine.")), "{left:?}\n{next}");
        let inner = lines[0].replace(" }", &format!(", {} }}", left[0].strip_prefix("profile.mine.").unwrap()));
        file = format!("version = 1\npolicy = \"mine\"\n{inner}\n");
        place.write(&place.workspace().join("brig.toml"), &file);
        expect_silence(run(guarded(&place, &[], TEST)).exits(0));
    }
}

#[test]
fn who_fails_by_itself_is_not_explained() {
    for who in Who::all() {
        let place = place(who);
        let args = [TEST, &["nothing"]].concat();
        let run = |run: Run| bare(run).env("ZOO_FAILS", "1").go();
        run(cargo(&place, &args)).exits(101);
        let brig = run(guarded(&place, &[], &args));
        expect_silence(brig.exits(101));
        let words = last_words(&brig);
        assert_eq!(words.len(), 1, "{brig}");
        assert!(words[0].contains("`default`; cargo's exit code is 101 · "), "{brig}");
        assert!(brig.report()["kept"].is_null(), "{brig}");
    }
}
