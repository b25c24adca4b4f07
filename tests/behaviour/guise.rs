//! `cargo brig try --at`, `--hostname`, `--locale`, `--cpus`: a suspect that waits for a date steals when it is shown that date, and not before.

use std::fs;

use crate::place::Place;
use crate::run::{Outcome, bare, cargo};
use crate::sink::Door;
use crate::who::Who;

fn waiting_for(year: &str, to: &str, who: Who) -> Place {
    let place = Place::new("suspects/date-trigger", who);
    place.write(&place.workspace().join("to.txt"), to);
    place.write(&place.workspace().join("year.txt"), year);
    place
}

/// What its build script said, and how the trial ended.
fn tried(place: &Place, options: &[&str]) -> (Outcome, String) {
    let evidence = place.path("run/evidence");
    let args = [&["try", "--evidence", evidence.to_str().unwrap(), "./"], options].concat();
    let outcome = bare(place, &args).go();
    let said = fs::read_to_string(evidence.join("said-1-build.txt")).unwrap_or_else(|_| panic!("said nothing\n{outcome}"));
    (outcome, said)
}

#[test]
fn a_suspect_that_waits_for_a_date_is_shown_it() {
    for who in Who::all() {
        let place = waiting_for("2020", "", who);
        place.write(&place.workspace().join("to.txt"), &format!("127.0.0.1:{}", place.sinks.tcp_port));
        let plain = cargo(&place, &["build", "--offline"]).go();
        assert!(String::from_utf8_lossy(&place.sinks.heard(Door::Tcp)).contains(&place.canary), "plain cargo: no theft\n{plain}");

        let place = waiting_for("2041", "calendar.example.net", who);
        let (outcome, said) = tried(&place, &[]);
        outcome.exits(0);
        assert!(!said.contains("own 2041") && !outcome.stdout_text().contains("proven by canary"), "{said}\n{outcome}");

        let place = waiting_for("2041", "calendar.example.net", who);
        let guise = ["--at", "2041-06-01", "--hostname", "ci-runner-7", "--locale", "ru_RU.UTF-8", "--cpus", "1"];
        let (outcome, said) = tried(&place, &guise);
        outcome.exits(100);
        for word in ["own 2041, asked 2041, on ci-runner-7", "called ci-runner-7, ci-runner-7", "processors 1", "language ru_RU.UTF-8"] {
            assert!(said.contains(word), "it did not see {word:?}\n{said}\n{outcome}");
        }
        let told = outcome.stdout_text();
        for word in ["with your `~/.ssh/id_ed25519`", "proven by canary", "times of files", "/proc/cpuinfo"] {
            assert!(told.contains(word), "does not say {word:?}\n{outcome}");
        }
        assert!(place.sinks.heard(Door::Tcp).is_empty());
    }
}
