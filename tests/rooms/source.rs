//! What a Rust source says about names: which modules, items and imports it has, and which paths it uses. In: the files below `src/`, read as
//! tokens (so that comments and texts are none). Out: modules by their path. Whatever is under `#[cfg(test)]` within a file is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// `gate::net::dns` as its parts; the root of the crate has none.
pub type Path = Vec<String>;

/// A module: a file, or a `mod x { … }` within one.
#[derive(Default)]
pub struct Module {
    pub file: String,
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths of two parts and more that code uses, as written.
    pub paths: Vec<Path>,
    /// First (or only) parts of whatever code names.
    pub names: BTreeSet<String>,
}

/// One name that a `use` brings.
pub struct Import {
    pub path: Path,
    /// Under which name; none for `_`, and for a glob.
    pub name: Option<String>,
    pub glob: bool,
    /// Is it passed on (`pub use`, `pub(super) use`)?
    pub passed_on: bool,
}

enum Token {
    Word(String),
    /// `::`
    Into,
    Sign(char),
    Text(String),
    Group(Delimiter, Vec<Token>),
}

/// The modules of a crate, from its files: (path in the repository, text).
pub fn modules(files: &[(String, String)]) -> BTreeMap<Path, Module> {
    let mut modules = BTreeMap::new();
    for (file, text) in files {
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file} is no Rust: {error}"));
        read(&tokens(stream), file, &path_of(file), true, &mut modules);
    }
    modules
}

/// `src/gate/net/mod.rs` and `src/gate/net.rs` are `gate::net`. The program has a root of its own, which nobody can import.
pub fn path_of(file: &str) -> Path {
    let path = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn tokens(stream: TokenStream) -> Vec<Token> {
    let mut found = Vec::new();
    let mut colon = false;
    for tree in stream {
        let before = std::mem::take(&mut colon);
        match tree {
            TokenTree::Punct(sign) if sign.as_char() == ':' && before => {
                found.pop();
                found.push(Token::Into);
            }
            TokenTree::Punct(sign) => {
                colon = sign.as_char() == ':' && sign.spacing() == proc_macro2::Spacing::Joint;
                found.push(Token::Sign(sign.as_char()));
            }
            TokenTree::Ident(word) => found.push(Token::Word(word.to_string())),
            TokenTree::Literal(text) => found.push(Token::Text(text.to_string())),
            TokenTree::Group(group) => found.push(Token::Group(group.delimiter(), tokens(group.stream()))),
        }
    }
    found
}

fn read(tokens: &[Token], file: &str, module: &Path, top: bool, into: &mut BTreeMap<Path, Module>) {
    fn one<'a>(into: &'a mut BTreeMap<Path, Module>, module: &Path) -> &'a mut Module {
        into.entry(module.clone()).or_default()
    }
    one(into, module).file = file.to_owned();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [Token::Sign('#'), Token::Group(Delimiter::Bracket, attribute), ..] => {
                if is_for_tests(attribute) {
                    at += 2;
                    at += item_length(&tokens[at..]);
                    continue;
                }
                read(attribute, file, module, false, into);
                // `#[serde(with = "crate::model::time")]`: a path in a text.
                let paths = texts(attribute).into_iter().map(|text| text.trim_matches('"').to_owned()).filter(|text| is_path(text));
                for path in paths.filter_map(|text| text.parse::<TokenStream>().ok()) {
                    read(&self::tokens(path), file, module, false, into);
                }
                at += 2;
            }
            // Not the `use<'a>` of a type.
            [Token::Word(word), next, ..] if word == "use" && !matches!(next, Token::Sign('<')) => {
                let end = tokens[at..].iter().position(|token| matches!(token, Token::Sign(';'))).map_or(tokens.len(), |end| at + end);
                let passed_on = match &tokens[..at] {
                    [.., Token::Word(word)] => word == "pub",
                    [.., Token::Word(word), Token::Group(Delimiter::Parenthesis, _)] => word == "pub",
                    _ => false,
                };
                spread(&tokens[at + 1..end], &[], passed_on, &mut one(into, module).imports);
                at = end;
            }
            [Token::Word(word), Token::Word(name), Token::Group(Delimiter::Brace, body), ..] if word == "mod" => {
                let inner: Path = module.iter().chain([name]).cloned().collect();
                read(body, file, &inner, true, into);
                at += 3;
            }
            [Token::Word(word), Token::Word(_), Token::Sign(';'), ..] if word == "mod" => at += 3,
            [Token::Word(word), Token::Sign('!'), Token::Word(name), ..] if word == "macro_rules" => {
                one(into, module).items.insert(name.clone());
                at += 3;
            }
            [Token::Word(word), Token::Word(name), ..] if top && ITEMS.contains(&word.as_str()) && !MODIFIERS.contains(&name.as_str()) => {
                one(into, module).items.insert(name.clone());
                at += 2;
            }
            [Token::Word(first), ..] if !is_within_path(&tokens[..at]) => {
                let mut path = vec![first.clone()];
                while let [Token::Into, Token::Word(next), ..] = &tokens[at + 2 * path.len() - 1..] {
                    path.push(next.clone());
                }
                one(into, module).names.insert(first.clone());
                at += 2 * path.len() - 1;
                if path.len() > 1 {
                    one(into, module).paths.push(path);
                }
            }
            [Token::Group(_, inner), ..] => {
                // A macro at the top may define items.
                let in_macro = matches!(&tokens[..at], [.., Token::Sign('!')] | [.., Token::Sign('!'), Token::Word(_)]);
                read_group(inner, file, module, top && in_macro, into);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// What a macro's arguments or rules define counts as defined there, however deep.
fn read_group(inner: &[Token], file: &str, module: &Path, defines: bool, into: &mut BTreeMap<Path, Module>) {
    read(inner, file, module, defines, into);
    if defines {
        for token in inner {
            if let Token::Group(_, deeper) = token {
                read_group(deeper, file, module, true, into);
            }
        }
    }
}

const ITEMS: [&str; 9] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro"];
/// Words that stand between such a word and its name, or tell that another one follows.
const MODIFIERS: [&str; 6] = ["fn", "mut", "unsafe", "async", "extern", "_"];

/// Does a word here belong to something before it: a field, a method, a path that went through `<…>`?
fn is_within_path(before: &[Token]) -> bool {
    match before {
        // `0..LAST` is no field.
        [.., Token::Sign('.'), Token::Sign('.')] => false,
        [.., Token::Into | Token::Sign('.')] => true,
        _ => false,
    }
}

/// `cfg(test)`, also with further conditions: `cfg(all(test, …))`.
fn is_for_tests(attribute: &[Token]) -> bool {
    let [Token::Word(cfg), Token::Group(Delimiter::Parenthesis, condition)] = attribute else { return false };
    let is_test = |tokens: &[Token]| matches!(tokens, [Token::Word(word), ..] if word == "test");
    cfg == "cfg"
        && match condition.as_slice() {
            [Token::Word(all), Token::Group(Delimiter::Parenthesis, conditions)] if all == "all" => {
                conditions.split(|token| matches!(token, Token::Sign(','))).any(is_test)
            }
            other => is_test(other),
        }
}

/// How far the item (or field, or arm of a match) goes that an attribute stands before.
fn item_length(tokens: &[Token]) -> usize {
    let mut plain = true;
    let mut braces_end = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) if plain && ["use", "let", "static", "type"].contains(&word.as_str()) => plain = false,
            Token::Word(word) if ["fn", "impl", "mod", "struct", "enum", "trait", "union", "macro_rules"].contains(&word.as_str()) => {
                (plain, braces_end) = (false, true);
            }
            // Until it turns out to be a `const fn`.
            Token::Word(word) if plain && word == "const" => plain = false,
            Token::Sign(';') => return at + 1,
            Token::Sign(',') if plain => return at + 1,
            Token::Group(Delimiter::Brace, _) if braces_end => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Is this text nothing but `a::b`?
fn is_path(text: &str) -> bool {
    text.contains("::") && text.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, ':' | '_'))
}

fn texts(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => found.push(text.clone()),
            Token::Group(_, inner) => found.append(&mut texts(inner)),
            _ => {}
        }
    }
    found
}

/// `a::{b, c::{self, d as e}, *}` name by name.
fn spread(tree: &[Token], front: &[String], passed_on: bool, found: &mut Vec<Import>) {
    let mut path = front.to_vec();
    let mut rest = tree;
    loop {
        match rest {
            [Token::Word(word), Token::Word(new)] if word == "as" => {
                let name = (new != "_").then(|| new.clone());
                found.push(Import { path: without_self(path), name, glob: false, passed_on });
                return;
            }
            [Token::Word(word), after @ ..] => {
                path.push(word.clone());
                rest = after;
            }
            [Token::Into, after @ ..] => rest = after,
            [Token::Sign('*')] => {
                found.push(Import { path, name: None, glob: true, passed_on });
                return;
            }
            [Token::Group(Delimiter::Brace, list)] => {
                for one in list.split(|token| matches!(token, Token::Sign(','))).filter(|one| !one.is_empty()) {
                    spread(one, &path, passed_on, found);
                }
                return;
            }
            [] => {
                let path = without_self(path);
                found.push(Import { name: path.last().cloned(), path, glob: false, passed_on });
                return;
            }
            _ => panic!("a `use` of `{}…` that is not understood", path.join("::")),
        }
    }
}

/// `a::{self}` is `a`.
fn without_self(mut path: Path) -> Path {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    path
}
