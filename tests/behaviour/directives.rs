//! What build scripts tell cargo about other programs: variables that make those load or start something, arguments that make linkers
//! do so. Nobody gets more by it than they had, and it is a finding about whoever said it, not about whoever had to listen: in the build
//! in which it is said, and in those in which cargo repeats it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::control::Control;
use crate::effect::Effect::{self, Leaks, Plants, Says, Steals};
use crate::effect::{Before, spilled};
use crate::finding::{Finds, expect, expect_silence, refused, violations};
use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::sink::Door;
use crate::who::Who;

const FIXTURE: &str = "29-directives";
const SCRIPT: &[&str] = &["build-script"];
const LINKER: &[&str] = &["linker"];
const BUILD: &[&str] = &["build", "--offline"];
const RUN: &[&str] = &["run", "--offline"];

/// `package`'s build script said something about the linker: it is written down, not taken away.
const fn said(package: &'static str) -> Finds {
    refused(&["link/loader"], package, SCRIPT).as_status(&["allowed"])
}

const fn withheld(package: &'static str) -> Finds {
    refused(&["env/loader"], package, SCRIPT)
}

/// A place where `teller` and `app` say these words.
fn place(who: Who, teller: &str, app: &str) -> Place {
    let place = Place::new(FIXTURE, who);
    fs::remove_file(place.workspace().join(".env")).unwrap();
    place.write(&place.workspace().join("deps/teller/words"), teller);
    place.write(&place.workspace().join("words"), app);
    place
}

struct Case<'a> {
    what: &'static str,
    teller: &'static str,
    app: &'static str,
    cargo: &'static [&'static str],
    /// What comes of it under plain cargo, and must not under Brig.
    does: &'static [Effect],
    finds: &'a [Finds],
}

const CASE: Case<'static> = Case { what: "", teller: "", app: "", cargo: BUILD, does: &[], finds: &[] };

fn check(cases: &[Case]) {
    for (case, who) in cases.iter().flat_map(|case| Who::all().into_iter().map(move |who| (case, who))) {
        let before = |place: &Place| Before::look(place, case.does);
        Control::of(case.what, FIXTURE, who).unless_won(|| {
            let control = place(who, case.teller, case.app);
            let plain = cargo(&control, case.cargo).go();
            for effect in case.does {
                assert!(effect.seen(&control, &plain, &before(&control)), "{}, as {who:?}, plain cargo: no {effect:?}\n{plain}", case.what);
            }
        });
        let place = place(who, case.teller, case.app);
        let brig = guarded(&place, &[], case.cargo).go();
        for effect in case.does {
            assert!(!effect.seen(&place, &brig, &before(&place)), "{}, as {who:?}, under Brig: {effect:?}\n{brig}", case.what);
        }
        assert!(spilled(&place, &brig).is_empty(), "{}, as {who:?}: the canary is in {:?}\n{brig}", case.what, spilled(&place, &brig));
        expect(&brig, case.finds);
        brig.exits(100);
        // Whoever only had to listen is not accused of it.
        for finding in violations(brig.report()).filter(|finding| finding["rule"] == "env/loader" || finding["rule"] == "link/loader") {
            let accused = brig.report()["actors"].as_array().unwrap().iter().find(|actor| actor["id"] == finding["actor"]).unwrap();
            assert_eq!(accused["kind"], "build-script", "{}, as {who:?}\n{brig}", case.what);
        }
    }
}

#[test]
fn variables_that_load_code() {
    check(&[
        Case {
            what: "LD_PRELOAD, older form",
            app: "cargo:rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so",
            cargo: RUN,
            does: &[Says("cannot be preloaded"), Says("compiled with LD_PRELOAD=/non"), Says("started with LD_PRELOAD=/non")],
            finds: &[withheld("app")],
            ..CASE
        },
        Case {
            what: "LD_PRELOAD, newer form",
            app: "cargo::rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so",
            cargo: RUN,
            does: &[Says("cannot be preloaded"), Says("compiled with LD_PRELOAD=/non"), Says("started with LD_PRELOAD=/non")],
            finds: &[withheld("app")],
            ..CASE
        },
        Case {
            what: "LD_AUDIT, of a dependency",
            teller: "cargo::rustc-env=LD_AUDIT=/nonexistent/zoo-inert.so",
            does: &[Says("cannot be loaded as audit interface")],
            finds: &[withheld("teller")],
            ..CASE
        },
        Case {
            what: "LD_LIBRARY_PATH",
            app: "cargo:rustc-env=LD_LIBRARY_PATH={out}",
            cargo: RUN,
            does: &[Says("/out.")],
            finds: &[withheld("app")],
            ..CASE
        },
        Case {
            what: "GCONV_PATH",
            app: "cargo::rustc-env=GCONV_PATH={out}",
            cargo: RUN,
            does: &[Says("compiled with GCONV_PATH=/"), Says("started with GCONV_PATH=/")],
            finds: &[withheld("app")],
            ..CASE
        },
    ]);
}

#[test]
fn variables_that_choose_programs() {
    check(&[
        Case {
            what: "a `cc` on PATH, older form",
            teller: "cargo:rustc-env=PATH={out}:{path}",
            does: &[Plants("zoo-shim-ran")],
            finds: &[withheld("teller")],
            ..CASE
        },
        Case {
            what: "a `cc` on PATH, newer form",
            app: "cargo::rustc-env=PATH={out}:{path}",
            cargo: RUN,
            does: &[Plants("zoo-shim-ran")],
            finds: &[withheld("app")],
            ..CASE
        },
        Case {
            what: "COMPILER_PATH",
            teller: "cargo:rustc-env=COMPILER_PATH={out}\ncargo:rustc-link-arg=-fuse-ld=bfd",
            does: &[Plants("zoo-shim-ran")],
            finds: &[withheld("teller")],
            ..CASE
        },
        Case {
            what: "RUSTC_WRAPPER, for a cargo that a test starts",
            app: "cargo:rustc-env=RUSTC_WRAPPER=/nonexistent/zoo\ncargo::rustc-env=HOME=/nonexistent/zoo/long/enough/for/any/home/of/a/throw/away/place",
            cargo: RUN,
            does: &[
                Says("compiled with RUSTC_WRAPPER=/non"),
                Says("started with RUSTC_WRAPPER=/non"),
                Says("compiled with HOME=/nonexistent"),
                Says("started with HOME=/nonexistent"),
            ],
            finds: &[withheld("app")],
            ..CASE
        },
    ]);
}

/// A program from `OUT_DIR` in the linker's place is not started, whatever leads to it.
#[test]
fn arguments_that_choose_a_linker() {
    const SHIM: &[Effect] = &[Plants("zoo-shim-ran")];
    const FINDS: &[Finds] = &[said("teller"), refused(&["exec/unexpected", "exec/dropped"], "teller", LINKER)];
    check(&[
        Case { what: "-B", teller: "cargo:rustc-link-arg=-fuse-ld=bfd\ncargo:rustc-link-arg=-B{out}", does: SHIM, finds: FINDS, ..CASE },
        Case {
            what: "-B, newer form, two words, cdylib only",
            teller: "cargo::rustc-link-arg-cdylib=-fuse-ld=bfd\ncargo::rustc-link-arg-cdylib=-B\ncargo::rustc-link-arg-cdylib={out}",
            does: SHIM,
            finds: FINDS,
            ..CASE
        },
        Case {
            what: "-specs",
            teller: "cargo:rustc-cdylib-link-arg=-fuse-ld=bfd\ncargo:rustc-cdylib-link-arg=-specs={out}/zoo.specs",
            does: SHIM,
            finds: FINDS,
            ..CASE
        },
        Case {
            what: "-wrapper",
            teller: "cargo::rustc-link-arg=-wrapper\ncargo::rustc-link-arg={out}/wrap",
            does: SHIM,
            finds: FINDS,
            ..CASE
        },
        Case { what: "a response file", teller: "cargo::rustc-link-arg=@{out}/words.rsp", does: SHIM, finds: FINDS, ..CASE },
    ]);
}

#[test]
fn arguments_for_binaries_and_for_the_libraries_of_others() {
    check(&[
        Case {
            what: "binaries",
            app: "cargo::rustc-link-arg-bins=-fuse-ld=bfd\ncargo::rustc-link-arg-bins=-B{out}",
            does: &[Plants("zoo-shim-ran")],
            finds: &[said("app"), refused(&["exec/unexpected", "exec/dropped"], "app", LINKER)],
            ..CASE
        },
        Case {
            what: "one binary",
            app: "cargo:rustc-link-arg-bin=app=-fuse-ld=bfd\ncargo:rustc-link-arg-bin=app=-B{out}",
            does: &[Plants("zoo-shim-ran")],
            finds: &[said("app"), refused(&["exec/unexpected", "exec/dropped"], "app", LINKER)],
            ..CASE
        },
        Case {
            what: "the shared library of whoever depends on it",
            teller: "cargo:rustc-cdylib-link-arg=-fuse-ld=bfd\ncargo:rustc-cdylib-link-arg=-Wl,--dynamic-linker,{out}/ld.so",
            // Recorded only: nothing comes of it in a shared library.
            finds: &[said("teller")],
            ..CASE
        },
        Case {
            what: "a linker by path, which only clang takes",
            teller: "cargo:rustc-link-arg=--ld-path={out}/ld",
            finds: &[said("teller")],
            ..CASE
        },
        Case {
            what: "a linker by its path in place of its name",
            app: "cargo:rustc-link-arg=-fuse-ld={out}/ld",
            finds: &[said("app")],
            ..CASE
        },
    ]);
}

/// A plugin is loaded: what it does there, it does behind the compiler's wall, and under the linker's name.
#[test]
fn a_plugin_gets_no_more_than_a_macro() {
    const DOES: &[Effect] = &[Leaks, Steals(Door::Tcp), Plants("zoo-loot"), Plants("libzoo_plant.so.1"), Plants("zoo-shim-ran")];
    const FINDS: &[Finds] = &[
        said("teller"),
        refused(&["secret/read"], "teller", LINKER),
        refused(&["fs/foreign-artifact"], "teller", LINKER),
        refused(&["exec/unexpected", "exec/dropped"], "teller", LINKER),
    ];
    check(&[
        Case {
            what: "-Wl,-plugin",
            teller: "cargo:rustc-link-arg=-fuse-ld=bfd\ncargo:rustc-link-arg=-Wl,-plugin,{out}/plugin.so",
            does: DOES,
            finds: FINDS,
            ..CASE
        },
        Case {
            what: "-Xlinker, word by word",
            teller: "cargo::rustc-link-arg=-fuse-ld=bfd\ncargo::rustc-link-arg=-Xlinker\ncargo::rustc-link-arg=-plugin\n\
                cargo::rustc-link-arg=-Xlinker\ncargo::rustc-link-arg={out}/plugin.so",
            does: DOES,
            finds: FINDS,
            ..CASE
        },
    ]);
}

/// A script that names somebody else in its directives is still the one that said them.
#[test]
fn nobody_else_can_be_accused() {
    check(&[Case {
        what: "forged names",
        teller: "cargo:rustc-env=CARGO_PKG_NAME=innocent\ncargo:rustc-env=CARGO_MANIFEST_DIR=/nonexistent\n\
            cargo:rustc-env=OUT_DIR=/nonexistent\ncargo:rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so",
        does: &[Says("cannot be preloaded")],
        finds: &[withheld("teller")],
        ..CASE
    }]);
}

/// What a script said in an earlier build, cargo says again without running it.
#[test]
fn repeated_words_are_still_the_scripts() {
    for who in Who::all() {
        let words = "cargo:rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so\ncargo:rustc-cdylib-link-arg=-Wl,--dynamic-linker,{out}/ld.so";
        let place = place(who, words, "");
        let plain = cargo(&place, BUILD).go();
        plain.exits(0);
        for (touched, finds) in [
            // Its own library is compiled again: variable and argument reach that.
            ("deps/teller/src/lib.rs", &[withheld("teller"), said("teller")][..]),
            // Only the library of another package is linked again, with what `teller` had said about it.
            ("src/lib.rs", &[said("teller")]),
        ] {
            let file = place.workspace().join(touched);
            fs::write(&file, "//! Changed.\n").unwrap();
            let brig = guarded(&place, &[], BUILD).go();
            brig.exits(100);
            expect(&brig, finds);
            assert!(!ran(&brig, "teller"), "as {who:?}, its script ran again\n{brig}");
            assert!(!Says("cannot be preloaded").seen(&place, &without_files(&brig), &Before::look(&place, &[])), "{brig}");
        }
    }
}

/// Did a build script of this package run, by the report's own counts?
fn ran(outcome: &Outcome, package: &str) -> bool {
    let processes = outcome.report()["processes"].as_array().unwrap();
    let actors = outcome.report()["actors"].as_array().unwrap();
    let scripts = actors.iter().filter(|actor| actor["kind"] == "build-script" && actor["package"]["name"] == package);
    let numbers: Vec<&Value> = scripts.map(|actor| &actor["id"]).collect();
    processes.iter().any(|process| numbers.contains(&&process["actor"]))
}

fn without_files(outcome: &Outcome) -> Outcome {
    let (stdout, stderr) = (outcome.stdout.clone(), outcome.stderr.clone());
    Outcome { what: String::new(), code: outcome.code, stdout, stderr, report: None, took: outcome.took, before: None, leaves: Vec::new() }
}

#[test]
fn what_observe_sees() {
    for who in Who::all() {
        let place =
            place(who, "cargo:rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so\ncargo:rustc-link-arg=-Wl,--dynamic-linker,{out}/x", "");
        let brig = guarded(&place, &["--mode", "observe"], BUILD).go();
        brig.exits(0);
        expect(&brig, &[withheld("teller"), said("teller")]);
    }
}

/// Words that honest scripts say, and what the user configures.
#[test]
fn honest_words_raise_nothing() {
    for who in Who::all() {
        let honest = "cargo:rustc-link-arg=-fuse-ld=bfd\ncargo::rustc-link-arg=-Wl,-rpath,{out}\ncargo:rustc-link-arg=-Wl,--as-needed\n\
            cargo:rustc-cdylib-link-arg=-Wl,-soname,libteller.so.1\ncargo::rustc-link-arg=@{out}/plain.rsp\ncargo:rustc-link-search=native={out}\n\
            cargo:rustc-env=PATH={path}\ncargo::rustc-env=GIT_HASH=0123\ncargo:rustc-env=RUSTC_VERSION=1.95\ncargo:rustc-env=CARGO_PKG_VERSION=1.2.3-g01\n\
            cargo:root={out}\ncargo::metadata=key=value\ncargo:rustc-cfg=zoo\ncargo::rustc-check-cfg=cfg(zoo)";
        let place = place(who, honest, "cargo:rustc-link-arg-bins=-Wl,-z,now");
        // The user's own choice is nobody's finding: where linkers are looked for, and a variable that was set before.
        place.write(
            &place.workspace().join(".cargo/config.toml"),
            "[build]\nrustflags = [\"-C\", \"link-arg=-B/nonexistent/of-the-user\"]\n[env]\nZOO_OF_THE_USER = \"1\"\n",
        );
        let brig = guarded(&place, &[], RUN).env("LD_PRELOAD", "").go();
        brig.exits(0);
        expect_silence(&brig);
        assert_eq!(brig.report()["outcome"]["verdict"], "clean", "{brig}");
        // What it said is part of its recorded behaviour all the same; of variables only the names.
        let told = |directive: &str, value: &str| {
            let behaviour = brig.report()["behaviour"].as_array().unwrap();
            let told = |one: &&Value| one["act"] == "tell" && one["directive"] == directive && one["value"] == value;
            behaviour.iter().any(|one| told(&one))
        };
        for (directive, value) in [
            ("rustc-link-arg", "-Wl,-rpath,{out}"),
            ("rustc-env", "GIT_HASH"),
            ("metadata", "root"),
            ("metadata", "key"),
            ("rustc-link-search", "native={out}"),
        ] {
            assert!(told(directive, value), "as {who:?}: {directive} {value} is not in the report\n{brig}");
        }
        assert!(
            Path::new(&place.target()).join("debug/libteller.so").exists()
                || Path::new(&place.target()).join("debug/deps/libteller.so").exists()
        );
    }
}
