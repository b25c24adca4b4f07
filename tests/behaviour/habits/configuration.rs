//! What `.cargo/config.toml` and cargo's options say.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{configure, executable, habit, place, triple};
use crate::finding::violations;
use crate::place::{Place, toolchain};
use crate::run::guarded;
use crate::who::Who;

#[test]
fn variables_flags_and_profiles() {
    for who in Who::all() {
        let place = place(who);
        configure(
            &place,
            &format!(
                "[env]\nZOO_SAID = \"by configuration\"\nZOO_ROOT = {{ value = \"\", relative = true }}\n\
                 [build]\nrustflags = [\"--cfg\", \"zoo_flag\"]\n[target.{}]\nrustflags = [\"--cfg\", \"zoo_flag\", \"-Clink-arg=-Wl,--as-needed\"]\n\
                 [profile.swift]\ninherits = \"release\"\nopt-level = 1\nlto = \"thin\"\ndebug = 1\nstrip = \"symbols\"\n",
                triple()
            ),
        );
        habit(&place, "env, rustflags", &["run", "--offline"]).says("said by configuration, flag");
        habit(&place, "a profile of one's own", &["run", "--offline", "--profile", "swift"]).says("said by configuration, flag");
        let config = ["run", "--offline", "--config", "env.ZOO_SAID=\"by option\"", "--config", "build.jobs=1"];
        habit(&place, "--config", &config).says("said by option");
        habit(&place, "RUSTFLAGS", &["run", "--offline"])
            .with(|run| run.env("RUSTFLAGS", "-Cdebuginfo=0").env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_OPT_LEVEL", "1"))
            .says("no flag");
    }
}

#[test]
fn linkers_by_path_and_by_name() {
    for who in Who::all() {
        let place = place(who);
        for linker in ["/usr/bin/cc", "gcc"] {
            configure(&place, &format!("[target.{}]\nlinker = {linker:?}\n", triple()));
            habit(&place, linker, &["build", "--offline"]).same();
        }
    }
}

/// A directory on the user's path. Not below /tmp, where programs are anybody's.
fn on_path(place: &Place) -> (TempDir, OsString) {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let made = ["/opt".into(), home].iter().find_map(|parent| tempfile::Builder::new().prefix("brig-").tempdir_in(parent).ok());
    let dir = made.expect("a directory outside /tmp");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = "#include <unistd.h>\nint main(int n, char **argv) { argv[0] = \"cc\"; return execv(\"/usr/bin/cc\", argv); }\n";
    fs::write(dir.path().join("link.c"), program).unwrap();
    let made = Command::new("cc").args(["-o", "zoo-link", "link.c"]).current_dir(dir.path()).status().unwrap();
    assert!(made.success());
    for (name, first) in [("zoo-script", "/bin/sh"), ("zoo-env", "/usr/bin/env sh")] {
        executable(place, &dir.path().join(name), &format!("#!{first}\nexec cc \"$@\"\n"));
    }
    let path = std::env::join_paths([dir.path(), &toolchain().join("bin"), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    (dir, path)
}

#[test]
fn linkers_of_the_users_own() {
    for who in Who::all() {
        let place = place(who);
        let (dir, path) = on_path(&place);
        let by_path = dir.path().join("zoo-script");
        for linker in ["zoo-link", "zoo-script", "zoo-env", by_path.to_str().unwrap()] {
            configure(&place, &format!("[target.{}]\nlinker = {linker:?}\n", triple()));
            habit(&place, linker, &["build", "--offline"]).with(|run| run.env("PATH", &path)).same();
        }
    }
}

/// The shell that may interpret the linker may do nothing else: not for a macro in the same compiler.
#[test]
fn a_linkers_shell_is_no_macros_shell() {
    for who in Who::all() {
        let place = place(who);
        let (_dir, path) = on_path(&place);
        configure(&place, &format!("[target.{}]\nlinker = \"zoo-script\"\n", triple()));
        let source = place.workspace().join("macros/src/lib.rs");
        let before = fs::read_to_string(&source).unwrap();
        for program in ["/bin/sh", "/usr/bin/env"] {
            let act = format!("let _ = std::process::Command::new({program:?}).args([\"-c\", \"zoo-script\"]).status();");
            place.write(&source, &before.replace("    let text", &format!("    {act}\n    let text")));
            let outcome = guarded(&place, &[], &["build", "--offline"]).env("PATH", &path).go();
            assert_eq!(outcome.code, 100, "{program}\n{outcome}");
            assert!(violations(outcome.report()).any(|finding| finding["rule"] == "exec/unexpected"), "{program}\n{outcome}");
        }
    }
}

#[test]
fn documentation_and_its_tests() {
    for who in Who::all() {
        let place = place(who);
        habit(&place, "doc tests", &["test", "--offline", "--doc"]).says("1 passed");
        habit(&place, "doc", &["doc", "--offline", "--no-deps", "-p", "app"]).same();
    }
}
