//! One thing that code was seen to do, as a line: a word for what, and words for whereto. In: paths and names with placeholders. Out: printable ASCII without
//! a blank in any word, so that a line is read again as it was written, whatever a build puts into a name.

/// `exec echo`, `read {workspace}/data/one.txt`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(String);

impl Line {
    pub fn new(verb: &str, words: &[&[u8]]) -> Line {
        let mut text = verb.to_owned();
        for word in words {
            text.push(' ');
            text.push_str(&plain(word));
        }
        Line(text)
    }

    /// As it stands in a file. Nothing where no line was ever written so.
    pub fn read(text: &str) -> Option<Line> {
        let is_plain = text.split(' ').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()));
        is_plain.then(|| Line(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The same for all that lies beside it in its directory.
    pub fn of_directory(&self) -> Option<Line> {
        let (directory, name) = self.0.rsplit_once('/')?;
        (!name.is_empty() && name != "*" && directory.contains(" {")).then(|| Line(format!("{directory}/*")))
    }
}

fn plain(word: &[u8]) -> String {
    let mut text = String::new();
    for byte in word {
        match byte {
            b'\\' | b' ' => text.push_str(&format!("\\x{byte:02x}")),
            byte if byte.is_ascii_graphic() => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if text.is_empty() {
        text.push_str("\\x");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_a_line_is_one_line() {
        for (word, expected) in [
            (&b"{workspace}/a b"[..], "read {workspace}/a\\x20b"),
            (b"x\ny does exec curl", "read x\\x0ay\\x20does\\x20exec\\x20curl"),
            (b"\xff\\", "read \\xff\\x5c"),
            ("é\u{202e}".as_bytes(), "read \\xc3\\xa9\\xe2\\x80\\xae"),
            (b"", "read \\x"),
        ] {
            let line = Line::new("read", &[word]);
            assert_eq!(line.text(), expected);
            assert_eq!(Line::read(line.text()), Some(line));
        }
        assert_eq!(Line::read("read  x"), None);
        assert_eq!(Line::read("read x\t"), None);
    }
}
