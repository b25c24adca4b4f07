//! Nobody's deputy: cargo, and Brig's own helpers, follow links and obey words that a build or a repository left for them. Each way wins under
//! plain cargo and ends at cargo's own wall under Brig, in one run or the next; and what cargo is honestly sent to do, it does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::finding::{expect, expect_silence, list, refused};
use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const BASHRC: &str = "# the user's own\n";

/// A workspace of these files in a home with a start-up file.
fn place(who: Who, files: &[(&str, &str)]) -> Place {
    let place = Place::new("honest-run", who);
    fs::remove_dir_all(place.workspace()).unwrap();
    place.write(&place.path("home/.bashrc"), BASHRC);
    for (path, text) in files {
        place.write(&place.workspace().join(path), text);
    }
    place
}

const APP: (&str, &str) = ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n");

/// Brig, for what changes more than any build may: whoever asks looks at what it changed.
fn sent<'a>(place: &'a Place, args: &[&str]) -> Run<'a> {
    let report = place.path("report");
    bare(place, &[&["--report-dir", report.to_str().unwrap()], args].concat())
}

fn bashrc(place: &Place) -> String {
    fs::read_to_string(place.path("home/.bashrc")).unwrap()
}

/// The only file of that name below the target directory.
fn kept_file(place: &Place, is_it: impl Fn(&Path) -> bool) -> PathBuf {
    let mut found = Vec::new();
    crate::place::visit(&place.target(), &mut |path| {
        if is_it(path) {
            found.push(path.to_owned());
        }
    });
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn lay(link: &Path, to: &Path) {
    fs::remove_file(link).unwrap();
    symlink(to, link).unwrap();
}

fn failed(outcome: &Outcome) {
    assert!(outcome.code != 0, "{outcome}");
}

const SAYS_FIX: &str = r####"use proc_macro::TokenStream;
#[proc_macro]
pub fn go(_: TokenStream) -> TokenStream {
    let file = std::env::var("HOME").unwrap() + "/.bashrc";
    eprintln!(r##"{{"$message_type":"diagnostic","message":"x","code":{{"code":"unused","explanation":null}},"level":"warning","spans":[],"children":[{{"message":"so","code":null,"level":"help","spans":[{{"file_name":"{file}","byte_start":0,"byte_end":0,"line_start":1,"line_end":1,"column_start":1,"column_end":1,"is_primary":true,"text":[],"label":null,"suggested_replacement":"planted\n","suggestion_applicability":"MachineApplicable","expansion":null}}],"children":[],"rendered":null}}],"rendered":"x\n"}}"##);
    TokenStream::new()
}
"####;

/// `cargo fix` believes what the compiler says, and a macro says it.
#[test]
fn a_macro_does_not_tell_cargo_fix_what_to_write() {
    for who in Who::all() {
        let files = [
            (
                "Cargo.toml",
                "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsays = { path = \"says\" }\n[workspace]\n",
            ),
            ("src/lib.rs", "says::go!();\n"),
            ("says/Cargo.toml", "[package]\nname = \"says\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n"),
            ("says/src/lib.rs", SAYS_FIX),
        ];
        let fix = &["fix", "--allow-no-vcs", "--lib", "--offline"];
        let plain = place(who, &files);
        let outcome = cargo(&plain, fix).go();
        assert!(bashrc(&plain).contains("planted"), "{outcome}");
        for mode in ["enforce", "observe"] {
            let place = place(who, &files);
            let outcome = guarded(&place, &["--mode", mode], fix).go();
            assert_eq!(bashrc(&place), BASHRC, "{outcome}");
            expect(&outcome, &[refused(&["fs/persist"], "app", &["tool"])]);
            // No code of the package itself runs in its compiler: with one macro in there, it is that one's.
            assert_eq!(outcome.report()["findings"][0]["offender"]["name"], "says", "{outcome}");
            assert_eq!(outcome.code == 100, mode == "enforce", "{outcome}");
        }
    }
}

#[test]
fn cargo_fix_and_clippy_change_sources() {
    for who in Who::all() {
        for fix in [&["fix", "--allow-no-vcs", "--offline"][..], &["clippy", "--fix", "--allow-no-vcs", "--offline"]] {
            let place = place(who, &[APP, ("src/lib.rs", "use std::fs;\npub fn it() {}\n")]);
            let outcome = sent(&place, fix).go();
            let text = fs::read_to_string(place.workspace().join("src/lib.rs")).unwrap();
            assert!(outcome.code == 0 && !text.contains("std::fs"), "{text}\n{outcome}");
            expect_silence(&outcome);
        }
    }
}

/// Where cargo and its compilers keep things, something left a link, each to another start-up file: the next run's words go where it leads.
#[test]
fn a_link_among_cargos_own_files_leads_nowhere() {
    // A package; how the file's path goes on below the target directory, and ends; where its link leads. The last is a compiler's, the others
    // are cargo's.
    const KEPT: [(&str, &str, &str, &str); 5] = [
        ("said", "/build/said-", "/output", ".bashrc"),
        ("cried", "/build/cried-", "/stderr", ".profile"),
        ("lay", "/build/lay-", "/root-output", ".zshrc"),
        ("told", "/debug/libtold.d", "", ".zlogin"),
        ("needed", "/deps/needed-", ".d", ".bash_login"),
    ];
    for who in Who::all() {
        let members = KEPT.map(|(name, ..)| format!("{name:?}")).join(", ");
        let place = place(who, &[("Cargo.toml", &format!("[workspace]\nmembers = [{members}]\nresolver = \"3\"\n"))]);
        let state = |text: &str| {
            for (name, _, end, leads) in KEPT {
                let dir = place.workspace().join(name);
                place.write(&place.path("home").join(leads), BASHRC);
                if !end.starts_with('/') {
                    place.write(&dir.join("src/lib.rs"), &format!("mod {text};\n"));
                    place.write(&dir.join(format!("src/{text}.rs")), "");
                } else {
                    place.write(&dir.join("src/lib.rs"), "");
                    place.write(&dir.join("build.rs"), &format!("fn main() {{ println!(\"{text}=1\"); eprintln!(\"{text}=1\"); }}\n"));
                }
                place.write(&dir.join("Cargo.toml"), &format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n"));
            }
        };
        let reached = || {
            let changed = |leads: &str| fs::read_to_string(place.path("home").join(leads)).unwrap() != BASHRC;
            KEPT.iter().filter(|(.., leads)| changed(leads)).map(|(name, ..)| *name).collect::<Vec<_>>()
        };
        let build = &["build", "--offline", "--keep-going"];
        state("first");
        assert_eq!(cargo(&place, build).go().code, 0);
        for (_, begin, end, leads) in KEPT {
            let is_it = |path: &str| path.contains(begin) && path.ends_with(end);
            lay(&kept_file(&place, |path| is_it(path.to_str().unwrap())), &place.path("home").join(leads));
        }
        state("second");
        let outcome = cargo(&place, build).go();
        assert_eq!(reached(), KEPT.map(|(name, ..)| name), "{outcome}");
        state("third");
        let outcome = guarded(&place, &[], build).go();
        assert_eq!(reached(), [""; 0], "{outcome}");
        failed(&outcome);
        assert!(outcome.stderr_text().contains("cargo's own wall"), "{outcome}");
        // The compiler's by its package, cargo's own by the link: nobody knows who laid one among its results.
        let told = list(outcome.report()).concat();
        assert!(told.contains("\"fs/persist\" [\"refused\"] \"rustc\" of \"needed\""), "{outcome}");
        for (_, begin, end, _) in KEPT.into_iter().filter(|(.., end, _)| end.starts_with('/')) {
            assert!(told.contains(begin) && told.contains(&format!("{end}\"")), "{outcome}");
        }
        // What compilers do is only watched here.
        state("fourth");
        let outcome = guarded(&place, &["--mode", "observe"], build).go();
        assert!(reached().iter().all(|name| *name == "needed"), "{:?}\n{outcome}", reached());
        failed(&outcome);
        assert!(outcome.stderr_text().contains("cargo's own wall"), "{outcome}");
    }
}

/// Cargo repeats what a compiler said when it does not run it again, from a file.
#[test]
fn cargo_quotes_no_secret_that_a_link_leads_to() {
    for who in Who::all() {
        let files = [APP, ("src/lib.rs", "use std::fs;\n")];
        let prepared = || {
            let place = place(who, &files);
            place.plant("home/.netrc", "netrc", "");
            assert_eq!(cargo(&place, BUILD).go().code, 0);
            lay(&kept_file(&place, |path| path.ends_with("output-lib-app")), &place.path("home/.netrc"));
            place
        };
        let plain = prepared();
        let outcome = cargo(&plain, BUILD).go();
        assert!(outcome.stderr_text().contains(&plain.canary), "{outcome}");
        let place = prepared();
        let outcome = guarded(&place, &[], BUILD).go();
        assert!(!outcome.stderr_text().contains(&place.canary) && !outcome.stdout_text().contains(&place.canary), "{outcome}");
    }
}

const LINKS_ROOT: &str = r#"fn main() {
    println!("cargo::rerun-if-changed=nowhere");
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
    let target = out.ancestors().find(|dir| dir.ends_with("target")).unwrap();
    let home = std::path::PathBuf::from(std::env::var("HOME").unwrap());
    let _ = std::os::unix::fs::symlink(home.join(".config/autostart"), target.join("cxxbridge"));
    let _ = std::fs::write(home.join(".config/autostart/planted"), "");
}
"#;

/// A grant is a directory, not a name: nobody lays a link in its place, and where one lies already the build does not begin.
#[test]
fn a_grant_does_not_follow_a_link() {
    for who in Who::all() {
        let files = [APP, ("src/lib.rs", ""), ("build.rs", LINKS_ROOT)];
        let prepared = || {
            let place = place(who, &files);
            fs::create_dir_all(place.path("home/.config/autostart")).unwrap();
            place
        };
        let plain = prepared();
        let outcome = cargo(&plain, BUILD).go();
        assert!(plain.target().join("cxxbridge").is_symlink(), "{outcome}");
        let place = prepared();
        for _ in 0..2 {
            let outcome = guarded(&place, &[], BUILD).go();
            expect(&outcome, &[refused(&["fs/foreign-artifact"], "app", &["build-script"])]);
            assert!(!place.target().join("cxxbridge").is_symlink() && !place.path("home/.config/autostart/planted").exists(), "{outcome}");
        }
        // As plain cargo or the repository left it.
        let outcome = guarded(&plain, &[], BUILD).go();
        assert_eq!(outcome.code, 104, "{outcome}");
        assert!(outcome.stderr_text().contains("symbolic link") && outcome.stderr_text().contains("cxxbridge"), "{outcome}");
        let outcome = guarded(&plain, &["--mode", "observe"], BUILD).go();
        assert_eq!(outcome.code, 0, "{outcome}");
    }
}

/// What was built is linked to where it can be found, or copied, if that lies on another file system: not where a link in the place of that
/// directory leads. The compiler's own results lie elsewhere here, so all of it is cargo's doing.
#[test]
fn nothing_is_copied_where_a_link_leads() {
    for who in Who::all() {
        let mut place = place(who, &[APP, ("src/main.rs", "fn main() {}\n")]);
        place.move_to(Path::new("/dev/shm"));
        let bin = place.path("home/.local/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir(place.target()).unwrap();
        let copied = || fs::read_dir(&bin).unwrap().count();
        for (link, args) in [("target/debug", BUILD), ("results", &["build", "--offline", "--artifact-dir", "results"])] {
            let link = place.workspace().join(link);
            symlink(&bin, &link).unwrap();
            let around = |run: Run| {
                let run = run.env("CARGO_BUILD_BUILD_DIR", "built").env("RUSTC_BOOTSTRAP", "1");
                run.env("CARGO_UNSTABLE_UNSTABLE_OPTIONS", "true").compared().go()
            };
            let outcome = around(cargo(&place, args));
            assert!(outcome.code == 0 && bin.join("app").is_file(), "{outcome}");
            for mode in ["enforce", "observe"] {
                fs::remove_dir_all(&bin).unwrap();
                fs::create_dir(&bin).unwrap();
                fs::remove_dir_all(place.workspace().join("built")).ok();
                let outcome = around(guarded(&place, &["--mode", mode], args));
                assert_eq!(copied(), 0, "{outcome}");
                failed(&outcome);
                assert!(outcome.stderr_text().contains("cargo's own wall"), "{outcome}");
                let told = list(outcome.report()).concat();
                assert!(told.contains("\"fs/persist\" [\"refused\"] \"tool\""), "{outcome}");
            }
            fs::remove_file(link).unwrap();
        }
    }
}

/// The user's own target directory may be a link all the same.
#[test]
fn a_target_directory_may_be_a_link() {
    for who in Who::all() {
        let place = place(who, &[APP, ("src/lib.rs", "")]);
        fs::create_dir(place.path("home/built")).unwrap();
        symlink(place.path("home/built"), place.target()).unwrap();
        let outcome = sent(&place, BUILD).go();
        assert!(outcome.code == 0 && place.path("home/built/debug").is_dir(), "{outcome}");
        expect_silence(&outcome);
    }
}

/// Brig asks cargo for the graph, and cargo asks the compiler with the repository's flags for the host, which the build never used.
#[test]
fn brigs_own_questions_say_nothing_of_the_repositorys() {
    let host = std::process::Command::new(crate::place::toolchain().join("bin/rustc")).arg("-vV").output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    for who in Who::all() {
        let place = place(
            who,
            &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n[workspace]\n",
                ),
                ("src/lib.rs", ""),
            ],
        );
        let file = place.path("home/.bashrc");
        let configuration = format!(
            "[build]\ntarget = \"wasm32-unknown-unknown\"\n[target.{host}]\nrustflags = [\"--print=cfg={}\"]\n[env]\nLD_PRELOAD = {{ value = \"{}\", force = true }}\n",
            file.display(),
            place.path("home/none.so").display()
        );
        place.write(&place.workspace().join(".cargo/config.toml"), &configuration);
        let outcome = guarded(&place, &[], BUILD).go();
        assert_eq!(bashrc(&place), BASHRC, "{outcome}");
        let asked = cargo(&place, &["metadata", "--format-version=1", "--offline", "--filter-platform", host]).go();
        assert_ne!(bashrc(&place), BASHRC, "the control: {asked}");
    }
}

/// What cargo is there to do.
#[test]
fn cargo_does_what_it_is_sent_to_do() {
    for who in Who::all() {
        let place = place(
            who,
            &[
                APP,
                ("src/main.rs", "fn main() {}\n"),
                ("../beside/Cargo.toml", "[package]\nname = \"beside\"\nversion = \"0.1.0\"\n"),
                ("../beside/src/lib.rs", ""),
            ],
        );
        let runs: [(&[&str], &str); 10] = [
            (&["generate-lockfile", "--offline"], "Cargo.lock"),
            (&["add", "--path", "../beside", "--offline"], "Cargo.lock"),
            (&["build", "--offline"], "target/debug/app"),
            (&["test", "--offline"], "target/debug/deps"),
            (&["run", "--offline"], "target/debug/app"),
            (&["fmt"], "src/main.rs"),
            (&["package", "--offline", "--allow-dirty", "--no-verify", "--exclude-lockfile", "--list"], "Cargo.toml"),
            (&["new", "../made", "--vcs", "none"], "../made/src/main.rs"),
            (&["install", "--path", ".", "--offline"], "../.cargo/bin/app"),
            (&["remove", "beside", "--offline"], "Cargo.toml"),
        ];
        for (args, made) in runs {
            let outcome = sent(&place, args).go();
            assert!(outcome.code == 0 && place.workspace().join(made).exists(), "{outcome}");
            expect_silence(&outcome);
        }
        let manifest = fs::read_to_string(place.workspace().join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("beside"), "{manifest}");
        let outcome = sent(&place, &["clean"]).go();
        assert!(outcome.code == 0 && !place.target().exists(), "{outcome}");
    }
}
