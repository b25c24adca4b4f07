//! What nobody has accepted, walked through; what somebody else has; and a build in which nothing ran. The packages lie in a vendored tree in the registry's place.

use std::fs;

use crate::baseline::reads;
use crate::finding::expect_silence;
use crate::place::Place;
use crate::run::{Outcome, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const CI: &[&str] = &["--policy", "ci"];

fn built(place: &Place, options: &[&str], acts: &str) -> Outcome {
    let outcome = guarded(place, options, BUILD).env("ZOO_ACTS", acts).compared().go();
    fs::create_dir_all(place.path("home/kept")).unwrap();
    fs::copy(place.path("report/report.json"), place.path("home/kept/report.json")).ok();
    outcome
}

fn brig(place: &Place, words: &[&str]) -> Outcome {
    let report = place.path("home/kept");
    bare(place, &[&["--report-dir", report.to_str().unwrap()], words].concat()).go()
}

#[test]
fn what_nobody_has_accepted_is_walked_through() {
    for who in Who::all() {
        let place = Place::new("vendored", who);
        cargo(&place, BUILD).env("ZOO_ACTS", "exec,read").go().exits(0);
        place.clean();
        // No run, no lock: who they are, and that nothing was seen.
        let review = brig(&place, &["review"]);
        let text = review.exits(102).stdout_text();
        for said in [
            "1 of 3: given 0.1.0, build script\n    why     app 0.1.0 → given 0.1.0\n    age     not known",
            "    before  nothing of it was accepted\n    source  vendor/given/build.rs\n    did     not seen to run",
            "2 of 3: given_macro 0.1.0, macro\n",
            "3 of 3: tool 0.1.0, a library\n    why     app 0.1.0 → given 0.1.0 → tool 0.1.0\n",
            "    in      the build script of `given`\n",
        ] {
            assert!(text.contains(said), "no {said}\n{review}");
        }
        built(&place, &[], "exec").exits(0);
        brig(&place, &["baseline", "accept"]).exits(0);
        assert_eq!(brig(&place, &["review"]).exits(0).stdout_text(), "brig.lock holds all code that runs in this build\n");
        // Other contents, and more that it does: both are told of that one.
        let lock = place.workspace().join("brig.lock");
        let other = fs::read_to_string(&lock)
            .unwrap()
            .replace(&format!("given build-script 0.1.0 {:064}", 1), &format!("given build-script 0.1.0 {:064}", 2));
        place.write(&lock, &other);
        place.again();
        built(&place, &[], "exec,read").exits(0);
        let review = brig(&place, &["review"]);
        let text = review.exits(102).stdout_text();
        assert!(text.starts_with("1 of 1: given 0.1.0, build script\n"), "{review}");
        assert!(text.contains("0.1.0 was accepted with another checksum\n"), "{review}");
        assert!(text.contains("    did     exec echo\n            read {workspace}/data/one.txt (new)\n"), "{review}");
    }
}

#[test]
fn what_somebody_else_has_accepted_counts_where_it_is_the_same_code() {
    for who in Who::all() {
        let place = Place::new("vendored", who);
        built(&place, &[], "exec").exits(0);
        brig(&place, &["baseline", "accept"]).exits(0);
        let (own, theirs) = (place.workspace().join("brig.lock"), place.workspace().join("policy/ours.lock"));
        let text = fs::read_to_string(&own).unwrap();
        place.write(&theirs, &text);
        fs::remove_file(&own).unwrap();
        let policy = |more: &str| {
            place.write(&place.workspace().join("brig.toml"), &format!("version = 1\n[imports.ours]\npath = \"policy/ours.lock\"\n{more}"))
        };
        policy("");
        place.write(&own, "brig-lock 2\n");
        let run = |options: &[&str], acts: &str| {
            place.again();
            built(&place, options, acts)
        };
        // Nobody has said that it is to count.
        let unpinned = run(CI, "exec");
        assert!(unpinned.exits(102).stderr_text().contains("Stopped"), "{unpinned}");
        let told = run(&[], "exec");
        assert!(
            told.exits(0)
                .stderr_text()
                .contains("Not pinned import `ours` is not pinned yet in brig.lock, and vouches for nobody (`cargo brig baseline import`)"),
            "{told}"
        );
        let said = brig(&place, &["baseline", "import"]);
        assert_eq!(said.exits(0).stdout_text(), "import `ours` is pinned: 2 build scripts and macros, 1 libraries\n");
        let vouched = run(CI, "exec");
        expect_silence(vouched.exits(0));
        assert!(
            vouched.stderr_text().contains("Vouched by import `ours` for `given` 0.1.0, `given_macro` 0.1.0, `tool` 0.1.0"),
            "{vouched}"
        );
        assert_eq!(vouched.report()["enforcement"]["vouched"].as_array().map(Vec::len), Some(3), "{vouched}");
        let check = brig(&place, &["baseline", "check"]);
        assert!(check.exits(0).stdout_text().contains("3 of all that ours vouched for"), "{check}");
        // It may do what it did there, and no more.
        let more = run(CI, "exec,read");
        assert!(!reads(&place), "{}", more.exits(102));
        // A denial of one's own wins.
        policy("[[deny]]\ncrate = \"given\"\nreason = \"not here\"\n");
        assert!(run(CI, "exec").exits(100).stderr_text().contains("package `given` 0.1.0 is denied"));
        policy("");
        // Another file than was pinned vouches for nobody, and neither does one for other code.
        place.write(&theirs, &(text.clone() + "given build-script does read {workspace}/data/one.txt\n"));
        run(CI, "exec").exits(102);
        place.write(&theirs, &text.replace(&format!("given build-script 0.1.0 {:064}", 1), &format!("given build-script 0.1.0 {:064}", 2)));
        assert!(brig(&place, &["baseline", "import"]).exits(0).stdout_text().contains("was another file, and is pinned as it is now"));
        let other = run(CI, "exec");
        assert!(
            other.exits(102).stderr_text().contains("package `given` 0.1.0 runs code at build time that nobody has accepted"),
            "{other}"
        );
        // A link to what somebody else wrote is none.
        fs::remove_file(&theirs).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &theirs).unwrap();
        assert!(run(CI, "exec").exits(96).stderr_text().contains("policy/ours.lock:1:1: is a symbolic link"));
    }
}

#[test]
fn a_build_in_which_nothing_ran_can_be_a_failure() {
    for who in Who::all() {
        let place = Place::new("vendored", who);
        built(&place, &["--require-run"], "exec").exits(0);
        // Warm: there is nothing to say of it, which plain Brig says and lets be.
        built(&place, &[], "exec").exits(0);
        let nothing = built(&place, &["--require-run"], "exec");
        assert!(nothing.exits(103).stderr_text().contains("nothing ran, and `--require-run` asks for a run"), "{nothing}");
        assert_eq!((&nothing.report()["outcome"]["verdict"], &nothing.report()["outcome"]["exit_code"]), (&"not-run".into(), &103.into()));
        // What runs nothing by its nature is no build.
        guarded(&place, &["--require-run"], &["tree", "--offline"]).go().exits(0);
    }
}
