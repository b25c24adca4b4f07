//! What a trial brings about itself, or what honest crates do in one: no incident, and told all the same. In: findings of all stages. Out: those that are
//! incidents; the verdict that is left.

use std::path::Path;

use super::left::Look;
use super::reached::Reached;
use super::suspect::Suspect;
use crate::model::drawn::is_drawn;
use crate::model::report::{Report, VerdictWord};
use crate::model::{Act, ActorKind, Blame, Candidate, Evidence, Exit, Finding, Package, Rule, Sent, Severity, Status};
use crate::report::parties::is_network;
use crate::suspect::decoys::PROJECT;

/// The program that makes calls, as symbols have it.
const CALLS: &str = "calls";

/// What the harness hands over where a text or a path is asked for: whoever makes a file of it did as was said.
const WORDS: [&str; 4] = ["1", "example", "2026-", ".tmp"];

/// Calls that ask for a view of one's own, or for the machine's name and time: refused to whoever makes them, for whatever. All else that is refused reaches
/// into other processes or into the kernel, or cannot be told at all.
const OF_NOBODY_ELSE: [&str; 22] = [
    "chroot",
    "fchroot",
    "pivot_root",
    "mount",
    "umount2",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "move_mount",
    "open_tree",
    "open_tree_attr",
    "mount_setattr",
    "unshare",
    "clone",
    "prctl",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "fanotify_init",
    "setsockopt",
];

/// What is known of the trial besides.
pub struct Known<'a> {
    pub suspect: &'a Suspect,
    /// What lay there before anything ran.
    pub before: &'a Look,
    pub reached: Option<&'a Reached>,
    pub sent: &'a [Sent],
}

pub fn settle(all: &mut Report, known: &Known) {
    let sources = format!("{{home}}/work/{}/", known.suspect.name);
    let is_own = |finding: &Finding| {
        let actor = all.actors.iter().find(|actor| actor.id == finding.actor);
        actor.and_then(|actor| actor.package.as_ref()).is_some_and(|package| package.name == known.suspect.name)
    };
    let own: Vec<bool> = all.findings.iter().map(is_own).collect();
    let mut own = own.into_iter();
    let kind = |finding: &Finding| all.actors.iter().find(|actor| actor.id == finding.actor).map(|actor| actor.kind);
    let kinds: Vec<_> = all.findings.iter().map(kind).collect();
    let mut kinds = kinds.into_iter();
    all.findings.retain(|finding| {
        let is_own = own.next().unwrap_or(false);
        let Some(kind) = kinds.next().flatten() else { return true };
        let each = |is: &dyn Fn(&Act) -> bool| {
            let fits = |one: &Evidence| finding.status_of(one) == Status::Decoy && is(&one.act);
            finding.truncated == 0 && !finding.evidence.is_empty() && finding.evidence.iter().all(fits)
        };
        let expected = match (finding.rule, kind) {
            // A compiler shows where what a call does not find was left out.
            (Rule::FsReadOutside, ActorKind::Rustc | ActorKind::Rustdoc) => each(&|act| is_read_below(act, &sources)),
            (Rule::FsWriteSource | Rule::FsWriteOutside, ActorKind::Program) => each(&|act| is_as_told(act) || is_own && known.is_new(act)),
            // Tests and examples of honest crates talk to hosts, and all that was sent is told. Where a decoy was in it, or what is asked for is worse than a
            // host (the service that hands out a machine's credentials), that is an incident.
            (rule, ActorKind::Program) => {
                let stole = known.sent.iter().any(|message| message.proven && message.actor == finding.actor);
                is_network(rule) && finding.severity < Severity::Critical && !stole && each(&|_| true)
            }
            _ => false,
        };
        !expected
    });
    for finding in &mut all.findings {
        let is_program = all.actors.iter().any(|actor| actor.id == finding.actor && actor.kind == ActorKind::Program);
        let is_ours = |package: &Package| package.name == PROJECT;
        let is_harness = all.actors.iter().any(|actor| actor.id == finding.actor && actor.package.as_ref().is_some_and(is_ours));
        if finding.rule == Rule::ProcTamper && is_program && is_harness && known.is_what_was_called(finding) {
            finding.severity = Severity::Info;
        }
    }
    without_alarm(all);
}

/// What is said where no finding is an incident any more.
pub fn without_alarm(all: &mut Report) {
    if all.outcome.verdict == VerdictWord::Violation && !all.findings.iter().any(|finding| finding.severity > Severity::Info) {
        let (verdict, exit) =
            if all.coverage.complete { (VerdictWord::Clean, Exit::Success) } else { (VerdictWord::Incomplete, Exit::Incomplete) };
        (all.outcome.verdict, all.outcome.exit_code) = (verdict, exit.code());
    }
}

impl Known<'_> {
    /// Was a function refused what it is for, and we called it? Crates that wrap the kernel's calls make them when they are told to. Each stack that was seen holds
    /// them and us alone, and begins in one of our calls; and what is no matter of its own alone is what the function is named for that this one calls.
    fn is_what_was_called(&self, finding: &Finding) -> bool {
        let fits = |one: &Evidence| {
            finding.status_of(one) == Status::Refused
                && !one.stacks.is_empty()
                && one.stacks.iter().all(|stack| self.is_called_for(&one.act, stack))
        };
        finding.truncated == 0 && finding.evidence.iter().all(fits)
    }

    fn is_called_for(&self, act: &Act, stack: &Blame) -> bool {
        let [theirs, ours] = &stack.crates[..] else { return false };
        // Its own tests may be called so, too: whoever calls is in the workspace that was made for the trial.
        let are_whose = theirs.name == self.suspect.name.replace('-', "_") && ours.name == CALLS;
        let Some(function) = self.called_by(ours).filter(|_| are_whose && stack.is_whole()) else { return false };
        let words = |word: &str| function.split('_').any(|part| part == word);
        match act {
            Act::Tamper { call, .. } => OF_NOBODY_ELSE.contains(&&**call) || function == call,
            Act::Signal { .. } => words("kill") || words("killpg") || words("signal"),
            _ => false,
        }
    }

    /// The last word of what is called in the function that such a frame is of: `calls::c8`, in which our call stands.
    fn called_by(&self, ours: &Candidate) -> Option<&str> {
        let function = std::str::from_utf8(ours.function.as_ref()?.as_bytes()).ok()?;
        let number = function.strip_prefix("calls::c")?.split("::").next()?;
        let name = self.reached?.numbered.get(number.parse::<usize>().ok()?)?;
        name.rsplit("::").next()
    }

    /// Is it about a file that nobody brought, below a directory that nobody brought either, in its own workspace, and none that a tool heeds because of where it
    /// lies or what it is called? So tests make trees of their own, and change nothing that was there.
    fn is_new(&self, act: &Act) -> bool {
        let new = |path: &[u8]| {
            // What was not seen before may have been there.
            if self.before.unseen > 0 {
                return false;
            }
            let rest = path.strip_prefix(b"{workspace}/").and_then(|rest| std::str::from_utf8(rest).ok());
            let Some(rest) = rest.map(Path::new) else { return false };
            let at = self.suspect.root.join(rest);
            let above = at.ancestors().skip(1).take_while(|dir| *dir != self.suspect.root);
            let is_plain = rest
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".")));
            let heeded = rest.extension().is_some_and(|end| end == "rs" || end == "toml");
            is_plain && !heeded && above.into_iter().any(|dir| !self.before.holds(dir))
        };
        let stays = |target: &[u8]| {
            let target = Path::new(std::str::from_utf8(target).unwrap_or("/"));
            target.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir))
        };
        match act {
            Act::Symlink { path, target } => new(path.as_bytes()) && stays(target.as_bytes()),
            Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Metadata { path, .. } => new(path.as_bytes()),
            Act::Rename { from, to } | Act::Link { from, to } => new(from.as_bytes()) && new(to.as_bytes()),
            _ => false,
        }
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
    use crate::model::{ActorId, Endpoint, Mode};
    use crate::report::assemble::assemble;
    use crate::report::material::Material;
    use crate::report::samples::{Graph, actor, breach, facts, package};

    fn suspect() -> Suspect {
        let (dir, root) = ("/w/x".into(), "/w/x".into());
        Suspect { name: "x".to_owned(), version: "1.0.0".to_owned(), checksum: None, from: String::new(), dir, root }
    }

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
        settle(&mut report, &Known { suspect: &suspect(), before: &Look::default(), reached: None, sent: &[] });
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

    /// Tests may talk to hosts, and no decoy may be in what they say.
    #[test]
    fn what_is_proven_to_be_stolen_is_an_incident() {
        let connect =
            || Act::Connect { to: Endpoint::Ip { protocol: "tcp".into(), address: "203.0.113.7:443".parse().unwrap(), host: None } };
        let message = |proven: bool, by: u32| Sent {
            actor: ActorId(by),
            by: None,
            to: "h.example:443".into(),
            how: "http".into(),
            what: "POST /".into(),
            bytes: 9,
            proven,
            carried: Vec::new(),
            names: None,
        };
        for (proven, by, severity, left) in [
            (false, 1, Severity::High, false),
            (true, 1, Severity::High, true),
            (true, 2, Severity::High, false),
            (false, 1, Severity::Critical, true),
        ] {
            let (mut event, count) = breach(1, 100, connect(), Rule::NetConnect, severity);
            event.status = Status::Decoy;
            let actors = vec![actor(1, ActorKind::Program, Some(package("x", "1.0.0")), None, "/x")];
            let mut report = assemble(&Material { actors, breaches: vec![(event, count)], ..Material::default() }, &facts(), &Graph);
            let sent = [message(proven, by)];
            settle(&mut report, &Known { suspect: &suspect(), before: &Look::default(), reached: None, sent: &sent });
            assert_eq!(report.outcome.verdict == VerdictWord::Violation, left, "{proven} {by} {severity:?}");
        }
    }

    #[test]
    fn a_record_with_holes_is_not_clean_for_want_of_incidents() {
        for (complete, verdict) in [(true, VerdictWord::Clean), (false, VerdictWord::Incomplete)] {
            let (mut event, count) =
                breach(1, 100, Act::Create { path: "/home/u/app/example".into() }, Rule::FsWriteSource, Severity::High);
            event.status = Status::Decoy;
            let actors = vec![actor(1, ActorKind::Program, Some(package("x", "1.0.0")), None, "/x")];
            let mut report = assemble(&Material { actors, breaches: vec![(event, count)], ..Material::default() }, &facts(), &Graph);
            report.coverage.complete = complete;
            settle(&mut report, &Known { suspect: &suspect(), before: &Look::default(), reached: None, sent: &[] });
            assert_eq!((report.findings.len(), report.outcome.verdict), (0, verdict));
        }
    }

    #[test]
    fn a_tree_of_its_own_is_no_change_to_sources() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().to_owned();
        for file in ["src/lib.rs", "tests/data/there.txt"] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "").unwrap();
        }
        let before = Look::at(std::slice::from_ref(&root), &[]);
        let suspect = Suspect { dir: root.clone(), root: root.clone(), ..suspect() };
        let known = Known { suspect: &suspect, before: &before, reached: None, sent: &[] };
        let path = |path: &str| format!("{{workspace}}/{path}").as_str().into();
        let link = |target: &str| Act::Symlink { path: path("tests/temp/link"), target: target.into() };
        let create = |file: &str| Act::Create { path: path(file) };
        for (act, new) in [
            (create("tests/temp/deep/file.txt"), true),
            (link("file.txt"), true),
            (Act::Rename { from: path("tests/temp/a"), to: path("tests/temp/b") }, true),
            (Act::Rename { from: path("src/lib.rs"), to: path("tests/temp/b") }, false),
            (link("../../src/lib.rs"), false),
            (link("/etc/passwd"), false),
            (create("tests/data/new.txt"), false),
            (create("new.txt"), false),
            (create("tests/temp/main.rs"), false),
            (create("new/Cargo.toml"), false),
            (create(".cargo/config"), false),
            (create("new/.git/hooks/post-commit"), false),
            (create("new/../src/x"), false),
            (Act::Create { path: "{home}/work/y/new/file".into() }, false),
            (Act::Read { path: path("tests/temp/file") }, false),
        ] {
            assert_eq!(known.is_new(&act), new, "{act:?}");
        }
    }

    #[test]
    fn a_function_does_what_it_was_called_for() {
        let tamper = |call: &str| Act::Tamper { call: call.to_owned(), detail: "".into() };
        let signal = Act::Signal { signal: "KILL".to_owned(), to: "init".into() };
        let candidate =
            |name: &str, function: &str| Candidate { name: name.into(), function: Some(function.into()), object: None, package: None };
        let through = [candidate("x", "x::asm::syscall5"), candidate("calls", "calls::c8")];
        let by_another = [candidate("nix", "nix::chroot"), candidate("x", "x::begin"), candidate("calls", "calls::c8")];
        let in_tests = [candidate("x", "x::chroot"), candidate("tests", "tests::t")];
        let inside = [candidate("x", "x::f"), candidate("calls", "calls::c8::{{closure}}")];
        let elsewhere = [candidate("x", "x::f"), candidate("calls", "calls::c9")];
        let by_ours = [candidate("x", "x::f"), candidate("calls", "<calls::Up<T> as calls::Future_>::up")];
        for (act, stacks, status, called, left) in [
            (tamper("chroot"), &[&through[..]][..], Status::Refused, "x::fs::chroot", false),
            (tamper("prctl"), &[&through], Status::Refused, "x::process::set_map", false),
            (tamper("prctl"), &[&through], Status::Observed, "x::process::set_map", true),
            (tamper("ptrace"), &[&through], Status::Refused, "x::sys::ptrace", false),
            (tamper("ptrace"), &[&inside], Status::Refused, "x::sys::ptrace", false),
            // What its path is called besides is no name of what it does.
            (tamper("ptrace"), &[&through], Status::Refused, "x::sys::ptrace::attach", true),
            (tamper("ptrace"), &[&through], Status::Refused, "x::begin", true),
            (tamper("setns"), &[&through], Status::Refused, "x::begin", true),
            (tamper("foreign ABI"), &[&through], Status::Refused, "x::begin", true),
            (signal.clone(), &[&through], Status::Refused, "x::kill_process", false),
            (signal.clone(), &[&through], Status::Refused, "x::skills", true),
            (signal, &[&through], Status::Refused, "x::begin", true),
            (tamper("chroot"), &[&by_another], Status::Refused, "x::fs::chroot", true),
            (tamper("chroot"), &[&in_tests], Status::Refused, "x::fs::chroot", true),
            // Another call than the one of that name, none at all, or one way among others.
            (tamper("ptrace"), &[&elsewhere], Status::Refused, "x::sys::ptrace", true),
            (tamper("ptrace"), &[&by_ours], Status::Refused, "x::sys::ptrace", true),
            (tamper("ptrace"), &[&through, &elsewhere], Status::Refused, "x::sys::ptrace", true),
            (tamper("chroot"), &[&through, &by_another], Status::Refused, "x::fs::chroot", true),
            (Act::Read { path: "/proc/1/mem".into() }, &[&through], Status::Refused, "x::read", true),
        ] {
            let numbered = (0..9).map(|at| if at == 8 { called.to_owned() } else { "x::other".to_owned() }).chain(["x::nine".to_owned()]);
            let reached = Reached { numbered: numbered.collect(), ..Reached::default() };
            let one = |crates: &&[Candidate]| {
                let (mut event, count) = breach(1, 100, act.clone(), Rule::ProcTamper, Severity::Medium);
                (event.status, event.blame) = (status, Some(Blame { crates: crates.to_vec(), by: "stack".into(), caveat: None }));
                (event, count)
            };
            let actor = actor(1, ActorKind::Program, Some(package("tidemark", "0.4.1")), Some("calls"), "/x");
            let material = Material { actors: vec![actor], breaches: stacks.iter().map(one).collect(), ..Material::default() };
            let mut facts = facts();
            facts.run.mode = Mode::Decoy;
            let mut report = assemble(&material, &facts, &Graph);
            settle(&mut report, &Known { suspect: &suspect(), before: &Look::default(), reached: Some(&reached), sent: &[] });
            let is_left = report.findings.iter().any(|finding| finding.severity > Severity::Info);
            assert_eq!(is_left, left, "{act:?} {stacks:?}");
            assert_eq!(report.outcome.verdict == VerdictWord::Clean, !left);
        }
    }
}
