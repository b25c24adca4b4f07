//! What the compiler says of a program of ours. In: cargo's messages (`--message-format=json`, one a line). Out: the lines its errors are about,
//! each with what is wrong.

use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    reason: String,
    #[serde(default)]
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Message>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    is_primary: bool,
    #[serde(default)]
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

/// The errors in files whose path ends in `file`: a line, and what is wrong there.
pub fn errors(messages: &[u8], file: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for line in messages.split(|byte| *byte == b'\n') {
        let Ok(Line { reason, message: Some(message) }) = serde_json::from_slice(line) else { continue };
        if reason != "compiler-message" || !message.level.starts_with("error") {
            continue;
        }
        let mut lines: Vec<usize> = message.spans.iter().filter(|span| span.is_primary).filter_map(|span| within(span, file)).collect();
        if lines.is_empty() {
            let others = message.spans.iter().chain(message.children.iter().flat_map(|child| &child.spans));
            lines = others.filter_map(|span| within(span, file)).collect();
        }
        found.extend(lines.into_iter().map(|line| (line, message.message.clone())));
    }
    found
}

/// Does it say that a word of this path is not there at all? What features bring, or another system.
pub fn is_absence(message: &str, path: &str) -> bool {
    let words = ["cannot find ", "no function or associated item named ", "could not find "];
    let Some(rest) = words.iter().find_map(|begin| message.split_once(begin)).map(|(_, rest)| rest) else { return false };
    let word = rest.split('`').nth(1).unwrap_or_default();
    path.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// Where a span lies in our file: itself, or the macro call it comes from.
fn within(span: &Span, file: &str) -> Option<usize> {
    let mut at = span;
    let mut line = None;
    loop {
        if at.file_name.ends_with(file) {
            line = Some(at.line_start);
        }
        match &at.expansion {
            // The outermost counts: a call may use macros of the program's own.
            Some(expansion) => at = &expansion.span,
            None => return line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_does_not_fit() {
        for (message, absent) in [
            ("cannot find `tokio` in `fs_err`", true),
            ("cannot find function `create` in module `fs_err::tokio`", true),
            ("no function or associated item named `create` found for struct `DirBuilder` in the current scope", true),
            ("failed to resolve: could not find `tokio` in `fs_err`", true),
            // Of what it was to be called with.
            ("cannot find `windows` in `os`", false),
            ("the function or associated item `create` exists for struct `X`, but its trait bounds were not satisfied", false),
            ("mismatched types", false),
        ] {
            assert_eq!(is_absence(message, "fs_err::tokio::DirBuilder::create"), absent, "{message}");
        }
    }

    #[test]
    fn an_error_is_about_a_line_of_ours() {
        let message = |level: &str, spans: &str| {
            format!(r#"{{"reason":"compiler-message","message":{{"level":"{level}","message":"no","spans":[{spans}],"children":[]}}}}"#)
        };
        let span = |file: &str, line: usize, expansion: &str| {
            format!(r#"{{"file_name":"{file}","line_start":{line},"is_primary":true,"expansion":{expansion}}}"#)
        };
        let ours = span("examples/calls.rs", 7, "null");
        let theirs = span("/x/src/lib.rs", 3, &format!(r#"{{"span":{}}}"#, span("examples/calls.rs", 9, "null")));
        let messages = [
            message("error", &ours),
            message("warning", &ours),
            message("error", &theirs),
            message("error", &span("/x/src/lib.rs", 1, "null")),
            "no json".to_owned(),
            r#"{"reason":"build-finished","success":false}"#.to_owned(),
        ];
        let lines: Vec<usize> = errors(messages.join("\n").as_bytes(), "examples/calls.rs").into_iter().map(|found| found.0).collect();
        assert_eq!(lines, [7, 9]);
    }
}
