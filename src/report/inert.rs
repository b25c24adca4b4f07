//! JSON that may be shown as it is: in a terminal, in the log of a CI job. In: any value. Out: pretty-printed JSON in which whatever could
//! move a cursor, reorder a line, hide or command a runner is a `\u` escape. A parser reads the same value.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::escape::deceptive;

/// Writes a value, and a newline after it.
pub fn write<T: Serialize>(value: &T, w: &mut dyn Write) -> io::Result<()> {
    to_depth(usize::MAX, value, w)
}

/// The same with a line for each entry of the lists and tables of the whole: half the size, and still to be read, searched and compared by line.
pub fn lines<T: Serialize>(value: &T, w: &mut dyn Write) -> io::Result<()> {
    to_depth(2, value, w)
}

/// The same in one line.
pub fn line<T: Serialize>(value: &T, w: &mut dyn Write) -> io::Result<()> {
    to_depth(0, value, w)
}

fn to_depth<T: Serialize>(open: usize, value: &T, w: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *w, Inert { pretty: PrettyFormatter::new(), depth: 0, open }))?;
    w.write_all(b"\n")
}

struct Inert<'a> {
    pretty: PrettyFormatter<'a>,
    /// Of lists and tables within each other.
    depth: usize,
    /// Those deeper than this are in one line.
    open: usize,
}

impl Inert<'_> {
    fn is_open(&self) -> bool {
        self.depth <= self.open
    }
}

impl Formatter for Inert<'_> {
    /// JSON's own escapes (quote, backslash, C0) are not in here: those are made by the serializer.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, w: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly every text there is: no look at each of its characters.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !fragment.contains("##[") {
            return w.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            // `##[` begins a command wherever it stands in a line of a GitHub Actions log.
            let command = c == '[' && fragment[..at].ends_with("##");
            if !command && (c.is_ascii_graphic() || c == ' ' || !deceptive(c)) {
                continue;
            }
            w.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(w, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        w.write_all(&fragment.as_bytes()[plain..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_open() { self.pretty.begin_array(w) } else { w.write_all(b"[") }
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        let open = self.is_open();
        self.depth -= 1;
        if open { self.pretty.end_array(w) } else { w.write_all(b"]") }
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        if self.is_open() { self.pretty.begin_array_value(w, first) } else { CompactFormatter.begin_array_value(w, first) }
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        if self.is_open() { self.pretty.end_array_value(w) } else { Ok(()) }
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_open() { self.pretty.begin_object(w) } else { w.write_all(b"{") }
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        let open = self.is_open();
        self.depth -= 1;
        if open { self.pretty.end_object(w) } else { w.write_all(b"}") }
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        if self.is_open() { self.pretty.begin_object_key(w, first) } else { CompactFormatter.begin_object_key(w, first) }
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        if self.is_open() { self.pretty.begin_object_value(w) } else { w.write_all(b":") }
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        if self.is_open() { self.pretty.end_object_value(w) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_same_value_and_nothing_that_acts() {
        let value = json!({
            "\u{202e}key": ["\u{9b}31m", "del\u{7f}", "##[error]x", "##", "[", "tag\u{e0041}", "\u{2028}", "\n\"\\", "gr\u{fc}n \u{65e5}"],
            "empty": [[], {}],
        });
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        for part in ["\\u202ekey", "\\u009b31m", "del\\u007f", "\"##\\u005berror]x\"", "\"##\"", "tag\\udb40\\udc41", "gr\u{fc}n \u{65e5}"]
        {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let mut out = Vec::new();
        lines(&json!({"a": [{"b": [1, {"c": []}]}, 2], "d": {"e": {"f": 1}}}), &mut out).unwrap();
        let expected = "{\n  \"a\": [\n    {\"b\":[1,{\"c\":[]}]},\n    2\n  ],\n  \"d\": {\n    \"e\": {\"f\":1}\n  }\n}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        // Without any of that it is what everybody prints.
        let plain = json!({"a": [1, "x y", {"b": null}], "c": []});
        let mut out = Vec::new();
        write(&plain, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string_pretty(&plain).unwrap() + "\n");
    }
}
