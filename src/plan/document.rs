//! A TOML file walked by hand, so that every complaint names file, line and column, and says what was probably meant. In: text. Out:
//! typed values, or a `ConfigError`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Mode;

/// What is wrong with a configuration or profile, and where. Rendered once, by `main`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {message}", place = self.place())]
pub struct ConfigError {
    pub file: String,
    /// 0 where it stands in no file: it was typed, or the file could not be read.
    pub line: u32,
    pub column: u32,
    pub message: String,
}

impl ConfigError {
    /// An error about a file as a whole.
    pub(crate) fn whole(file: &str, message: impl Into<String>) -> Self {
        ConfigError { file: file.to_owned(), line: 1, column: 1, message: message.into() }
    }

    /// An error about a file in which there is no place to name.
    pub(crate) fn unread(file: &str, message: impl Into<String>) -> Self {
        ConfigError { file: file.to_owned(), line: 0, column: 0, message: message.into() }
    }

    /// An error about what was typed.
    pub(crate) fn typed(message: impl Into<String>) -> Self {
        ConfigError::unread("command line", message)
    }

    fn place(&self) -> String {
        if self.line == 0 { String::new() } else { format!(":{}:{}", self.line, self.column) }
    }
}

pub struct Document<'t> {
    /// As the user knows it: a path, or `profiles/default.toml` for an embedded one.
    pub file: &'t str,
    pub text: &'t str,
}

/// Where the lines of a text begin, but for the first.
pub struct Lines(Vec<usize>);

impl Lines {
    /// As [`Document::position`].
    pub fn position(&self, document: &Document, offset: usize) -> (u32, u32) {
        let line = self.0.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |before| self.0[before]);
        let column = document.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line as u32 + 1, column as u32 + 1)
    }
}

/// A key's value with the place it stands at.
pub type Item<'a, 't> = &'a Spanned<DeValue<'t>>;

impl<'t> Document<'t> {
    pub fn parse(&self) -> Result<DeTable<'t>, ConfigError> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            self.error(at, error.message().trim().replace('\n', "; "))
        })
    }

    pub fn error(&self, at: Range<usize>, message: impl Into<String>) -> ConfigError {
        let (line, column) = self.position(at.start);
        ConfigError { file: self.file.to_owned(), line, column, message: message.into() }
    }

    /// 1-based line and column (in characters) of a byte offset.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() as u32 + 1, before[start..].chars().count() as u32 + 1)
    }

    /// For asking for many positions: each is then found without reading the text again.
    pub fn lines(&self) -> Lines {
        Lines(self.text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// An unknown key, with the nearest known one.
    pub fn unknown(&self, at: Range<usize>, what: &str, found: &str, known: &[&str]) -> ConfigError {
        self.error(at, format!("unknown {what} `{}`{}", found.escape_debug(), suggestion(found, known)))
    }

    pub fn table<'a>(&self, item: Item<'a, 't>, key: &str) -> Result<&'a DeTable<'t>, ConfigError> {
        item.get_ref().as_table().ok_or_else(|| self.wrong(item, key, "a table"))
    }

    pub fn string<'a>(&self, item: Item<'a, 't>, key: &str) -> Result<&'a str, ConfigError> {
        item.get_ref().as_str().ok_or_else(|| self.wrong(item, key, "a string"))
    }

    pub fn boolean(&self, item: Item<'_, 't>, key: &str) -> Result<bool, ConfigError> {
        item.get_ref().as_bool().ok_or_else(|| self.wrong(item, key, "`true` or `false`"))
    }

    pub fn number(&self, item: Item<'_, 't>, key: &str) -> Result<u32, ConfigError> {
        let number = item.get_ref().as_integer().filter(|number| number.radix() == 10).and_then(|number| number.as_str().parse().ok());
        number.ok_or_else(|| self.wrong(item, key, "a small positive number"))
    }

    /// The strings of a list, each with its place.
    pub fn strings(&self, item: Item<'_, 't>, key: &str) -> Result<Vec<(String, Range<usize>)>, ConfigError> {
        let list = item.get_ref().as_array().ok_or_else(|| self.wrong(item, key, "a list of strings"))?;
        list.iter()
            .map(|entry| match entry.get_ref().as_str() {
                Some("") => Err(self.error(entry.span(), format!("`{key}` holds an empty string"))),
                Some(text) if text.contains('\0') => Err(self.error(entry.span(), format!("`{key}` holds a NUL character"))),
                Some(text) => Ok((text.to_owned(), entry.span())),
                None => Err(self.wrong(entry, key, "a list of strings")),
            })
            .collect()
    }

    /// A file that is a `version` and a list of tables `[[name]]`, each read by `read`.
    pub fn entries<T>(&self, name: &str, mut read: impl FnMut(Item<'_, 't>) -> Result<T, ConfigError>) -> Result<Vec<T>, ConfigError> {
        let table = self.parse()?;
        let mut all = Vec::new();
        for (key, item) in &table {
            match key.get_ref().as_ref() {
                "version" => {}
                found if found == name => {
                    let list = item.get_ref().as_array().ok_or_else(|| self.error(item.span(), format!("write it as `[[{name}]]`")))?;
                    for entry in list.iter() {
                        all.push(read(entry)?);
                    }
                }
                other => return Err(self.unknown(key.span(), "key", other, &["version", name])),
            }
        }
        self.version(&table)?;
        Ok(all)
    }

    /// `version = 1`, required in every file.
    pub fn version(&self, table: &DeTable<'t>) -> Result<(), ConfigError> {
        match table.get("version") {
            None => Err(self.error(0..0, "`version` is missing: this program reads `version = 1`")),
            Some(item) if item.get_ref().as_integer().is_some_and(|number| number.as_str() == "1") => Ok(()),
            Some(item) => {
                let found = self.text.get(item.span()).unwrap_or_default().escape_debug().to_string();
                let found = if found.len() > 40 { "…" } else { &found };
                Err(self.error(item.span(), format!("unknown version {found}: this program reads `version = 1`")))
            }
        }
    }

    fn wrong(&self, item: Item<'_, 't>, key: &str, expected: &str) -> ConfigError {
        self.error(item.span(), format!("`{key}` must be {expected}, not {}", described(item.get_ref().type_str())))
    }
}

/// `enforce` or `observe`.
///
/// # Errors
/// With the place, when it is neither.
pub(crate) fn mode(document: &Document<'_>, text: &str, at: std::ops::Range<usize>) -> Result<Mode, ConfigError> {
    match text {
        "enforce" => Ok(Mode::Enforce),
        "observe" => Ok(Mode::Observe),
        other => Err(document.unknown(at, "mode", other, &["enforce", "observe"])),
    }
}

fn described(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// `; did you mean `x`?`, or the list of what there is.
pub fn suggestion(found: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|candidate| (distance(found, candidate), candidate)).min();
    match nearest {
        Some((edits, candidate)) if edits <= 1 + found.chars().count() / 4 => format!("; did you mean `{candidate}`?"),
        _ => format!("; known: {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// Edits (insert, delete, replace) between two words.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
