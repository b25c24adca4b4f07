//! One file's (or one `[profile.NAME]` table's) say. In: a table of TOML. Out: a [`Layer`], checked word for word, or what is wrong with it.

use toml::de::DeTable;

use crate::model::{ActorKind, Mode};
use crate::plan::cargo_table;
use crate::plan::document::{ConfigError, Document, Item, mode};
use crate::plan::grants::{Change, Line};
use crate::plan::placeholders;

/// One file's (or one `[profile.NAME]` table's) say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub file: String,
    pub embedded: bool,
    pub inherits: Option<(String, ConfigError)>,
    pub(super) description: Option<String>,
    pub(super) mode: Option<Mode>,
    pub(super) landlock: Option<u32>,
    pub(super) complete: Option<bool>,
    pub(super) accepted: Option<bool>,
    /// With the place it stands at.
    pub(super) reviewed: Option<(bool, String)>,
    pub(super) lists: Vec<((Option<ActorKind>, &'static str), Change)>,
    pub(super) cargo: cargo_table::Layer,
}

pub(super) const TABLES: [ActorKind; 5] =
    [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program, ActorKind::Tool];
const ACTOR_LISTS: [&str; 7] = ["read", "write", "exec", "connect", "unix", "record", "data"];
/// Lists that only programs have: nobody else leaves anything in a package.
const OF_PROGRAMS: [&str; 2] = ["record", "data"];
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
                "mode" => layer.mode = Some(mode(document, document.string(item, text)?, item.span())?),
                "require" => layer.require(document, document.table(item, text)?)?,
                "reviewed" => {
                    let origin = format!("{}:{}", document.file, document.position(item.span().start).0);
                    layer.reviewed = Some((document.boolean(item, text)?, origin));
                }
                "cargo" => layer.cargo = cargo_table::Layer::read(document, document.table(item, text)?)?,
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
                "accepted" => self.accepted = Some(document.boolean(item, "accepted")?),
                other => return Err(document.unknown(key.span(), "key", other, &["landlock", "complete", "accepted"])),
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
            let has = |list: &&str| kind == ActorKind::Program || !OF_PROGRAMS.contains(list);
            let Some(known) = ACTOR_LISTS.into_iter().filter(has).find(|known| *known == plain) else {
                let extended: Vec<String> = ACTOR_LISTS.into_iter().filter(has).map(|name| format!("extend-{name}")).collect();
                let lists = ACTOR_LISTS.iter().copied().filter(|list| has(list));
                let known: Vec<&str> = lists.chain(extended.iter().map(String::as_str)).collect();
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
        item: Item<'_, 't>,
    ) -> Result<(), ConfigError> {
        let mut lines = Vec::new();
        for (text, span) in document.strings(item, &written(at.1, extend))? {
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

/// A list's key, as it stands in the file.
fn written(list: &str, extend: bool) -> String {
    format!("{}{list}", if extend { "extend-" } else { "" })
}
