//! Values that only other functions of a crate make: an iterator by its collection, an error by what fails. In: what the crate shows. Out: for the name of a type
//! an expression that asks such a function for one.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::{GenericArgument, PathArguments};

use crate::suspect::harness::surface::{Implemented, Surface, Type, is_public, last};
use crate::suspect::harness::values::{Scope, Values, is_safe};

/// Functions that are asked about for one type.
const ASKED: usize = 12;

/// A function whose result is such a value, or holds one.
pub struct Maker<'a> {
    /// Of a type of the crate's, by its name.
    of: Option<String>,
    path: String,
    signature: &'a syn::Signature,
    /// What the block around it leaves open.
    outer: Option<&'a syn::Generics>,
    /// What takes it out of the result.
    take: &'static str,
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

impl Values<'_> {
    /// A type as code names it, with what its parameters stand for.
    pub fn typed(&self, name: &str, ty: &Type<'_>) -> Option<(String, Scope)> {
        let generics = match ty.item {
            syn::Item::Struct(item) => &item.generics,
            syn::Item::Enum(item) => &item.generics,
            syn::Item::Union(item) => &item.generics,
            _ => return None,
        };
        let scope = self.scope(&[generics], Some(name.to_owned()));
        let params = generics.params.iter().filter_map(|param| match param {
            // What has a default is left to it.
            syn::GenericParam::Type(param) => param.default.is_none().then(|| param.ident.to_string()),
            syn::GenericParam::Const(param) => Some(param.ident.to_string()),
            syn::GenericParam::Lifetime(_) => None,
        });
        let chosen: Vec<&str> = params.map(|name| scope.params.get(&name).map_or("_", |choice| choice.0.as_str())).collect();
        let own = if chosen.is_empty() { ty.path.clone() } else { format!("{}<{}>", ty.path, chosen.join(", ")) };
        Some((own, scope))
    }

    pub fn returned(&self, name: &str, depth: usize) -> Option<String> {
        let mut asked: Vec<&Maker> = self.makers.get(name)?.iter().collect();
        asked.sort_by_key(|maker| (maker.take, maker.signature.inputs.len()));
        asked.into_iter().take(ASKED).find_map(|maker| self.asked(maker, depth))
    }

    fn asked(&self, maker: &Maker, depth: usize) -> Option<String> {
        let Some(of) = &maker.of else {
            let scope = self.scope(&[&maker.signature.generics], None);
            let arguments = self.arguments(maker.signature, &scope, depth + 1)?;
            return Some(format!("{}({}){}", maker.path, arguments.join(", "), maker.take));
        };
        let ty = self.surface.types.get(of)?.first()?;
        let (own, scope) = self.typed(of, ty)?;
        let generics: Vec<&syn::Generics> = maker.outer.into_iter().chain([&maker.signature.generics]).collect();
        let mut inner = self.scope(&generics, Some(of.clone()));
        inner.params.extend(scope.params);
        let mut arguments = self.arguments(maker.signature, &inner, depth + 1)?;
        if maker.signature.receiver().is_some() {
            let value = self.build(of, depth + 1)?;
            arguments.insert(0, received(maker.signature, &format!("({value})"))?);
        }
        Some(format!("<{own}>::{}({}){}", maker.path, arguments.join(", "), maker.take))
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
