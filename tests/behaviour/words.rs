//! What a repository's configuration and its links would have cargo do to places of the user's: take, fill or remove the results of another project,
//! empty a directory, make a package elsewhere. Plain cargo does it; under Brig it is refused before cargo begins, and the same words of the user's
//! own are obeyed. And a subcommand that runs nobody's code, whose helper must not be held.

use std::fs;
use std::os::unix::fs::symlink;

use crate::finding::expect_silence;
use crate::habits::configure;
use crate::place::Place;
use crate::run::{Outcome, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const CLEAN: &[&str] = &["clean"];

fn refuses(outcome: &Outcome, words: &str) {
    outcome.exits(2);
    assert!(outcome.stderr_text().contains(words), "{outcome}");
}

#[test]
fn the_results_of_another_project_are_not_the_repositorys_to_name() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let other = place.path("home/other/target");
        let kept = other.join("debug/private");
        let fill = || {
            place.write(&other.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
            place.write(&place.path("home/other/Cargo.toml"), "[package]\nname = \"other\"\n");
            place.write(&place.path("home/.cargo/registry/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
            place.write(&kept, "private\n");
        };
        fill();
        configure(&place, "[build]\ntarget-dir = \"../other/target\"\n");
        let plain = cargo(&place, CLEAN).go();
        assert!(plain.code == 0 && !kept.exists(), "the control: {plain}");
        fill();
        refuses(&guarded(&place, &[], CLEAN).compared().go(), "`CARGO_TARGET_DIR`");
        for (key, dir) in [
            ("target-dir", "../other/target"),
            ("build-dir", "../other/target"),
            ("target-dir", "../other/new"),
            ("target-dir", "."),
            ("build-dir", "."),
            ("target-dir", "src"),
            ("target-dir", "../.cargo/registry"),
        ] {
            configure(&place, &format!("[build]\n{key} = {dir:?}\n"));
            let words = if key == "target-dir" { "`CARGO_TARGET_DIR`" } else { "`CARGO_BUILD_BUILD_DIR`" };
            refuses(&guarded(&place, &[], BUILD).compared().go(), words);
        }
        configure(&place, "");
        fs::remove_dir_all(place.target()).unwrap();
        symlink("../other/target", place.target()).unwrap();
        for args in [BUILD, CLEAN] {
            refuses(&guarded(&place, &[], args).compared().go(), "`CARGO_TARGET_DIR`");
        }
        assert!(kept.is_file() && !other.join("debug/deps").exists() && !place.workspace().join("debug").exists());
        // The same word of the user's own is obeyed.
        fs::remove_file(place.target()).unwrap();
        place.write(&place.path("home/.cargo/config.toml"), "[build]\ntarget-dir = \"other/target\"\n");
        let brig = guarded(&place, &[], BUILD).compared().go();
        assert!(other.join("debug/deps").is_dir(), "{brig}");
        expect_silence(brig.exits(0));
    }
}

/// Filled before there was Brig, and again with it.
#[test]
fn results_beside_the_workspace_are_known_again() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        configure(&place, "[build]\ntarget-dir = \"../target\"\n");
        cargo(&place, BUILD).go().exits(0);
        bare(&place, BUILD).go().exits(0);
        let brig = guarded(&place, &[], CLEAN).compared().go();
        assert!(brig.code == 0 && !place.path("home/target").exists(), "{brig}");
    }
}

#[test]
fn a_link_of_the_repositorys_does_not_say_what_vendor_empties_and_where_new_makes() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let (git, documents) = (place.workspace().join(".git"), place.path("home/documents"));
        let lay = || {
            place.write(&git.join("HEAD"), "ref: refs/heads/main\n");
            fs::create_dir_all(&documents).unwrap();
        };
        lay();
        symlink(".git", place.workspace().join("vendor")).unwrap();
        symlink("../documents", place.workspace().join("foo")).unwrap();
        let (vendor, new) = (["vendor", "--offline"], ["new", "--vcs", "none", "foo/bar"]);
        let plain = [cargo(&place, &vendor).go(), cargo(&place, &new).go()];
        assert!(!git.join("HEAD").exists() && documents.join("bar").is_dir(), "the control: {} {}", plain[0], plain[1]);
        fs::remove_dir_all(documents.join("bar")).unwrap();
        lay();
        for args in [&vendor[..], &new, &["new", "--vcs", "none", "foo/../bar"], &["init", "foo"]] {
            refuses(&guarded(&place, &[], args).compared().go(), "there is a link of the repository's on the way");
        }
        assert!(git.join("HEAD").is_file() && fs::read_dir(&documents).unwrap().next().is_none() && !place.path("home/bar").exists());
        let brig = guarded(&place, &[], &["new", "--vcs", "none", "real/bar"]).compared().go();
        assert!(brig.code == 0 && place.workspace().join("real/bar/Cargo.toml").is_file(), "{brig}");
    }
}

#[test]
fn cargos_manual_is_shown() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let plain = cargo(&place, &["help", "build"]).go();
        assert!(plain.code == 0 && plain.stdout_text().contains("cargo"), "{plain}");
        let brig = guarded(&place, &[], &["help", "build"]).go();
        expect_silence(brig.exits(0));
        assert_eq!(plain.stdout_text(), brig.stdout_text(), "{brig}");
    }
}
