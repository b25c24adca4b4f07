//! Inputs for the macros of a procedural-macro crate. In: its modules. Out: the macros it exports, and for each the text of a program that uses it, by a path
//! that leads to it, on every kind of item. That an expansion does not compile is no matter: it ran, in the compiler. One program each, so that a macro
//! which ends the compiler ends its own only.

use quote::ToTokens;

use crate::suspect::harness::modules::{Modules, only_for_tests};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `name!`
    Tokens,
    /// `#[name]`
    Attribute,
    /// `#[derive(name)]`, with the attributes that help it.
    Derive(Vec<String>),
}

impl Macro {
    /// As it is told, by its name or a path.
    pub fn told(&self, path: &str) -> String {
        match self.kind {
            Kind::Tokens => format!("{path}!"),
            Kind::Attribute => format!("#[{path}]"),
            Kind::Derive(_) => format!("#[derive({path})]"),
        }
    }

    /// A program that uses what this path leads to.
    pub fn program(&self, path: &str) -> String {
        match &self.kind {
            Kind::Tokens => of_tokens(path),
            Kind::Attribute => of_items(path),
            Kind::Derive(helpers) => of_derive(path, helpers),
        }
    }
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

pub fn macros(modules: &Modules) -> Vec<Macro> {
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
                found.push(Macro { name: name.clone(), kind: Kind::Tokens });
            } else if of.is_ident("proc_macro_attribute") {
                found.push(Macro { name: name.clone(), kind: Kind::Attribute });
            } else if of.is_ident("proc_macro_derive") {
                let syn::Meta::List(list) = &attribute.meta else { continue };
                let (name, helpers) = derived(&list.tokens.to_token_stream().to_string());
                found.push(Macro { name, kind: Kind::Derive(helpers) });
            }
        }
    }
    found.extend(made_by_macros(modules));
    found
}

/// Some crates have a macro that writes their macros (`create_derive!("add", add, Add)`): which of its words is a name is not known, and one that is
/// none only fails to compile.
fn made_by_macros(modules: &Modules) -> Vec<Macro> {
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
                    true if derives => found.push(Macro { name: word.to_owned(), kind: Kind::Derive(Vec::new()) }),
                    false if plain && word.starts_with(|c: char| c.is_ascii_lowercase()) => {
                        found.push(Macro { name: word.to_owned(), kind: Kind::Tokens });
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

fn of_derive(path: &str, helpers: &[String]) -> String {
    let mut uses: Vec<String> = ITEMS.iter().map(|item| format!("#[derive({path})] {}", item.replace("HELPER", ""))).collect();
    for helper in helpers.iter().take(8) {
        for words in WORDS {
            let attribute = format!("#[{helper}{words}]");
            let used = ITEMS.iter().filter(|item| item.contains("HELPER")).map(|item| item.replace("HELPER", &attribute));
            uses.extend(used.map(|item| format!("#[derive({path})] {item}")));
            uses.push(format!("#[derive({path})] {attribute} {}", ITEMS[3].replace("HELPER", "")));
        }
    }
    modules_of(uses.into_iter().map(|item| item.replace("struct Unit;", "struct Empty;")))
}

fn of_items(path: &str) -> String {
    let all = ITEMS.iter().chain(OTHERS).map(|item| item.replace("HELPER", "").replace("struct Unit;", "struct Empty;"));
    let plain = all.clone().map(|item| format!("#[{path}] {item}"));
    let with_words = WORDS.iter().skip(1).flat_map(|words| {
        let some = [ITEMS[3], ITEMS[5], OTHERS[0], OTHERS[1], OTHERS[4], OTHERS[5], OTHERS[6]];
        some.map(|item| format!("#[{path}{words}] {}", item.replace("HELPER", "")))
    });
    modules_of(plain.chain(with_words))
}

fn of_tokens(path: &str) -> String {
    let as_item = TOKENS.iter().map(|tokens| format!("{path}! {{ {tokens} }}"));
    let as_value = TOKENS.iter().map(|tokens| format!("fn value() {{ let _ = {path}!({tokens}); }}"));
    modules_of(as_item.chain(as_value))
}
