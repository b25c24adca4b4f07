//! What a report says beside the lock of behaviours. In: a report, the lock, where packages lie. Out: the same report: each finding new or known, a finding for
//! each package that did what was not accepted, and how the run ends by it.

use std::collections::BTreeSet;

use crate::baseline::compare::{News, news};
use crate::baseline::fold::{Did, fold, of_finding};
use crate::baseline::{Dirs, Lock};
use crate::model::barred::code_of;
use crate::model::report::{Report, VerdictWord};
use crate::model::{Act, ActorId, Evidence, Exit, Finding, Reach, Rule, Severity, digest};

use super::who::Who;

/// Acts listed of one actor; the rest is counted.
const LISTED: usize = 100;

/// `held`: what was not accepted must not be.
pub fn apply(report: &mut Report, (lock, dirs): (&Lock, &Dirs), held: bool, who: &dyn Who) {
    let known = |finding: &Finding| {
        let (key, lines) = of_finding(report, dirs, finding)?;
        let all = lines.iter().all(|line| lock.holds(&key, line));
        Some(if all { "known" } else { "new" }.to_owned())
    };
    let baselines: Vec<Option<String>> = report.findings.iter().map(known).collect();
    let critical: BTreeSet<String> = report
        .all_findings()
        .filter(|finding| finding.severity == Severity::Critical)
        .filter_map(|finding| finding.offender.as_ref())
        .map(|package| package.name.clone())
        .collect();
    let reach = report.reach.clone();
    let folded = fold(report, dirs);
    // What was refused for it was told as it happened.
    let refused: BTreeSet<(ActorId, &Act)> = report
        .findings
        .iter()
        .filter(|one| one.rule == Rule::BaselineNew)
        .flat_map(|one| one.evidence.iter().map(|did| (one.actor, &did.act)))
        .collect();
    let mut news = news(lock, &folded);
    news.iter_mut().for_each(|one| one.did.retain(|(_, did)| !refused.contains(&(did.actor, did.act))));
    news.retain(|one| !one.did.is_empty());
    let new: Vec<Finding> = news.iter().map(|one| finding(one, held, (who, &critical), &reach)).collect();
    drop(news);
    drop(refused);
    drop(folded);
    for (finding, baseline) in report.findings.iter_mut().zip(baselines) {
        finding.baseline = baseline;
        if let Some(package) = finding.offender.as_ref().filter(|_| finding.rule == Rule::BaselineNew) {
            finding.advice.push(advice(&package.name, critical.contains(&package.name), &reach));
        }
    }
    if new.is_empty() {
        return;
    }
    for finding in &new {
        *report.outcome.counts.findings.entry(finding.severity.name().to_owned()).or_default() += 1;
    }
    report.findings.extend(new);
    for (number, finding) in report.findings.iter_mut().enumerate() {
        finding.id = format!("F{}", number + 1);
    }
    let outcome = &mut report.outcome;
    if held && matches!(outcome.verdict, VerdictWord::Clean | VerdictWord::NotRun) {
        outcome.verdict = VerdictWord::Unaccepted;
        if outcome.exit_code == Exit::Success.code() {
            outcome.exit_code = Exit::NewBehaviour.code();
        }
    }
}

/// `critical`: packages with such a finding, of which nothing is accepted.
fn finding(new: &News, held: bool, (who, critical): (&dyn Who, &BTreeSet<String>), reach: &Reach) -> Finding {
    let (name, kind) = new.key;
    let version = new.did.first().map_or("", |(_, did)| did.version);
    let status = new.did.iter().map(|(_, did)| did.status).max().unwrap_or(crate::model::Status::Allowed);
    let one = |did: &Did| Evidence { status: Some(did.status).filter(|its| *its != status), ..Evidence::of(did.act.clone(), did.count) };
    let evidence: Vec<Evidence> = new.did.iter().take(LISTED).map(|(_, did)| one(did)).collect();
    let lines: Vec<&str> = new.did.iter().map(|(line, _)| line.text()).collect();
    let mut said = Vec::new();
    if let Some(before) = &new.before {
        said.push(format!("{before}, which was accepted, did not do this (brig.lock)"));
    }
    said.push(advice(name, critical.contains(name), reach));
    Finding {
        id: String::new(),
        rule: Rule::BaselineNew,
        severity: if held { Severity::Medium } else { Severity::Info },
        status,
        actor: new.actor,
        offender: Some(crate::model::Package {
            name: name.clone(),
            version: version.to_owned(),
            source: None,
            checksum: None,
            manifest_dir: None,
        }),
        truncated: (new.did.len() - evidence.len()) as u64,
        through: Vec::new(),
        own: false,
        compiled: false,
        candidates: Vec::new(),
        evidence,
        blame: None,
        reason: format!("brig.lock: not accepted of its {}", code_of(*kind)),
        path_in_graph: who.why(name, version),
        baseline: Some("new".to_owned()),
        before: new.before.clone(),
        location: who.lock_location(name, version),
        fingerprint: digest::hex([Rule::BaselineNew.id(), name, kind.name(), &lines.join("\n")].join("\0").as_bytes()),
        allow: None,
        except: None,
        advice: said,
    }
}

fn advice(name: &str, is_critical: bool, reach: &Reach) -> String {
    let source = "read its source before you build it again";
    match is_critical {
        true => format!("{source}: it did something critical besides, and nothing of it can be accepted"),
        false => format!("expected? `{}`; not expected? {source}", reach.command(&format!("baseline accept {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, Endpoint, Rule as R, Status};
    use crate::report::samples::*;
    use crate::report::{Material, assemble};

    const OWN: &str = "/home/u/.cargo/registry/src/i/quickfetch-sys-0.3.2";

    fn dirs() -> Dirs {
        let of = |dir: &str, name: &str| (dir.into(), name.to_owned(), "0.3.2".to_owned());
        Dirs::new([
            of("{cargo-home}/registry/src/i/quickfetch-sys-0.3.2", "quickfetch-sys"),
            of("{cargo-home}/registry/src/i/other-0.3.2", "other"),
        ])
    }

    fn told(act: Act, status: Status) -> Vec<String> {
        let mut material = material();
        material.behaviours = vec![did(BUILD, act, status, 1)];
        lines(&material)
    }

    fn lines(material: &Material) -> Vec<String> {
        let (report, dirs) = (assemble(material, &facts(), &Graph), dirs());
        let folded = fold(&report, &dirs);
        folded
            .lines
            .into_iter()
            .flat_map(|(key, lines)| lines.into_keys().map(move |line| format!("{} {} {}", key.0, key.1.name(), line.text())))
            .collect()
    }

    fn exec(path: &str) -> Act {
        Act::Exec { path: path.into(), argv: vec!["cc".into()] }
    }

    fn create(path: &str) -> Act {
        Act::Create { path: path.into() }
    }

    #[test]
    fn what_everybody_does_is_left_out_and_the_rest_is_a_line() {
        use Status::{Allowed, Observed, Refused};
        let target = "/home/u/app/target/debug";
        let own_out = format!("{target}/build/quickfetch-sys-2e/out");
        for (act, status, expected) in [
            (read(&format!("{OWN}/build.rs")), Allowed, None),
            (read("/home/u/.cargo/registry/src/i/other-0.3.2/x.proto"), Allowed, Some("read {package:other}")),
            // Of a package the graph does not hold, and of another version of this one.
            (read("/home/u/.cargo/registry/src/i/un-known2-1.0.0-rc.1/x"), Allowed, Some("read {package:un-known2}")),
            (read("/home/u/.cargo/registry/src/i/quickfetch-sys-0.2.0/build.rs"), Allowed, None),
            (read("/usr/include/stdio.h"), Allowed, None),
            (read("/etc/shadow"), Observed, Some("read /etc/shadow")),
            // Refused without alarm: it got nothing.
            (read("/home/u/.gitconfig"), Refused, None),
            (read("/home/u/app"), Allowed, None),
            (read("/home/u/app/proto/a.proto"), Allowed, Some("read {workspace}/proto/a.proto")),
            (create(&format!("{own_out}/made.rs")), Allowed, None),
            (create("/home/u/app/made.rs"), Allowed, Some("write {workspace}/made.rs")),
            (Act::Write { path: "/home/u/app/made.rs".into() }, Allowed, Some("write {workspace}/made.rs")),
            (Act::Remove { path: "/home/u/app/made.rs".into() }, Allowed, Some("remove {workspace}/made.rs")),
            (create(&format!("{target}/deps/libx-0123456789abcdef.so")), Observed, Some("write {target}/*/deps/libx-*.so")),
            (create("/home/u/app/target/x86_64-unknown-linux-gnu/release/deps/x.so"), Observed, Some("write {target}/*/deps/x.so")),
            (exec("/usr/bin/x86_64-linux-gnu-gcc-12"), Allowed, Some("exec gcc")),
            (exec("/usr/libexec/gcc/x86_64-linux-gnu/12/cc1"), Allowed, None),
            // Called like a compiler, and none.
            (exec("/usr/bin/curl"), Observed, Some("exec curl")),
            (exec("/srv/bin/gcc"), Allowed, Some("exec /srv/bin/gcc")),
            (exec(&format!("{OWN}/configure")), Allowed, Some("exec {package}/configure")),
            (exec(&format!("{own_out}/tool")), Allowed, Some("exec {out}/tool")),
            (connect("127.0.0.1:40001"), Allowed, Some("connect tcp loopback:*")),
            (connect("127.0.0.1:5432"), Allowed, Some("connect tcp loopback:5432")),
            (connect("203.0.113.7:443"), Observed, Some("connect tcp 203.0.113.7:443")),
            (Act::Bind { to: Endpoint::UnixAbstract { name: "a b".into() } }, Allowed, Some("bind unix @a\\x20b")),
            (Act::Withhold { name: "TOKEN".into() }, Refused, None),
        ] {
            let expected: Vec<String> = expected.into_iter().map(|line| format!("quickfetch-sys build-script {line}")).collect();
            assert_eq!(told(act.clone(), status), expected, "{act:?}");
        }
    }

    /// Who asks for a ring and does without has done nothing, whatever the lock holds; who goes on to use one has.
    #[test]
    fn a_note_of_what_was_refused_is_nothing_new() {
        let ring = |call: &str, severity: crate::model::Severity| {
            let mut material = material();
            let asked = Act::Tamper { call: call.into(), detail: "".into() };
            material.breaches = vec![breach(BUILD, 400, asked, R::ProcTamper, severity)];
            let mut report = assemble(&material, &facts(), &Graph);
            apply(
                &mut report,
                (&Lock::read("brig-lock 1\nquickfetch-sys build-script 0.3.2 00 ran x -\n").unwrap(), &dirs()),
                true,
                &Graph,
            );
            let tally = crate::report::tally::tally(&report);
            (lines(&material), report.outcome.exit_code, tally.acts, report.findings.len())
        };
        assert_eq!(ring("io_uring_setup", crate::model::Severity::Info), (vec![], 0, 0, 1));
        let used = vec!["quickfetch-sys build-script tamper io_uring_enter".to_owned()];
        assert_eq!(ring("io_uring_enter", crate::model::Severity::High), (used, 100, 1, 2));
    }

    #[test]
    fn findings_are_new_or_known_and_what_is_new_is_one() {
        let mut material = stolen_env();
        material.behaviours = vec![did(BUILD, exec("/usr/bin/cc"), Status::Allowed, 3)];
        let applied = |lock: &str, held: bool, material: &Material| {
            let mut report = assemble(material, &facts(), &Graph);
            apply(&mut report, (&Lock::read(lock).unwrap(), &dirs()), held, &Graph);
            let found: Vec<_> =
                report.findings.iter().map(|finding| (finding.id.clone(), finding.rule, finding.baseline.clone())).collect();
            (found, report.outcome.exit_code, report)
        };
        let accepted = "brig-lock 1\nquickfetch-sys build-script 0.3.1 00 ran x -\nquickfetch-sys build-script does exec cc\n";
        let (found, exit, report) = applied(accepted, true, &material);
        let new = Some("new".to_owned());
        assert_eq!(found, [("F1".to_owned(), R::SecretRead, new.clone()), ("F2".to_owned(), R::BaselineNew, new.clone())]);
        assert_eq!(exit, 100);
        assert!(report.findings[1].advice[0].starts_with("0.3.1, which was accepted, did not do this"), "{:?}", report.findings[1].advice);
        let known = format!("{accepted}quickfetch-sys build-script does read {{workspace}}/.env\n");
        assert_eq!(applied(&known, true, &material).0, [("F1".to_owned(), R::SecretRead, Some("known".to_owned()))]);
        // Within the profile: the run ends by it only where it must hold.
        material.breaches.clear();
        material.behaviours.push(did(BUILD, exec("/usr/bin/ar"), Status::Allowed, 1));
        assert_eq!((applied(accepted, true, &material).1, applied(accepted, false, &material).1), (102, 0));
        // Of whom nothing was accepted, nothing is news.
        assert!(applied("brig-lock 1\n", true, &material).0.is_empty());
        material.behaviours.clear();
        assert_eq!(lines(&material), Vec::<String>::new());
    }
}
