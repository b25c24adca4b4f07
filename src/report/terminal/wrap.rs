//! Lines that fit a terminal. In: one line of ours, colours in it or not, and a width. Out: the same in several, broken at blanks, those after the
//! first indented; what has no blank is longer than the terminal is wide.

/// Columns of a line; what colours it takes none. Wide characters count as one: then a line is broken by the terminal, where it likes.
pub fn width(line: &str) -> usize {
    let (mut inside, mut columns) = (false, 0);
    for c in line.chars() {
        match c {
            '\x1b' => inside = true,
            'm' if inside => inside = false,
            _ if inside => {}
            _ => columns += 1,
        }
    }
    columns
}

/// Breaks a line behind its beginning, which stays with the first word. A blank within backticks is none, if what stands there is not too long: it is to
/// be copied. A command of cargo's is never too long: a shell would take its rows for several, and what a terminal breaks by itself is one line for it. No row begins with `::`, of which a runner of GitHub Actions makes a command, whatever blanks stand before it.
pub fn wrap(begin: &str, text: &str, indent: usize, columns: Option<usize>) -> Vec<String> {
    let fits = |columns: &usize| *columns > 2 * indent && width(begin) + width(text) > *columns;
    let Some(columns) = columns.filter(fits) else { return vec![format!("{begin}{text}")] };
    let mut rows: Vec<String> = Vec::new();
    let mut row = begin.to_owned();
    for (at, word) in words(text).into_iter().enumerate() {
        // What is kept together may begin with blanks of its own.
        let seen = word.trim_start();
        let may_begin = !seen.is_empty() && !seen.starts_with("::");
        if at > 0 && width(&row) + 1 + width(&word) > columns && may_begin {
            rows.push(std::mem::replace(&mut row, " ".repeat(indent)).trim_end().to_owned());
        } else if at > 0 {
            row.push(' ');
        }
        row.push_str(&word);
    }
    rows.push(row);
    rows
}

fn words(text: &str) -> Vec<String> {
    const LONGEST: usize = 60;
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    for piece in text.split(' ') {
        match words.last_mut() {
            Some(word) if quoted && (word.len() < LONGEST || is_command(word)) => {
                word.push(' ');
                word.push_str(piece);
            }
            _ => words.push(piece.to_owned()),
        }
        quoted ^= piece.matches('`').count() % 2 == 1;
    }
    words
}

/// Does what is quoted at its end begin as one?
fn is_command(word: &str) -> bool {
    word.rfind('`').is_some_and(|at| word[at + 1..].starts_with("cargo "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_line() {
        let long = "cargo brig allow mac@0.1.0 --actor proc-macro --read '{workspace}/.env' --reason …";
        let text = format!("not expected? look; expected? `{long}` (a guess)");
        for columns in [30, 60, 80] {
            let rows = wrap("   = help  ", &text, 13, Some(columns));
            assert!(rows.iter().any(|row| row.contains(&format!("`{long}`"))), "{rows:#?}");
            assert!(rows.iter().all(|row| row.contains(long) || width(row) <= columns), "{rows:#?}");
        }
        // What else is quoted may be as long as whoever did it likes.
        let other = format!("run `curl {}`", "x ".repeat(50).trim_end());
        assert!(wrap("", &other, 6, Some(80)).iter().all(|row| width(row) <= 80));
    }

    #[test]
    fn rows() {
        for (begin, text, columns, expected) in [
            ("   = did   ", "one two three four", Some(20), &["   = did   one two", "      three four"][..]),
            ("   = did   ", "one two three four", None, &["   = did   one two three four"]),
            ("", "short", Some(20), &["short"]),
            // A quotation is kept together.
            ("", "say `a b` and then `c d e`", Some(14), &["say `a b` and", "      then", "      `c d e`"]),
            ("", "a very ::stop-commands::x y", Some(14), &["a very ::stop-commands::x", "      y"]),
            ("", "a cell       ::stop-commands::x", Some(14), &["a cell       ::stop-commands::x"]),
            ("  --> ", "xxxxxxxxxxxxxxxxxxxxxxxx yy", Some(14), &["  --> xxxxxxxxxxxxxxxxxxxxxxxx", "      yy"]),
            ("\x1b[1;31merror\x1b[0m: ", "a bb ccc", Some(14), &["\x1b[1;31merror\x1b[0m: a bb", "      ccc"]),
        ] {
            assert_eq!(wrap(begin, text, 6, columns), expected, "{begin}{text}");
        }
        // A quotation too long to be kept together, and a blank before what must not begin a row.
        let long = format!("`{}  ::stop-commands::x", "x".repeat(60));
        assert_eq!(wrap("", &long, 6, Some(14)), [long]);
        assert_eq!(width("\x1b[1;31merror\x1b[0m: x"), 8);
    }
}
