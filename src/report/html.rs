//! The report as one offline page: incidents, when what ran, what each crate did, processes, indexes by host, program and written path. In: a `&Report`.
//! Out: HTML with one script of ours and no other, without a reference to anything outside, and with every hostile text as escaped element content (never
//! inside a tag).

mod incidents;
mod matrix;
mod script;
mod sections;
mod timeline;
mod words;

use std::io::{self, Write};

use super::tally::{quiet, tally};
use super::wording::count;
use super::{escape, excepted};
use crate::model::report::{Report, VerdictWord};
use crate::model::{Mode, moment};
use words::{MEDIUM, ROWS, code, content};

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    // Even if an escape were wrong: nothing but our own script runs, nothing is fetched.
    let policy =
        format!("default-src 'none'; style-src 'unsafe-inline'; script-src {}; base-uri 'none'; form-action 'none'", script::source());
    writeln!(w, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
    writeln!(w, "<meta name=\"viewport\" content=\"width=device-width\"><title>Brig report</title>")?;
    writeln!(w, "<style>\n{}</style></head><body>", include_str!("html/style.css"))?;
    head(w, report)?;
    sections::rotate(w, report)?;
    let all = super::incidents::incidents(report);
    incidents::own(w, report, &all)?;
    incidents::standing(w, report, &all)?;
    timeline::timeline(w, report, &all)?;
    matrix::matrix(w, &super::crates::crates(report, &all))?;
    sections::crates(w, report)?;
    sections::processes(w, report)?;
    sections::indexes(w, report)?;
    sections::policy(w, report)?;
    script::script(w)?;
    writeln!(w, "</body></html>")
}

fn head(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (run, tally) = (&report.run, tally(report));
    let (class, verdict) = match report.outcome.verdict {
        _ if report.outcome.barred => ("violation", "stopped before code of these packages ran".to_owned()),
        VerdictWord::Unaccepted => ("violation", "something was done that nobody has accepted (brig.lock)".to_owned()),
        VerdictWord::Clean if super::wording::killed(report).is_some() => {
            let signal = super::wording::killed(report).unwrap_or_default();
            ("not-run", format!("what ran stayed inside the profile; {signal} ended the build before its end"))
        }
        VerdictWord::Clean if report.outcome.cargo_exit != Some(0) => {
            ("not-run", "what ran stayed inside the profile; cargo failed, and what comes after did not run".to_owned())
        }
        VerdictWord::Clean => ("clean", "everything that ran stayed inside the profile".to_owned()),
        VerdictWord::Observed if tally.acts == 0 => ("clean", "observed; the profile would have refused nothing".to_owned()),
        VerdictWord::Observed => ("observed", format!("observed; {} that enforce would refuse were let through", count(tally.acts, "act"))),
        VerdictWord::Violation => (
            "violation",
            format!("{} of {} broke the profile ({})", count(tally.acts, "act"), count(tally.crates, "crate"), tally.detail()),
        ),
        VerdictWord::TimedOut => ("incomplete", "the build took longer than it was given and was ended".to_owned()),
        VerdictWord::NotRun => ("not-run", "nothing ran, nothing is known".to_owned()),
        VerdictWord::Incomplete => ("incomplete", "the record is incomplete: this is not a clean result".to_owned()),
    };
    let command: Vec<_> = run.command.iter().map(escape::plain).collect();
    writeln!(w, "<h1>Brig <small>{}</small></h1>", code(&command.join(" ")))?;
    writeln!(w, "<p class=\"verdict {class}\">{verdict}</p>\n<dl>")?;
    let mut row = |key: &str, value: String| writeln!(w, "<dt>{key}</dt><dd>{value}</dd>");
    let mode = match run.mode {
        Mode::Enforce => "enforce",
        Mode::Observe => "observe",
        Mode::Decoy => "decoy",
    };
    let took = format!("{}.{} s", run.duration_ms / 1000, run.duration_ms % 1000 / 100);
    row("run", format!("{}, {took}, mode {mode}", moment::text(run.started)))?;
    if let Some(job) = &run.job {
        row("job", (MEDIUM.text)(job))?;
    }
    let profile: Vec<_> = run.profile.iter().map(|name| (MEDIUM.name)(name)).collect();
    row("policy in force", format!("{}, digest {}", profile.join(" ← "), (MEDIUM.name)(&run.policy_digest)))?;
    let walls = &report.enforcement;
    let tested = if walls.probed { "tested before the build" } else { "not tested before the build" };
    row("walls", format!("Landlock {}, {}, {tested}", walls.landlock_abi, content(&escape::ours(&walls.sockets))))?;
    row("cargo's network", super::wording::phases(&run.phases).into())?;
    for weak in &walls.degraded {
        // What the gate holds by itself is no news on any kernel of today.
        row(
            if weak.covered { "one wall instead of two" } else { "degraded" },
            format!("{}: {}", content(&escape::ours(&weak.what)), content(&escape::ours(&weak.means))),
        )?;
    }
    for floor in &walls.floors {
        row("floor", (MEDIUM.text)(floor))?;
    }
    if let Some(loosened) = &walls.loosened {
        let grants: Vec<_> = loosened.grants.iter().map(|grant| (MEDIUM.name)(grant)).collect();
        let (file, than) = ((MEDIUM.text)(&loosened.file), (MEDIUM.name)(&loosened.than));
        row("loosened", format!("{file} grants more than profile {than}: {}", grants.join(", ")))?;
    }
    for used in report.reviewed.iter().take(ROWS) {
        row("reviewed allow", MEDIUM.reviewed(used, |text| content(&escape::ours(text))))?;
    }
    if report.reviewed.len() > ROWS {
        row("reviewed allow", format!("and {} more in the JSON report", report.reviewed.len() - ROWS))?;
    }
    for about in report.exceptions.iter().take(ROWS) {
        row("exception", excepted::line(about, MEDIUM, |text| content(&escape::ours(text))))?;
    }
    for note in excepted::notes(report).iter().take(ROWS) {
        row(note.rule.id(), note.text(MEDIUM))?;
    }
    let cover = &report.coverage;
    row("ran", cover.ran.iter().map(|(kind, n)| format!("{n} {}", content(&escape::name(kind)))).collect::<Vec<_>>().join(", "))?;
    if let Some(fresh) = cover.fresh {
        row("fresh, did not run", fresh.to_string())?;
    }
    if let Some(left) = cover.not_reached.filter(|left| *left > 0) {
        row("not reached", left.to_string())?;
    }
    let quiet = quiet(report);
    if quiet > 0 {
        row("refused without alarm", quiet.to_string())?;
    }
    row("events", format!("{}, {} lost", cover.events, cover.lost))?;
    for hole in &cover.holes {
        row("lost", content(&escape::ours(hole)))?;
    }
    row("exit code", report.outcome.exit_code.to_string())?;
    row("cargo's exit code", report.outcome.cargo_exit.map_or_else(|| "not known".to_owned(), |code| code.to_string()))?;
    row("host", content(&escape::ours(&format!("Linux {} {}", report.host.kernel, report.host.arch))))?;
    writeln!(w, "</dl>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, Rule, Severity, Status};
    use crate::report::assemble;
    use crate::report::samples::*;

    fn page(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_page() {
        let mut material = stolen_env();
        material.behaviours = vec![did(BUILD, Act::Create { path: "/home/u/app/target/x".into() }, Status::Allowed, 2)];
        material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
        material.reviewed = reviewed("m-macros");
        material.breaches[0].0.at_ms = 640;
        let page = page(&assemble(&material, &facts(), &Graph));
        for part in [
            "<dd><code>m-macros</code> 0.9.1 (proc-macro): write <code>{out-of:m-compiler}/made</code>, 2 times; a generator (<code>profiles",
            "<p class=\"verdict violation\">2 acts of 1 crate broke the profile (1 critical, 1 high)</p>",
            "<article class=\"critical\" id=\"i1\"><h3><a href=\"#i1\">I1</a> secret/then-network",
            "build script of <code>quickfetch-sys</code> 0.3.2 was after a secret and the network — refused",
            "<dt>0.6 s</dt><dd>tried to read <code>{workspace}/.env</code> (×1, F2): <code>build-script-build</code> → ",
            "<dt>now</dt><dd>read the source of <code>quickfetch-sys</code> 0.3.2 before you build it again, and report it</dd>",
            "<summary>About secret/read</summary>\n<p>Code of a crate opened a file that holds credentials.</p>",
            "<td><a href=\"#c0\"><code>quickfetch-sys 0.3.2</code></a></td><td class=\"refused\">1</td><td></td>",
            "<details id=\"c0\"><summary><code>quickfetch-sys 0.3.2</code>: build-script</summary>",
            "<dt>network</dt><dd><code>tcp 203.0.113.7:443</code> (×1), refused</dd>",
            "<code>sh</code>",
            "<td><code>203.0.113.7:443</code> (tcp)</td>",
            "<td><code>{target}/x</code></td>",
        ] {
            assert!(page.contains(part), "no {part} in\n{page}");
        }
        assert!(page.ends_with("</body></html>\n"));
    }

    /// A browser runs what the policy names, and that is what stands between the tags.
    #[test]
    fn the_script_is_the_one_that_may_run() {
        let page = page(&assemble(&material(), &facts(), &Graph));
        let between = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
        let hash = page.split("'sha256-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
        let digits = crate::model::sha256::hex(between.as_bytes());
        // The first three bytes are the first four signs.
        let signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits = hash.bytes().take(4).fold(0, |bits, sign| bits << 6 | signs.bytes().position(|one| one == sign).unwrap());
        assert_eq!((hash.len(), format!("{bits:06x}")), (44, digits[..6].to_owned()));
        assert!(page.contains("; script-src 'sha256-") && !page.contains("unsafe-eval"));
    }

    #[test]
    fn the_most_unusual_comes_first_and_every_link_leads_somewhere() {
        let mut material = stolen_env();
        let mut honest = actor(5, crate::model::ActorKind::BuildScript, Some(package("honest", "1.0.0")), Some("build_script_build"), "/x");
        honest.withheld = vec!["API_TOKEN".into()];
        let mut busy = honest.clone();
        (busy.id, busy.package) = (crate::model::ActorId(6), Some(package("busy", "1.0.0")));
        material.actors.extend([honest, busy]);
        material.behaviours = vec![did(6, connect("127.0.0.1:80"), Status::Allowed, 1)];
        let page = page(&assemble(&material, &facts(), &Graph));
        let at = |name: &str| page.find(&format!("<code>{name} ")).unwrap_or_else(|| panic!("no {name} in\n{page}"));
        assert!(at("quickfetch-sys") < at("busy") && at("busy") < at("honest"));
        for (start, _) in page.match_indices("href=\"#") {
            let anchor = page[start + 7..].split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{anchor}\"")), "nothing is called {anchor}");
        }
    }

    #[test]
    fn hostile_text_makes_no_tags() {
        let attack = "</code><script>alert(1)</script>\"' onload=x &lt; \u{202e}";
        let mut material = stolen_env();
        material.actors[1].package = Some(package(attack, attack));
        material.actors[2].package = None;
        material.actors[2].crate_name = Some(attack.into());
        for act in [read(attack), Act::Lookup { name: attack.into(), via: crate::model::Endpoint::Other { name: attack.into() } }] {
            material.breaches.push(breach(BUILD, 402, act, Rule::SecretRead, Severity::High));
        }
        material.behaviours = vec![
            did(BUILD, Act::Create { path: attack.into() }, Status::Allowed, 2),
            did(BUILD, Act::Exec { path: attack.into(), argv: vec![attack.into()] }, Status::Allowed, 2),
        ];
        material.processes[1] = process(BUILD, 401, 400, attack, &[attack, "-c", attack]);
        material.lost = vec![attack.into()];
        material.reviewed = reviewed(attack);
        material.reviewed[0].0.reason = attack.into();
        let mut facts = facts();
        facts.run.command.push(attack.into());
        facts.run.profile = vec![attack.into()];
        facts.run.policy_digest = attack.into();
        let page = page(&assemble(&material, &facts, &Graph));
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(!page.contains("alert(1)</script>") && !page.contains("' onload") && !page.contains('\u{202e}'), "{page}");
        let opened = |tag: &str| page.matches(&format!("<{tag}>")).count();
        assert_eq!(opened("code"), opened("/code"));
    }
}
