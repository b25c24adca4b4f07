//! Who is named and what is told, where names and arguments are meant to mislead or to leak.

use crate::effect::{Before, Effect, spilled};
use crate::finding::violations;
use crate::place::Place;
use crate::run::{cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

#[test]
fn two_packages_of_one_name_are_told_apart() {
    for who in Who::all() {
        let place = Place::new("same-names", who);
        let before = Before::look(&place, &[]);
        let plain = cargo(&place, BUILD).go();
        assert!(Effect::Leaks.seen(&place, &plain, &before), "plain cargo: nothing is stolen\n{plain}");
        place.clean();
        let outcome = guarded(&place, &[], BUILD).go();
        let report = outcome.exits(100).report();
        let named: Vec<String> = violations(report)
            .map(|finding| {
                let actor = report["actors"].as_array().unwrap().iter().find(|actor| actor["id"] == finding["actor"]).unwrap();
                format!("{} {}", actor["package"]["name"], actor["package"]["version"])
            })
            .collect();
        assert_eq!(named, [r#""twin" "2.0.0""#], "{outcome}");
        let path = report["findings"][0]["path_in_graph"].to_string();
        assert!(path.contains("twin 2.0.0") && !path.contains("twin 1.0.0"), "{path}\n{outcome}");
    }
}

#[test]
fn credentials_on_command_lines_do_not_come_into_the_report() {
    for who in Who::all() {
        let place = Place::new("argument-secrets", who);
        let outcome = guarded(&place, &["-v"], BUILD).env("ZOO_HEADER", format!("{}-header", place.canary)).go();
        let told = outcome.exits(0).report()["processes"].to_string();
        assert!(told.contains("Authorization: ") && told.contains("--password"), "the command lines are not told at all\n{told}");
        assert!(spilled(&place, &outcome).is_empty(), "{:?}\n{outcome}", spilled(&place, &outcome));
    }
}
