//! What a source offers, without what it does: bodies of functions and values of constants are taken out before anything is parsed, so that
//! neither their size nor their depth matters. In: text that nobody trusts. Out: the items that are left.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Modules within modules within one file; deeper ones are empty.
const DEEPEST: usize = 24;
/// Tokens of one item without its braces: a type of a hundred thousand references would need as many frames to parse.
const LONGEST: usize = 4000;

/// # Errors
/// When it cannot be read as Rust; the text says where.
pub fn items(text: &str) -> Result<Vec<syn::Item>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    items_of(text.parse().map_err(|_| "no Rust tokens".to_owned())?)
}

/// # Errors
/// When they are no items.
pub fn items_of(tokens: TokenStream) -> Result<Vec<syn::Item>, String> {
    let file: syn::File = syn::parse2(reduced(tokens, 0)).map_err(|error| error.to_string())?;
    Ok(file.items)
}

/// Within a file, a module, a trait or an implementation.
fn reduced(tokens: TokenStream, depth: usize) -> TokenStream {
    let mut out = Vec::new();
    let mut item = Item::default();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) => {
                item.see(&word.to_string());
                out.push(TokenTree::Ident(word));
            }
            // An initial value up to its semicolon: any value will do, since none is compiled.
            TokenTree::Punct(sign) if sign.as_char() == '=' && item.has_value => {
                out.push(TokenTree::Punct(sign));
                out.push(TokenTree::Literal(proc_macro2::Literal::u8_unsuffixed(0)));
                while tokens.next_if(|token| !matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';')).is_some() {}
            }
            TokenTree::Punct(sign) => {
                if sign.as_char() == ';' {
                    item = Item::default();
                }
                out.push(TokenTree::Punct(sign));
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner = match () {
                    () if item.is_function => TokenStream::new(),
                    // A module, a trait, an implementation, a list of foreign functions: items again.
                    () if item.holds_items && depth < DEEPEST => reduced(group.stream(), depth + 1),
                    () if item.holds_items => TokenStream::new(),
                    () => group.stream(),
                };
                let mut kept =
                    Group::new(Delimiter::Brace, if size(&inner) > LONGEST && !item.holds_items { TokenStream::new() } else { inner });
                kept.set_span(group.span());
                out.push(TokenTree::Group(kept));
                // `use a::{b, c};` and the arguments of a macro go on.
                if !item.is_use {
                    item = Item::default();
                }
            }
            TokenTree::Group(group) if size(&group.stream()) > LONGEST => {
                out.push(TokenTree::Group(Group::new(group.delimiter(), TokenStream::new())))
            }
            other => out.push(other),
        }
        item.length += 1;
        if item.length > LONGEST {
            break;
        }
    }
    out.into_iter().collect()
}

/// Tokens in it, at any depth, counted up to the bound.
fn size(tokens: &TokenStream) -> usize {
    let (mut count, mut open) = (0, vec![tokens.clone().into_iter()]);
    while let Some(top) = open.last_mut() {
        match top.next() {
            Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
            Some(_) => {}
            None => drop(open.pop()),
        }
        count += 1;
        if count > LONGEST || open.len() > 200 {
            return usize::MAX;
        }
    }
    count
}

/// What is known of the item that is being read.
#[derive(Default)]
struct Item {
    is_function: bool,
    holds_items: bool,
    has_value: bool,
    is_use: bool,
    length: usize,
}

impl Item {
    fn see(&mut self, word: &str) {
        match word {
            // `const fn` has a body, and no value.
            "fn" => (self.is_function, self.has_value, self.holds_items) = (true, false, false),
            "const" | "static" if !self.is_function && !self.holds_items => self.has_value = true,
            "mod" | "trait" | "impl" if !self.is_function && !self.has_value => self.holds_items = true,
            "extern" if !self.is_function => self.holds_items = true,
            "struct" | "enum" | "union" if self.length < 60 && !self.is_function => self.has_value = false,
            "use" => self.is_use = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_gone_and_items_are_not() {
        let text = "
            #![allow(x)] use a::{b, c}; pub mod m { pub fn f(x: [u8; 4]) -> u8 { { { 1 } } } impl X for Y { const N: u8 = { 3 }; fn g(&self) { loop {} } } }
            pub const fn h() -> u8 { 3 } pub static S: &str = if a { b } else { c }; pub struct P { pub x: u8 } enum E { A = 3, B { y: u8 } }
            macro_rules! q { () => { fn never() {} } } extern crate std; pub trait T { fn t(&self) { 1; } type U; } pub async fn z() {} fn last() {}";
        let names: Vec<String> = items(text)
            .unwrap()
            .iter()
            .filter_map(|item| match item {
                syn::Item::Fn(item) => Some(format!("{}{}", item.sig.ident, item.block.stmts.len())),
                syn::Item::Mod(item) => Some(format!("{}{}", item.ident, item.content.as_ref().map_or(0, |content| content.1.len()))),
                syn::Item::Struct(item) => Some(format!("{}{}", item.ident, item.fields.len())),
                syn::Item::Enum(item) => Some(format!("{}{}", item.ident, item.variants.len())),
                syn::Item::Trait(item) => Some(format!("{}{}", item.ident, item.items.len())),
                syn::Item::Static(item) => Some(item.ident.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["m2", "h0", "S", "P1", "E2", "T2", "z0", "last0"]);
    }

    #[test]
    fn nothing_is_too_deep() {
        let deep = format!("fn f() {{ {} }}", "!".repeat(200_000));
        assert_eq!(items(&deep).unwrap().len(), 1);
        let nested = format!("{}{}", "mod m { ".repeat(5_000), "}".repeat(5_000));
        assert_eq!(items(&nested).unwrap().len(), 1);
        let long = format!("pub fn f(x: {}u8) {{}}", "&".repeat(200_000));
        drop(items(&long));
        assert!(items("fn (").is_err());
    }
}
