//! Honest programs notice nothing: what passes under plain cargo passes under Brig, test by test, and no finding is made of it. Where a line of
//! the user's is needed, the one that Brig offers is enough.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use toml::{Table, Value as Toml};

use crate::effect::Effect::Says;
use crate::effect::{Before, Effect};
use crate::finding::{expect, expect_silence, refused, violations};
use crate::habits::{executable, triple};
use crate::honest::{calm, clean};
use crate::place::{Place, toolchain};
use crate::run::{Outcome, Run, cargo, guarded};
use crate::who::Who;

const FIXTURE: &str = "unnoticed";
const TEST: &[&str] = &["test", "--offline", "--no-fail-fast"];

/// `test name ... ok`, in no order.
fn results(outcome: &Outcome) -> Vec<String> {
    let text = outcome.stdout_text();
    let mut lines: Vec<String> =
        text.lines().filter(|line| line.starts_with("test ") && !line.starts_with("test result")).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn tests_pass_as_under_plain_cargo() {
    for who in Who::all() {
        let place = calm(FIXTURE, OsStr::new("code"), who);
        let (history, typed) = (place.path("home/.bash_history"), "echo what the user typed\n");
        place.write(&history, typed);
        place.hand_over();
        // As where `cargo` is rustup's shim.
        let shimmed = |run: Run| run.env("LD_LIBRARY_PATH", toolchain().join("lib")).go();
        let plain = shimmed(cargo(&place, TEST));
        plain.exits(0);
        assert!(fs::read_to_string(&history).unwrap().ends_with("echo interactive\n"), "no shell kept a history\n{plain}");
        place.write(&history, typed);
        place.hand_over();
        fs::remove_dir_all(place.target()).unwrap();
        let brig = shimmed(guarded(&place, &[], TEST));
        assert_eq!(results(&plain), results(&brig), "as {who:?}\n{brig}");
        expect_silence(brig.exits(0));
        clean(&brig);
        // A child that a test forgot is ended, which is told and no alarm.
        let ended = |did: &Value| did["act"] == "survive" && did["exe"].to_string().contains("sleep") && did["status"] == "refused";
        assert!(brig.report()["behaviour"].as_array().unwrap().iter().any(ended), "{brig}");
        assert!(brig.stderr_text().contains("2 refusals without alarm"), "{brig}");
        // Nobody else reads it unnoticed, a shell that was told to neither.
        assert_eq!(fs::read_to_string(&history).unwrap(), typed);
        let reading = [TEST, &["--lib", "--", "--ignored", "a_history_is_read"]].concat();
        cargo(&place, &reading).go().exits(0);
        let reader = guarded(&place, &[], &reading).env("ZOO_REFUSED", "1").go();
        expect(reader.exits(100), &[refused(&["secret/read"], "app", &["program"])]);
        assert_eq!(results(&reader).len(), 1, "{reader}");
        // What is not a test's own to trace.
        let tracing = [TEST, &["--lib", "--", "--ignored", "what_is_not_its_own"]].concat();
        let tracer = guarded(&place, &[], &tracing).go();
        assert_eq!(results(&tracer), ["test tracing::what_is_not_its_own ... ok"], "{tracer}");
        expect(tracer.exits(100), &[refused(&["proc/tamper"], "app", &["program"])]);
        // Nor does it get a call past the gate by putting it in another one's place.
        let (secret, exchanging) =
            (place.workspace().join(".env"), [TEST, &["--lib", "--", "--ignored", "a_call_that_is_exchanged"]].concat());
        place.write(&secret, "KEY=canary\n");
        place.hand_over();
        cargo(&place, &exchanging).go().exits(0);
        let exchanger = guarded(&place, &[], &exchanging).env("ZOO_REFUSED", "1").go();
        assert_eq!(results(&exchanger).len(), usize::from(cfg!(target_arch = "x86_64")), "{exchanger}");
        if cfg!(target_arch = "x86_64") {
            expect(exchanger.exits(100), &[refused(&["secret/read"], "app", &["program"])]);
        }
        fs::remove_file(secret).unwrap();
        // What scripts said in an earlier build is known, too.
        place.write(&place.workspace().join("src/lib.rs"), &format!("//! Changed.\n{}", source(&place)));
        let again = guarded(&place, &[], &["build", "--offline"]).go();
        expect_silence(again.exits(0));
        clean(&again);
    }
}

fn source(place: &Place) -> String {
    fs::read_to_string(place.workspace().join("src/lib.rs")).unwrap()
}

/// A directory that cargo adds for a macro's native library is not searched for the compiler's own libraries.
#[test]
fn a_library_in_the_compilers_place() {
    const SAYS: Effect = Says("zoo: in the compiler's place");
    for who in Who::all() {
        let place = calm(FIXTURE, OsStr::new("code"), who);
        place.write(&place.workspace().join("deps/native-sys/shadow"), "");
        place.hand_over();
        let nothing = Before::look(&place, &[]);
        let plain = cargo(&place, &["build", "--offline"]).go();
        assert!(SAYS.seen(&place, plain.exits(0), &nothing), "plain cargo does not load it\n{plain}");
        fs::remove_dir_all(place.target()).unwrap();
        let brig = guarded(&place, &[], &["build", "--offline"]).go();
        assert!(!SAYS.seen(&place, &brig, &nothing), "under Brig: it was loaded\n{brig}");
        expect(&brig, &[refused(&["env/loader"], "native-sys", &["build-script"])]);
    }
}

/// Each line that is offered is put into `brig.toml`, the first one alone, and then those that are offered for what is left.
#[test]
fn lines_that_are_offered_are_enough() {
    for who in Who::all() {
        let place = calm(FIXTURE, OsStr::new("code"), who);
        place.write(&place.path("home/notes/today.md"), "notes\n");
        // Neither where everybody leaves files nor in the home.
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        executable(&place, &tools.join("greet"), "#!/bin/sh\necho greetings\n");
        place.hand_over();
        let args = [TEST, &["--lib", "--", "--ignored", "with_a_line"]].concat();
        let run = |run: Run| run.env("ZOO_TOOLS", &tools).go();
        let plain = run(cargo(&place, &args));
        plain.exits(0);
        let mut file = Table::new();
        let mut offered = lines(run(guarded(&place, &[], &args)).exits(100));
        assert!(offered.len() >= 4 && offered.iter().all(|line| line.contains("inherits")), "{offered:?}");
        offered.truncate(1);
        merge(&mut file, "version = 1\npolicy = \"mine\"\n".parse().unwrap());
        for _ in 0..2 {
            offered.iter().for_each(|line| merge(&mut file, line.parse().unwrap_or_else(|error| panic!("{line}: {error}"))));
            place.write(&place.workspace().join("brig.toml"), &file.to_string());
            offered = lines(&run(guarded(&place, &[], &args)));
            assert!(offered.iter().all(|line| line.starts_with("profile.mine.program.extend-")), "{offered:?}");
        }
        let brig = run(guarded(&place, &[], &args));
        assert_eq!(results(&plain), results(&brig), "as {who:?} with\n{file}\n{brig}");
        expect_silence(brig.exits(0));
    }
}

/// A compiler, linker or runner that the user named may be a script, and build scripts may run what was named.
#[test]
fn scripts_in_the_place_of_tools() {
    for who in Who::all() {
        let place = calm("unnoticed", OsStr::new("code"), who);
        let tool = |name: &str, text: &str| {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("my-tools").join(name);
            executable(&place, &path, &format!("#!/bin/sh\n{text}\n"));
            path
        };
        let (link, compiler) = (tool("my-cc", "exec cc \"$@\""), tool("compiler", "exec rustc \"$@\""));
        let runner = tool("runner", "echo run by a script\nexec \"$@\"");
        place.hand_over();
        let triple = triple().to_uppercase().replace('-', "_");
        let lines = ["test", "--offline", "--lib"];
        let configuration = place.path("home/.cargo/config.toml");
        for which in ["all by variables", "a linker by flags", "a compiler that was typed", "all by the user's configuration"] {
            let typed = format!("build.rustc={:?}", compiler);
            let args = if which.ends_with("typed") { [&lines[..], &["--config", &typed]].concat() } else { lines.to_vec() };
            if which.ends_with("configuration") {
                let said = format!(
                    "[build]\nrustc = {compiler:?}\n[target.{}]\nlinker = {link:?}\nrunner = {runner:?}\n[env]\nCC = {link:?}\n",
                    crate::habits::triple()
                );
                place.write(&configuration, &said);
                place.hand_over();
            }
            let dress = |run: Run| match which {
                "all by variables" => run
                    .env("RUSTC", &compiler)
                    .env("CC", &link)
                    .env(&format!("CARGO_TARGET_{triple}_LINKER"), &link)
                    .env(&format!("CARGO_TARGET_{triple}_RUNNER"), &runner)
                    .go(),
                // And a map, which lies where the user wants it.
                "a linker by flags" => run.env("RUSTFLAGS", format!("-Clinker={} -Clink-arg=-Wl,-Map=target/app.map", link.display())).go(),
                _ => run.go(),
            };
            let plain = dress(cargo(&place, &args));
            plain.exits(0);
            fs::remove_dir_all(place.target()).unwrap();
            let brig = dress(guarded(&place, &[], &args));
            assert_eq!(results(&plain), results(&brig), "{which}, as {who:?}\n{brig}");
            expect_silence(brig.exits(0));
            clean(&brig);
            assert_eq!(brig.stdout_text().contains("run by a script"), which.starts_with("all by"), "{brig}");
            assert_eq!(place.target().join("app.map").exists(), which == "a linker by flags", "{brig}");
            let unknown =
                brig.report()["actors"].as_array().unwrap().iter().find(|actor| actor["kind"] == "program" && actor["package"].is_null());
            assert!(unknown.is_none(), "whose is {unknown:?}?\n{brig}");
            fs::remove_dir_all(place.target()).unwrap();
        }
    }
}

/// A tool of the user's works as it is installed: with libraries beside its `bin`, behind a version manager's shim, by a link into a cellar; and ccache
/// leaves the user's cache as it is.
#[test]
fn tools_work_as_they_are_installed() {
    for who in Who::all() {
        let place = calm("unnoticed", OsStr::new("code"), who);
        // Neither where everybody leaves files nor in the home; the same for both users.
        let top = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installations");
        let sources = place.workspace().join("deps/native-sys");
        let install = |prefix: &Path, name: &str| {
            let (bin, lib) = (prefix.join("bin"), prefix.join("lib"));
            [&bin, &lib].into_iter().for_each(|dir| fs::create_dir_all(dir).unwrap());
            let text = |path: &Path| path.to_str().unwrap().to_owned();
            let library = text(&lib.join("libzoo_native.so"));
            let cc = |args: &[&str]| assert!(Command::new("cc").args(args).current_dir(&sources).status().unwrap().success(), "{args:?}");
            cc(&["-shared", "-fPIC", "-Wl,-soname,libzoo_native.so", "-o", &library, "native.c"]);
            cc(&["-o", &text(&bin.join(name)), "generator.c", &library, "-Wl,-rpath,$ORIGIN/../lib"]);
        };
        install(&top.join("plain"), "zoo-plain");
        install(&top.join("manager/installs/zoo/1.2"), "zoo-shimmed");
        let real = top.join("manager/installs/zoo/1.2/bin/zoo-shimmed");
        executable(&place, &top.join("manager/shims/zoo-shimmed"), &format!("#!/bin/sh\nexec {} \"$@\"\n", real.display()));
        install(&top.join("brew/Cellar/zoo/2.0"), "zoo-linked");
        fs::create_dir_all(top.join("brew/bin")).unwrap();
        let link = top.join("brew/bin/zoo-linked");
        fs::remove_file(&link).ok();
        symlink("../Cellar/zoo/2.0/bin/zoo-linked", link).unwrap();
        let dirs = ["plain/bin", "manager/shims", "brew/bin"].map(|dir| top.join(dir).display().to_string());
        place.hand_over();
        let dress = |run: Run| {
            let before = format!("{}:/usr/lib/ccache:{}/bin:/usr/bin:/bin", dirs.join(":"), toolchain().display());
            run.env("PATH", before).env("ZOO_GENERATORS", "zoo-plain zoo-shimmed zoo-linked").go()
        };
        let plain = dress(cargo(&place, &["build", "--offline"]));
        plain.exits(0);
        fs::remove_dir_all(place.target()).unwrap();
        let cache = place.path("home/.cache/ccache");
        fs::remove_dir_all(&cache).ok();
        let brig = dress(guarded(&place, &[], &["build", "--offline"]));
        expect_silence(brig.exits(0));
        clean(&brig);
        assert!(!cache.exists(), "ccache wrote\n{brig}");
    }
}

/// What the report offers for each violation, and that it offers something.
pub fn lines(outcome: &Outcome) -> Vec<String> {
    let line = |finding: &Value| finding["allow"].as_str().unwrap_or_else(|| panic!("no line for {finding}\n{outcome}")).to_owned();
    violations(outcome.report()).map(line).collect()
}

/// As a person does it: tables are one, lists are put together.
pub fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Toml::Table(known)), Toml::Table(more)) => merge(known, more),
            (Some(Toml::Array(known)), Toml::Array(more)) => known.extend(more),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
