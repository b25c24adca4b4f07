//! What cargo's configuration files name, and whose word that is: the repository's, where a file lies in the workspace, or the user's. In:
//! the files cargo reads, and what was typed. Out: commands the repository has cargo start, its flags for compilers, everybody's aliases.
//!
//! Nothing is decided here about what cargo will do: which runner counts for a target, or whether a variable overrides it. Whatever the
//! repository names is the repository's when it comes in, and the name says nothing else.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cargo_files;
use super::steering::Steering;

/// Files a file may include, one after the other (`include`); cargo has no limit, but a circle is an error there.
const DEPTH: usize = 8;

/// A subcommand that stands for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub subcommand: OsString,
    pub is_users: bool,
}

/// A command line that the repository has cargo start with more words behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    program: PathBuf,
    words: Vec<OsString>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    pub aliases: HashMap<OsString, Alias>,
    named: Vec<Named>,
    /// Words for compilers.
    flags: Vec<OsString>,
    /// The repository's file that was read first, for whoever must be named.
    pub file: Option<PathBuf>,
}

impl Configured {
    /// Reads what cargo reads when it starts in `cwd`. What cannot be read or understood names nothing: cargo itself will say so.
    pub fn read(cwd: &Path, workspace: Option<&Path>, cargo_home: &Path, env: &[(OsString, OsString)], steering: &Steering) -> Configured {
        let mut found = Configured::default();
        for file in cargo_files::all(cwd, cargo_home) {
            let is_users = !workspace.is_some_and(|workspace| file.starts_with(workspace));
            found.file(&file, is_users, DEPTH);
        }
        for (name, value) in env {
            if let Some(alias) = name.to_str().and_then(|name| name.strip_prefix("CARGO_ALIAS_")) {
                found.alias(&alias.to_lowercase().replace('_', "-"), &Value::String(value.to_string_lossy().into_owned()), true);
            }
        }
        for typed in steering.places.chunks(2).filter(|pair| pair[0] == "--config").filter_map(|pair| pair.get(1)) {
            match typed.to_str().and_then(|text| text.parse::<Table>().ok()) {
                Some(table) => found.table(&table, Path::new(""), true, DEPTH),
                None => found.file(&cwd.join(typed), true, DEPTH),
            }
        }
        found
    }

    fn file(&mut self, file: &Path, is_users: bool, depth: usize) {
        let Some(table) = cargo_files::read(file) else { return };
        if !is_users && self.file.is_none() {
            self.file = Some(file.to_owned());
        }
        self.table(&table, file, is_users, depth);
    }

    fn table(&mut self, table: &Table, file: &Path, is_users: bool, depth: usize) {
        let section = |name: &str| table.get(name).and_then(Value::as_table);
        for (name, value) in section("alias").into_iter().flatten() {
            self.alias(name, value, is_users);
        }
        let dir = file.parent().unwrap_or(Path::new(""));
        if depth > 0 {
            for include in cargo_files::includes(table) {
                self.file(&dir.join(include), is_users, depth - 1);
            }
        }
        if is_users {
            return;
        }
        // Paths are relative to the directory that `.cargo` lies in.
        let base = dir.parent().unwrap_or(dir);
        let targets = || section("target").into_iter().flat_map(Table::values).filter_map(Value::as_table);
        let registries =
            || section("registries").into_iter().flat_map(Table::values).filter_map(Value::as_table).chain(section("registry"));
        let mut commands: Vec<&Value> = targets().filter_map(|target| target.get("runner")).collect();
        commands.extend(registries().filter_map(|registry| registry.get("credential-provider")));
        commands.extend(section("credential-alias").into_iter().flat_map(Table::values));
        commands.extend(section("doc").and_then(|doc| doc.get("browser")));
        self.named.extend(commands.into_iter().filter_map(words).filter_map(|words| named(&words, base)));
        let flags = targets().chain(section("build")).chain(section("host"));
        let flags = flags.flat_map(|table| ["rustflags", "rustdocflags"].into_iter().filter_map(|name| table.get(name)));
        self.flags.extend(flags.filter_map(words).flatten().map(OsString::from));
    }

    /// The nearest file counts, and comes first.
    fn alias(&mut self, name: &str, value: &Value, is_users: bool) {
        if let Some(subcommand) = words(value).and_then(|words| words.into_iter().find(|word| !word.starts_with(['-', '+']))) {
            self.aliases.entry(name.into()).or_insert(Alias { subcommand: subcommand.into(), is_users });
        }
    }

    /// Has the repository named this command?
    pub fn names(&self, called: &Path, argv: &[OsString]) -> bool {
        let is_it = |one: &Named| {
            let named = if one.program.is_absolute() { one.program == called } else { called.file_name() == one.program.file_name() };
            named && argv.get(1..).is_some_and(|rest| rest.starts_with(&one.words))
        };
        self.named.iter().any(is_it)
    }

    /// Does the repository give compilers this word?
    pub fn flags(&self, word: &OsStr) -> bool {
        self.flags.iter().any(|flag| flag == word)
    }
}

/// What is no path is looked for on the search path, by its name; cargo adds words behind those of the configuration.
fn named(words: &[String], base: &Path) -> Option<Named> {
    let (program, words) = words.split_first()?;
    // `cargo:token-from-stdout PROGRAM …`; the other providers of that prefix are built in.
    let (program, words) = match program.strip_prefix("cargo:") {
        Some("token-from-stdout") => words.split_first()?,
        Some(_) => return None,
        None => (program, words),
    };
    let program = if program.contains('/') { crate::attribute::source::clean(&base.join(program)) } else { program.into() };
    Some(Named { program, words: words.iter().map(OsString::from).collect() })
}

/// One text with blanks, or a list of words.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Value::Array(words) => words.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Words for compilers that are the user's own: typed behind `cargo rustc … --`, or in the variables cargo takes flags from.
pub fn users_words(steering: &Steering, env: &[(OsString, OsString)]) -> Vec<OsString> {
    let mut words = steering.passed.clone();
    for (name, value) in env {
        let name = name.as_bytes();
        let split = |by: u8| value.as_bytes().split(move |&b| b == by).map(|word| OsStr::from_bytes(word).to_owned());
        if name.starts_with(b"CARGO_ENCODED_RUST") && name.ends_with(b"FLAGS") {
            words.extend(split(0x1f));
        } else if [&b"RUSTFLAGS"[..], b"RUSTDOCFLAGS"].contains(&name)
            || name.starts_with(b"CARGO_") && (name.ends_with(b"_RUSTFLAGS") || name.ends_with(b"_RUSTDOCFLAGS"))
        {
            words.extend(split(b' ').filter(|word| !word.is_empty()));
        }
    }
    words
}
