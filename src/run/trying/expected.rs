//! What a trial brings about itself, or what honest crates do in one: no incident, and told all the same. In: findings of all stages. Out: those that are
//! incidents; the verdict that is left.

use crate::model::drawn::is_drawn;
use crate::model::report::{Report, VerdictWord};
use crate::model::{Act, ActorKind, Evidence, Finding, Rule, Severity, Status};
use crate::report::parties::is_network;

/// What the harness hands over where a text or a path is asked for: whoever makes a file of it did as was said.
const WORDS: [&str; 4] = ["1", "example", "2026-", ".tmp"];

/// `name`: of the suspect.
pub fn settle(all: &mut Report, name: &str) {
    let sources = format!("{{home}}/work/{name}/");
    let kind = |finding: &Finding| all.actors.iter().find(|actor| actor.id == finding.actor).map(|actor| actor.kind);
    let kinds: Vec<_> = all.findings.iter().map(kind).collect();
    let mut kinds = kinds.into_iter();
    all.findings.retain(|finding| {
        let Some(kind) = kinds.next().flatten() else { return true };
        let each = |is: &dyn Fn(&Act) -> bool| {
            let fits = |one: &Evidence| finding.status_of(one) == Status::Decoy && is(&one.act);
            finding.truncated == 0 && !finding.evidence.is_empty() && finding.evidence.iter().all(fits)
        };
        let expected = match (finding.rule, kind) {
            // A compiler shows where what a call does not find was left out.
            (Rule::FsReadOutside, ActorKind::Rustc | ActorKind::Rustdoc) => each(&|act| is_read_below(act, &sources)),
            (Rule::FsWriteSource | Rule::FsWriteOutside, ActorKind::Program) => each(&is_as_told),
            // Tests and examples of honest crates talk to hosts. Whoever was after a secret before has a finding of its own, and all that was sent is told.
            (rule, ActorKind::Program) => is_network(rule) && each(&|_| true),
            _ => false,
        };
        !expected
    });
    if all.outcome.verdict == VerdictWord::Violation && !all.findings.iter().any(|finding| finding.severity > Severity::Info) {
        all.outcome.verdict = VerdictWord::Clean;
    }
}

fn is_read_below(act: &Act, sources: &str) -> bool {
    matches!(act, Act::Read { .. }) && act.path().is_some_and(|path| path.as_bytes().starts_with(sources.as_bytes()))
}

/// A file of a made-up name in the very directory that the harness runs in.
fn is_as_told(act: &Act) -> bool {
    let own = |path: &[u8]| {
        let name = path.strip_prefix(b"{workspace}/");
        // With nothing before it, what is drawn is all of the name; a word is none.
        let is_word = |name: &[u8]| {
            !name[1..].iter().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) || name.iter().all(u8::is_ascii_uppercase)
        };
        let made_up = |name: &[u8]| is_drawn(name) && !is_word(name) || WORDS.iter().any(|word| name.starts_with(word.as_bytes()));
        name.is_some_and(|name| !name.contains(&b'/') && made_up(name))
    };
    match act {
        Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Symlink { path, .. } | Act::Metadata { path, .. } => {
            own(path.as_bytes())
        }
        Act::Rename { from, to } | Act::Link { from, to } => own(from.as_bytes()) && own(to.as_bytes()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;
    use crate::report::assemble::assemble;
    use crate::report::material::Material;
    use crate::report::samples::{Graph, actor, breach, facts, package};

    /// Of one act among decoys by a program of this kind: is a finding left?
    fn is_left(kind: ActorKind, act: Act, rule: Rule, status: Status) -> bool {
        let (mut event, count) = breach(1, 100, act, rule, Severity::High);
        event.status = status;
        let material = Material {
            actors: vec![actor(1, kind, Some(package("x", "1.0.0")), None, "/x")],
            breaches: vec![(event, count)],
            ..Material::default()
        };
        let mut report = assemble(&material, &facts(), &Graph);
        settle(&mut report, "x");
        assert_eq!(report.outcome.verdict == VerdictWord::Clean, report.findings.is_empty(), "{:?}", report.findings);
        !report.findings.is_empty()
    }

    #[test]
    fn what_was_asked_for_is_no_incident_and_all_else_is() {
        let read = |path: &str| Act::Read { path: path.into() };
        let create = |path: &str| Act::Create { path: path.into() };
        let connect = Act::Connect { to: Endpoint::Ip { protocol: "tcp".into(), address: "203.0.113.7:443".parse().unwrap(), host: None } };
        use ActorKind::{BuildScript, Program, Rustc};
        use Rule::{FsReadOutside, FsWriteSource, NetConnect, SecretRead};
        for (kind, act, rule, left) in [
            (Rustc, read("/home/u/work/x/src/lib.rs"), FsReadOutside, false),
            (Rustc, read("/home/u/work/xy/src/lib.rs"), FsReadOutside, true),
            (Rustc, read("/home/u/notes.txt"), FsReadOutside, true),
            (BuildScript, read("/home/u/work/x/src/lib.rs"), FsReadOutside, true),
            (Program, create("/home/u/app/example"), FsWriteSource, false),
            (Program, create("/home/u/app/.tmpAb12Cd"), FsWriteSource, false),
            (Program, create("/home/u/app/8cMqLm"), FsWriteSource, false),
            (Program, create("/home/u/app/build.rs"), FsWriteSource, true),
            (Program, create("/home/u/app/README"), FsWriteSource, true),
            (Program, create("/home/u/app/script"), FsWriteSource, true),
            (Program, create("/home/u/app/example/build.rs"), FsWriteSource, true),
            (Program, create("/home/u/example"), FsWriteSource, true),
            (BuildScript, create("/home/u/app/example"), FsWriteSource, true),
            (Program, connect.clone(), NetConnect, false),
            (BuildScript, connect.clone(), NetConnect, true),
            (Program, read("/home/u/app/.env"), SecretRead, true),
        ] {
            assert_eq!(is_left(kind, act.clone(), rule, Status::Decoy), left, "{kind:?} {act:?}");
            assert!(is_left(kind, act.clone(), rule, Status::Refused), "refused: {kind:?} {act:?}");
        }
    }
}
