//! Functions whose result is a value of a crate's own type, or holds one: an iterator by its collection, an error by what fails. In: what the crate shows. Out: such
//! functions, by the name of the type that they make.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::{GenericArgument, PathArguments};

use crate::suspect::harness::surface::{Implemented, Surface, is_public, last};

/// A function whose result is such a value, or holds one.
pub struct Maker<'a> {
    /// Of a type of the crate's, by its name.
    pub of: Option<String>,
    pub path: String,
    pub signature: &'a syn::Signature,
    /// What the block around it leaves open.
    pub outer: Option<&'a syn::Generics>,
    /// What takes it out of the result.
    pub take: &'static str,
}

pub type Makers<'a> = BTreeMap<String, Vec<Maker<'a>>>;

/// By the name of the type that is made.
pub fn makers<'a>(surface: &Surface<'a>, implemented: &BTreeMap<String, Implemented<'a>>) -> Makers<'a> {
    let mut found = Makers::new();
    let mut add = |of: Option<&String>, path: String, signature: &'a syn::Signature, outer: Option<&'a syn::Generics>| {
        if !is_safe(signature) || signature.asyncness.is_some() || signature.variadic.is_some() {
            return;
        }
        for (name, take) in results(&signature.output) {
            if surface.types.contains_key(&name) && of != Some(&name) {
                let maker = Maker { of: of.cloned(), path: path.clone(), signature, outer, take };
                found.entry(name).or_default().push(maker);
            }
        }
    };
    for (path, item) in &surface.items {
        if let syn::Item::Fn(item) = item {
            add(None, path.clone(), &item.sig, None);
        }
    }
    for (name, implemented) in implemented.iter().filter(|(name, _)| surface.types.contains_key(*name)) {
        for block in &implemented.inherent {
            for item in &block.items {
                if let syn::ImplItem::Fn(item) = item
                    && is_public(&item.vis)
                {
                    add(Some(name), item.sig.ident.to_string(), &item.sig, Some(&block.generics));
                }
            }
        }
    }
    found
}

/// Values that are there already: constants and statics, of the crate and of its types, by the name of the type.
pub fn constants(surface: &Surface<'_>, implemented: &BTreeMap<String, Implemented<'_>>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |ty: &syn::Type, own: Option<&String>, path: String| {
        let (of, value) = match ty {
            syn::Type::Reference(reference) => (last(&reference.elem), format!("(*{path})")),
            ty => (last(ty), path),
        };
        let of = of.and_then(|of| if of == "Self" { own.cloned() } else { Some(of) });
        if let Some(of) = of.filter(|of| surface.types.contains_key(of)) {
            found.entry(of).or_insert(value);
        }
    };
    for (path, item) in &surface.items {
        match item {
            syn::Item::Const(item) => add(&item.ty, None, path.clone()),
            syn::Item::Static(item) if !matches!(item.mutability, syn::StaticMutability::Mut(_)) => add(&item.ty, None, path.clone()),
            _ => {}
        }
    }
    for (name, implemented) in implemented {
        let Some(ty) = surface.types.get(name).and_then(|types| types.first()) else { continue };
        for item in implemented.inherent.iter().flat_map(|block| &block.items) {
            if let syn::ImplItem::Const(item) = item
                && is_public(&item.vis)
            {
                add(&item.ty, Some(name), format!("{}::{}", ty.path, item.ident));
            }
        }
    }
    found
}

/// Names of what a result is, or holds, each with what takes it out.
fn results(output: &syn::ReturnType) -> Vec<(String, &'static str)> {
    let syn::ReturnType::Type(_, ty) = output else { return Vec::new() };
    let (syn::Type::Path(path), Some(name)) = (&**ty, last(ty)) else { return Vec::new() };
    let inner: Vec<String> = match path.path.segments.last().map(|segment| &segment.arguments) {
        Some(PathArguments::AngleBracketed(list)) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(last(ty).unwrap_or_default()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    match (name.as_str(), &inner[..]) {
        ("Option", [some]) => vec![(some.clone(), ".unwrap()")],
        ("Result", [ok]) => vec![(ok.clone(), ".unwrap()")],
        ("Result", [ok, error]) => vec![(ok.clone(), ".unwrap()"), (error.clone(), ".err().unwrap()")],
        _ => vec![(name, "")],
    }
}

/// A value as the receiver that is asked for.
pub fn received(signature: &syn::Signature, value: &str) -> Option<String> {
    let text = signature.receiver()?.to_token_stream().to_string();
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    Some(match () {
        () if plain.contains("Pin<&mut") => format!("std::pin::Pin::new(&mut {value})"),
        () if plain.contains("Box<") => format!("Box::new({value})"),
        () if plain.contains("Rc<") => format!("std::rc::Rc::new({value})"),
        () if plain.contains("Arc<") => format!("std::sync::Arc::new({value})"),
        () if plain.starts_with('&') && plain.contains("mut") || plain.contains(":&mut") => format!("&mut {value}"),
        () if plain.starts_with('&') || plain.contains(":&") => format!("&{value}"),
        () => value.to_owned(),
    })
}

pub fn is_safe(signature: &syn::Signature) -> bool {
    !matches!(signature.safety, syn::Safety::Unsafe(_))
}
