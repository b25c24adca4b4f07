//! What breaks a rule, as it happens: one line, before it is known what else belongs to it. In: an event, its actor. Out: what was done, in whose program, and
//! who is on the stack; whom that accuses, the report says.

use std::io::{self, Write};

use super::style::{MEDIUM, RED, Style, YELLOW};
use crate::model::{Actor, Event, Status};
use crate::report::escape;
use crate::report::normalise::Places;

/// Names of a stack.
const LISTED: usize = 3;

/// One alarm. Nothing is written for an event that is none.
pub fn alarm(w: &mut dyn Write, event: &Event, actor: Option<&Actor>, style: Style) -> io::Result<()> {
    let Some(breach) = &event.breach else { return Ok(()) };
    let program = match actor {
        Some(Actor { kind, package: Some(package), .. }) => format!("{} of {}", kind.name().replace('-', " "), MEDIUM.package(package)),
        Some(Actor { kind, .. }) => kind.name().replace('-', " "),
        None => "a program".to_owned(),
    };
    let stack: Vec<String> =
        event.blame.iter().flat_map(|blame| &blame.crates).map(|one| format!("`{}`", escape::name(&one.name))).collect();
    let stack = match stack.len() {
        0 => String::new(),
        n if n > LISTED => format!(" (on its stack: {} and {} more)", stack[..LISTED].join(", "), n - LISTED),
        _ => format!(" (on its stack: {})", stack.join(", ")),
    };
    // Redacted, as in the report; places have their own names there.
    let act = Places::default().act(&event.act);
    let (verb, colour) = if event.status == Status::Refused { ("Refused", RED) } else { ("Happened", YELLOW) };
    style.status(w, colour, verb, &format!("{program}{stack} {} [{}]", MEDIUM.deed(&act, event.status), breach.rule.id()))
}

/// Said once.
pub fn no_more_alarms(w: &mut dyn Write, style: Style) -> io::Result<()> {
    style.status(w, YELLOW, "More", "of it, which the report tells")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, ActorId, ActorKind, Blame, Breach, Hostile, Rule, Severity};
    use crate::report::samples::{actor, package};

    fn told(event: &Event, actor: Option<&Actor>) -> String {
        let mut out = Vec::new();
        alarm(&mut out, event, actor, Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_whatever_names_are_made_of() {
        let candidate = |name: &str| crate::model::Candidate { name: name.to_owned(), function: None, object: None, package: None };
        let mut event = Event {
            actor: ActorId(1),
            pid: 7,
            act: Act::Exec {
                path: "/usr/bin/curl".into(),
                argv: ["curl", "-H", "Authorization: Bearer abc", "\x1b[2J\n"].map(Hostile::from).to_vec(),
            },
            status: Status::Refused,
            breach: Some(Breach { rule: Rule::ExecDownloader, severity: Severity::High, reason: String::new() }),
            blame: Some(Blame { crates: ["a", "b", "c", "d"].map(candidate).to_vec(), ..Blame::default() }),
            at_ms: 0,
        };
        let actor = actor(1, ActorKind::BuildScript, Some(package("app", "0.1.0")), None, "/x");
        let line = told(&event, Some(&actor));
        assert!(
            line.starts_with("     Refused build script of `app` 0.1.0 (on its stack: `a`, `b`, `c` and 1 more) tried to run "),
            "{line}"
        );
        assert!(line.ends_with("[exec/downloader]\n") && line.matches('\n').count() == 1, "{line}");
        assert!(!line.contains("abc") && !line.contains('\x1b'), "{line}");
        (event.status, event.blame) = (Status::Observed, None);
        assert!(told(&event, None).starts_with("    Happened a program ran "), "{}", told(&event, None));
        event.breach = None;
        assert_eq!(told(&event, None), "");
    }
}
