//! What `.cargo/config.toml` and cargo's options say.

use super::{configure, habit, place, triple};
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

#[test]
fn documentation_and_its_tests() {
    for who in Who::all() {
        let place = place(who);
        habit(&place, "doc tests", &["test", "--offline", "--doc"]).says("1 passed");
        habit(&place, "doc", &["doc", "--offline", "--no-deps", "-p", "app"]).same();
    }
}
