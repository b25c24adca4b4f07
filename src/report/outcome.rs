//! How a run ends: one word and one exit code. Pure, so that the precedence is a table.

use crate::model::{Exit, Mode, report::VerdictWord};

/// Why a build was kept from beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    /// There is code that nobody has accepted.
    Unaccepted,
    /// There is a package that must not be there.
    Violation,
}

/// What the end depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    pub mode: Mode,
    /// What kept the build from beginning, or from going on: the gravest.
    pub barred: Option<Bar>,
    /// At least one finding above `info`.
    pub violation: bool,
    /// Nothing was lost on the way.
    pub complete: bool,
    /// Code of the build itself ran (not only the compiler's own `-vV`).
    pub ran: bool,
    /// Cargo's exit code, 128+signal when it was killed; `None` when it was never learned.
    pub cargo: Option<i32>,
    /// It was ended because its time was over.
    pub timed_out: bool,
}

/// The verdict and the exit code. A violation outranks holes in the record, both outrank the time-out, and that
/// cargo's own code; observe mode refuses
/// nothing, so it cannot fail a build, but holes are never passed over.
pub fn decide(ending: Ending) -> (VerdictWord, Exit) {
    let cargo = match ending.cargo {
        Some(0) => Exit::Success,
        // Cargo's codes fit; anything else is still a failure.
        Some(code) => Exit::Cargo(u8::try_from(code).unwrap_or(u8::MAX)),
        None => Exit::Incomplete,
    };
    match ending.mode {
        // In every mode: nothing was to run.
        _ if ending.barred == Some(Bar::Violation) => (VerdictWord::Violation, Exit::Violation),
        Mode::Enforce | Mode::Decoy if ending.violation => (VerdictWord::Violation, Exit::Violation),
        _ if ending.barred == Some(Bar::Unaccepted) => (VerdictWord::Unaccepted, Exit::NewBehaviour),
        _ if !ending.complete || ending.cargo.is_none() => (VerdictWord::Incomplete, Exit::Incomplete),
        _ if ending.timed_out => (VerdictWord::TimedOut, Exit::TimedOut),
        _ if !ending.ran => (VerdictWord::NotRun, cargo),
        Mode::Enforce | Mode::Decoy => (VerdictWord::Clean, cargo),
        Mode::Observe => (VerdictWord::Observed, cargo),
    }
}

/// As the report spells it.
pub fn word(verdict: VerdictWord) -> &'static str {
    match verdict {
        VerdictWord::Clean => "clean",
        VerdictWord::Observed => "observed",
        VerdictWord::Violation => "violation",
        VerdictWord::Unaccepted => "unaccepted",
        VerdictWord::NotRun => "not-run",
        VerdictWord::Incomplete => "incomplete",
        VerdictWord::TimedOut => "timed-out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        use Mode::{Enforce, Observe};
        use VerdictWord::{Clean, Incomplete, NotRun, Observed, TimedOut, Violation};
        // mode, violation, complete, ran, cargo → word, code
        let table = [
            (Enforce, false, true, true, Some(0), Clean, 0),
            (Enforce, false, true, true, Some(101), Clean, 101),
            (Enforce, false, true, true, Some(143), Clean, 143),
            (Enforce, false, true, true, Some(-1), Clean, 255),
            (Enforce, true, true, true, Some(0), Violation, 100),
            (Enforce, true, true, true, Some(101), Violation, 100),
            (Enforce, true, false, true, Some(0), Violation, 100),
            (Enforce, true, true, false, None, Violation, 100),
            (Enforce, false, false, true, Some(0), Incomplete, 103),
            (Enforce, false, false, true, Some(101), Incomplete, 103),
            (Enforce, false, false, false, Some(0), Incomplete, 103),
            (Enforce, false, true, true, None, Incomplete, 103),
            (Enforce, false, true, false, Some(0), NotRun, 0),
            (Enforce, false, true, false, Some(101), NotRun, 101),
            (Observe, true, true, true, Some(0), Observed, 0),
            (Observe, true, true, true, Some(1), Observed, 1),
            (Observe, true, false, true, Some(0), Incomplete, 103),
            (Observe, false, true, false, Some(0), NotRun, 0),
            (Observe, true, true, false, Some(0), NotRun, 0),
        ];
        for (mode, violation, complete, ran, cargo, word, code) in table {
            let (got, exit) = decide(Ending { mode, barred: None, violation, complete, ran, cargo, timed_out: false });
            assert_eq!((got, exit.code()), (word, code), "{mode:?} {violation} {complete} {ran} {cargo:?}");
        }
        for (mode, violation, complete, ran, word, code) in [
            (Enforce, false, true, true, TimedOut, 124),
            (Enforce, false, true, false, TimedOut, 124),
            (Observe, true, true, true, TimedOut, 124),
            (Enforce, true, true, true, Violation, 100),
            (Enforce, false, false, true, Incomplete, 103),
        ] {
            let (got, exit) = decide(Ending { mode, barred: None, violation, complete, ran, cargo: Some(143), timed_out: true });
            assert_eq!((got, exit.code()), (word, code), "{mode:?} {violation} {complete} {ran}, timed out");
        }
    }
}
