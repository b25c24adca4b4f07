//! Packages that must not be in a build: known to be malicious (`profiles/known-malicious.toml`, and lists that add to it) or denied. The vendored tree of the
//! fixture stands in place of the public registry; what it holds is harmless, and only named so.

use std::fs;

use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FIXTURE: &str = "vendored";
/// The harmless package, as a removed one was called.
const NAME: &str = "proc-macro1";

/// With the package under this name, which plain cargo builds.
fn place(who: Who) -> Place {
    let place = Place::new(FIXTURE, who);
    rename(&place, "given", NAME);
    place
}

fn rename(place: &Place, from: &str, to: &str) {
    for file in ["Cargo.toml", &format!("vendor/{from}/Cargo.toml")] {
        let path = place.workspace().join(file);
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace(&format!("\n{from} = "), &format!("\n{to} = ")).replace(&format!("\"{from}\""), &format!("\"{to}\""));
        fs::write(&path, text).unwrap();
    }
    fs::rename(place.workspace().join("vendor").join(from), place.workspace().join("vendor").join(to)).unwrap();
}

/// Whoever runs the script leaves a mark, if nobody keeps it from that.
fn marked<'a>(run: Run<'a>, place: &'a Place) -> Run<'a> {
    run.env("ZOO_MARK", place.path("home/ran"))
}

fn ran(place: &Place) -> bool {
    fs::remove_file(place.path("home/ran")).is_ok()
}

fn stopped<'o>(outcome: &'o Outcome, place: &Place, rule: &str) -> &'o Outcome {
    outcome.exits(100);
    assert!(!ran(place), "its script ran\n{outcome}");
    let report = outcome.report();
    assert_eq!(report["findings"][0]["rule"], rule, "{outcome}");
    assert_eq!((&report["outcome"]["barred"], &report["outcome"]["verdict"]), (&true.into(), &"violation".into()), "{outcome}");
    outcome
}

#[test]
fn a_known_malicious_package_stops_the_build_before_anything_runs() {
    for who in Who::all() {
        let place = place(who);
        let plain = marked(cargo(&place, BUILD), &place).go();
        assert!(ran(&place), "plain cargo runs it\n{}", plain.exits(0));
        place.clean();
        let files = ["sarif", "html", "markdown"].map(|kind| place.path(&format!("report/other.{kind}")));
        let words = ["--sarif", "--html", "--markdown"];
        let options: Vec<&str> = words.into_iter().zip(&files).flat_map(|(word, file)| [word, file.to_str().unwrap()]).collect();
        let outcome = marked(guarded(&place, &options, BUILD), &place).go();
        let stderr = stopped(&outcome, &place, "package/malicious").stderr_text();
        assert!(!stderr.contains("Compiling"), "{outcome}");
        for said in [
            "error[package/malicious]: package `proc-macro1` 0.1.0 is known to be malicious — kept from the build",
            "--> Cargo.lock:",
            "app 0.1.0 → proc-macro1 0.1.0 (a direct dependency)",
            "RUSTSEC-2026-0265, 2026-08-20: its build script downloaded a program and ran it (profiles/known-malicious.toml:",
            "was it ever built or run, here or in CI?",
            "Stopped 1 package must not be in this build (1 critical); none of its code ran",
        ] {
            assert!(stderr.contains(said), "no {said}\n{outcome}");
        }
        for file in &files {
            let text = fs::read_to_string(file).unwrap().replace("&#45;", "-").replace("&#47;", "/");
            assert!(text.contains("package/malicious") && text.contains("RUSTSEC-2026-0265"), "{file:?}: {text}");
        }
        // Whatever the mode, the profile, and whether a lock file was there.
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        stopped(
            &guarded(&place, &["--mode", "observe", "--no-config"], &["test", "--offline"]).compared().go(),
            &place,
            "package/malicious",
        );
        // It can be looked at, and taken out.
        guarded(&place, &[], &["tree", "--offline", "-i", NAME]).go().exits(0);
        guarded(&place, &[], &["remove", "--offline", NAME]).compared().go().exits(0);
        guarded(&place, &[], BUILD).go().exits(0);
    }
}

/// Cargo takes other addresses for the registry, or for a copy of it, and writes them into the lock file as they are.
#[test]
fn by_whatever_address_the_registry_is_called() {
    const INDEX: &str = "https://github.com/rust-lang/crates.io-index";
    let name = INDEX.rsplit('/').next().and_then(|last| last.strip_suffix("-index")).unwrap();
    for who in Who::all() {
        for index in
            [format!("sparse+https://index.{name}/"), format!("{INDEX}.git"), INDEX.replace("rust", "Rust"), format!("git+{INDEX}/")]
        {
            let place = place(who);
            let manifest = place.workspace().join("Cargo.toml");
            let named = format!("{NAME} = {{ version = \"0.1\", registry = \"mine\" }}");
            let text = fs::read_to_string(&manifest).unwrap().replace(&format!("{NAME} = \"0.1\""), &named);
            fs::write(&manifest, text).unwrap();
            let configuration = place.workspace().join(".cargo/config.toml");
            let text = fs::read_to_string(&configuration).unwrap();
            fs::write(&configuration, format!("{text}\n[registries.mine]\nindex = {index:?}\n")).unwrap();
            let _ = fs::remove_file(place.workspace().join("Cargo.lock"));
            let plain = marked(cargo(&place, BUILD), &place).go();
            assert!(ran(&place), "plain cargo runs it\n{}", plain.exits(0));
            place.clean();
            stopped(&marked(guarded(&place, &[], BUILD), &place).go(), &place, "package/malicious");
        }
    }
}

/// What cargo reads and we would not: then nobody knew who is in the build.
#[test]
fn a_lock_file_that_is_too_long_to_be_read_ends_the_build() {
    for who in Who::all() {
        let place = place(who);
        marked(cargo(&place, BUILD), &place).go().exits(0);
        let lock = place.workspace().join("Cargo.lock");
        let text = fs::read_to_string(&lock).unwrap();
        let long = text + &"# long\n".repeat(10 << 20);
        fs::write(&lock, &long).unwrap();
        place.clean();
        const LOCKED: &[&str] = &["build", "--offline", "--locked"];
        marked(cargo(&place, LOCKED), &place).go().exits(0);
        assert!(ran(&place), "plain cargo runs it");
        place.clean();
        fs::write(&lock, &long).unwrap();
        let outcome = marked(guarded(&place, &[], LOCKED), &place).go();
        assert!(outcome.exits(96).stderr_text().contains("Cargo.lock: is longer than 64 MiB"), "{outcome}");
        assert!(!ran(&place), "its script ran\n{outcome}");
    }
}

/// Of a path package a name says nothing, whoever has vendored it so: it is confined as any.
#[test]
fn a_path_package_of_the_same_name_runs() {
    for who in Who::all() {
        let place = place(who);
        let manifest = place.workspace().join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).unwrap().replace("proc-macro1 = \"0.1\"", "proc-macro1 = { path = \"vendor/proc-macro1\" }");
        fs::write(&manifest, text).unwrap();
        guarded(&place, &[], BUILD).go().exits(0);
    }
}

#[test]
fn lists_of_ones_own_add_to_it() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        let entry = "version = 1\n[[malicious]]\nname = \"given\"\nversions = \"<0.2\"\ndate = 2026-11-01\nadvisory = \"OURS-1\"\nwhat = \"phones home\"\n";
        marked(cargo(&place, BUILD), &place).go().exits(0);
        assert!(ran(&place));
        guarded(&place, &[], BUILD).go().exits(0);
        // The user's, whatever the repository.
        let own = place.path("home/.config/brig/known-malicious.toml");
        place.write(&own, entry);
        let outcome = marked(guarded(&place, &["--no-config"], BUILD), &place).go();
        assert!(stopped(&outcome, &place, "package/malicious").stderr_text().contains("OURS-1, 2026-11-01: phones home ("), "{outcome}");
        let explained = bare(&place, &["explain", "given"]).go();
        let text = explained.exits(0).stdout_text();
        assert!(text.contains("given (versions <0.2), OURS-1, 2026-11-01: phones home"), "{explained}");
        place.write(&own, &entry.replace("<0.2", ">=0.2"));
        guarded(&place, &[], BUILD).go().exits(0);
        place.write(&own, &entry.replace("name", "nam"));
        let outcome = guarded(&place, &[], BUILD).go();
        assert!(outcome.exits(96).stderr_text().contains("known-malicious.toml:3:1: unknown key `nam`; did you mean `name`?"), "{outcome}");
        fs::remove_file(&own).unwrap();
        // The repository's.
        place.write(&place.workspace().join("brig.toml"), "version = 1\nknown-malicious = [\"policy/bad.toml\"]\n");
        let outcome = guarded(&place, &[], BUILD).go();
        assert!(outcome.exits(96).stderr_text().contains("policy/bad.toml:1:1: cannot be read"), "{outcome}");
        let bad = place.workspace().join("policy/bad.toml");
        fs::create_dir_all(bad.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(place.path("home/.aws/credentials"), &bad).unwrap();
        let outcome = guarded(&place, &[], BUILD).compared().go();
        assert!(outcome.exits(96).stderr_text().contains("policy/bad.toml:1:1: is a symbolic link"), "{outcome}");
        fs::remove_file(&bad).unwrap();
        place.write(&bad, entry);
        stopped(&marked(guarded(&place, &[], BUILD), &place).go(), &place, "package/malicious");
    }
}

#[test]
fn what_is_known_of_a_package_is_told_without_a_report() {
    let place = Place::new(FIXTURE, Who::all()[0]);
    let outcome = bare(&place, &["explain", "chrono_anchor"]).go();
    let text = outcome.exits(0).stdout_text();
    assert!(text.starts_with("known to be malicious, as a package of the public registry:\n"), "{outcome}");
    assert!(text.contains("RUSTSEC-2026-0039, 2026-03-10") && text.contains("it was after: what is in .env files"), "{outcome}");
    let other = bare(&place, &["explain", "serde"]).go();
    assert!(!other.exits(2).stderr_text().contains("known to be"), "{other}");
}
