//! Inputs for the macros of a procedural-macro crate. In: its modules. Out: for each macro it exports the text of a program that uses it on every
//! kind of item. That an expansion does not compile is no matter: it ran, in the compiler. One program each, so that a macro which ends the
//! compiler ends its own only.

use quote::ToTokens;

use crate::suspect::harness::modules::{Modules, only_for_tests};

/// Macros that are expanded.
const MOST: usize = 64;

pub struct Expansion {
    /// As it is told: `#[derive(Serialize)]`.
    pub name: String,
    pub text: String,
}

const ITEMS: &[&str] = &[
    "struct Unit;",
    "pub struct Tuple(HELPER pub u32, pub String);",
    "pub struct One(pub i64);",
    "pub struct Named { HELPER pub id: u64, pub name: String, pub parts: Vec<u8>, pub maybe: Option<String> }",
    "pub struct Generic<'a, T: Clone, const N: usize> where T: Default { pub value: T, pub text: &'a str, pub many: [u8; N] }",
    "pub enum Plain { First, Second, Third }",
    "pub enum Mixed { HELPER Unit, Tuple(u8, String), Named { x: i32, y: Option<bool> } }",
    "pub enum Of<T> { None, Some(T) }",
    "pub union Both { a: u32, b: f32 }",
];
const OTHERS: &[&str] = &[
    "pub fn plain(x: u32) -> u32 { x }",
    "pub async fn asynchronous(name: &str) -> Result<String, std::io::Error> { Ok(name.to_string()) }",
    "fn main() {}",
    "#[test] fn tested() {}",
    "pub mod inner { pub fn f() {} pub struct S { pub a: u8 } }",
    "impl Unit { pub fn new(&self) -> u8 { 1 } pub async fn later(&mut self) {} }",
    "pub trait Does { fn it(&self) -> u32; async fn later(&self) {} }",
    "impl std::fmt::Display for Unit { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }",
    "pub const VALUE: &str = \"example\";",
    "pub static STATIC: u32 = 1;",
    "extern \"C\" { fn outside(); }",
    "pub type Alias = u32;",
];
/// What attributes are given.
const WORDS: &[&str] = &["", "(example)", "(name = \"example\")", "(\"example\")", " = \"example\""];
/// What functions of tokens are given.
const TOKENS: &[&str] = &[
    "",
    "example",
    "\"example\"",
    "42",
    "\"{} and {name}\", 1, name = 2",
    "1 + 2 * x",
    "x => x + 1, _ => 0",
    "a: 1, b: \"two\"",
    "struct Named { id: u64 }",
    "fn plain() -> u32 { 1 }",
    "{ \"key\": [1, 2, null] }",
    "<p class=\"x\">\"text\"</p>",
    "SELECT * FROM users WHERE id = 1",
    "let x = 1; x",
    "|x| x",
    "example::Path<u8>",
    "1, 2, 3",
    "static ref NAME: u32 = 1;",
];

pub fn expansions(library: &str, modules: &Modules) -> Vec<Expansion> {
    let functions = modules.values().flat_map(|module| &module.items).filter_map(|item| match item {
        syn::Item::Fn(item) if !only_for_tests(&item.attrs) => Some(item),
        _ => None,
    });
    let mut found = Vec::new();
    for function in functions {
        let name = function.sig.ident.to_string();
        for attribute in &function.attrs {
            let of = attribute.path();
            if of.is_ident("proc_macro") {
                found.push(Expansion { name: format!("{name}!"), text: of_tokens(library, &name) });
            } else if of.is_ident("proc_macro_attribute") {
                found.push(Expansion { name: format!("#[{name}]"), text: of_items(library, &name) });
            } else if of.is_ident("proc_macro_derive") {
                let syn::Meta::List(list) = &attribute.meta else { continue };
                let (derive, helpers) = derived(&list.tokens.to_token_stream().to_string());
                found.push(Expansion { name: format!("#[derive({derive})]"), text: of_derive(library, &derive, &helpers) });
            }
        }
    }
    found.extend(made_by_macros(library, modules));
    found.truncate(MOST);
    found
}

/// Some crates have a macro that writes their macros (`create_derive!("add", add, Add)`): which of its words is a name is not known, and one that is
/// none only fails to compile.
fn made_by_macros(library: &str, modules: &Modules) -> Vec<Expansion> {
    let all = || {
        modules.values().flat_map(|module| &module.items).filter_map(|item| match item {
            syn::Item::Macro(item) => Some(item),
            _ => None,
        })
    };
    let mut found = Vec::new();
    for maker in all().filter(|item| item.ident.is_some()) {
        let text = maker.mac.tokens.to_string();
        let (derives, plain) = (text.contains("proc_macro_derive"), text.contains("[proc_macro]") || text.contains("[ proc_macro ]"));
        for used in
            all().filter(|item| item.ident.is_none() && item.mac.path.segments.last().map(|last| &last.ident) == maker.ident.as_ref())
        {
            let text = used.mac.tokens.to_string();
            for word in
                text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"').filter(|word| !word.is_empty() && !word.contains('"'))
            {
                match word.starts_with(|c: char| c.is_ascii_uppercase()) {
                    true if derives => found.push(Expansion { name: format!("#[derive({word})]"), text: of_derive(library, word, &[]) }),
                    false if plain && word.starts_with(|c: char| c.is_ascii_lowercase()) => {
                        found.push(Expansion { name: format!("{word}!"), text: of_tokens(library, word) });
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

/// `Serialize, attributes(serde, other)` as its name and its helpers.
fn derived(text: &str) -> (String, Vec<String>) {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default().to_owned();
    (name, words.filter(|word| *word != "attributes").map(str::to_owned).collect())
}

const HEAD: &str = "// Written by `cargo brig try`: uses a macro on what macros are used on. It need not compile.\n#![allow(warnings)]\n\n";

/// Each item in a module of its own, so that their names do not meet.
fn modules_of(uses: impl Iterator<Item = String>) -> String {
    let mut text = HEAD.to_owned();
    for (at, item) in uses.enumerate() {
        text.push_str(&format!("mod m{at} {{\n    struct Unit;\n    {item}\n}}\n"));
    }
    text.push_str("\nfn main() {}\n");
    text
}

fn of_derive(library: &str, name: &str, helpers: &[String]) -> String {
    let mut uses: Vec<String> = ITEMS.iter().map(|item| format!("#[derive({library}::{name})] {}", item.replace("HELPER", ""))).collect();
    for helper in helpers.iter().take(8) {
        for words in WORDS {
            let attribute = format!("#[{helper}{words}]");
            let used = ITEMS.iter().filter(|item| item.contains("HELPER")).map(|item| item.replace("HELPER", &attribute));
            uses.extend(used.map(|item| format!("#[derive({library}::{name})] {item}")));
            uses.push(format!("#[derive({library}::{name})] {attribute} {}", ITEMS[3].replace("HELPER", "")));
        }
    }
    modules_of(uses.into_iter().map(|item| item.replace("struct Unit;", "struct Empty;")))
}

fn of_items(library: &str, name: &str) -> String {
    let all = ITEMS.iter().chain(OTHERS).map(|item| item.replace("HELPER", "").replace("struct Unit;", "struct Empty;"));
    let plain = all.clone().map(|item| format!("#[{library}::{name}] {item}"));
    let with_words = WORDS.iter().skip(1).flat_map(|words| {
        let some = [ITEMS[3], ITEMS[5], OTHERS[0], OTHERS[1], OTHERS[4], OTHERS[5], OTHERS[6]];
        some.map(|item| format!("#[{library}::{name}{words}] {}", item.replace("HELPER", "")))
    });
    modules_of(plain.chain(with_words))
}

fn of_tokens(library: &str, name: &str) -> String {
    let as_item = TOKENS.iter().map(|tokens| format!("{library}::{name}! {{ {tokens} }}"));
    let as_value = TOKENS.iter().map(|tokens| format!("fn value() {{ let _ = {library}::{name}!({tokens}); }}"));
    modules_of(as_item.chain(as_value))
}
