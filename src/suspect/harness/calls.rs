//! What can be called of a crate, and how. In: its surface. Out: one piece of code for each call, and what is not called with the reason.

use std::collections::BTreeMap;

use quote::ToTokens;

use crate::suspect::harness::returned::{is_safe, received};
use crate::suspect::harness::surface::{Implemented, Surface, Type, is_public};
use crate::suspect::harness::values::{Scope, Values};

/// More than that is no small program any more: in all, and where those of other crates end.
const MOST: usize = 800;
const FOREIGN: usize = 300;
/// Traits of everybody's whose functions a type may have filled with anything, by the path code can use.
const KNOWN: &[(&str, &str)] = &[
    ("Clone", "std::clone::Clone"),
    ("Default", "std::default::Default"),
    ("Iterator", "std::iter::Iterator"),
    ("IntoIterator", "std::iter::IntoIterator"),
    ("Hash", "std::hash::Hash"),
    ("PartialEq", "std::cmp::PartialEq"),
    ("PartialOrd", "std::cmp::PartialOrd"),
    ("Ord", "std::cmp::Ord"),
    ("Deref", "std::ops::Deref"),
    ("DerefMut", "std::ops::DerefMut"),
    ("AsRef", "std::convert::AsRef"),
    ("AsMut", "std::convert::AsMut"),
    ("From", "std::convert::From"),
    ("TryFrom", "std::convert::TryFrom"),
    ("Into", "std::convert::Into"),
    ("FromStr", "std::str::FromStr"),
    ("FromIterator", "std::iter::FromIterator"),
    ("Extend", "std::iter::Extend"),
    ("Add", "std::ops::Add"),
    ("Sub", "std::ops::Sub"),
    ("Mul", "std::ops::Mul"),
    ("Not", "std::ops::Not"),
    ("Neg", "std::ops::Neg"),
    ("Error", "std::error::Error"),
    ("Read", "std::io::Read"),
    ("Write", "std::io::Write"),
    ("Future", "std::future::Future"),
];

pub struct Call {
    /// As it is told: `semver::Version::parse`.
    pub name: String,
    /// Statements; `set` is the number of the set of arguments.
    pub code: String,
}

#[derive(Default)]
pub struct Calls {
    pub calls: Vec<Call>,
    pub not: Vec<(String, String)>,
}

/// Its own first, then what it shows of other crates.
pub fn calls(surface: &Surface<'_>, implemented: &BTreeMap<String, Implemented<'_>>) -> Calls {
    let mut finding = Finding { values: Values::new(surface, implemented), found: Calls::default(), most: MOST };
    for foreign in [false, true] {
        for (path, item) in surface.items.iter().filter(|(path, _)| surface.foreign.contains(*path) == foreign) {
            finding.item(path, item);
        }
        for (name, types) in &surface.types {
            if let (Some(ty), Some(implemented)) = (types.first().filter(|ty| ty.foreign == foreign), implemented.get(name)) {
                finding.methods(name, ty, implemented);
            }
        }
        finding.most = MOST.min(finding.found.calls.len() + FOREIGN);
    }
    finding.found
}

/// How a value of a type is made.
struct Made {
    ty: String,
    value: String,
}

impl Made {
    /// What the value borrows from lives as long as the value does: to the end of the match.
    fn then(&self, code: &str) -> String {
        format!("match ({}) {{ it => {{ let mut it: {} = it; {code} }} }}", self.value, self.ty)
    }
}

struct Finding<'a> {
    values: Values<'a>,
    found: Calls,
    most: usize,
}

impl Finding<'_> {
    fn item(&mut self, path: &str, item: &syn::Item) {
        match item {
            syn::Item::Fn(item) => self.function(path.to_owned(), path, &item.sig, None, &Scope::default(), &[]),
            // A value that is made when it is first looked at.
            syn::Item::Static(item) if !matches!(item.mutability, syn::StaticMutability::Mut(_)) => {
                let lazy = item.ty.to_token_stream().to_string().contains("Lazy");
                self.add(path.to_owned(), if lazy { format!("let _ = &*{path};") } else { format!("let _ = &{path};") });
            }
            syn::Item::Macro(item) if item.ident.is_some() => self.macro_rules(path),
            _ => {}
        }
    }

    fn add(&mut self, name: String, code: String) {
        if self.found.calls.len() < self.most {
            self.found.calls.push(Call { name, code });
        } else {
            self.not(name, "there are too many");
        }
    }

    fn not(&mut self, name: String, why: &str) {
        self.found.not.push((name, why.to_owned()));
    }

    /// A function by its path; of a type or a trait with how its receiver is made.
    fn function(
        &mut self,
        name: String,
        path: &str,
        signature: &syn::Signature,
        receiver: Option<&Made>,
        scope: &Scope,
        outer: &[&syn::Generics],
    ) {
        if !is_safe(signature) {
            return self.not(name, "it is unsafe");
        }
        if matches!(&signature.output, syn::ReturnType::Type(_, ty) if matches!(**ty, syn::Type::Never(_))) {
            return self.not(name, "it never returns");
        }
        if signature.variadic.is_some() {
            return self.not(name, "it takes any number of arguments");
        }
        let generics: Vec<&syn::Generics> = outer.iter().copied().chain([&signature.generics]).collect();
        let mut inner = self.values.scope(&generics, scope.own.clone());
        inner.params.extend(scope.params.clone());
        // `Duration` may be the crate's own, or everybody's: both are tried.
        let both = [false, true].map(|everybodys| self.values.preferring(everybodys).arguments(signature, &inner, 0));
        let mut variants: Vec<Vec<String>> = both.into_iter().flatten().collect();
        variants.dedup();
        if variants.is_empty() {
            return self.not(name, &format!("no values are known for ({})", written(signature)));
        }
        let mut turbofish = String::new();
        let inputs = written(signature);
        let mentioned = |name: &str| inputs.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
        let own: Vec<String> = signature.generics.type_params().map(|param| param.ident.to_string()).collect();
        if own.iter().any(|name| !mentioned(name)) && signature.generics.const_params().next().is_none() {
            let types = own.iter().map(|name| match inner.params.get(name) {
                Some((ty, _)) if !mentioned(name) => ty.as_str(),
                _ => "_",
            });
            turbofish = format!("::<{}>", types.collect::<Vec<_>>().join(", "));
        }
        for args in variants {
            let args: Vec<String> = received(signature, "it").into_iter().chain(args).collect();
            let call = format!("up!({path}{turbofish}({}));", args.join(", "));
            self.add(name.clone(), receiver.map_or(call.clone(), |made| made.then(&call)));
        }
    }

    fn methods(&mut self, name: &str, ty: &Type<'_>, implemented: &Implemented<'_>) {
        let Some((own, scope)) = self.values.typed(name, ty) else { return };
        let value = self.values.build(name, 0);
        let made = value.map(|value| Made { ty: own.clone(), value });
        for block in &implemented.inherent {
            for item in &block.items {
                let syn::ImplItem::Fn(item) = item else { continue };
                if is_public(&item.vis) {
                    let (told, path) = (format!("{}::{}", ty.path, item.sig.ident), format!("<{own}>::{}", item.sig.ident));
                    self.associated(told, &path, &item.sig, made.as_ref(), &scope, &block.generics);
                }
            }
        }
        for (path, block) in &implemented.traits {
            let Some(of) = path.segments.last().map(|segment| segment.ident.to_string()) else { continue };
            match of.as_str() {
                "Display" | "Debug" | "LowerHex" | "UpperHex" => {
                    let form = [("Display", "{}"), ("Debug", "{:?}"), ("LowerHex", "{:x}"), ("UpperHex", "{:X}")];
                    let form = form.iter().find(|(name, _)| *name == of).map_or("{}", |form| form.1);
                    match &made {
                        Some(made) => self.add(format!("{}: {of}::fmt", ty.path), made.then(&format!("up!(format!(\"{form}\", it));"))),
                        None => self.not(format!("{}: {of}::fmt", ty.path), "no value of the type is known"),
                    }
                }
                "Drop" => {
                    if let Some(made) = &made {
                        self.add(format!("{}: Drop::drop", ty.path), made.then("drop(it);"));
                    }
                }
                _ => {
                    let known = KNOWN.iter().find(|(name, _)| *name == of).map(|(_, path)| (*path).to_owned());
                    let shown = |(path, item): (&String, &&syn::Item)| match item {
                        syn::Item::Trait(item) if item.ident == of => Some((path.clone(), provided(item))),
                        _ => None,
                    };
                    let own_trait = self.values.surface.items.iter().find_map(shown);
                    let (of, also) = match (own_trait, known) {
                        (Some((path, provided)), _) => (path, provided),
                        (None, Some(path)) => (path, Vec::new()),
                        (None, None) => continue,
                    };
                    let made_here = block.items.iter().filter_map(|item| match item {
                        syn::ImplItem::Fn(item) => Some(&item.sig),
                        _ => None,
                    });
                    let written: Vec<&syn::Signature> = made_here.collect();
                    let left = also.into_iter().filter(|signature| !written.iter().any(|made| made.ident == signature.ident));
                    let left: Vec<syn::Signature> = left.collect();
                    let any = if path.segments.last().is_some_and(|segment| !segment.arguments.is_none()) { "<_>" } else { "" };
                    for signature in written.into_iter().chain(&left) {
                        let told = format!("{}: {}::{}", ty.path, of.trim_start_matches("std::"), signature.ident);
                        let path = format!("<{own} as {of}{any}>::{}", signature.ident);
                        self.associated(told, &path, signature, made.as_ref(), &scope, &block.generics);
                    }
                }
            }
        }
    }

    fn associated(
        &mut self,
        told: String,
        path: &str,
        signature: &syn::Signature,
        made: Option<&Made>,
        scope: &Scope,
        outer: &syn::Generics,
    ) {
        match (signature.receiver().is_some(), made) {
            (false, _) => self.function(told, path, signature, None, scope, &[outer]),
            (true, Some(made)) => self.function(told, path, signature, Some(made), scope, &[outer]),
            (true, None) => self.not(told, "no value of the type is known"),
        }
    }

    /// Which arguments a macro takes cannot be seen from outside: some are tried, and those that do not compile are left out.
    fn macro_rules(&mut self, path: &str) {
        for args in ["", "1", "\"example\"", "\"{}\", 1", "example", "a => 1", "x: u8 = 1;"] {
            self.add(format!("{path}!({args})"), format!("let _ = {{ {path}!({args}) }};"));
        }
    }
}

/// The arguments as they are written.
fn written(signature: &syn::Signature) -> String {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(typed) => Some(typed.ty.to_token_stream().to_string()),
        syn::FnArg::Receiver(_) => None,
    });
    typed.collect::<Vec<_>>().join(", ")
}

/// Functions that a trait brings along.
fn provided(item: &syn::ItemTrait) -> Vec<syn::Signature> {
    let with_body = item.items.iter().filter_map(|item| match item {
        syn::TraitItem::Fn(item) if item.default.is_some() => Some(item.sig.clone()),
        _ => None,
    });
    with_body.collect()
}
