//! Values to call with. In: a type as the sources write it. Out: an expression of that type, if one can be thought of. Its text may speak of
//! `set`, the number of the set of arguments, and of what `program.rs` puts before all calls: `text(set)`, `number(set)`, `Out`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

use crate::suspect::harness::returned::{self, Makers, is_safe};
use crate::suspect::harness::surface::{Implemented, Surface, is_public, last};

/// Types within types, constructors within constructors.
const DEEPEST: usize = 5;
/// Bytes of one value's text.
const LONGEST: usize = 2000;

pub struct Values<'a> {
    pub surface: &'a Surface<'a>,
    pub implemented: &'a BTreeMap<String, Implemented<'a>>,
    pub makers: Makers<'a>,
    constants: BTreeMap<String, String>,
    /// What was found for a type at a depth: a crate could have types that lead to each other without end.
    built: RefCell<BTreeMap<(String, usize), Option<String>>>,
    /// Names that are both, a type of the crate and one of everybody's, mean the latter.
    everybodys: Cell<bool>,
}

/// Types of everybody's that crates name theirs after.
const COMMON: &[&str] =
    &["Duration", "Instant", "SystemTime", "String", "Vec", "Option", "Result", "Box", "PathBuf", "Ordering", "IpAddr", "Range"];

/// What names of types mean in one signature.
#[derive(Clone, Default)]
pub struct Scope {
    /// A parameter's name, its type and its value.
    pub params: BTreeMap<String, (String, String)>,
    /// What `Self` is called in this crate.
    pub own: Option<String>,
}

impl<'a> Values<'a> {
    pub fn new(surface: &'a Surface<'a>, implemented: &'a BTreeMap<String, Implemented<'a>>) -> Self {
        let (makers, constants) = (returned::makers(surface, implemented), returned::constants(surface, implemented));
        Values { surface, implemented, makers, constants, built: RefCell::default(), everybodys: Cell::new(false) }
    }

    pub fn preferring(&self, everybodys: bool) -> &Self {
        self.everybodys.set(everybodys);
        self
    }

    /// Chooses what the parameters stand for; those of which nothing can be thought are left out.
    pub fn scope(&self, generics: &[&syn::Generics], own: Option<String>) -> Scope {
        let mut scope = Scope { params: BTreeMap::new(), own };
        for generics in generics {
            for param in generics.type_params() {
                let name = param.ident.to_string();
                let also = generics.where_clause.iter().flat_map(|clause| &clause.predicates).filter_map(|predicate| match predicate {
                    syn::WherePredicate::Type(predicate) if last(&predicate.bounded_ty).as_ref() == Some(&name) => Some(&predicate.bounds),
                    _ => None,
                });
                let bounds: Vec<&TypeParamBound> = param.bounds.iter().chain(also.flatten()).collect();
                if let Some(choice) = self.bounded(&bounds, &scope, 0) {
                    scope.params.insert(name, choice);
                }
            }
            for param in generics.const_params() {
                let value = if last(&param.ty).as_deref() == Some("bool") { "true" } else { "4" };
                scope.params.insert(param.ident.to_string(), (value.to_owned(), value.to_owned()));
            }
        }
        scope
    }

    pub fn value(&self, ty: &Type, scope: &Scope, depth: usize) -> Option<String> {
        if depth > DEEPEST {
            return None;
        }
        let inner = |ty: &Type| self.value(ty, scope, depth + 1);
        match ty {
            Type::Group(group) => inner(&group.elem),
            Type::Paren(paren) => inner(&paren.elem),
            Type::Tuple(tuple) => {
                let parts: Vec<String> = tuple.elems.iter().map(inner).collect::<Option<_>>()?;
                Some(format!("({}{})", parts.join(", "), if parts.len() == 1 { "," } else { "" }))
            }
            Type::Array(array) => Some(format!("std::array::from_fn(|_| {})", inner(&array.elem)?)),
            Type::Reference(reference) => self.reference(reference, scope, depth),
            Type::ImplTrait(of) => Some(self.bounded(&of.bounds.iter().collect::<Vec<_>>(), scope, depth + 1)?.1),
            Type::FnPtr(pointer) => {
                let result = match &pointer.output {
                    syn::ReturnType::Default => "()".to_owned(),
                    syn::ReturnType::Type(_, ty) => inner(ty)?,
                };
                Some(closure(pointer.inputs.len(), &result))
            }
            Type::Path(path) if path.qself.is_none() => self.named(path.path.segments.last()?, scope, depth),
            _ => None,
        }
    }

    fn reference(&self, reference: &syn::TypeReference, scope: &Scope, depth: usize) -> Option<String> {
        let changes = reference.mutability.is_some();
        let sign = if changes { "&mut " } else { "&" };
        match &*reference.elem {
            Type::Slice(slice) => {
                let is_byte = last(&slice.elem).as_deref() == Some("u8");
                match (is_byte, changes) {
                    (true, false) => Some("text(set).as_bytes()".to_owned()),
                    (true, true) => Some("&mut [0u8; 64][..]".to_owned()),
                    _ => Some(format!("{sign}[{}][..set.min(1)]", self.value(&slice.elem, scope, depth + 1)?)),
                }
            }
            Type::TraitObject(object) => {
                Some(format!("{sign}{}", self.bounded(&object.bounds.iter().collect::<Vec<_>>(), scope, depth + 1)?.1))
            }
            elem => match last(elem).as_deref() {
                Some("str") if !changes => Some("text(set)".to_owned()),
                Some("str") => Some("&mut *text(set).to_owned()".to_owned()),
                Some("Path") if !changes => Some("std::path::Path::new(text(set))".to_owned()),
                Some("OsStr") if !changes => Some("std::ffi::OsStr::new(text(set))".to_owned()),
                Some("CStr") if !changes => Some("c\"example\"".to_owned()),
                Some("Context") if changes => Some("&mut std::task::Context::from_waker(std::task::Waker::noop())".to_owned()),
                _ => Some(format!("{sign}{}", self.value(elem, scope, depth + 1)?)),
            },
        }
    }

    fn named(&self, segment: &syn::PathSegment, scope: &Scope, depth: usize) -> Option<String> {
        let written = segment.ident.to_string();
        let (name, is_renamed) = match self.surface.renamed.get(&written) {
            Some(name) if !self.surface.types.contains_key(&written) => (name.clone(), true),
            _ => (written, false),
        };
        if let Some((_, value)) = scope.params.get(&name) {
            return Some(value.clone());
        }
        if name == "Self" {
            return self.build(scope.own.as_ref()?, depth + 1);
        }
        let means_common = is_renamed || self.everybodys.get() && COMMON.contains(&name.as_str());
        if !means_common && self.surface.types.contains_key(&name) {
            return self.build(&name, depth + 1);
        }
        let args: Vec<&Type> = arguments(segment);
        let inner = |at: usize| self.value(args.get(at)?, scope, depth + 1);
        Some(match name.as_str() {
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "f32" | "f64" => {
                format!("(number(set) as {name})")
            }
            "bool" => "(set != 0)".to_owned(),
            "char" => "['a', '0', '\\u{e9}', ' '][set]".to_owned(),
            "String" => "text(set).to_owned()".to_owned(),
            "PathBuf" => "std::path::PathBuf::from(text(set))".to_owned(),
            "OsString" => "std::ffi::OsString::from(text(set))".to_owned(),
            "CString" => "std::ffi::CString::new(text(set)).unwrap()".to_owned(),
            "Duration" => "std::time::Duration::from_millis(number(set) as u64)".to_owned(),
            "Instant" => "std::time::Instant::now()".to_owned(),
            "SystemTime" => "std::time::SystemTime::now()".to_owned(),
            "Ordering" => "std::cmp::Ordering::Less".to_owned(),
            "Ipv4Addr" => "std::net::Ipv4Addr::LOCALHOST".to_owned(),
            "Ipv6Addr" => "std::net::Ipv6Addr::LOCALHOST".to_owned(),
            "IpAddr" => "std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)".to_owned(),
            "SocketAddr" => "std::net::SocketAddr::from(([127, 0, 0, 1], 8080))".to_owned(),
            "File" => "std::fs::File::open(\"/dev/null\").unwrap()".to_owned(),
            "OwnedFd" => "std::os::fd::OwnedFd::from(std::io::pipe().unwrap().0)".to_owned(),
            "BorrowedFd" => "std::os::fd::AsFd::as_fd(&std::io::stdin())".to_owned(),
            "Permissions" => "std::fs::metadata(\".\").unwrap().permissions()".to_owned(),
            "FileTimes" => "std::fs::FileTimes::new()".to_owned(),
            "IoSlice" => "std::io::IoSlice::new(text(set).as_bytes())".to_owned(),
            "IoSliceMut" => "std::io::IoSliceMut::new(&mut [0u8; 64])".to_owned(),
            "Arguments" => "format_args!(\"{}\", text(set))".to_owned(),
            "RangeInclusive" => format!("{0}..={0}", inner(0)?),
            "PhantomData" => "std::marker::PhantomData".to_owned(),
            "NonZeroU8" | "NonZeroU16" | "NonZeroU32" | "NonZeroU64" | "NonZeroUsize" => format!("std::num::{name}::MIN"),
            "Vec" => format!("{{ let mut all = vec![{}]; all.truncate(set); all }}", inner(0)?),
            "Option" => inner(0).map_or_else(|| "None".to_owned(), |value| format!("if set == 0 {{ None }} else {{ Some({value}) }}")),
            "Result" => format!("Ok({})", inner(0)?),
            "Box" => match args.first()? {
                Type::TraitObject(object) => {
                    format!("Box::new({})", self.bounded(&object.bounds.iter().collect::<Vec<_>>(), scope, depth + 1)?.1)
                }
                other if last(other).as_deref() == Some("str") => "text(set).into()".to_owned(),
                other => format!("Box::new({})", self.value(other, scope, depth + 1)?),
            },
            "Rc" => format!("std::rc::Rc::new({})", inner(0)?),
            "Arc" => format!("std::sync::Arc::new({})", inner(0)?),
            "Cell" | "RefCell" => format!("std::cell::{name}::new({})", inner(0)?),
            "Mutex" | "RwLock" => format!("std::sync::{name}::new({})", inner(0)?),
            "Cow" => "text(set).into()".to_owned(),
            "Pin" => format!("std::pin::pin!({})", inner(0)?),
            "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" | "VecDeque" | "AtomicBool" | "AtomicUsize" | "AtomicU64" => {
                "Default::default()".to_owned()
            }
            "Range" => format!("{0}..{0}", inner(0)?),
            _ => return None,
        })
    }

    /// A type and a value that these bounds allow.
    fn bounded(&self, bounds: &[&TypeParamBound], scope: &Scope, depth: usize) -> Option<(String, String)> {
        if depth > DEEPEST {
            return None;
        }
        let choice = |ty: &str, value: &str| Some((ty.to_owned(), value.to_owned()));
        let mut any = None;
        for bound in bounds {
            let TypeParamBound::Trait(bound) = bound else { continue };
            let segment = bound.path.segments.last()?;
            let written = segment.ident.to_string();
            let name = self.surface.renamed.get(&written).cloned().unwrap_or(written);
            let args = arguments(segment);
            let found = match name.as_str() {
                "AsRef" | "Borrow" | "Into" | "TryInto" | "ToSocketAddrs" | "Display" | "ToString" | "Pattern" | "IntoCow" | "StrLike" => {
                    let textual = ["str", "String", "Path", "PathBuf", "OsStr", "OsString", "Cow", "Vec", "Box", "Arc"];
                    let of = args.first().map(|ty| (*ty, last(ty)));
                    match of {
                        Some((ty, Some(name))) if !textual.contains(&name.as_str()) => {
                            let value = self.value(ty, scope, depth + 1)?;
                            Some((
                                ty.to_token_stream().to_string(),
                                if name == "AsRef" || name == "Borrow" { format!("&{value}") } else { value },
                            ))
                        }
                        _ => choice("&'static str", "text(set)"),
                    }
                }
                "From" => choice("String", "text(set).to_owned()"),
                "Read" | "BufRead" => choice("&'static [u8]", "text(set).as_bytes()"),
                "Seek" => choice("std::io::Cursor<Vec<u8>>", "std::io::Cursor::new(text(set).as_bytes().to_vec())"),
                "Write" => choice("Out", "Out::default()"),
                "Iterator" | "IntoIterator" | "ExactSizeIterator" | "DoubleEndedIterator" => {
                    let item =
                        item_of(segment).and_then(|ty| self.value(ty, scope, depth + 1)).unwrap_or_else(|| "number(set) as u8".to_owned());
                    choice("std::vec::IntoIter<_>", &format!("vec![{item}].into_iter()"))
                }
                "Fn" | "FnMut" | "FnOnce" => {
                    let PathArguments::Parenthesized(signature) = &segment.arguments else { return None };
                    let result = match &signature.output {
                        syn::ReturnType::Default => "()".to_owned(),
                        syn::ReturnType::Type(_, ty) => self.value(ty, scope, depth + 1)?,
                    };
                    choice("_", &closure(signature.inputs.len(), &result))
                }
                "AsFd" | "AsRawFd" | "IntoRawFd" => choice("std::fs::File", "std::fs::File::open(\"/dev/null\").unwrap()"),
                "Future" => choice("_", "std::future::ready(())"),
                "Hasher" => choice("std::hash::DefaultHasher", "std::hash::DefaultHasher::new()"),
                "BuildHasher" => choice("std::hash::RandomState", "std::hash::RandomState::new()"),
                "Error" => choice("std::fmt::Error", "std::fmt::Error"),
                "Float" => choice("f64", "(number(set) as f64)"),
                _ if self.surface.implementors.contains_key(&name) && is_own(self.surface, &name) => self.implementor(&name, depth),
                // What nearly everything is: any type will do.
                _ => {
                    any = choice("u64", "(number(set) as u64)");
                    None
                }
            };
            if found.is_some() {
                return found;
            }
        }
        any.or_else(|| choice("u64", "(number(set) as u64)"))
    }

    /// Somebody who implements a trait of the crate's own: a type of its, or one that everybody has.
    fn implementor(&self, name: &str, depth: usize) -> Option<(String, String)> {
        let who = self.surface.implementors.get(name)?;
        let own = who.iter().filter_map(|name| Some((self.surface.types.get(name)?.first()?.path.clone(), self.build(name, depth + 1)?)));
        let common = || {
            let plain = |ty: &&&str| who.contains(**ty);
            let found = ["u64", "i32", "u8", "usize", "f64", "u32", "i64"].iter().find(plain);
            let number = found.map(|ty| ((*ty).to_owned(), format!("(number(set) as {ty})")));
            number.or_else(|| who.contains("String").then(|| ("String".to_owned(), "text(set).to_owned()".to_owned())))
        };
        own.into_iter().next().or_else(common)
    }

    /// A value of a type of the crate's.
    pub fn build(&self, name: &str, depth: usize) -> Option<String> {
        let key = (name.to_owned(), depth);
        if let Some(known) = self.built.borrow().get(&key) {
            return known.clone();
        }
        // Who needs itself finds nothing.
        self.built.borrow_mut().insert(key.clone(), None);
        let found = self.made(name, depth).filter(|text| text.len() <= LONGEST);
        self.built.borrow_mut().insert(key, found.clone());
        found
    }

    fn made(&self, name: &str, depth: usize) -> Option<String> {
        let ty = self.surface.types.get(name)?.first().filter(|_| depth <= DEEPEST)?;
        if let syn::Item::Type(alias) = ty.item {
            return self.value(&alias.ty, &self.scope(&[&alias.generics], None), depth + 1);
        }
        let simple = || self.constructed(name, &ty.path, depth, true);
        let default = || self.has_default(name, ty.item).then(|| "std::default::Default::default()".to_owned());
        let literal = || self.literal(ty.item, &ty.path, depth);
        let parsed = || self.implements(name, "FromStr").then(|| "text(set).parse().unwrap()".to_owned());
        let constant = || self.constants.get(name).cloned();
        let constructed = || self.constructed(name, &ty.path, depth, false);
        simple()
            .or_else(default)
            .or_else(literal)
            .or_else(constructed)
            .or_else(parsed)
            .or_else(constant)
            .or_else(|| self.returned(name, depth))
    }

    /// By a function of the type's own that makes one of nothing, or of what can be made.
    fn constructed(&self, name: &str, path: &str, depth: usize, of_nothing: bool) -> Option<String> {
        let implemented = self.implemented.get(name)?;
        let mut makers: Vec<(&syn::ItemImpl, &syn::ImplItemFn)> = Vec::new();
        for block in &implemented.inherent {
            makers.extend(block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(made) if is_public(&made.vis) && made.sig.receiver().is_none() && is_safe(&made.sig) => {
                    Some((*block, made))
                }
                _ => None,
            }));
        }
        makers.retain(|(_, made)| made.sig.inputs.is_empty() == of_nothing && made.sig.asyncness.is_none());
        // What a feature brings may not be there.
        makers.sort_by_key(|(block, made)| {
            (is_conditional(&made.attrs) || is_conditional(&block.attrs), made.sig.ident != "new", made.sig.inputs.len())
        });
        makers.iter().take(12).find_map(|(block, made)| {
            let syn::ReturnType::Type(_, ty) = &made.sig.output else { return None };
            let wrap = wrapping(ty, name)?;
            let scope = self.scope(&[&block.generics, &made.sig.generics], Some(name.to_owned()));
            let args = self.arguments(&made.sig, &scope, depth + 1)?;
            Some(format!("{path}::{}({}){wrap}", made.sig.ident, args.join(", ")))
        })
    }

    /// Values for all but the receiver.
    pub fn arguments(&self, signature: &syn::Signature, scope: &Scope, depth: usize) -> Option<Vec<String>> {
        let typed = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => Some(&*typed.ty),
            syn::FnArg::Receiver(_) => None,
        });
        typed.map(|ty| self.value(ty, scope, depth)).collect()
    }

    fn literal(&self, item: &syn::Item, path: &str, depth: usize) -> Option<String> {
        match item {
            syn::Item::Struct(item) => {
                let scope = self.scope(&[&item.generics], None);
                item.fields.iter().all(|field| is_public(&field.vis)).then_some(())?;
                self.fields(&item.fields, path, &scope, depth)
            }
            syn::Item::Enum(item) => {
                let scope = self.scope(&[&item.generics], None);
                let mut variants: Vec<&syn::Variant> = item.variants.iter().take(64).collect();
                variants.sort_by_key(|variant| variant.fields.len());
                variants.iter().find_map(|variant| self.fields(&variant.fields, &format!("{path}::{}", variant.ident), &scope, depth))
            }
            _ => None,
        }
    }

    fn fields(&self, fields: &syn::Fields, path: &str, scope: &Scope, depth: usize) -> Option<String> {
        let value = |field: &syn::Field| self.value(&field.ty, scope, depth + 1);
        match fields {
            syn::Fields::Unit => Some(path.to_owned()),
            syn::Fields::Unnamed(fields) => {
                Some(format!("{path}({})", fields.unnamed.iter().map(value).collect::<Option<Vec<_>>>()?.join(", ")))
            }
            syn::Fields::Named(fields) => {
                let named = |field: &syn::Field| Some(format!("{}: {}", field.ident.as_ref()?, value(field)?));
                Some(format!("{path} {{ {} }}", fields.named.iter().map(named).collect::<Option<Vec<_>>>()?.join(", ")))
            }
        }
    }

    fn has_default(&self, name: &str, item: &syn::Item) -> bool {
        let attributes = match item {
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            _ => return false,
        };
        let derives = |attribute: &syn::Attribute| match &attribute.meta {
            syn::Meta::List(list) => {
                list.path.is_ident("derive") && list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|word| word == "Default")
            }
            _ => false,
        };
        attributes.iter().any(derives) || self.implements(name, "Default")
    }

    pub fn implements(&self, name: &str, of: &str) -> bool {
        self.surface.implementors.get(of).is_some_and(|who| who.contains(name))
    }
}

/// Is this trait the crate's, and shown?
fn is_own(surface: &Surface<'_>, name: &str) -> bool {
    surface.items.values().any(|item| matches!(item, syn::Item::Trait(item) if item.ident == name))
}

fn is_conditional(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

fn closure(inputs: usize, result: &str) -> String {
    format!("|{}| {result}", vec!["_"; inputs].join(", "))
}

/// What to write behind a call whose result is, or holds, one of `name`.
fn wrapping(ty: &Type, name: &str) -> Option<&'static str> {
    let found = last(ty)?;
    if found == "Self" || found == name {
        return Some("");
    }
    let Type::Path(path) = ty else { return None };
    let inner = arguments(path.path.segments.last()?).first().and_then(|ty| last(ty))?;
    (inner == "Self" || inner == name).then_some(())?;
    match found.as_str() {
        "Result" | "Option" => Some(".unwrap()"),
        _ => None,
    }
}

fn arguments(segment: &syn::PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(list) = &segment.arguments else { return Vec::new() };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// `T` of `Iterator<Item = T>`.
fn item_of(segment: &syn::PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(list) = &segment.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(of) if of.ident == "Item" => Some(&of.ty),
        _ => None,
    })
}
