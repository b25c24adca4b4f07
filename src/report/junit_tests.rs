//! Cases of a run, golden, and what becomes of them where the run was no ordinary one.

use super::*;
use crate::model::{Rule, Severity, Span};
use crate::report::samples::*;
use crate::report::{Material, assemble};

fn xml(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_case_for_each_crate_in_each_program() {
    let mut material = stolen_env();
    material.breaches[0].0.at_ms = 640;
    let (mut event, n) = breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High);
    event.blame = stack(&[("chrono_anchor", None), ("app", None)]);
    material.breaches.push((event, n));
    material.spans.insert(crate::model::ActorId(BUILD), Span { started_ms: 500, ended_ms: Some(1750), exit: Some(0) });
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <testsuites name=\"Brig\" tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"0\" time=\"4.200\">\n\
        <testsuite name=\"Brig\" tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"0\" time=\"4.200\" timestamp=\"2026-09-21T14:13:20Z\">\n\
        <testcase classname=\"Brig\" name=\"the record of the run\" time=\"4.200\">\n</testcase>\n\
        <testcase classname=\"app 0.1.0\" name=\"compiler of `app` 0.1.0\" time=\"0.000\">\n</testcase>\n\
        <testcase classname=\"app 0.1.0\" name=\"tests of `app` 0.1.0\" time=\"0.000\">\n</testcase>\n\
        <testcase classname=\"chrono_anchor 0.1.0\" name=\"tests of `app` 0.1.0\" time=\"0.000\" file=\"Cargo.lock\">\n\
        <failure type=\"net/connect\" message=\"tests of `app` 0.1.0, through `chrono_anchor` 0.1.0, tried to connect to `203.0.113.7:443` (tcp) — refused\">";
    let xml = xml(&assemble(&material, &facts(), &Graph));
    assert!(xml.starts_with(expected), "{xml}");
    let expected = "<testcase classname=\"quickfetch-sys 0.3.2\" name=\"build script of `quickfetch-sys` 0.3.2\" time=\"1.250\" file=\"Cargo.lock\">\n\
        <failure type=\"secret/read\" message=\"build script of `quickfetch-sys` 0.3.2 tried to read `{workspace}/.env` — refused\">\
        build script of `quickfetch-sys` 0.3.2 tried to read `{workspace}/.env` — refused\n\
        at 0.6 s tried to read `{workspace}/.env` (×1, F2): build-script-build → sh -c &quot;cat ../.env&quot; → cat\n\
        in the build through app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2\n\
        rule: profile `default`: secrets\n\
        now: read the source of `quickfetch-sys` 0.3.2 before you build it again, and report it\n";
    assert!(xml.contains(expected), "{xml}");
    assert!(xml.ends_with("</failure>\n</testcase>\n</testsuite>\n</testsuites>\n"), "{xml}");
}

/// A second case of one name would not be shown.
#[test]
fn what_is_called_alike_is_one_case() {
    let mut material = stolen_env();
    let mut second = material.actors[1].clone();
    second.id = crate::model::ActorId(33);
    material.actors.push(second);
    material.breaches.push(breach(33, 3300, read("/home/u/.ssh/id"), Rule::SecretRead, Severity::Critical));
    let xml = xml(&assemble(&material, &facts(), &Graph));
    assert_eq!(xml.matches("name=\"build script of").count(), 1, "{xml}");
    assert_eq!(xml.matches("<failure").count(), 1, "{xml}");
}

#[test]
fn what_counts_for_nothing_fails_nothing() {
    let mut material = stolen_env();
    material.breaches[0].0.status = crate::model::Status::Observed;
    let mut observing = facts();
    observing.run.mode = Mode::Observe;
    let observed = xml(&assemble(&material, &observing, &Graph));
    assert!(!observed.contains("<failure") && observed.contains("<system-out>build script of"), "{observed}");
    assert!(observed.contains("let through, enforce would refuse it"), "{observed}");

    let earlier = assemble(&stolen_env(), &facts(), &Graph);
    let mut next = assemble(&Material::default(), &facts(), &Graph);
    crate::report::runs::standing::carry(&mut next, &earlier, &|_| false);
    let stands = xml(&next);
    assert!(!stands.contains("<failure") && stands.contains("failures=\"0\" errors=\"0\" skipped=\"2\""), "{stands}");
    assert!(stands.contains("<skipped message=\"nothing ran, nothing is known\">"), "{stands}");
    assert!(stands.contains("<skipped message=\"it stands from an earlier run"), "{stands}");
    assert!(stands.contains("found in the run of 2026-09-21 14:13 UTC"), "{stands}");
}

#[test]
fn a_record_with_holes_is_an_error() {
    let mut material = material();
    material.lost = vec!["<an act>".into()];
    let xml = xml(&assemble(&material, &facts(), &Graph));
    assert!(xml.contains("<error type=\"coverage/lost\" message=\"the record is incomplete\">lost: &lt;an act&gt;</error>"), "{xml}");
    assert!(xml.contains("errors=\"1\""), "{xml}");
}

#[test]
fn characters_that_xml_does_not_know_are_spelt() {
    assert_eq!(text("<a b=\"c\">'&\u{fffe}\u{ffff}\u{fffd}"), "&lt;a b=&quot;c&quot;&gt;&apos;&amp;\\u{fffe}\\u{ffff}\u{fffd}");
}
