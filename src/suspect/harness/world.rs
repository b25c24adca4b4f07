//! The crates that a suspect shows things of: itself, and those that it exports again, whole or in part. In: its library; which crate each name means, as
//! cargo says it. Out: their modules, and for crates of macros what macros those are. Bounded; what is left out is told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::suspect::harness::expand::{self, Macro};
use crate::suspect::harness::modules::{Library, Modules, Room, modules};

/// Of the suspect itself, and of all others together.
const OWN: Room = Room { files: 1500, bytes: 256 << 20 };
const OTHERS: Room = Room { files: 600, bytes: 6 << 20 };
const CRATES: usize = 48;

/// Which crate a name means in another: directories of packages by the name that code calls them.
pub type Names = BTreeMap<String, PathBuf>;

/// What a suspect, and each package that it needs, needs itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    pub own: Names,
    /// By the directory of the package.
    pub of: BTreeMap<PathBuf, Names>,
}

#[derive(Default)]
pub struct Crate {
    /// As symbols have it.
    pub name: String,
    /// None of a crate of macros.
    pub modules: Modules,
    pub macros: Vec<Macro>,
    /// Those of its neighbours that were read.
    pub names: BTreeMap<String, usize>,
}

/// The first is the suspect.
pub struct World {
    pub crates: Vec<Crate>,
    /// What could not be read.
    pub told: Vec<String>,
    /// The suspect's direct neighbours that are crates of macros, by name.
    pub macros: BTreeMap<String, usize>,
}

impl World {
    pub fn of(library: &Library, neighbours: &Neighbours) -> World {
        let (own, told) = modules(library, &mut { OWN });
        let mut reading = Reading { known: BTreeMap::new(), room: OTHERS, crates: Vec::new(), told };
        reading.crates.push(of(library, own));
        let mut open = vec![(0, neighbours.own.clone())];
        while let Some((at, names)) = open.pop() {
            for (alias, name) in shown(&reading.crates[at].modules) {
                let Some(dir) = names.get(&name) else { continue };
                let was = reading.crates.len();
                let Some(found) = reading.neighbour(dir) else { continue };
                reading.crates[at].names.insert(alias, found);
                reading.crates[at].names.insert(name, found);
                if found == was {
                    open.push((found, neighbours.of.get(dir).cloned().unwrap_or_default()));
                }
            }
        }
        // A crate of macros exports nothing else.
        let is_macro = |dir: &PathBuf| !library.is_macro && Library::of(dir).is_ok_and(|library| library.is_macro);
        let direct: Vec<_> = neighbours.own.iter().filter(|(_, dir)| is_macro(dir)).collect();
        let macros = direct.into_iter().filter_map(|(name, dir)| Some((name.clone(), reading.neighbour(dir)?))).collect();
        World { crates: reading.crates, told: reading.told, macros }
    }
}

struct Reading {
    known: BTreeMap<PathBuf, Option<usize>>,
    room: Room,
    crates: Vec<Crate>,
    told: Vec<String>,
}

impl Reading {
    fn neighbour(&mut self, dir: &Path) -> Option<usize> {
        if let Some(known) = self.known.get(dir) {
            return *known;
        }
        let read = self.read(dir);
        let found = read.map(|read| {
            self.crates.push(read);
            self.crates.len() - 1
        });
        self.known.insert(dir.to_owned(), found);
        found
    }

    fn read(&mut self, dir: &Path) -> Option<Crate> {
        if self.crates.len() > CRATES {
            self.told.push(format!("{}: left out, there are too many crates", dir.display()));
            return None;
        }
        let library = Library::of(dir).map_err(|error| self.told.push(format!("{}: {error}", dir.display()))).ok()?;
        let (modules, told) = modules(&library, &mut self.room);
        if let Some(first) = told.first() {
            self.told.push(format!("{}, {} of its modules and more: {first}", library.name, told.len()));
        }
        Some(of(&library, modules))
    }
}

fn of(library: &Library, modules: Modules) -> Crate {
    let name = library.name.clone();
    match library.is_macro {
        true => Crate { name, macros: expand::macros(&modules), ..Crate::default() },
        false => Crate { name, modules, ..Crate::default() },
    }
}

/// Names of crates that a line shows to others, or that a line of the root gives another name: each as it is called there, and as it is called everywhere.
fn shown(modules: &Modules) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for item in modules.values().flat_map(|module| &module.items) {
        match item {
            syn::Item::ExternCrate(item) => {
                let name = item.ident.to_string();
                found.insert((item.rename.as_ref().map_or(name.clone(), |(_, rename)| rename.to_string()), name));
            }
            syn::Item::Use(item) => first(&item.tree, matches!(item.vis, syn::Visibility::Public(_)), &mut found, 0),
            _ => {}
        }
    }
    found
}

/// The first words of a `use`; of one that shows nothing, those that give a crate another name.
fn first(tree: &syn::UseTree, is_public: bool, found: &mut BTreeSet<(String, String)>, depth: usize) {
    match tree {
        syn::UseTree::Path(path) if is_public => {
            found.insert((path.ident.to_string(), path.ident.to_string()));
        }
        syn::UseTree::Name(name) if is_public => {
            found.insert((name.ident.to_string(), name.ident.to_string()));
        }
        syn::UseTree::Rename(name) => {
            found.insert((name.rename.to_string(), name.ident.to_string()));
        }
        syn::UseTree::Group(group) if depth < 40 => group.items.iter().for_each(|tree| first(tree, is_public, found, depth + 1)),
        _ => {}
    }
}
