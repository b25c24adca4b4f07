//! Where things lie: workspaces, homes and targets behind links, in odd places, on other file systems.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::{configure, depend, give, habit, place, triple};
use crate::finding::{expect, refused};
use crate::place::visit;
use crate::run::{cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const CHECK: &[&str] = &["check", "--offline"];

#[test]
fn a_workspace_below_tmp_and_on_another_file_system() {
    for who in Who::all() {
        for parent in ["/tmp", "/dev/shm"] {
            let mut place = place(who);
            let device = |dir: &Path| fs::metadata(dir).unwrap().dev();
            place.move_to(Path::new(parent));
            let elsewhere = device(place.workspace()) != device(&place.path("home"));
            assert!(parent == "/tmp" || elsewhere, "{parent} is no file system of its own here: the case shows nothing");
            habit(&place, &format!("a workspace in {parent}"), &["test", "--offline"]).same();
        }
    }
}

#[test]
fn results_on_another_file_system() {
    for who in Who::all() {
        let place = place(who);
        let memory = tempfile::Builder::new().prefix("brig-").tempdir_in("/dev/shm").unwrap();
        fs::set_permissions(memory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let target = memory.path().join("target");
        habit(&place, "a target in memory", &["test", "--offline"])
            .results(&[&target])
            .with(|run| run.env("CARGO_TARGET_DIR", &target))
            .same();
        // What a test drops there, beside the results, it may still not run.
        let dropped = memory.path().join("dropped");
        let text = format!(
            "#[test]\nfn drops() {{\n    std::fs::copy(\"/bin/true\", {dropped:?}).unwrap();\n    \
             assert!(std::process::Command::new({dropped:?}).status().unwrap().success());\n}}\n"
        );
        place.write(&place.workspace().join("app/tests/drops.rs"), &text);
        let args = ["test", "--offline", "--test", "drops"];
        cargo(&place, &args).env("CARGO_TARGET_DIR", &target).go().exits(0);
        let brig = guarded(&place, &[], &args).env("CARGO_TARGET_DIR", &target).go();
        expect(brig.exits(100), &[refused(&["exec/dropped"], "app", &["program"])]);
        fs::remove_file(place.workspace().join("app/tests/drops.rs")).unwrap();
        habit(&place, "temporary files in memory", BUILD).with(|run| run.env("TMPDIR", memory.path())).same();
    }
}

#[test]
fn links_to_homes_workspaces_and_targets() {
    for who in Who::all() {
        let place = place(who);
        let home = place.path("home-by-link");
        symlink(place.path("home"), &home).unwrap();
        habit(&place, "a home behind a link", BUILD)
            .with(|run| {
                run.env("HOME", &home).without("CARGO_HOME").without("RUSTUP_HOME").at(&home.join("code")).env("PWD", home.join("code"))
            })
            .same();
        let code = place.path("code-by-link");
        symlink(place.workspace(), &code).unwrap();
        let manifest = code.join("Cargo.toml");
        habit(&place, "a workspace behind a link", BUILD).with(|run| run.at(&code).env("PWD", &code)).same();
        habit(&place, "a manifest behind a link", &["build", "--offline", "--manifest-path", manifest.to_str().unwrap()])
            .with(|run| run.at(&place.path("run")))
            .same();
        let built = place.path("home/built");
        fs::create_dir(&built).unwrap();
        fs::remove_dir_all(place.target()).unwrap();
        symlink(&built, place.target()).unwrap();
        let habit = habit(&place, "a target behind a link", &["test", "--offline"]);
        let brig = habit.same();
        assert!(built.join("debug/app").is_file(), "{brig}");
        guarded(&place, &[], BUILD).compared().go().exits(0);
    }
}

#[test]
fn names_with_spaces_and_letters_beyond_ascii_everywhere() {
    for who in Who::all() {
        let place = place(who);
        let home = place.path("Zuhause für alle/日本 語");
        let (cargo, target, given) = (home.join("Fracht gut"), home.join("Ziel – da"), home.join("Ge gében"));
        fs::create_dir_all(&cargo).unwrap();
        give(&place, &given, "beyond");
        depend(&place, &format!("given = {{ path = {given:?} }}"));
        habit(&place, "homes, target and dependency", &["run", "--offline"])
            .results(&[&target])
            .with(|run| run.env("HOME", &home).env("CARGO_HOME", &cargo).env("CARGO_TARGET_DIR", &target))
            .says("given beyond");
    }
}

#[test]
fn cargo_called_from_elsewhere() {
    for who in Who::all() {
        let place = place(who);
        let manifest = place.workspace().join("Cargo.toml");
        let manifest = manifest.to_str().unwrap();
        habit(&place, "by the manifest", &["run", "--offline", "--manifest-path", manifest])
            .with(|run| run.at(&place.path("run")))
            .says("given nothing");
        let member = place.workspace().join("app");
        habit(&place, "from a member", BUILD).with(|run| run.at(&member)).same();
        habit(&place, "by a relative manifest", &["check", "--offline", "--manifest-path=../app/Cargo.toml"])
            .with(|run| run.at(&place.workspace().join("macros")))
            .same();
        habit(&place, "a virtual manifest's members", &["check", "--offline", "--workspace", "--all-targets"]).same();
        habit(&place, "all but one", &["check", "--offline", "--workspace", "--exclude", "app"]).same();
    }
}

#[test]
fn results_in_directories_of_their_own() {
    for who in Who::all() {
        let place = place(who);
        let (one, two) = (place.path("home/one"), place.path("home/two"));
        let target = one.to_str().unwrap();
        habit(&place, "CARGO_TARGET_DIR", BUILD).results(&[&one]).with(|run| run.env("CARGO_TARGET_DIR", target)).same();
        habit(&place, "CARGO_TARGET_DIR, relative", CHECK)
            .results(&[&place.workspace().join("app/out")])
            .with(|run| run.env("CARGO_TARGET_DIR", "out").at(&place.workspace().join("app")))
            .same();
        habit(&place, "--target-dir", &["check", "--offline", "--target-dir", target]).results(&[&one]).same();
        configure(&place, &format!("[build]\ntarget-dir = {one:?}\n"));
        habit(&place, "build.target-dir", CHECK).results(&[&one]).same();
        configure(&place, &format!("[build]\ntarget-dir = {one:?}\nbuild-dir = {two:?}\n"));
        habit(&place, "build.build-dir", &["test", "--offline"]).results(&[&one, &two]).same();
        configure(&place, "[build]\nbuild-dir = \"{cargo-cache-home}/build/{workspace-path-hash}\"\n");
        let shared = place.path("home/.cargo/build");
        habit(&place, "build.build-dir by a pattern", CHECK).results(&[&place.target(), &shared]).same();
        configure(&place, "");
        habit(&place, "a target for this machine", &["build", "--offline", "--target", &triple()]).same();
        assert!(place.target().join(triple()).join("debug/app").is_file());
        configure(&place, &format!("[build]\ntarget = {:?}\n", triple()));
        habit(&place, "build.target", CHECK).same();
    }
}

/// As containers and shared machines have it. (Root writes where no permission says so: for it only the way there is tried.)
#[test]
fn a_registry_that_cannot_be_written() {
    for who in Who::all() {
        let place = place(who);
        super::registries::publish(&place, "");
        let target = place.target();
        habit(&place, "everything fetched", &["fetch"]).results(&[]).forget(place.path("home/.cargo/registry")).idle().same();
        let home = place.path("home/.cargo");
        let bits = |mask: fn(u32) -> u32| {
            let change = |path: &Path| {
                let meta = fs::symlink_metadata(path).unwrap();
                if !meta.is_symlink() {
                    fs::set_permissions(path, fs::Permissions::from_mode(mask(meta.mode()))).unwrap();
                }
            };
            visit(&home, &mut |path| change(path));
            change(&home);
        };
        bits(|mode| mode & !0o222);
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            habit(&place, "a registry nobody may write", &["run", "--offline"]).results(&[&target]).says("given published")
        }));
        bits(|mode| mode | 0o200);
        tried.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    }
}

/// The default place of `cargo install` is its own home; where it builds, a temporary directory.
#[test]
fn install_into_the_users_own_place() {
    for who in Who::all() {
        let place = place(who);
        let bin = place.path("home/.cargo/bin");
        habit(&place, "cargo install", &["install", "--offline", "--path", "app"]).results(&[&bin, &place.target()]).same();
        habit(&place, "from a member", &["install", "--offline", "--path", "."])
            .results(&[&bin, &place.target()])
            .forget(place.path("home/.cargo/.crates.toml"))
            .forget(place.path("home/.cargo/.crates2.json"))
            .with(|run| run.at(&place.workspace().join("app")))
            .same();
    }
}
