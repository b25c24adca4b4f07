//! What a repository may try through files that steer cargo and rustup: none of it runs outside a wall.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::place::Place;
use crate::run::{bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// A script of the repository's that leaves a mark in the throw-away home, and goes on as the compiler.
fn script(place: &Place) -> String {
    let path = place.workspace().join("tool.sh");
    fs::write(&path, "#!/bin/sh\necho run >> \"$HOME/mark\"\ncase \"$1\" in rustc|*/rustc) exec \"$@\";; *) exec rustc \"$@\";; esac\n")
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn configure(place: &Place, text: &str) {
    fs::create_dir_all(place.workspace().join(".cargo")).unwrap();
    fs::write(place.workspace().join(".cargo/config.toml"), text).unwrap();
}

fn marked(place: &Place) -> bool {
    place.path("home/mark").exists()
}

#[test]
fn a_compiler_wrapper_of_the_configuration_is_refused() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        configure(&place, &format!("[build]\nrustc-wrapper = \"{}\"\n", script(&place)));
        cargo(&place, BUILD).go().exits(0);
        assert!(marked(&place), "the wrapper must run under plain cargo");
        fs::remove_file(place.path("home/mark")).unwrap();
        place.clean();
        let outcome = guarded(&place, &[], BUILD).go();
        outcome.exits(104);
        assert!(outcome.stderr_text().contains("tool.sh\" wraps the compiler"), "{outcome}");
        assert!(!marked(&place), "the wrapper ran\n{outcome}");
        // The way out that the message names.
        guarded(&place, &[], BUILD).env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "").go().exits(0);
    }
}

/// A variable of the user's makes a stable cargo take an unstable flag: also where there is neither a lock file nor a target directory yet.
#[test]
fn an_unstable_flag_of_a_stable_cargo() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let build = &["build", "--offline", "-Zunstable-options"];
        for brig in [false, true] {
            place.clean();
            fs::remove_file(place.workspace().join("Cargo.lock")).ok();
            let run = if brig { guarded(&place, &[], build) } else { cargo(&place, build) };
            let outcome = run.env("RUSTC_BOOTSTRAP", "1").go();
            assert!(outcome.exits(0).code == 0 && place.target().join("debug").is_dir(), "{outcome}");
        }
        // Without it cargo says what it says.
        guarded(&place, &[], build).go().exits(101);
    }
}

#[test]
fn a_wrapper_in_the_environment_is_refused_at_once() {
    let place = Place::new("honest-run", Who::Myself);
    let outcome = guarded(&place, &[], BUILD).env("RUSTC_WRAPPER", "sccache").go();
    outcome.exits(104);
    assert!(outcome.stderr_text().contains("env -u RUSTC_WRAPPER"), "{outcome}");
    assert!(!place.target().join("debug").exists(), "something was built\n{outcome}");
}

#[test]
fn a_compiler_of_the_repositorys_own_is_confined() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        configure(&place, &format!("[build]\nrustc = \"{}\"\n", script(&place)));
        cargo(&place, BUILD).go().exits(0);
        assert!(marked(&place), "it must run under plain cargo");
        fs::remove_file(place.path("home/mark")).unwrap();
        place.clean();
        guarded(&place, &[], BUILD).go().exits(100);
        assert!(!marked(&place), "it wrote into the home");
    }
}

/// rustup itself is played by a script that answers as `rustup which cargo` does for a toolchain file with a `path`.
#[test]
fn a_toolchain_of_the_repositorys_own_is_refused() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let bin = place.path("home/.cargo/bin");
        fs::create_dir_all(&bin).unwrap();
        let own = place.workspace().join("toolchain/bin/cargo");
        fs::write(
            bin.join("rustup"),
            format!("#!/bin/sh\n[ \"$1\" = which ] && echo {} && exit 0\necho run > \"$HOME/mark\"\n", own.display()),
        )
        .unwrap();
        fs::set_permissions(bin.join("rustup"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("rustup", bin.join("cargo")).unwrap();
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let outcome = bare(&place, BUILD).without("CARGO").env("PATH", path).go();
        outcome.exits(104);
        assert!(outcome.stderr_text().contains("toolchain/bin/cargo"), "{outcome}");
        assert!(!marked(&place), "it was run\n{outcome}");
    }
}
