//! A profile: what each kind of actor may do. In: layers of TOML, the most specific first. Out: merged lists in which every line
//! knows where it came from; `resolve` turns them into a `judge::Policy` for one actor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use toml::de::DeTable;

use crate::judge::environment::EnvironmentLists;
use crate::judge::reviewed::Allow;
use crate::judge::{Environment, Places, Policy, SecretLists};
use crate::model::{ActorKind, Mode};
use crate::plan::config::{self, ConfigError};
use crate::plan::document::Document;
use crate::plan::phases::Network;
use crate::plan::placeholders;
use crate::plan::resolve::Settled;
use crate::plan::reviewed;

/// The profiles shipped with the program: the files are the documentation.
pub const EMBEDDED: [(&str, &str); 4] = [
    ("default", include_str!("../../profiles/default.toml")),
    ("strict", include_str!("../../profiles/strict.toml")),
    ("observe", include_str!("../../profiles/observe.toml")),
    ("ci", include_str!("../../profiles/ci.toml")),
];

pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// One entry of a list, and where it stands (`profiles/default.toml:31`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub origin: String,
}

/// What one kind of actor may do, before places are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    pub read: Vec<Line>,
    pub write: Vec<Line>,
    pub exec: Vec<Line>,
    pub connect: Vec<Line>,
    pub unix: Vec<Line>,
}

impl Grants {
    /// The lists with their keys.
    pub fn lists(&self) -> [(&'static str, &[Line]); 5] {
        [("read", &self.read), ("write", &self.write), ("exec", &self.exec), ("connect", &self.connect), ("unix", &self.unix)]
    }

    fn list(&mut self, key: &str) -> Option<&mut Vec<Line>> {
        Some(match key {
            "read" => &mut self.read,
            "write" => &mut self.write,
            "exec" => &mut self.exec,
            "connect" => &mut self.connect,
            "unix" => &mut self.unix,
            _ => return None,
        })
    }
}

/// What the walls must be able to do, or the run does not start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Require {
    /// Lowest Landlock ABI.
    pub landlock: u32,
    /// An incomplete record is an error.
    pub complete: bool,
}

/// A list as one file writes it: replaces what was inherited, or adds to it.
#[derive(Clone, Debug)]
struct Change {
    extend: bool,
    lines: Vec<Line>,
}

/// One file's (or one `[profile.NAME]` table's) say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub file: String,
    pub embedded: bool,
    pub inherits: Option<(String, ConfigError)>,
    description: Option<String>,
    mode: Option<Mode>,
    landlock: Option<u32>,
    complete: Option<bool>,
    /// With the place it stands at.
    reviewed: Option<(bool, String)>,
    network: Option<Network>,
    lists: Vec<((Option<ActorKind>, &'static str), Change)>,
}

const TABLES: [ActorKind; 5] = [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program, ActorKind::Tool];
const ACTOR_LISTS: [&str; 5] = ["read", "write", "exec", "connect", "unix"];
const TOP: [&str; 15] = [
    "description",
    "inherits",
    "mode",
    "require",
    "reviewed",
    "cargo",
    "environment",
    "secrets",
    "extend-secrets",
    "not-secrets",
    "build-script",
    "rustc",
    "rustdoc",
    "program",
    "tool",
];

impl Layer {
    /// Reads a profile's table; a file of its own (`whole`) also holds `version`.
    pub(crate) fn read<'t>(document: &Document<'t>, name: &str, table: &DeTable<'t>, whole: bool) -> Result<Self, ConfigError> {
        let mut layer = Layer { file: format!("{}#{name}", document.file), ..Layer::default() };
        for (key, item) in table {
            let text = key.get_ref().as_ref();
            match text {
                "version" if whole => {}
                "description" => layer.description = Some(document.string(item, text)?.to_owned()),
                "inherits" => {
                    let place = document.error(item.span(), "");
                    layer.inherits = Some((document.string(item, text)?.to_owned(), place));
                }
                "mode" => layer.mode = Some(config::mode(document, document.string(item, text)?, item.span())?),
                "require" => layer.require(document, document.table(item, text)?)?,
                "reviewed" => {
                    let origin = format!("{}:{}", document.file, document.position(item.span().start).0);
                    layer.reviewed = Some((document.boolean(item, text)?, origin));
                }
                "cargo" => layer.cargo(document, document.table(item, text)?)?,
                "environment" => layer.environment(document, document.table(item, text)?)?,
                "secrets" => layer.list(document, (None, "secrets"), false, item)?,
                "extend-secrets" => layer.list(document, (None, "secrets"), true, item)?,
                "not-secrets" => layer.list(document, (None, "not-secrets"), true, item)?,
                "linker" | "proc-macro" => {
                    return Err(
                        document.error(key.span(), format!("`{text}` runs inside the compiler and shares its wall: grant it in `[rustc]`"))
                    );
                }
                other => match TABLES.into_iter().find(|kind| kind.name() == other) {
                    Some(kind) => layer.actor(document, kind, document.table(item, other)?)?,
                    None => return Err(document.unknown(key.span(), "key", other, &TOP)),
                },
            }
        }
        Ok(layer)
    }

    fn require<'t>(&mut self, document: &Document<'t>, table: &DeTable<'t>) -> Result<(), ConfigError> {
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "landlock" => self.landlock = Some(document.number(item, "landlock")?),
                "complete" => self.complete = Some(document.boolean(item, "complete")?),
                other => return Err(document.unknown(key.span(), "key", other, &["landlock", "complete"])),
            }
        }
        Ok(())
    }

    fn cargo<'t>(&mut self, document: &Document<'t>, table: &DeTable<'t>) -> Result<(), ConfigError> {
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "network" => {
                    let text = document.string(item, "network")?;
                    let known = Network::ALL.into_iter().find(|network| network.name() == text);
                    self.network =
                        Some(known.ok_or_else(|| document.unknown(item.span(), "value", text, &Network::ALL.map(Network::name)))?);
                }
                other => return Err(document.unknown(key.span(), "key", other, &["network"])),
            }
        }
        Ok(())
    }

    fn environment<'t>(&mut self, document: &Document<'t>, table: &DeTable<'t>) -> Result<(), ConfigError> {
        for (key, item) in table {
            match key.get_ref().as_ref() {
                "withhold" => self.list(document, (None, "withhold"), false, item)?,
                "extend-withhold" => self.list(document, (None, "withhold"), true, item)?,
                "pass" => self.list(document, (None, "pass"), false, item)?,
                "extend-pass" => self.list(document, (None, "pass"), true, item)?,
                other => return Err(document.unknown(key.span(), "key", other, &["withhold", "extend-withhold", "pass", "extend-pass"])),
            }
        }
        Ok(())
    }

    fn actor<'t>(&mut self, document: &Document<'t>, kind: ActorKind, table: &DeTable<'t>) -> Result<(), ConfigError> {
        for (key, item) in table {
            let text = key.get_ref().as_ref();
            let (plain, extend) = text.strip_prefix("extend-").map_or((text, false), |plain| (plain, true));
            let Some(known) = ACTOR_LISTS.into_iter().find(|known| *known == plain) else {
                let extended = ACTOR_LISTS.map(|name| format!("extend-{name}"));
                let known: Vec<&str> = ACTOR_LISTS.into_iter().chain(extended.iter().map(String::as_str)).collect();
                return Err(document.unknown(key.span(), "key", text, &known));
            };
            self.list(document, (Some(kind), known), extend, item)?;
        }
        Ok(())
    }

    fn list<'t>(
        &mut self,
        document: &Document<'t>,
        at: (Option<ActorKind>, &'static str),
        extend: bool,
        item: crate::plan::document::Item<'_, 't>,
    ) -> Result<(), ConfigError> {
        let mut lines = Vec::new();
        for (text, span) in document.strings(item, at.1)? {
            if at.0.is_some() {
                placeholders::check(at.1, &text).map_err(|message| document.error(span.clone(), message))?;
            } else if matches!(at.1, "secrets" | "not-secrets") {
                placeholders::check_glob(&text).map_err(|message| document.error(span.clone(), message))?;
            }
            lines.push(Line { text, origin: format!("{}:{}", document.file, document.position(span.start).0) });
        }
        self.lists.push((at, Change { extend, lines }));
        Ok(())
    }
}

/// A merged profile.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    /// The profile and what it inherits, most specific first.
    pub chain: Vec<String>,
    pub description: String,
    pub mode: Mode,
    pub require: Require,
    /// Do the reviewed allows count (`plan::reviewed`)? Not where no file says so.
    pub reviewed: bool,
    /// The line that says so, or the other.
    pub reviewed_by: Option<String>,
    /// When cargo itself has a network.
    pub network: Network,
    pub environment: EnvironmentLists,
    pub secrets: SecretLists,
    pub actors: BTreeMap<ActorKind, Grants>,
    pub(crate) settled: OnceLock<Arc<Settled>>,
}

/// What the launcher knows about one actor when its policy is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorFacts {
    pub kind: ActorKind,
    pub package_dir: Option<PathBuf>,
    /// `OUT_DIR` of a build script; `--out-dir` and the incremental directory of a compiler.
    pub outputs: Vec<PathBuf>,
    pub tmp: PathBuf,
    /// The file cargo started.
    pub program: Option<PathBuf>,
    /// `-C extra-filename` of a compiler.
    pub extra_filename: Option<String>,
    /// `--crate-name` of a compiler.
    pub crate_name: Option<String>,
    /// `-C linker` of a compiler: cargo's configuration chose it.
    pub linker: Option<PathBuf>,
    /// Reviewed allows for macros that run in this compiler.
    pub reviewed: Vec<Allow>,
}

impl ActorFacts {
    pub fn new(kind: ActorKind, tmp: impl Into<PathBuf>) -> Self {
        ActorFacts {
            kind,
            package_dir: None,
            outputs: Vec::new(),
            tmp: tmp.into(),
            program: None,
            extra_filename: None,
            crate_name: None,
            linker: None,
            reviewed: Vec::new(),
        }
    }
}

impl Profile {
    /// Merges layers, the most specific first.
    pub(crate) fn from_chain(chain: Vec<(String, Layer)>) -> Result<Self, ConfigError> {
        let mut profile = Profile {
            name: chain.first().map(|(name, _)| name.clone()).unwrap_or_default(),
            chain: chain.iter().map(|(name, _)| name.clone()).collect(),
            description: String::new(),
            mode: Mode::Enforce,
            require: Require::default(),
            reviewed: false,
            reviewed_by: None,
            network: Network::default(),
            environment: EnvironmentLists::default(),
            secrets: SecretLists::default(),
            actors: TABLES.into_iter().map(|kind| (kind, Grants::default())).collect(),
            settled: OnceLock::new(),
        };
        for (_, layer) in chain.into_iter().rev() {
            profile.description = layer.description.unwrap_or(profile.description);
            profile.mode = layer.mode.unwrap_or(profile.mode);
            profile.require.landlock = layer.landlock.unwrap_or(profile.require.landlock);
            profile.require.complete = layer.complete.unwrap_or(profile.require.complete);
            if let Some((reviewed, origin)) = layer.reviewed {
                (profile.reviewed, profile.reviewed_by) = (reviewed, Some(origin));
            }
            profile.network = layer.network.unwrap_or(profile.network);
            for (at, change) in layer.lists {
                profile.apply(at, change);
            }
        }
        Ok(profile)
    }

    fn apply(&mut self, at: (Option<ActorKind>, &'static str), change: Change) {
        let texts = || change.lines.iter().map(|line| line.text.clone());
        match at {
            (Some(kind), key) => {
                if let Some(list) = self.actors.entry(kind).or_default().list(key) {
                    if !change.extend {
                        list.clear();
                    }
                    list.extend(change.lines);
                }
            }
            (None, "secrets") => {
                if !change.extend {
                    self.secrets.catalogue = false;
                    self.secrets.extra.clear();
                }
                self.secrets.extra.extend(texts());
            }
            (None, "not-secrets") => self.secrets.except.extend(texts()),
            (None, "withhold") => {
                if !change.extend {
                    self.environment.catalogue = false;
                    self.environment.withhold.clear();
                }
                self.environment.withhold.extend(texts());
            }
            (None, _) => {
                if !change.extend {
                    self.environment.pass.clear();
                }
                self.environment.pass.extend(texts());
            }
        }
    }

    /// The grants of a kind of actor; a proc-macro and a linker live behind the compiler's wall.
    pub fn grants(&self, kind: ActorKind) -> &Grants {
        let kind = if matches!(kind, ActorKind::ProcMacro | ActorKind::Linker) { ActorKind::Rustc } else { kind };
        &self.actors[&kind]
    }

    pub fn environment(&self) -> Environment {
        Environment::compile(&self.environment)
    }

    /// The policy of one actor. The first call looks at the file system; later ones with the same places only put paths together.
    pub fn resolve(&self, places: &Places, facts: &ActorFacts) -> Policy {
        let settled = self.settled.get_or_init(|| Arc::new(Settled::new(self, places)));
        if *settled.places == *places { settled.policy(self, facts) } else { Settled::new(self, places).policy(self, facts) }
    }

    /// Tells two profiles apart in reports: 64-bit FNV-1a of everything that decides.
    pub fn digest(&self) -> String {
        let reviewed = if self.reviewed { reviewed::TEXT } else { "" };
        let (mode, require, network) = (self.mode, self.require, self.network);
        let text = format!("{mode:?}{require:?}{network:?}{:?}{:?}{:?}{reviewed}", self.environment, self.secrets, self.actors);
        crate::model::digest::hex(text.as_bytes())
    }
}

#[cfg(test)]
mod tests;
