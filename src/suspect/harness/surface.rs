//! What a crate shows to those who use it: each public item by a path that leads to it. In: its modules, and those of crates it shows things of. Out:
//! functions, types, traits, macros and statics by public path; functions and traits of types. Names are followed through modules and re-exports, of the crate
//! itself and of others, as far as sources show them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::suspect::harness::expand::Macro;
use crate::suspect::harness::modules::{Module, only_for_tests};
use crate::suspect::harness::world::World;

/// Steps from one re-export to the next, and modules that are visited.
const DEEPEST: usize = 12;
const MODULES: usize = 3000;
/// Names that are looked up in a module. A source could have so many ways from one to the next that nobody gets through.
const LOOKS: u32 = 100_000;

#[derive(Default)]
pub struct Surface<'a> {
    /// By public path, as code of others writes it.
    pub items: BTreeMap<String, &'a syn::Item>,
    /// Those of other crates among them.
    pub foreign: BTreeSet<String>,
    /// Procedural macros, by public path, each once.
    pub macros: Vec<(String, &'a Macro)>,
    /// Types by their own name: most have one of their own.
    pub types: BTreeMap<String, Vec<Type<'a>>>,
    /// Types that implement a trait of this name, each by its own name.
    pub implementors: BTreeMap<String, BTreeSet<String>>,
    /// What the crate calls things of the standard library's otherwise: `StdError` is `Error`.
    pub renamed: BTreeMap<String, String>,
    /// There were too many names to follow.
    pub cut: bool,
}

pub struct Type<'a> {
    pub path: String,
    pub item: &'a syn::Item,
    /// Of another crate.
    pub foreign: bool,
}

/// What is implemented for a type, by the type's name.
#[derive(Default)]
pub struct Implemented<'a> {
    pub inherent: Vec<&'a syn::ItemImpl>,
    pub traits: Vec<(&'a syn::Path, &'a syn::ItemImpl)>,
}

/// Of a name that the suspect has itself, only what it says of it.
pub fn implemented(world: &World) -> BTreeMap<String, Implemented<'_>> {
    let mut found: BTreeMap<String, Implemented<'_>> = BTreeMap::new();
    let items = |at: usize| world.crates[at].modules.values().flat_map(|module| &module.items);
    let own: BTreeSet<String> = items(0).filter(|item| is_type(item)).filter_map(name).collect();
    let all = (0..world.crates.len()).flat_map(|at| items(at).map(move |item| (at, item)));
    for (at, item) in all {
        let syn::Item::Impl(item) = item else { continue };
        let (Some(name), false) = (last(&item.self_ty), only_for_tests(&item.attrs)) else { continue };
        if at > 0 && own.contains(&name) {
            continue;
        }
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

/// A module of a crate.
type At = (usize, Vec<String>);

pub fn surface<'a>(library: &str, world: &'a World) -> Surface<'a> {
    let mut reaching = Reaching { world, surface: Surface::default(), seen: BTreeSet::new(), open: VecDeque::new(), looks: Cell::new(0) };
    reaching.open.push_back(((0, Vec::new()), library.to_owned()));
    while let Some((module, path)) = reaching.open.pop_front() {
        if reaching.seen.len() < MODULES && reaching.seen.insert((module.clone(), path.clone())) {
            reaching.module(&module, &path);
        }
    }
    for item in world.crates[0].modules.values().flat_map(|module| &module.items) {
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
    for (name, implemented) in implemented(world) {
        for (path, _) in implemented.traits {
            let of = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            reaching.surface.implementors.entry(of).or_default().insert(name.clone());
        }
    }
    reaching.surface.cut = reaching.looks.get() > LOOKS;
    reaching.surface
}

struct Reaching<'a> {
    world: &'a World,
    surface: Surface<'a>,
    seen: BTreeSet<(At, String)>,
    open: VecDeque<(At, String)>,
    looks: Cell<u32>,
}

impl<'a> Reaching<'a> {
    /// Everything public in `module`, as things below `path`.
    fn module(&mut self, module: &At, path: &str) {
        let of = &self.world.crates[module.0];
        if module.1.is_empty() {
            of.macros.iter().for_each(|made| self.add_macro(format!("{path}::{}", made.name), made));
            // Wherever they are written, macros by rules lie at the root.
            for (name, item) in of.modules.values().flat_map(|module| &module.items).filter_map(by_rules) {
                self.add(module.0, format!("{path}::{name}"), item);
            }
        }
        let Some(found) = of.modules.get(&module.1) else { return };
        for item in &found.items {
            match item {
                syn::Item::Use(item) if is_public(&item.vis) => {
                    let mut leaves = Vec::new();
                    leaf(&item.tree, Vec::new(), &mut leaves, 0);
                    leaves.into_iter().for_each(|(from, name)| self.passed_on(module, &from, name, path));
                }
                syn::Item::ExternCrate(item) if is_public(&item.vis) => {
                    let name = item.ident.to_string();
                    let shown = item.rename.as_ref().map_or(name.clone(), |(_, rename)| rename.to_string());
                    if let Some(other) = of.names.get(&name) {
                        self.open.push_back(((*other, Vec::new()), format!("{path}::{shown}")));
                    }
                }
                syn::Item::Macro(_) => {}
                other => {
                    if let Some(name) = name(other).filter(|_| is_public(visibility(other))) {
                        self.add(module.0, format!("{path}::{name}"), other);
                    }
                }
            }
        }
        let children: Vec<Vec<String>> = self.children(module).filter(|child| of.modules[child].public).collect();
        for child in children {
            let name = child.last().cloned().unwrap_or_default();
            self.open.push_back(((module.0, child), format!("{path}::{name}")));
        }
    }

    fn children(&self, module: &At) -> impl Iterator<Item = Vec<String>> {
        let (at, module) = module.clone();
        let below = self.world.crates[at].modules.range(module.clone()..).map(|(path, _)| path);
        let depth = module.len();
        below.take_while(move |path| path.starts_with(&module)).filter(move |path| path.len() == depth + 1).cloned()
    }

    fn add(&mut self, of: usize, path: String, item: &'a syn::Item) {
        if let (Some(name), true) = (name(item), is_type(item)) {
            let types = self.surface.types.entry(name).or_default();
            if !types.iter().any(|known| std::ptr::eq(known.item, item)) {
                let (place, foreign) =
                    if of == 0 { (types.iter().take_while(|ty| !ty.foreign).count(), false) } else { (types.len(), true) };
                types.insert(place, Type { path: path.clone(), item, foreign });
            }
        }
        let known = self.surface.items.values().any(|other| std::ptr::eq(*other, item));
        if !known {
            if of > 0 {
                self.surface.foreign.insert(path.clone());
            }
            self.surface.items.insert(path, item);
        }
    }

    fn add_macro(&mut self, path: String, made: &'a Macro) {
        if !self.surface.macros.iter().any(|(_, known)| std::ptr::eq(*known, made)) {
            self.surface.macros.push((path, made));
        }
    }

    /// `pub use from as name` in `module`, shown below `path`.
    fn passed_on(&mut self, module: &At, from: &[String], name: Option<String>, path: &str) {
        let shown = name.as_ref().map_or(path.to_owned(), |name| format!("{path}::{name}"));
        for found in self.follow(module, from, 0) {
            match found {
                Found::Module(of) => self.open.push_back((of, shown.clone())),
                Found::Item(of, item) if name.is_some() => self.add(of, shown.clone(), item),
                Found::Macro(made) if name.is_some() => self.add_macro(shown.clone(), made),
                _ => {}
            }
        }
    }

    /// What a path means in a module: a module, an item, a macro, or several of them by one name.
    fn follow(&self, module: &At, from: &[String], depth: usize) -> Vec<Found<'a>> {
        let (mut at, mut rest) = (module.clone(), from);
        while let [word, after @ ..] = rest {
            match word.as_str() {
                "crate" => at.1.clear(),
                "self" => {}
                "super" if at.1.pop().is_none() => return Vec::new(),
                "super" => {}
                _ => break,
            }
            rest = after;
        }
        let found = self.below(&at, rest, depth);
        let [word, after @ ..] = rest else { return found };
        if !found.is_empty() || rest.len() < from.len() || depth > DEEPEST {
            return found;
        }
        match self.world.crates[module.0].names.get(word) {
            Some(other) => self.below(&(*other, Vec::new()), after, depth + 1),
            // Before the edition of 2018 such paths began at the root.
            None if !at.1.is_empty() => self.below(&(at.0, Vec::new()), rest, depth + 1),
            None => found,
        }
    }

    /// What a path means within a module.
    fn below(&self, module: &At, path: &[String], depth: usize) -> Vec<Found<'a>> {
        let (mut at, mut rest) = (module.clone(), path);
        while let [word, after @ ..] = rest {
            let child: Vec<String> = at.1.iter().cloned().chain([word.clone()]).collect();
            if self.world.crates[at.0].modules.contains_key(&child) {
                (at.1, rest) = (child, after);
                continue;
            }
            let found = self.named(&at, word, depth);
            if after.is_empty() {
                return found;
            }
            let modules = found.into_iter().filter_map(|found| match found {
                Found::Module(of) => Some(of),
                _ => None,
            });
            return modules.flat_map(|of| self.below(&of, after, depth + 1)).collect();
        }
        vec![Found::Module(at)]
    }

    /// Items of a module, or what it has from elsewhere by that name.
    fn named(&self, module: &At, word: &str, depth: usize) -> Vec<Found<'a>> {
        let of = &self.world.crates[module.0];
        let mut found: Vec<Found<'a>> = Vec::new();
        self.looks.set(self.looks.get().saturating_add(1));
        if self.looks.get() > LOOKS {
            return found;
        }
        if module.1.is_empty() {
            found.extend(of.macros.iter().filter(|made| made.name == word).map(Found::Macro));
            let items = of.modules.values().flat_map(|module| &module.items).filter_map(by_rules);
            found.extend(items.filter(|(name, _)| name == word).map(|(_, item)| Found::Item(module.0, item)));
        }
        let Some(Module { items, .. }) = of.modules.get(&module.1).filter(|_| depth < DEEPEST) else { return found };
        let own = items.iter().filter(|item| by_rules(item).is_none() && name(item).is_some_and(|name| name == word));
        found.extend(own.map(|item| Found::Item(module.0, item)));
        let mut leaves = Vec::new();
        for item in items {
            match item {
                syn::Item::Use(item) => leaf(&item.tree, Vec::new(), &mut leaves, 0),
                syn::Item::ExternCrate(item) => {
                    let shown = item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename);
                    let other = of.names.get(&item.ident.to_string()).filter(|_| shown == word);
                    found.extend(other.map(|other| Found::Module((*other, Vec::new()))));
                }
                _ => {}
            }
        }
        let by_name = leaves.iter().filter(|(_, name)| name.as_deref() == Some(word));
        let by_name = by_name.filter(|(from, _)| from.len() > 1 || from[0] != word);
        found.extend(by_name.flat_map(|(from, _)| self.follow(module, from, depth + 1)));
        if found.is_empty() {
            let globs = leaves.iter().filter(|(_, name)| name.is_none());
            let modules = globs.flat_map(|(from, _)| self.follow(module, from, depth + 1)).filter_map(|found| match found {
                Found::Module(of) if of != *module => Some(of),
                _ => None,
            });
            found = modules.map(|of| self.named(&of, word, depth + 1)).find(|found| !found.is_empty()).unwrap_or_default();
        }
        found
    }
}

enum Found<'a> {
    Module(At),
    /// Of a crate.
    Item(usize, &'a syn::Item),
    Macro(&'a Macro),
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

/// A macro by rules that others may use.
fn by_rules(item: &syn::Item) -> Option<(String, &syn::Item)> {
    let syn::Item::Macro(made) = item else { return None };
    let exported = made.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
    Some((made.ident.as_ref().filter(|_| exported)?.to_string(), item))
}

fn is_type(item: &syn::Item) -> bool {
    matches!(item, syn::Item::Struct(_) | syn::Item::Enum(_) | syn::Item::Union(_) | syn::Item::Type(_))
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
