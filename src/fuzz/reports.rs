//! Target: stored reports, which may come from anywhere, and everything that is made of them.

use std::fmt;

use serde_json::Value;

use super::mutate::mutate;
use super::report::report;
use super::source::Source;
use super::{Bytes, fuzz, must};
use super::{channels, rendered};
use crate::model::Hostile;
use crate::model::report::Report;
use crate::report::{escape, json};

/// Long when printed, so printed as the JSON it is stored as.
struct Stored(Report);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

fn whole(report: &Report) -> rendered::Checked {
    rendered::check(report)?;
    channels::check(report)
}

#[test]
fn any_report_stays_text_in_every_form() {
    fuzz("reports", 40, |source| Stored(report(source)), |stored| whole(&stored.0));
}

/// The same from bytes: what loads at all must be safe to show.
#[test]
fn any_file_is_loaded_or_refused() {
    let load = |bytes: &Bytes| match json::parse(&bytes.0) {
        Ok(report) => whole(&report),
        // The error may quote the file; it is made inert and short where `main` shows it.
        Err(error) => {
            let shown = escape::ours(&format!("{error:#}"));
            must(shown.len() < 4096, || "an error as long as the file".into())?;
            rendered::inert("error", &shown)
        }
    };
    fuzz("report-files", 80, damaged, load);
}

fn damaged(source: &mut Source) -> Bytes {
    let mut value = serde_json::to_value(report(source)).expect("a report is JSON");
    for _ in 0..source.below(4) {
        disturb(source, &mut value);
    }
    let mut bytes = serde_json::to_vec(&value).expect("JSON is bytes");
    if source.one_in(2) {
        let other = serde_json::to_vec(&report(source)).expect("a report is JSON");
        let words: [&[u8]; 12] = [
            b"null",
            b"{}",
            b"[]",
            b"-1",
            b"1e999",
            b"18446744073709551616",
            b"\"\\ud800\"",
            b"\"act\":\"read\",",
            b",",
            b"\"end\":true",
            b"[[[[[[[[[[[[[[[[",
            b"\\u0000",
        ];
        mutate(source, &mut bytes, &other, &words);
    }
    if source.one_in(50) {
        bytes = [b"[".repeat(100_000), bytes].concat();
    }
    Bytes(bytes)
}

/// Something else in some place of a tree.
fn disturb(source: &mut Source, value: &mut Value) {
    let deeper = !source.one_in(4);
    match value {
        Value::Array(list) if deeper && !list.is_empty() => {
            let at = source.below(list.len());
            disturb(source, &mut list[at]);
        }
        Value::Object(map) if deeper && !map.is_empty() => {
            let key = map.keys().nth(source.below(map.len())).cloned().unwrap_or_default();
            match source.below(6) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert(source.text(), Value::Null)),
                _ => {
                    if let Some(inner) = map.get_mut(&key) {
                        disturb(source, inner);
                    }
                }
            }
        }
        value => {
            *value = match source.below(6) {
                0 => Value::Null,
                1 => source.number().into(),
                2 => source.text().into(),
                3 => Value::Array(Vec::new()),
                4 => true.into(),
                _ => (-1.5).into(),
            }
        }
    }
}

#[test]
fn hostile_bytes_survive_json() {
    let both_ways = |bytes: &Bytes| {
        let hostile = Hostile::new(bytes.0.clone());
        let text = hostile.to_json_text();
        must(Hostile::from_json_text(&text) == hostile, || format!("lost in {text:?}"))?;
        // Any text that is read comes to rest after one turn, and reads as the same bytes from then on.
        let Ok(foreign) = std::str::from_utf8(&bytes.0) else { return Ok(()) };
        let read = Hostile::from_json_text(foreign);
        must(Hostile::from_json_text(&read.to_json_text()) == read, || "not steady".into())?;
        // An escape is a backslash, an x and two hexadecimal digits: nothing else shortens a text but doubled backslashes.
        let escapes = foreign.split("\\\\").map(|part| part.match_indices("\\x").filter(|(at, _)| is_escape(&part[*at..])).count());
        let expected = foreign.len() - 3 * escapes.sum::<usize>() - foreign.matches("\\\\").count();
        must(read.as_bytes().len() == expected, || format!("{} bytes for {expected}", read.as_bytes().len()))
    };
    fuzz("hostile-json", 4000, |source| Bytes(if source.one_in(3) { source.bytes(40) } else { source.text().into_bytes() }), both_ways);
}

fn is_escape(text: &str) -> bool {
    text.as_bytes().get(2..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
