//! The program that makes the calls. In: calls. Out: its text, and on which lines each call stands, so that what the compiler says of a line is
//! said of a call.

use crate::suspect::harness::calls::Call;

/// What stands before all calls, and makes them.
const PRELUDE: &str = include_str!("../../../profiles/harness/calls.rs");

pub struct Program {
    pub text: String,
    /// For each call its first line and the one behind its last, counted from 1.
    lines: Vec<(usize, usize)>,
}

impl Program {
    pub fn of(calls: &[Call]) -> Program {
        let mut text = PRELUDE.to_owned();
        let mut at = text.lines().count() + 1;
        let mut lines = Vec::new();
        for (number, call) in calls.iter().enumerate() {
            let code = format!("fn c{number}(set: usize) {{\n    {}\n}}\n", call.code.replace('\n', " "));
            let first = at;
            at += code.lines().count();
            lines.push((first, at));
            text.push_str(&code);
        }
        text.push_str("\nconst CALLS: &[(&str, fn(usize))] = &[\n");
        for (number, call) in calls.iter().enumerate() {
            text.push_str(&format!("    ({:?}, c{number}),\n", call.name));
        }
        text.push_str("];\n");
        Program { text, lines }
    }

    /// Which call stands on this line.
    pub fn call(&self, line: usize) -> Option<usize> {
        self.lines.iter().position(|(first, behind)| (*first..*behind).contains(&line))
    }
}
