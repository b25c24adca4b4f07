//! Where the code of dependencies comes from: git, a directory of vendored crates, a patch, a path outside the workspace.

use std::path::{Path, PathBuf};

use super::{actors, configure, depend, done, give, habit, place};
use crate::place::Place;
use crate::who::Who;

const RUN: &[&str] = &["run"];

/// The dependency as a git repository, and its address.
fn repository(place: &Place, origin: &str) -> (PathBuf, String) {
    let repository = place.path("home/forge/given");
    give(place, &repository, origin);
    for args in [&["init", "-q", "-b", "trunk"][..], &["add", "."], &["commit", "-q", "-m", "first"], &["tag", "v1"]] {
        done(place, &repository, &[&["git"], args].concat());
    }
    let address = format!("file://{}", repository.display());
    (repository, address)
}

#[test]
fn git_dependencies() {
    for who in Who::all() {
        let place = place(who);
        let (repository, address) = repository(&place, "by git");
        depend(&place, &format!("given = {{ git = {address:?}, tag = \"v1\" }}"));
        let fetched = place.path("home/.cargo/git");
        let brig = habit(&place, "by libgit2", RUN).forget(fetched.clone()).says("given by git");
        attributed(&brig, "given");
        assert_eq!(actors(&brig, "tool"), [], "{brig}");
        configure(&place, "[net]\ngit-fetch-with-cli = true\n");
        let brig = habit(&place, "by git itself", RUN).forget(fetched.clone()).says("given by git");
        attributed(&brig, "given");
        let tools = actors(&brig, "tool");
        assert_eq!(tools.len(), 1, "git is one of cargo's own helpers: {tools:?}\n{brig}");
        habit(&place, "already there", &["run", "--offline"]).says("given by git");
        // The repository goes on.
        std::fs::write(repository.join("origin"), "by a newer commit").unwrap();
        done(&place, &repository, &["git", "commit", "-q", "-a", "-m", "second"]);
        let manifest = place.workspace().join("app/Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap().replace("tag = \"v1\"", "branch = \"trunk\"");
        std::fs::write(&manifest, text).unwrap();
        habit(&place, "another branch", RUN).forget(fetched.clone()).says("given by a newer commit");
        habit(&place, "cargo update", &["update"]).results(&[]).idle().same();
    }
}

#[test]
fn vendored_sources_in_place_of_the_registry() {
    for who in Who::all() {
        let place = place(who);
        let vendored = place.workspace().join("vendor/given");
        give(&place, &vendored, "vendored");
        place.write(&vendored.join(".cargo-checksum.json"), "{\"files\":{}}");
        depend(&place, "given = \"0.1\"");
        configure(&place, "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n");
        attributed(&habit(&place, "a directory", RUN).says("given vendored"), "given");
        habit(&place, "its tests", &["test", "--frozen"]).same();
    }
}

/// What `cargo vendor` writes of a git dependency, and the configuration it says to use.
#[test]
fn git_dependencies_vendored_by_cargo_itself() {
    for who in Who::all() {
        let place = place(who);
        let (repository, address) = repository(&place, "by git");
        depend(&place, &format!("given = {{ git = {address:?} }}"));
        let vendored = place.path("home/vendored");
        let brig = habit(&place, "cargo vendor", &["vendor", vendored.to_str().unwrap()])
            .results(&[&vendored])
            .forget(place.path("home/.cargo/git"))
            .idle()
            .same();
        assert!(vendored.join("given/Cargo.toml").is_file(), "{brig}");
        configure(&place, &brig.stdout_text());
        std::fs::remove_dir_all(place.path("home/.cargo/git")).unwrap();
        std::fs::remove_dir_all(repository).unwrap();
        attributed(&habit(&place, "vendored by cargo", &["run", "--frozen"]).says("given by git"), "given");
    }
}

#[test]
fn patches_paths_and_their_overrides() {
    for who in Who::all() {
        let place = place(who);
        let outside = place.path("home/lib/given");
        give(&place, &outside, "outside");
        depend(&place, "given = { path = \"../../lib/given\" }");
        attributed(&habit(&place, "a path outside the workspace", RUN).says("given outside"), "given");
        let manifest = place.workspace().join("app/Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        place.write(&manifest, &text.replace("given = { path = \"../../lib/given\" }", "given = \"0.1\""));
        let root = place.workspace().join("Cargo.toml");
        let text = std::fs::read_to_string(&root).unwrap();
        place.write(&root, &format!("{text}\n[patch.crates-io]\ngiven = {{ path = {outside:?} }}\n"));
        attributed(&habit(&place, "a patch", &["run", "--offline"]).says("given outside"), "given");
        place.write(&root, &text);
        configure(&place, &format!("[patch.crates-io]\ngiven = {{ path = {outside:?} }}\n"));
        habit(&place, "a patch of the configuration", &["run", "--offline"]).says("given outside");
        let other = place.path("home/fork/given");
        copy(&place, &outside, &other);
        place.write(&other.join("origin"), "overridden");
        configure(&place, &format!("paths = [{other:?}]\n[patch.crates-io]\ngiven = {{ path = {outside:?} }}\n"));
        habit(&place, "paths", &["run", "--offline"]).says("given overridden");
    }
}

#[test]
fn a_cargo_home_of_the_builds_own() {
    for who in Who::all() {
        let place = place(who);
        let (_, address) = repository(&place, "by git");
        depend(&place, &format!("given = {{ git = {address:?} }}"));
        for home in [place.path("home/private"), place.workspace().join(".cargo-home")] {
            let brig = habit(&place, "CARGO_HOME elsewhere", RUN)
                .forget(home.join("git"))
                .with(|run| run.env("CARGO_HOME", &home))
                .says("given by git");
            attributed(&brig, "given");
            assert!(home.join("git/checkouts").is_dir(), "{brig}");
        }
    }
}

fn copy(place: &Place, from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    done(place, from, &["cp", "-r", from.to_str().unwrap(), to.to_str().unwrap()]);
}

/// Its build script ran, under its name.
#[track_caller]
fn attributed(brig: &crate::run::Outcome, package: &str) {
    assert!(actors(brig, "build-script").iter().any(|(name, _)| name == package), "no build script of {package}\n{brig}");
}
