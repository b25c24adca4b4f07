//! Values that only other functions of a crate make. In: the name of a type, and who makes it. Out: an expression that asks such a function for one.

use crate::suspect::harness::returned::{Maker, received};
use crate::suspect::harness::surface::Type;
use crate::suspect::harness::values::{Scope, Values};

/// Functions that are asked about for one type.
const ASKED: usize = 12;

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
