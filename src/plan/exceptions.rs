//! Exceptions of the user's: `[[allow]]` and `[[deny]]` in `brig.toml`. In: tables of TOML. Out: entries that are checked word for word, or what
//! is wrong with one, and where. Whom they are for in a run is `run::excepting`'s business, what they open `plan::excepted`'s.

pub mod day;
pub mod edit;

pub mod lock;
pub mod whom;
pub mod wide;

use std::ops::Range;
use std::sync::Arc;

use toml::de::DeTable;

use crate::model::{ActorKind, Exception};
use crate::plan::document::{ConfigError, Document, Item, Lines};
use crate::plan::placeholders;
use day::Day;
use whom::Whom;

/// In the order they stand in.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    pub allows: Vec<Allow>,
    pub denials: Vec<Denial>,
}

/// One `[[allow]]`.
#[derive(Clone, Debug)]
pub struct Allow {
    pub whom: Whom,
    /// What Cargo.lock has to say of it: the very code that was looked at.
    pub checksum: Option<String>,
    pub actor: ActorKind,
    /// Entries as written, by the list they stand in: [`LISTS`].
    pub lists: [Vec<String>; 5],
    /// What the programs of `exec` have to be told first.
    pub arguments: Vec<String>,
    /// Crates of which one has to be on the stack; anybody's where this is empty.
    pub via: Vec<String>,
    /// Variables it may know: in its environment, and in the files of secrets it names.
    pub reveal: Vec<String>,
    /// The last day it counts; for ever where there is none.
    pub until: Option<Day>,
    /// As it is told of.
    pub told: Arc<Exception>,
    /// Where it stands, for complaints that need the places of a run.
    at: ConfigError,
}

/// One `[[deny]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub name: String,
    pub reason: String,
    /// `brig.toml:12`.
    pub origin: String,
}

/// What an exception may hold, in the order of `Allow::lists`.
pub const LISTS: [&str; 5] = ["read", "write", "exec", "connect", "unix"];
/// Where files to be read stand among them.
const READ: usize = 0;
/// Where programs stand among them.
pub const EXEC: usize = 2;
const ALLOW_KEYS: [&str; 15] = [
    "crate",
    "checksum",
    "actor",
    "via",
    "read",
    "write",
    "exec",
    "arguments",
    "connect",
    "unix",
    "reveal",
    "reason",
    "expires",
    "by",
    "wide",
];
const DENY_KEYS: [&str; 3] = ["crate", "reason", "by"];
/// Kinds of actors an exception can be for. A linker is part of its compiler, and what cargo starts for itself is trusted already.
pub const ACTORS: [ActorKind; 5] = [ActorKind::BuildScript, ActorKind::ProcMacro, ActorKind::Program, ActorKind::Rustc, ActorKind::Rustdoc];

impl Exceptions {
    pub fn is_empty(&self) -> bool {
        self.allows.is_empty() && self.denials.is_empty()
    }

    /// # Errors
    /// With the place and, where it helps, what was probably meant.
    pub(super) fn read_allows<'t>(&mut self, document: &Document<'t>, item: Item<'_, 't>) -> Result<(), ConfigError> {
        let lines = document.lines();
        for (table, at) in tables(document, item, "allow", &ALLOW_KEYS)? {
            self.allows.push(Entry { document, lines: &lines, table, at, what: "allow" }.allow()?);
        }
        Ok(())
    }

    /// # Errors
    /// As for `read_allows`.
    pub(super) fn read_denials<'t>(&mut self, document: &Document<'t>, item: Item<'_, 't>) -> Result<(), ConfigError> {
        let lines = document.lines();
        for (table, at) in tables(document, item, "deny", &DENY_KEYS)? {
            self.denials.push(Entry { document, lines: &lines, table, at, what: "deny" }.denial()?);
        }
        Ok(())
    }

    /// Tells a policy with these in it from the profile's own, whose digest this is.
    pub fn digest(&self, profile: String) -> String {
        if self.is_empty() {
            return profile;
        }
        let allows: Vec<(&Exception, &Option<String>)> = self.allows.iter().map(|allow| (&*allow.told, &allow.checksum)).collect();
        crate::model::digest::hex(format!("{profile}{allows:?}{:?}", self.denials).as_bytes())
    }

    /// Variables that somebody may know: cargo keeps those, to give them on.
    pub fn revealed(&self, today: Day) -> Vec<String> {
        self.allows.iter().filter(|allow| allow.counts(today)).flat_map(|allow| allow.in_environment().iter().cloned()).collect()
    }

    /// One phrase per grant, for what is told of a repository that loosens its own walls.
    pub fn loosening(&self, today: Day) -> Vec<String> {
        let live = self.allows.iter().filter(|allow| allow.counts(today));
        live.flat_map(|allow| allow.told.grants.iter().map(move |grant| format!("{} {} {grant}", allow.told.whom, allow.told.actor.name())))
            .collect()
    }
}

impl Allow {
    /// Is that other one no more than this? Entries are compared as written, as those of profiles are.
    pub fn covers(&self, other: &Allow) -> bool {
        let ends = match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(last), Some(until)) => until <= last,
        };
        self.whom == other.whom
            && (self.checksum.is_none() || self.checksum == other.checksum)
            && self.actor == other.actor
            && ends
            && other.told.grants.iter().all(|grant| self.told.grants.contains(grant))
    }

    /// Of what it reveals, what stands in the environment: that a whole program has, whoever is on a stack in it.
    pub fn in_environment(&self) -> &[String] {
        if self.via.is_empty() { &self.reveal } else { &[] }
    }

    pub fn counts(&self, today: Day) -> bool {
        self.until.is_none_or(|day| day.left(today) > 0)
    }

    /// What is wrong with it in this run.
    pub fn complaint(&self, message: String) -> ConfigError {
        ConfigError { message, ..self.at.clone() }
    }
}

/// The tables of `[[what]]`, their keys checked.
fn tables<'a, 't>(
    document: &Document<'t>,
    item: Item<'a, 't>,
    what: &str,
    known: &[&str],
) -> Result<Vec<(&'a DeTable<'t>, Range<usize>)>, ConfigError> {
    let misshapen = |at| document.error(at, format!("`{what}` must be written as `[[{what}]]`"));
    let list = item.get_ref().as_array().ok_or_else(|| misshapen(item.span()))?;
    list.iter()
        .map(|entry| {
            let table = entry.get_ref().as_table().ok_or_else(|| misshapen(entry.span()))?;
            match table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
                Some((key, _)) => Err(match meant(what, key.get_ref()) {
                    Some(meant) => document.error(key.span(), format!("`{}` cannot be excepted by that name: {meant}", key.get_ref())),
                    None => document.unknown(key.span(), "key", key.get_ref(), known),
                }),
                None => Ok((table, entry.span())),
            }
        })
        .collect()
}

/// Acts that a report knows, and an exception by another name or not at all.
fn meant(what: &str, key: &str) -> Option<&'static str> {
    match key {
        _ if what != "allow" => None,
        "env" | "environment" => Some("`reveal` holds the variables that somebody may know"),
        "tamper" | "signal" => Some("whoever may reach into other processes could blind the record, so nobody may, in any mode"),
        "lookup" | "dns" => Some("a name that stands in `connect` may be looked up"),
        "create" | "remove" | "rename" => Some("`write` holds what may be changed in any way"),
        _ => None,
    }
}

/// One table, and where it stands.
struct Entry<'a, 't> {
    document: &'a Document<'t>,
    lines: &'a Lines,
    table: &'a DeTable<'t>,
    at: Range<usize>,
    what: &'static str,
}

impl<'a, 't> Entry<'a, 't> {
    fn allow(&self) -> Result<Allow, ConfigError> {
        let document = self.document;
        // What is missing first: it has no place of its own to be looked for.
        ["crate", "actor", "reason", "expires"].into_iter().try_for_each(|key| self.wanted(key).map(drop))?;
        let (whom, at) = self.whom()?;
        let actor = self.actor()?;
        let wide = self.table.get("wide").map(|item| document.boolean(item, "wide")).transpose()?.unwrap_or_default();
        let narrow = |why: Option<String>, at: Range<usize>| match why {
            Some(why) if !wide => Err(document.error(at, format!("{why}; if all of that is meant, add `wide = true`"))),
            why => Ok(why.is_some()),
        };
        let text = self.text("crate")?;
        let checksum = self.checksum(&whom)?;
        let unversioned =
            whom.is_of_any_version().then(|| format!("`{text}` names no version, so every later one may do it: write `{text}@1.2.3`"));
        let mut is_wide = narrow(unversioned, at)?;
        let mut lists: [Vec<String>; 5] = Default::default();
        for (list, entries) in LISTS.into_iter().zip(&mut lists) {
            for (entry, at) in self.strings(list)? {
                placeholders::check(list, &entry).map_err(|message| document.error(at.clone(), message))?;
                // A wall is built before the program begins, and for what is not there yet it has no place: that would be refused without a word.
                if list == "exec" && entry.strip_prefix("{tmp}").is_some_and(|rest| !rest.trim_matches('/').is_empty()) {
                    let message =
                        format!("`{entry}` is not there when the wall is built: `{{tmp}}`, all of that directory, can be granted");
                    return Err(document.error(at, message));
                }
                is_wide |= narrow(wide::why(list, &entry), at)?;
                entries.push(entry);
            }
        }
        let mut reveal = Vec::new();
        for (name, at) in self.strings("reveal")? {
            check_variable(&name).map_err(|message| document.error(at, message))?;
            reveal.push(name);
        }
        let arguments: Vec<String> = self.strings("arguments")?.into_iter().map(|(word, _)| word).collect();
        if let Some(item) = self.table.get("arguments").filter(|_| arguments.is_empty() || lists[EXEC].is_empty()) {
            let message = "`arguments` are the first words that the programs of `exec` have to be told: both are needed";
            return Err(document.error(item.span(), message));
        }
        let via = self.via(actor, &reveal, &lists)?;
        // Words that hold blanks are told apart, since grants are compared as text.
        let told: String = arguments.iter().map(|word| format!(" {word:?}")).collect();
        let by = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
        let grant = |list: &str, entry: &String| format!("{list} {entry}{}{by}", if list == LISTS[EXEC] { &told } else { "" });
        let entries = LISTS.into_iter().zip(&lists).flat_map(|(list, entries)| entries.iter().map(move |entry| (list, entry)));
        let mut grants: Vec<String> = entries.map(|(list, entry)| grant(list, entry)).collect();
        grants.extend(reveal.iter().map(|name| format!("reveal {name}{by}")));
        if grants.is_empty() {
            let keys: Vec<String> = LISTS.into_iter().chain(["reveal"]).map(|list| format!("`{list}`")).collect();
            return Err(self.error(format!("`[[allow]]` grants nothing: it needs one of {}", keys.join(", "))));
        }
        let (until, expires) = self.expires()?;
        let told = Exception {
            whom: text.to_owned(),
            actor,
            grants,
            reason: self.text("reason")?.to_owned(),
            expires,
            by: self.table.contains_key("by").then(|| self.text("by").map(str::to_owned)).transpose()?,
            origin: self.origin(),
            wide: is_wide,
        };
        Ok(Allow { whom, checksum, actor, lists, arguments, via, reveal, until, told: Arc::new(told), at: self.error(String::new()) })
    }

    /// As symbols spell them, with `_` for `-`.
    fn via(&self, actor: ActorKind, reveal: &[String], lists: &[Vec<String>; 5]) -> Result<Vec<String>, ConfigError> {
        let Some(item) = self.table.get("via") else { return Ok(Vec::new()) };
        let mut crates = Vec::new();
        for (name, at) in self.strings("via")? {
            whom::check_name(&name).map_err(|message| self.document.error(at, message))?;
            crates.push(name.replace('-', "_"));
        }
        let wrong = |message: &str| Err(self.document.error(item.span(), message));
        match () {
            () if crates.is_empty() => wrong("`via` names no crate: without it, any code of the program may do it"),
            () if !matches!(actor, ActorKind::BuildScript | ActorKind::Program) => {
                wrong("`via` is for a `program` or a `build-script`: an exception of a macro is for that macro's code alone already")
            }
            () if !reveal.is_empty() && lists[READ].is_empty() => {
                wrong("a variable of the environment is given to the whole program: `via` can narrow what is read, and not `reveal` alone")
            }
            () => Ok(crates),
        }
    }

    fn denial(&self) -> Result<Denial, ConfigError> {
        let (name, item) = (self.text("crate")?, self.wanted("crate")?);
        if let Some((name, _)) = name.split_once('@') {
            return Err(self.document.error(item.span(), format!("`[[deny]]` holds for every version: write `{name}`")));
        }
        if let Some((_, name)) = name.rsplit_once('#') {
            return Err(self.document.error(item.span(), format!("`[[deny]]` holds wherever it comes from: write `{name}`")));
        }
        whom::check_name(name).map_err(|message| self.document.error(item.span(), message))?;
        if self.table.contains_key("by") {
            self.text("by")?;
        }
        Ok(Denial { name: name.to_owned(), reason: self.text("reason")?.to_owned(), origin: self.origin() })
    }

    fn whom(&self) -> Result<(Whom, Range<usize>), ConfigError> {
        let at = self.wanted("crate")?.span();
        Ok((Whom::read(self.text("crate")?).map_err(|message| self.document.error(at.clone(), message))?, at))
    }

    /// As a lock file has it: a SHA-256 in lowercase.
    fn checksum(&self, whom: &Whom) -> Result<Option<String>, ConfigError> {
        let Some(item) = self.table.get("checksum") else { return Ok(None) };
        let text = self.text("checksum")?;
        let wrong = |message: &str| Err(self.document.error(item.span(), message));
        match () {
            () if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
                wrong("`checksum` must be what Cargo.lock has: 64 digits, in lowercase")
            }
            () if !whom.may_have_checksum() => wrong("`checksum` is for packages of a registry: of others, Cargo.lock has none"),
            () => Ok(Some(text.to_owned())),
        }
    }

    fn actor(&self) -> Result<ActorKind, ConfigError> {
        let (item, text) = (self.wanted("actor")?, self.text("actor")?);
        let meant = match text {
            "test" | "tests" | "bench" | "example" | "doctest" => Some("`program` is what tests, benches and examples are"),
            "compiler" => Some("compilers are `rustc` and `rustdoc`"),
            "linker" => Some("a linker runs inside the compiler: `rustc`"),
            "tool" => Some("what cargo starts for itself is as trusted as cargo and needs none"),
            _ => None,
        };
        if let Some(meant) = meant {
            return Err(self.document.error(item.span(), format!("`actor` cannot be `{text}`: {meant}")));
        }
        let known = ACTORS.map(ActorKind::name);
        let found = ACTORS.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| self.document.unknown(item.span(), "actor", text, &known))
    }

    fn expires(&self) -> Result<(Option<Day>, String), ConfigError> {
        let item = self.wanted("expires")?;
        let wrong = || self.document.error(item.span(), "`expires` must be a date, `2027-02-01`, or \"never\"");
        if item.get_ref().as_str() == Some("never") {
            return Ok((None, "never".to_owned()));
        }
        let moment = item.get_ref().as_datetime().ok_or_else(wrong)?;
        let date = moment.date.filter(|_| moment.time.is_none() && moment.offset.is_none()).ok_or_else(wrong)?;
        let day = Day::of(date.year.into(), date.month.into(), date.day.into()).ok_or_else(wrong)?;
        Ok((Some(day), date.to_string()))
    }

    fn strings(&self, key: &str) -> Result<Vec<(String, Range<usize>)>, ConfigError> {
        self.table.get(key).map_or(Ok(Vec::new()), |item| self.document.strings(item, key))
    }

    fn wanted(&self, key: &str) -> Result<Item<'a, 't>, ConfigError> {
        self.table.get(key).ok_or_else(|| self.error(format!("`[[{}]]` needs `{key}`", self.what)))
    }

    fn text(&self, key: &str) -> Result<&'a str, ConfigError> {
        let item = self.wanted(key)?;
        let text = self.document.string(item, key)?.trim();
        if text.is_empty() { Err(self.document.error(item.span(), format!("`{key}` says nothing"))) } else { Ok(text) }
    }

    fn origin(&self) -> String {
        let file = self.document.file.rsplit('/').next().unwrap_or(self.document.file);
        format!("{file}:{}", self.lines.position(self.document, self.at.start).0)
    }

    fn error(&self, message: String) -> ConfigError {
        let (line, column) = self.lines.position(self.document, self.at.start);
        ConfigError { line, column, ..ConfigError::unread(self.document.file, message) }
    }
}

/// A variable's whole name. Cargo's own credentials are for nobody in a build.
///
/// # Errors
/// With what is wrong, as a lowercase fragment.
pub fn check_variable(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let shown = name.escape_debug();
    match name {
        _ if !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) => {
            Err(format!("`{shown}` is no variable's name: `reveal` holds whole names"))
        }
        _ if name.to_ascii_uppercase().starts_with("CARGO_REGISTR") => {
            Err(format!("`{shown}` is cargo's own credential: nobody in a build gets it"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
