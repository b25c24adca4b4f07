//! The exception that would let a finding's acts happen, for the one who did them and nobody else. In: who, the rule, the evidence. Out: what
//! `cargo brig allow` is to be told; nothing for tampering and what is critical, and where a name is not fit to be copied.

use std::collections::BTreeSet;

use crate::model::exception::Proposal;
use crate::model::{Act, Actor, ActorKind, Evidence, Finding, Reach, Rule, Severity};

use super::remedy;

/// `walled` is the kind of actor behind whose wall the member is.
pub fn of(
    rule: Rule,
    severity: Severity,
    (member, walled): (&Actor, ActorKind),
    evidence: &[Evidence],
    pids: &BTreeSet<u32>,
) -> Option<Proposal> {
    let package = member.package.as_ref().filter(|_| severity < Severity::Critical)?;
    let fit = |text: &str, more: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let named = fit(&package.name, "-_") && fit(&package.version, ".-+");
    let actor = match member.kind {
        // Part of its compiler, or of rustdoc.
        ActorKind::Linker | ActorKind::Rustc => walled,
        ActorKind::Tool => return None,
        _ if !named || member.crate_name.as_deref() == Some(Actor::CONFIGURATION) => return None,
        kind => kind,
    };
    let secret = rule == Rule::SecretRead;
    let (list, what) = if secret { ("read", secrets(evidence)?) } else { remedy::grants(rule, evidence, pids)? };
    let whom = format!("{}@{}", package.name, package.version);
    Some(Proposal { whom, actor, list: list.to_owned(), what: what.into_iter().collect(), secret })
}

/// What would let a finding's acts happen, in one line: an exception, else a line of `brig.toml`; of what is told with advice, that.
pub fn remedy(finding: &Finding, reach: &Reach) -> Option<String> {
    let line = || finding.allow.clone().or_else(|| finding.advice.last().cloned());
    finding.except.as_ref().map(|proposal| reach.only_writing(&proposal.words())).or_else(line)
}

/// Files, each by its own name.
fn secrets(evidence: &[Evidence]) -> Option<BTreeSet<String>> {
    let file = |evidence: &Evidence| match &evidence.act {
        Act::Read { path } => remedy::fit(path),
        _ => None,
    };
    let files = evidence.iter().map(file).collect::<Option<BTreeSet<_>>>()?;
    (!files.is_empty() && files.len() <= remedy::MOST).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;
    use crate::report::samples::{actor, package};

    fn command(rule: Rule, kind: ActorKind, name: &str, acts: &[Act]) -> Option<String> {
        let evidence: Vec<_> = acts.iter().map(|act| Evidence::of(act.clone(), 1)).collect();
        let member = actor(4, kind, Some(package(name, "0.3.2")), None, "/x");
        let walled = if kind == ActorKind::Linker { ActorKind::Rustc } else { kind };
        of(rule, Severity::High, (&member, walled), &evidence, &BTreeSet::from([4711])).map(|proposal| proposal.words())
    }

    #[test]
    fn the_exact_command() {
        let create = |path: &str| Act::Create { path: path.into() };
        let lookup = Act::Lookup { name: "cdn.example.org.".into(), via: Endpoint::Other { name: "nss".into() } };
        for (rule, kind, acts, expected) in [
            (Rule::NetDns, ActorKind::BuildScript, vec![lookup], "--build-script --connect 'cdn.example.org:443'"),
            (
                Rule::FsWriteOutside,
                ActorKind::Program,
                vec![create("{workspace}/b"), create("/tmp/run-4711")],
                "--program --write '/tmp/run-*' --write '{workspace}/b'",
            ),
            (
                Rule::SecretRead,
                ActorKind::ProcMacro,
                vec![Act::Read { path: "{workspace}/.env".into() }],
                "--proc-macro --read '{workspace}/.env'",
            ),
            (Rule::FsReadOutside, ActorKind::Linker, vec![Act::Read { path: "/srv/x".into() }], "--rustc --read '/srv/x'"),
        ] {
            let expected = format!("allow x-sys@0.3.2 {expected} --reason …");
            assert_eq!(command(rule, kind, "x-sys", &acts), Some(expected), "{rule:?}");
        }
    }

    #[test]
    fn none_where_none_would_do() {
        let create = |path: &str| Act::Create { path: path.into() };
        for (rule, kind, name, act) in [
            (Rule::ProcTamper, ActorKind::BuildScript, "x", Act::Tamper { call: "ptrace".into(), detail: "".into() }),
            (Rule::FsWriteOutside, ActorKind::Tool, "x", create("/srv/x")),
            (Rule::FsForeignArtifact, ActorKind::Program, "x", Act::Write { path: "{target}/debug/.cargo-lock".into() }),
            (Rule::FsWriteOutside, ActorKind::BuildScript, "x'; rm -rf /", create("/srv/x")),
            (Rule::FsWriteOutside, ActorKind::BuildScript, "x", create("/srv/x' --wide '")),
            (Rule::SecretRead, ActorKind::BuildScript, "x", Act::Rename { from: "{home}/.ssh/id".into(), to: "/x".into() }),
            (Rule::SecretRead, ActorKind::BuildScript, "x", Act::Read { path: "{home}/\u{202e}.env".into() }),
        ] {
            assert_eq!(command(rule, kind, name, std::slice::from_ref(&act)), None, "{act:?}");
        }
    }
}
