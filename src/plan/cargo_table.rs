//! The `[cargo]` table of a profile: what cargo itself may read and write beyond what it passes on to the actors it starts, and what single
//! subcommands may besides. In: the table of each layer. Out: merged lists.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::plan::document::{ConfigError, Document, Item};
use crate::plan::grants::{Change, Line};
use crate::plan::phases::Network;
use crate::plan::placeholders;

const LISTS: [&str; 2] = ["read", "write"];
const KEYS: [&str; 5] = ["read", "extend-read", "write", "extend-write", "network"];
/// What a subcommand's table may hold.
const OF_SUBCOMMANDS: &[&str] = &["read", "extend-read", "write", "extend-write"];

/// What cargo may read and write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub read: Vec<Line>,
    pub write: Vec<Line>,
}

/// Cargo's own grants: always, and by subcommand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cargo {
    pub always: Reach,
    /// When it has a network.
    pub network: Network,
    /// `[cargo.install]`: what that subcommand has besides.
    pub subcommands: BTreeMap<String, Reach>,
}

/// One file's say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// By subcommand (none for all), list and change.
    lists: Vec<(Option<String>, &'static str, Change)>,
    network: Option<Network>,
}

impl Layer {
    pub(crate) fn read<'t>(document: &Document<'t>, table: &DeTable<'t>) -> Result<Layer, ConfigError> {
        let mut layer = Layer::default();
        for (key, item) in table {
            let text = key.get_ref().as_ref();
            if layer.list(document, None, text, item)? {
                continue;
            }
            if text == "network" {
                let word = document.string(item, text)?;
                let known = Network::ALL.into_iter().find(|network| network.name() == word);
                layer.network = Some(known.ok_or_else(|| document.unknown(item.span(), "value", word, &Network::ALL.map(Network::name)))?);
                continue;
            }
            // A table can only be a subcommand's; whatever else stands there was meant to be a list.
            let Some(subcommand) = item.get_ref().as_table() else { return Err(document.unknown(key.span(), "key", text, &KEYS)) };
            for (key, item) in subcommand {
                let list = key.get_ref().as_ref();
                if !layer.list(document, Some(text), list, item)? {
                    return Err(document.unknown(key.span(), "key", list, OF_SUBCOMMANDS));
                }
            }
        }
        Ok(layer)
    }

    /// Is this key a list's? Then it is read.
    fn list<'t>(&mut self, document: &Document<'t>, of: Option<&str>, key: &str, item: Item<'_, 't>) -> Result<bool, ConfigError> {
        let (plain, extend) = key.strip_prefix("extend-").map_or((key, false), |plain| (plain, true));
        let Some(known) = LISTS.into_iter().find(|known| *known == plain) else { return Ok(false) };
        let mut lines = Vec::new();
        for (text, span) in document.strings(item, key)? {
            placeholders::check_cargo(&text).map_err(|message| document.error(span.clone(), message))?;
            lines.push(Line { text, origin: format!("{}:{}", document.file, document.position(span.start).0) });
        }
        self.lists.push((of.map(str::to_owned), known, Change { extend, lines }));
        Ok(true)
    }
}

impl Cargo {
    pub(crate) fn apply(&mut self, layer: Layer) {
        self.network = layer.network.unwrap_or(self.network);
        for (of, key, change) in layer.lists {
            let reach = of.map_or(&mut self.always, |name| self.subcommands.entry(name).or_default());
            let list = if key == "read" { &mut reach.read } else { &mut reach.write };
            if !change.extend {
                list.clear();
            }
            list.extend(change.lines);
        }
    }

    /// What counts for a subcommand.
    pub fn of(&self, subcommand: &str) -> impl Iterator<Item = &Reach> {
        std::iter::once(&self.always).chain(self.subcommands.get(subcommand))
    }

    /// Every list with a name for it: `cargo`, `cargo install`.
    pub fn tables(&self) -> impl Iterator<Item = (String, &Reach)> {
        let single = self.subcommands.iter().map(|(name, reach)| (format!("cargo.{name}"), reach));
        std::iter::once(("cargo".to_owned(), &self.always)).chain(single)
    }
}

impl Reach {
    pub fn lists(&self) -> [(&'static str, &[Line]); 2] {
        [("read", &self.read), ("write", &self.write)]
    }
}
