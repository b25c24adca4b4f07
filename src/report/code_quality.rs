//! GitLab's code quality report: alerts in a merge request, each at a file and a line. In: a `&Report`. Out: a JSON list, an entry for each rule, crate and
//! kind of code with the report's own stable fingerprint, by which GitLab tells what is new in a request.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::alerts::alerts;
use super::incidents::{by_finding, incidents};
use super::place::placed;
use super::plain::{PLAIN, lines};
use super::wording::count;
use crate::model::report::Report;
use crate::model::{Finding, Severity};

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let incidents = incidents(report);
    let of = by_finding(&incidents);
    let mut groups: Vec<Vec<&Finding>> =
        alerts(report).into_iter().map(|group| group.into_iter().filter(|one| one.is_told()).collect()).collect();
    groups.retain(|group: &Vec<&Finding>| !group.is_empty());
    groups.sort_by_key(|group| std::cmp::Reverse(group[0].severity));
    let one = |group: &Vec<&Finding>| -> Value {
        let finding = group[0];
        let mut title = PLAIN.title(report, finding);
        if group.len() > 1 {
            title.push_str(&format!(", and {} of the same kind", count(group.len() as u64 - 1, "other actor")));
        }
        let body = of.get(&std::ptr::from_ref(finding)).map(|incident| lines(report, incident).join("\n")).unwrap_or_default();
        let (path, line) = placed(report, finding.location.as_deref());
        json!({
            "type": "issue",
            "check_name": finding.rule.id(),
            "categories": ["Security"],
            "description": title,
            "content": {"body": body},
            "severity": severity(finding.severity),
            "fingerprint": finding.fingerprint,
            "location": {"path": path, "lines": {"begin": line}},
        })
    };
    super::inert::write(&groups.iter().map(one).collect::<Vec<_>>(), w)
}

/// GitLab's five, of which the worst is called after a build that is stopped.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rule;
    use crate::report::assemble;
    use crate::report::samples::*;

    fn list(report: &Report) -> Vec<Value> {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    /// What GitLab asks of each entry (docs.gitlab.com, "Code Quality report format"), in the order of what matters.
    #[test]
    fn an_alert_has_a_place_and_a_print() {
        let mut material = stolen_env();
        material.breaches.push(breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::Medium));
        material.breaches.push(breach(RUSTC, 900, read("/home/u/x"), Rule::FsReadOutside, Severity::Info));
        let mut report = assemble(&material, &facts(), &Graph);
        report.run.within = Some("rust".into());
        let list = list(&report);
        let shown: Vec<_> = list.iter().map(|one| (one["check_name"].as_str().unwrap(), one["severity"].as_str().unwrap())).collect();
        assert_eq!(shown, [("secret/read", "critical"), ("net/connect", "major")], "what is merely informative is left out");
        assert_eq!(list[0]["location"], json!({"path": "rust/Cargo.lock", "lines": {"begin": 1204}}));
        assert_eq!(list[0]["fingerprint"], report.findings[0].fingerprint);
        let title = "build script of `quickfetch-sys` 0.3.2 tried to read `{workspace}/.env` — refused";
        assert_eq!(list[0]["description"], title);
        let body = list[0]["content"]["body"].as_str().unwrap();
        assert!(body.contains("(×1, F1): build-script-build → sh -c \"cat ../.env\" → cat\nin the build through app 0.1.0 → "), "{body}");
        assert!(list[1]["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }

    #[test]
    fn what_stands_is_in_it_and_a_clean_run_has_none() {
        let earlier = assemble(&stolen_env(), &facts(), &Graph);
        let mut next = assemble(&crate::report::Material::default(), &facts(), &Graph);
        assert_eq!(list(&next), Vec::<Value>::new());
        crate::report::runs::standing::carry(&mut next, &earlier, &|_| false);
        assert_eq!(list(&next)[0]["fingerprint"], earlier.findings[0].fingerprint);
    }
}
