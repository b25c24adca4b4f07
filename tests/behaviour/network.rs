//! What must never be tried on a real network: names through the C library and the machine's own resolvers, metadata services, hosts by
//! name. Every case runs on an [`Isle`], where the control really gets its answers.

use serde_json::Value;

use crate::finding::{actor, violations};
use crate::isle::{Isle, Stand};
use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FIXTURE: &str = "name-services";

/// The evidence of the caller's findings of one rule.
fn evidence<'a>(outcome: &'a Outcome, rule: &str) -> Vec<(&'a Value, &'a Value)> {
    let report = outcome.report();
    let of_caller = |finding: &&Value| finding["rule"] == rule && actor(report, finding)["package"]["name"] == "name-caller";
    let findings = report["findings"].as_array().into_iter().flatten().filter(of_caller);
    findings.flat_map(|finding| finding["evidence"].as_array().into_iter().flatten().map(move |one| (finding, one))).collect()
}

/// Acts in the caller's record, whether anybody is alarmed by them or not.
fn recorded(outcome: &Outcome, fits: impl Fn(&Value) -> bool) -> Vec<&Value> {
    let report = outcome.report();
    let caller = report["actors"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|actor| actor["package"]["name"] == "name-caller" && actor["kind"] == "build-script");
    let id = &caller.unwrap_or_else(|| panic!("the caller never ran\n{outcome}"))["id"];
    report["behaviour"].as_array().into_iter().flatten().filter(|one| one["actor"] == *id && fits(one)).collect()
}

fn everything_it_says(place: &Place, outcome: &Outcome) -> String {
    let mut said = outcome.stderr_text();
    crate::place::visit(&place.target(), &mut |path| {
        if path.ends_with("output") {
            said += &std::fs::read_to_string(path).unwrap_or_default();
        }
    });
    said
}

fn only_the_caller_is_blamed(outcome: &Outcome) {
    for finding in violations(outcome.report()) {
        let named = &actor(outcome.report(), finding)["package"]["name"];
        assert_eq!(named, "name-caller", "blames somebody innocent: {finding}\n{outcome}");
    }
}

/// The proof that the isle is one: without Brig every service answers.
#[test]
fn on_the_isle_everything_answers() {
    for who in Who::all() {
        let (place, isle) = (Place::new(FIXTURE, who), Isle::default());
        let outcome = isle.of(&place, cargo(&place, BUILD)).go();
        isle.settle();
        let said = everything_it_says(&place, &outcome);
        assert!(said.contains("zoo: data.example.test is 192.0.2.80:443"), "as {who:?}: {said}\n{outcome}");
        for at in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80", "169.254.170.2:80", "100.100.100.200:80"] {
            assert!(said.contains(&format!("zoo: credentials from {at}")), "as {who:?}: {at}: {said}\n{outcome}");
        }
        let heard = |stand| String::from_utf8_lossy(&isle.heard(stand)).into_owned();
        assert_eq!(heard(Stand::Host), "zoo: by name", "as {who:?}\n{outcome}");
        assert_eq!(heard(Stand::MetadataDatagrams), "zoo: a datagram", "as {who:?}\n{outcome}");
        for stand in [Stand::Resolved, Stand::Cache] {
            assert!(heard(stand).contains("label.example.test"), "as {who:?}: {stand:?}\n{outcome}");
        }
    }
}

#[test]
fn names_and_metadata_services_are_refused_and_named() {
    for who in Who::all() {
        let (place, isle) = (Place::new(FIXTURE, who), Isle::default());
        let outcome = isle.of(&place, guarded(&place, &[], BUILD)).go();
        isle.settle();
        outcome.exits(100);
        only_the_caller_is_blamed(&outcome);
        let said = everything_it_says(&place, &outcome);
        assert!(!said.contains("zoo: credentials") && !said.contains("zoo: data.example.test is"), "as {who:?}: {said}\n{outcome}");
        for stand in [Stand::Names, Stand::Host, Stand::Metadata, Stand::MetadataDatagrams, Stand::Resolved, Stand::Cache] {
            assert!(isle.heard(stand).is_empty(), "as {who:?}: {stand:?} was reached: {:?}\n{outcome}", isle.heard(stand));
        }
        // Each name, and the server that was asked; the gravest of them says how bad it is.
        let names = evidence(&outcome, "net/dns");
        for name in ["data.example.test", "metadata.google.internal"] {
            let asked = |one: &Value| one["act"] == "lookup" && one["name"] == name && one["via"]["address"] == "127.0.0.53:53";
            assert!(names.iter().any(|(_, one)| asked(one)), "as {who:?}: {name}: {names:#?}\n{outcome}");
        }
        let connects = evidence(&outcome, "net/connect");
        for at in ["169.254.169.254:80", "169.254.170.2:80", "100.100.100.200:80"] {
            let tried = |one: &Value| one["act"] == "connect" && one["to"]["address"] == at && one["to"]["protocol"] == "tcp";
            let found = connects.iter().find(|(_, one)| tried(one));
            let (finding, _) = found.unwrap_or_else(|| panic!("as {who:?}: {at}: {connects:#?}\n{outcome}"));
            assert_eq!((&finding["severity"], &finding["status"]), (&"critical".into(), &"refused".into()), "{outcome}");
        }
        let sent = |one: &Value| one["act"] == "send" && one["to"]["address"] == "169.254.169.254:80" && one["to"]["protocol"] == "udp";
        assert!(connects.iter().any(|(_, one)| sent(one)), "as {who:?}: {connects:#?}\n{outcome}");
        // The C library asks these two by habit, so there is no alarm, but there is a record.
        for path in ["/run/systemd/resolve/io.systemd.Resolve", "/run/nscd/socket"] {
            let tried = |one: &Value| one["act"] == "connect" && one["to"]["path"] == path && one["status"] == "refused";
            assert!(!recorded(&outcome, tried).is_empty(), "as {who:?}: {path}: {:#?}\n{outcome}", recorded(&outcome, |_| true));
        }
    }
}

#[test]
fn a_connection_to_a_looked_up_address_is_told_by_name() {
    for who in Who::all() {
        let (place, isle) = (Place::new(FIXTURE, who), Isle::default());
        let outcome = isle.of(&place, guarded(&place, &["--mode", "observe"], BUILD)).go();
        isle.settle();
        outcome.exits(0);
        only_the_caller_is_blamed(&outcome);
        assert_eq!(isle.heard(Stand::Host), b"zoo: by name", "as {who:?}: observe mode got in the way\n{outcome}");
        let connects = evidence(&outcome, "net/connect");
        let by_name = |one: &Value| one["to"]["address"] == "192.0.2.80:443" && one["to"]["host"] == "data.example.test";
        assert!(connects.iter().any(|(_, one)| by_name(one)), "as {who:?}: {connects:#?}\n{outcome}");
        assert!(outcome.stderr_text().contains("data.example.test"), "as {who:?}: the name is not told\n{outcome}");
        let names = evidence(&outcome, "net/dns");
        assert!(names.iter().any(|(_, one)| one["name"] == "data.example.test"), "as {who:?}: {names:#?}\n{outcome}");
    }
}

/// A host that is trusted carries what it is given: it is reached by the name that was granted, nothing else is, and it stands in the
/// record.
#[test]
fn a_granted_host_is_reached_by_its_name_and_recorded() {
    for who in Who::all() {
        let (place, isle) = (Place::new(FIXTURE, who), Isle::default());
        place.write(
            &place.workspace().join("brig.toml"),
            "version = 1\npolicy = \"granted\"\n\n[profile.granted]\ninherits = \"default\"\n\n\
             [profile.granted.build-script]\nextend-connect = [\"data.example.test:443\"]\n",
        );
        let outcome = isle.of(&place, guarded(&place, &[], BUILD)).go();
        isle.settle();
        outcome.exits(100);
        assert_eq!(isle.heard(Stand::Host), b"zoo: by name", "as {who:?}\n{outcome}");
        let asked = String::from_utf8_lossy(&isle.heard(Stand::Names)).into_owned();
        assert!(asked.contains("data") && !asked.contains("metadata"), "as {who:?}: {asked:?}\n{outcome}");
        assert!(isle.heard(Stand::Metadata).is_empty(), "as {who:?}\n{outcome}");
        let to = |one: &Value| one["act"] == "connect" && one["to"]["host"] == "data.example.test" && one["status"].is_null();
        assert_eq!(recorded(&outcome, to).len(), 1, "as {who:?}: {:#?}\n{outcome}", recorded(&outcome, |one| one["act"] == "connect"));
    }
}
