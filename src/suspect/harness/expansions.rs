//! Which macros are expanded, by which path. In: what a suspect shows; what its macro crates hold; what the compiler says of the programs. Out: a program for
//! each; those that the compiler does not find; what nobody knows how to expand.

use std::collections::BTreeMap;

use quote::ToTokens;

use crate::suspect::harness::expand::Macro;
use crate::suspect::harness::surface::Surface;
use crate::suspect::harness::world::World;

/// Macros that are expanded.
const MOST: usize = 64;
/// Of those that are only guessed.
const GUESSES: usize = 16;

pub struct Expansion {
    /// As it is told: `#[derive(Serialize)]`; of another crate's by its path.
    pub name: String,
    pub text: String,
    /// The last word of its path.
    word: String,
    /// The crate it is of, of another one.
    pub of: Option<String>,
    /// Its sources do not show that it leads there: such a crate could be exported again by a macro.
    pub is_guess: bool,
    /// They name its crate where they may export it.
    pub is_named: bool,
}

fn expansion(path: &str, made: &Macro, of: Option<&String>) -> Expansion {
    let word = path.rsplit("::").next().unwrap_or_default().to_owned();
    let name = made.told(if of.is_some() { path } else { &made.name });
    Expansion { name, text: made.program(path), word, of: of.cloned(), is_guess: false, is_named: false }
}

/// With what cannot be expanded, a sentence each.
pub fn expansions(library: &str, world: &World, surface: &Surface<'_>) -> (Vec<Expansion>, Vec<String>) {
    let of = |made: &Macro| world.crates.iter().find(|one| one.macros.iter().any(|known| std::ptr::eq(known, made))).map(|one| &one.name);
    let own = &world.crates[0].name;
    let mut found: Vec<Expansion> =
        surface.macros.iter().map(|(path, made)| expansion(path, made, of(made).filter(|name| *name != own))).collect();
    let mut hidden = Vec::new();
    for (name, at) in &world.macros {
        let other = &world.crates[*at];
        if found.iter().any(|known| known.of.as_ref() == Some(&other.name)) {
            continue;
        }
        let is_named = names(world, name);
        if other.macros.is_empty() && is_named {
            hidden.push(format!("of {name}, in whose sources none are seen"));
        }
        let guessed = other.macros.iter().map(|made| expansion(&format!("{library}::{}", made.name), made, Some(&other.name)));
        found.extend(guessed.take(GUESSES).map(|guessed| Expansion { is_guess: true, is_named, ..guessed }));
    }
    if found.len() > MOST {
        hidden.push(format!("{} more than {MOST}", found.len() - MOST));
        found.truncate(MOST);
    }
    (found, hidden)
}

/// Do its sources name this crate where they may export it: by a line that was not followed, or by a macro of their own?
fn names(world: &World, name: &str) -> bool {
    let own = &world.crates[0];
    let items = || own.modules.values().flat_map(|module| &module.items);
    let macros = items().filter_map(|item| match item {
        syn::Item::Macro(item) => Some(item.mac.tokens.to_token_stream().to_string()),
        _ => None,
    });
    let texts: Vec<String> = macros.collect();
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let exports = texts.iter().any(|text| text.contains("use $") || text.contains("use :: $"));
    own.names.contains_key(name)
        || texts.iter().any(|text| words(text) && (exports || text.contains("pub use") || text.contains("extern crate")))
}

/// Of those that were written, by number, what the compiler does not find. `said`: its messages, one a line.
pub fn absent(said: &[u8], written: &[Expansion]) -> BTreeMap<usize, String> {
    let said = String::from_utf8_lossy(said);
    let mut found = BTreeMap::new();
    for line in said.lines() {
        let Some((file, rest)) = line.split_once(".rs:") else { continue };
        let Some(at) = file.strip_prefix("tests/expand_").and_then(|number| number.parse::<usize>().ok()?.checked_sub(1)) else { continue };
        let Some((_, message)) = rest.split_once("error") else { continue };
        if let Some(expansion) = written.get(at)
            && is_absence(message, &expansion.word)
        {
            let message = message.trim_start_matches(|c| c != ' ').trim();
            found.entry(at).or_insert_with(|| message.to_owned());
        }
    }
    found
}

fn is_absence(message: &str, word: &str) -> bool {
    let named = |before: &str| message.contains(&format!("{before} `{word}`"));
    ["cannot find derive macro", "cannot find attribute", "cannot find macro", "could not find"].iter().any(|before| named(before))
        || ["expected derive macro, found", "expected attribute, found", "expected macro, found"].iter().any(|text| message.contains(text))
        || named("unresolved import")
        || message.contains(&format!("`{word}` is private"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suspect::harness::expand::Kind;

    #[test]
    fn what_is_not_found_was_not_expanded() {
        let made = |name: &str, kind: Kind| expansion(&format!("s::{name}"), &Macro { name: name.to_owned(), kind }, None);
        let written = [
            made("Show", Kind::Derive(Vec::new())),
            made("mark", Kind::Attribute),
            made("run", Kind::Tokens),
            made("Did", Kind::Derive(vec![])),
        ];
        let said = b"tests/expand_1.rs:6:14: error: cannot find derive macro `Show` in crate `s`\n\
            tests/expand_2.rs:6:14: error[E0433]: failed to resolve: could not find `mark` in `s`\n\
            tests/expand_4.rs:6:14: error: cannot find macro `Other` in this scope\n\
            tests/expand_3.rs:5:4: warning: cannot find macro `run` in this scope\n";
        let found = absent(said, &written);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert!(found[&1].contains("could not find `mark` in `s`"), "{found:?}");
    }
}
