//! Links that a package or a repository brings along, and who follows them: cargo while it fetches, packs or vendors, and rustfmt. Each way shows
//! a secret, or changes what is nobody's to change, under plain cargo; under Brig nothing of it comes about.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::effect::spilled;
use crate::finding::{expect, refused, violations};
use crate::habits::done;
use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo};
use crate::who::Who;

/// A workspace with one library that holds this code.
fn place(who: Who, code: &str, more: &str) -> Place {
    let place = Place::new("honest-run", who);
    fs::remove_dir_all(place.workspace()).unwrap();
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"x\"\n[workspace]\n{more}"
    );
    place.write(&place.workspace().join("Cargo.toml"), &manifest);
    place.write(&place.workspace().join("src/lib.rs"), code);
    place.write(&place.workspace().join(".env"), &format!("{}-dotenv\n", place.canary));
    place.plant("home/.git-credentials", "git", "https://user:x@invalid/ ");
    place
}

fn lay(place: &Place, link: &str, to: &str) {
    let link = place.workspace().join(link);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(to, link).unwrap();
}

/// Brig, for what changes more than a build may.
fn sent<'a>(place: &'a Place, args: &[&str]) -> Run<'a> {
    let report = place.path("report");
    bare(place, &[&["--report-dir", report.to_str().unwrap()], args].concat())
}

fn leaks(place: &Place, outcome: &Outcome) -> bool {
    let below = |dir: &Path| {
        let mut found = false;
        crate::place::visit(dir, &mut |path| {
            let text = if path.is_symlink() { None } else { fs::read(path).ok() };
            found |= text.is_some_and(|text| String::from_utf8_lossy(&text).contains(&place.canary));
        });
        found
    };
    !spilled(place, outcome).is_empty() || below(&place.workspace().join("vendor"))
}

/// `#[path]`, a module, a configuration: rustfmt reads what they lead to and quotes what it cannot parse.
#[test]
fn the_formatter_shows_no_secret() {
    for who in Who::all() {
        for (code, link) in [
            ("#[path = \"../../.ssh/id_ed25519\"]\nmod key;\n", None),
            ("mod seen;\n", Some(("src/seen.rs", "/proc/self/environ"))),
            ("mod seen;\n", Some(("src/seen.rs", "../.env"))),
        ] {
            let place = place(who, code, "");
            link.into_iter().for_each(|(link, to)| lay(&place, link, to));
            let plain = cargo(&place, &["fmt", "--check"]).go();
            assert!(leaks(&place, &plain), "the control\n{plain}");
            let brig = sent(&place, &["fmt", "--check"]).go();
            assert!(brig.code != 0 && !leaks(&place, &brig), "{code}\n{brig}");
        }
    }
}

/// It rewrites what a path leads to, and nothing but sources of the workspace under Brig.
#[test]
fn the_formatter_changes_sources_and_nothing_else() {
    const UGLY: &str = "fn  x( ){}\n";
    for who in Who::all() {
        let place = place(who, "#[path = \"../../other/notes\"]\nmod a;\n#[path = \"../.git/hooks/x\"]\nmod b;\nfn  x( ){}\n", "");
        let others = [place.path("home/other/notes"), place.workspace().join(".git/hooks/x")];
        let untouched = || others.iter().all(|file| fs::read_to_string(file).unwrap() == UGLY);
        others.iter().for_each(|file| place.write(file, UGLY));
        cargo(&place, &["fmt"]).go().exits(0);
        assert!(!untouched(), "the control");
        others.iter().for_each(|file| place.write(file, UGLY));
        let brig = sent(&place, &["fmt"]).go();
        assert!(brig.code != 0 && untouched(), "{brig}");
        // What it is there for it does.
        place.write(&place.workspace().join("src/lib.rs"), &format!("{UGLY}pub mod inner;\n"));
        place.write(&place.workspace().join("src/inner.rs"), UGLY);
        place.write(&place.workspace().join("rustfmt.toml"), "tab_spaces = 2\n");
        let brig = sent(&place, &["fmt"]).go();
        assert_eq!(violations(brig.exits(0).report()).count(), 0, "{brig}");
        assert!(fs::read_to_string(place.workspace().join("src/inner.rs")).unwrap().starts_with("fn x()"), "{brig}");
        sent(&place, &["fmt", "--check"]).go().exits(0);
    }
}

/// A git dependency with links in it that lead from where cargo checks it out.
fn dependency(place: &Place, links: &[(&str, &str)]) {
    let dir = place.path("home/remote/dep");
    place.write(&dir.join("Cargo.toml"), "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    place.write(&dir.join("src/lib.rs"), "");
    for (link, to) in links {
        fs::create_dir_all(dir.join(link).parent().unwrap()).unwrap();
        symlink(to, dir.join(link)).unwrap();
    }
    for words in [&["git", "init", "-q", "-b", "trunk"][..], &["git", "add", "-A"], &["git", "commit", "-q", "-m", "first"]] {
        done(place, &dir, words);
    }
}

fn with_dependency(who: Who, links: &[(&str, &str)]) -> Place {
    let place = place(who, "", "");
    let manifest = place.workspace().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let remote = place.path("home/remote/dep");
    fs::write(&manifest, format!("{text}[dependencies]\ndep = {{ git = \"file://{}\" }}\n", remote.display())).unwrap();
    dependency(&place, links);
    place
}

/// Cargo looks through all manifests of what it has fetched, and quotes what it cannot parse.
#[test]
fn a_fetched_manifest_leads_to_no_secret() {
    const LINKS: &[(&str, &str)] = &[
        ("q/Cargo.toml", "../../../../../../.git-credentials"),
        ("r/Cargo.toml", "../../../../../../.ssh/id_ed25519"),
        ("s/Cargo.toml", "../../../../../../code/.env"),
        ("t/Cargo.toml", "/proc/self/environ"),
    ];
    for who in Who::all() {
        let fetched = |place: &Place| fs::remove_dir_all(place.path("home/.cargo/git")).ok();
        let place = with_dependency(who, LINKS);
        let plain = cargo(&place, &["build"]).go();
        assert!(leaks(&place, plain.exits(0)), "the control\n{plain}");
        fetched(&place);
        place.clean();
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        for args in [&["build"][..], &["update"], &["fetch"]] {
            let brig = sent(&place, args).go();
            assert!(!leaks(&place, brig.exits(100)), "{args:?}\n{brig}");
            expect(&brig, &[refused(&["secret/read"], "dep", &["tool"])]);
            // It holds no credential, so its environment it may see.
            // One incident: by which link the worst came about is told at once, of the others in the report.
            let told = brig.report()["findings"].to_string();
            assert!(LINKS.iter().take(3).all(|(link, _)| told.contains(link)), "{args:?}\n{brig}");
            assert!(LINKS.iter().any(|(link, _)| brig.stderr_text().contains(link)), "{args:?}\n{brig}");
            // Nothing is missing that was wanted: cargo goes on, as it would with a file that is none.
            assert_eq!(brig.report()["outcome"]["cargo_exit"], 0, "{brig}");
            fetched(&place);
        }
    }
}

/// What is copied into the workspace, or into an archive, by a harmless name.
#[test]
fn neither_vendor_nor_package_copies_a_secret() {
    for who in Who::all() {
        for to in ["/proc/self/environ", "../../../../../code/.env", "../../../../../.gitconfig", "../../../../config.toml"] {
            let place = with_dependency(who, &[("notes.txt", to)]);
            place.plant("home/.gitconfig", "gitconfig", "[user]\nname = x\nemail = x@x\n# ");
            place.plant("home/.cargo/config.toml", "cargo", "# ");
            let plain = cargo(&place, &["vendor"]).go();
            assert!(leaks(&place, plain.exits(0)), "the control\n{plain}");
            fs::remove_dir_all(place.workspace().join("vendor")).unwrap();
            let brig = sent(&place, &["vendor"]).go();
            assert!(!leaks(&place, brig.exits(100)), "{to}\n{brig}");
            expect(&brig, &[refused(&["secret/read", "proc/tamper"], "dep", &["tool"])]);
            assert!(brig.stderr_text().contains("notes.txt"), "{to}\n{brig}");
            // What is only watched comes about, and is told.
            let brig = sent(&place, &["--mode", "observe", "vendor"]).go();
            expect(brig.exits(0), &[refused(&["secret/read", "proc/tamper"], "dep", &["tool"]).as_status(&["observed"])]);
            assert!(leaks(&place, &brig), "{to}\n{brig}");
        }
        let packed = ["package", "--offline", "--allow-dirty", "--no-verify"];
        for to in [".env", "/proc/self/environ", "../.ssh/id_ed25519"] {
            let place = place(who, "", "");
            lay(&place, "notes.txt", to);
            let plain = cargo(&place, &packed).go();
            assert!(plain.code == 0 && place.target().join("package/app-0.1.0.crate").exists(), "the control\n{plain}");
            place.clean();
            let brig = sent(&place, &packed).go();
            assert!(!place.target().join("package/app-0.1.0.crate").exists(), "{to}\n{brig}");
            brig.exits(96);
        }
        // Without such a link all is well.
        let place = with_dependency(who, &[("LICENSE", "src/lib.rs")]);
        sent(&place, &["vendor"]).go().exits(0);
        assert!(place.workspace().join("vendor/dep/LICENSE").exists());
        let place = self::place(who, "", "");
        lay(&place, "LICENSE", "src/lib.rs");
        sent(&place, &packed).go().exits(0);
    }
}
