//! What a crate shows to those who use it: each public item by a path that leads to it. In: its modules. Out: functions, types, traits, macros and
//! statics by public path; functions and traits of types. Names are followed through modules and re-exports, as far as sources show them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::suspect::harness::modules::{Modules, only_for_tests};

/// Steps from one re-export to the next, and modules that are visited.
const DEEPEST: usize = 12;
const MODULES: usize = 3000;

#[derive(Default)]
pub struct Surface<'a> {
    /// By public path, as code of others writes it.
    pub items: BTreeMap<String, &'a syn::Item>,
    /// Types by their own name: most have one of their own.
    pub types: BTreeMap<String, Vec<Type<'a>>>,
    /// Types that implement a trait of this name, each by its own name.
    pub implementors: BTreeMap<String, BTreeSet<String>>,
    /// What the crate calls things of the standard library's otherwise: `StdError` is `Error`.
    pub renamed: BTreeMap<String, String>,
}

pub struct Type<'a> {
    pub path: String,
    pub item: &'a syn::Item,
}

/// What is implemented for a type, by the type's name.
#[derive(Default)]
pub struct Implemented<'a> {
    pub inherent: Vec<&'a syn::ItemImpl>,
    pub traits: Vec<(&'a syn::Path, &'a syn::ItemImpl)>,
}

pub fn implemented(modules: &Modules) -> BTreeMap<String, Implemented<'_>> {
    let mut found: BTreeMap<String, Implemented<'_>> = BTreeMap::new();
    for item in modules.values().flat_map(|module| &module.items) {
        let syn::Item::Impl(item) = item else { continue };
        let (Some(name), false) = (last(&item.self_ty), only_for_tests(&item.attrs)) else { continue };
        let entry = found.entry(name).or_default();
        match &item.trait_ {
            Some((path, _)) => entry.traits.push((path, item)),
            None => entry.inherent.push(item),
        }
    }
    found
}

/// The last name of a type's path.
pub fn last(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        syn::Type::Group(group) => last(&group.elem),
        syn::Type::Paren(paren) => last(&paren.elem),
        _ => None,
    }
}

pub fn surface<'a>(library: &str, modules: &'a Modules) -> Surface<'a> {
    let mut reaching = Reaching { modules, surface: Surface::default(), seen: BTreeSet::new(), open: VecDeque::new() };
    reaching.open.push_back((Vec::new(), library.to_owned()));
    while let Some((module, path)) = reaching.open.pop_front() {
        if reaching.seen.len() < MODULES && reaching.seen.insert((module.clone(), path.clone())) {
            reaching.module(&module, &path, library);
        }
    }
    for item in modules.values().flat_map(|module| &module.items) {
        let syn::Item::Use(item) = item else { continue };
        let mut leaves = Vec::new();
        leaf(&item.tree, Vec::new(), &mut leaves, 0);
        for (from, name) in leaves {
            let is_common = from.first().is_some_and(|root| matches!(root.as_str(), "std" | "core" | "alloc"));
            if let (true, Some(name), Some(real)) = (is_common, name, from.last())
                && name != *real
                && name != "_"
            {
                reaching.surface.renamed.insert(name, real.clone());
            }
        }
    }
    for (name, implemented) in implemented(modules) {
        for (path, _) in implemented.traits {
            let of = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            reaching.surface.implementors.entry(of).or_default().insert(name.clone());
        }
    }
    reaching.surface
}

struct Reaching<'a> {
    modules: &'a Modules,
    surface: Surface<'a>,
    seen: BTreeSet<(Vec<String>, String)>,
    open: VecDeque<(Vec<String>, String)>,
}

impl<'a> Reaching<'a> {
    /// Everything public in `module`, as things below `path`.
    fn module(&mut self, module: &[String], path: &str, library: &str) {
        let Some(found) = self.modules.get(module) else { return };
        for item in &found.items {
            match item {
                syn::Item::Use(item) if is_public(&item.vis) => {
                    let mut leaves = Vec::new();
                    leaf(&item.tree, Vec::new(), &mut leaves, 0);
                    leaves.into_iter().for_each(|(from, name)| self.passed_on(module, &from, name, path));
                }
                syn::Item::Macro(made) if exported(&made.attrs) => {
                    if let Some(name) = &made.ident {
                        self.add(format!("{library}::{name}"), item);
                    }
                }
                other => {
                    if let Some(name) = name(other).filter(|_| is_public(visibility(other))) {
                        self.add(format!("{path}::{name}"), other);
                    }
                }
            }
        }
        let children: Vec<Vec<String>> = self.children(module).filter(|child| self.modules[child].public).collect();
        for child in children {
            let name = child.last().cloned().unwrap_or_default();
            self.open.push_back((child, format!("{path}::{name}")));
        }
    }

    fn children(&self, module: &[String]) -> impl Iterator<Item = Vec<String>> {
        let below = self.modules.range(module.to_vec()..).map(|(path, _)| path);
        let depth = module.len();
        let module = module.to_vec();
        below.take_while(move |path| path.starts_with(&module)).filter(move |path| path.len() == depth + 1).cloned()
    }

    fn add(&mut self, path: String, item: &'a syn::Item) {
        if let (Some(name), syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) | syn::Item::Type(_)) = (name(item), item) {
            let types = self.surface.types.entry(name).or_default();
            if !types.iter().any(|known| std::ptr::eq(known.item, item)) {
                types.push(Type { path: path.clone(), item });
            }
        }
        let known = self.surface.items.values().any(|other| std::ptr::eq(*other, item));
        if !known {
            self.surface.items.insert(path, item);
        }
    }

    /// `pub use from as name` in `module`, shown below `path`.
    fn passed_on(&mut self, module: &[String], from: &[String], name: Option<String>, path: &str) {
        match name {
            None => {
                if let Some(Found::Module(of)) = self.follow(module, from, 0) {
                    self.open.push_back((of, path.to_owned()));
                }
            }
            Some(name) => match self.follow(module, from, 0) {
                Some(Found::Module(of)) => self.open.push_back((of, format!("{path}::{name}"))),
                Some(Found::Item(item)) => self.add(format!("{path}::{name}"), item),
                None => {}
            },
        }
    }

    /// What a path means in a module: of this crate, or nothing.
    fn follow(&self, module: &[String], from: &[String], depth: usize) -> Option<Found<'a>> {
        let mut at = module.to_vec();
        let mut rest = from;
        while let [word, after @ ..] = rest {
            match word.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()?),
                _ => break,
            }
            rest = after;
        }
        while let [word, after @ ..] = rest {
            let child: Vec<String> = at.iter().cloned().chain([word.clone()]).collect();
            if self.modules.contains_key(&child) {
                (at, rest) = (child, after);
                continue;
            }
            return match self.named(&at, word, depth)? {
                Found::Module(of) if !after.is_empty() => self.follow(&of, after, depth + 1),
                found if after.is_empty() => Some(found),
                _ => None,
            };
        }
        Some(Found::Module(at))
    }

    /// An item of a module, or what it has from elsewhere by that name.
    fn named(&self, module: &[String], word: &str, depth: usize) -> Option<Found<'a>> {
        let items = &self.modules.get(module).filter(|_| depth < DEEPEST)?.items;
        if let Some(item) = items.iter().find(|item| name(item).is_some_and(|name| name == word)) {
            return Some(Found::Item(item));
        }
        let mut leaves = Vec::new();
        items.iter().for_each(|item| {
            if let syn::Item::Use(item) = item {
                leaf(&item.tree, Vec::new(), &mut leaves, 0);
            }
        });
        let by_name = leaves.iter().filter(|(_, name)| name.as_deref() == Some(word));
        let by_name =
            by_name.filter(|(from, _)| from.len() > 1 || from[0] != word).find_map(|(from, _)| self.follow(module, from, depth + 1));
        by_name.or_else(|| {
            let globs = leaves.iter().filter(|(_, name)| name.is_none());
            globs.filter_map(|(from, _)| self.follow(module, from, depth + 1)).find_map(|found| match found {
                Found::Module(of) if of != module => self.named(&of, word, depth + 1),
                _ => None,
            })
        })
    }
}

enum Found<'a> {
    Module(Vec<String>),
    Item(&'a syn::Item),
}

/// The paths of a `use`, with the name each gets; none for a glob.
fn leaf(tree: &syn::UseTree, before: Vec<String>, leaves: &mut Vec<(Vec<String>, Option<String>)>, depth: usize) {
    let with = |name: String| before.iter().cloned().chain([name]).collect::<Vec<_>>();
    match tree {
        _ if depth > 40 => {}
        syn::UseTree::Path(path) => leaf(&path.tree, with(path.ident.to_string()), leaves, depth + 1),
        syn::UseTree::Name(name) if name.ident == "self" => leaves.push((before.clone(), before.last().cloned())),
        syn::UseTree::Name(name) => leaves.push((with(name.ident.to_string()), Some(name.ident.to_string()))),
        syn::UseTree::Rename(name) => leaves.push((with(name.ident.to_string()), Some(name.rename.to_string()))),
        syn::UseTree::Glob(_) => leaves.push((before, None)),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaf(tree, before.clone(), leaves, depth + 1)),
    }
}

pub fn exported(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("macro_export"))
}

pub fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn name(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Const(item) => &item.ident,
        syn::Item::Macro(item) => return item.ident.as_ref().map(ToString::to_string),
        _ => return None,
    };
    Some(ident.to_string())
}

fn visibility(item: &syn::Item) -> &syn::Visibility {
    match item {
        syn::Item::Fn(item) => &item.vis,
        syn::Item::Struct(item) => &item.vis,
        syn::Item::Enum(item) => &item.vis,
        syn::Item::Union(item) => &item.vis,
        syn::Item::Type(item) => &item.vis,
        syn::Item::Trait(item) => &item.vis,
        syn::Item::Static(item) => &item.vis,
        syn::Item::Const(item) => &item.vis,
        _ => &syn::Visibility::Inherited,
    }
}
