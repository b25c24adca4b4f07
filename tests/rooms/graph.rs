//! Which file needs which, and the circles in that. In: the crate's sources. Out: circles, each as the files it goes through.
//!
//! The rule. A file needs another if its code names something that the other defines: in a `use` or in a path within code (`super::x::y()`,
//! `crate::a::b::C`, `x::y()` for an imported or own module `x`; in macros' arguments and attributes' texts as well). So:
//! - A name is followed to the file that *defines* it, through any number of `use` and `pub use`, globs too. A file that only passes a name on
//!   (`pub use child::Name`) neither needs nor provides it; it needs it where its own code names it as well.
//! - `mod child;` is no need, nor is importing a module as such (`use super::child;`): what is then taken out of it (`child::name`) is. A
//!   parent and its child are a circle only if the parent's code names the child's items *and* the child's names the parent's.
//! - What a file holds under `#[cfg(test)]` is not looked at: tests may import whatever they test. Files that are for tests as a whole count
//!   like all others among themselves.
//! - Methods need no import, and are not followed: `call.find()` does not show which file holds that `impl`.
//! - What cannot be followed is an error, not a gap.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{Import, Module, Path, modules};

/// Files by who needs whom, with one name for each need.
pub struct Graph {
    needs: BTreeMap<String, BTreeMap<String, String>>,
    /// Paths within the crate that lead nowhere.
    pub unknown: BTreeSet<String>,
}

/// What a path leads to.
#[derive(Clone, PartialEq, Eq)]
enum Led {
    Module(Path),
    /// An item, defined in this file.
    Item(String),
    /// Another crate, a local name, a type's parameter.
    Outside,
    Unknown,
}

/// What is looked for under a name that may be both, a module and a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Module,
    Item,
}

impl Graph {
    pub fn of(files: &[(String, String)]) -> Graph {
        let modules = modules(files);
        let names = Names { modules: &modules };
        let mut graph = Graph { needs: BTreeMap::new(), unknown: BTreeSet::new() };
        for (path, module) in &modules {
            for import in &module.imports {
                if import.glob {
                    let Led::Module(of) = names.follow(path, &import.path, As::Module, 0) else { continue };
                    for name in module.names.iter().filter(|name| !module.items.contains(*name)) {
                        // Most names in a file are not from there.
                        let found @ Led::Item(_) = names.lookup(&of, name, As::Item, 1) else { continue };
                        graph.need(module, found, name);
                    }
                } else if !import.passed_on || import.name.as_ref().is_some_and(|name| module.names.contains(name)) {
                    graph.need(module, names.follow(path, &import.path, As::Item, 0), &import.path.join("::"));
                }
            }
            for used in &module.paths {
                graph.need(module, names.follow(path, used, As::Item, 0), &used.join("::"));
            }
        }
        graph
    }

    fn need(&mut self, module: &Module, led: Led, name: &str) {
        match led {
            Led::Item(file) if file != module.file => {
                self.needs.entry(module.file.clone()).or_default().entry(file).or_insert_with(|| name.to_owned());
            }
            Led::Unknown => drop(self.unknown.insert(format!("{}: {name}", module.file))),
            _ => {}
        }
    }

    /// The shortest circle through each need that is on one, each told once, beginning with the file that comes first.
    pub fn circles(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        for (from, needed) in &self.needs {
            for to in needed.keys() {
                let Some(mut circle) = self.way(to, from) else { continue };
                let first = circle.iter().enumerate().min_by_key(|(_, file)| *file).map_or(0, |(at, _)| at);
                circle.rotate_left(first);
                found.insert(circle);
            }
        }
        found
    }

    /// `a.rs → b.rs → a.rs`, and which name is needed at each step.
    pub fn tell(&self, circle: &[String]) -> String {
        let steps = circle.iter().zip(circle.iter().cycle().skip(1));
        let names: Vec<String> = steps.map(|(from, to)| format!("{} of {to}", self.needs[from][to])).collect();
        let files: Vec<&str> = circle.iter().chain(circle.first()).map(String::as_str).collect();
        format!("{}\n    by {}", files.join(" → "), names.join(", "))
    }

    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([from]);
        while let Some(at) = open.pop_front() {
            if at == to {
                let mut way = vec![at.to_owned()];
                let mut at = at;
                while at != from {
                    at = before[at];
                    way.push(at.to_owned());
                }
                way.reverse();
                return Some(way);
            }
            for next in self.needs.get(at).into_iter().flat_map(|needed| needed.keys()) {
                if next != from && !before.contains_key(next.as_str()) {
                    before.insert(next, at);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

/// Finds what names mean.
struct Names<'a> {
    modules: &'a BTreeMap<Path, Module>,
}

/// Imports that lead in circles themselves are followed no further.
const DEEPEST: usize = 32;

impl Names<'_> {
    /// What `path` means in the module `at`.
    fn follow(&self, at: &Path, path: &[String], sought: As, depth: usize) -> Led {
        let mut here = at.clone();
        let mut rest = path;
        let mut anchored = false;
        while let [word, after @ ..] = rest {
            match word.as_str() {
                // The program names its library by the crate's name.
                "crate" if at.first().is_some_and(|root| root == "main") => here = vec!["main".to_owned()],
                "crate" | "cargo_brig" => here = Vec::new(),
                "super" => drop(here.pop()),
                "self" => {}
                _ => break,
            }
            (rest, anchored) = (after, true);
        }
        while let [word, after @ ..] = rest {
            let found = self.lookup(&here, word, if after.is_empty() { sought } else { As::Module }, depth);
            match found {
                Led::Module(next) => here = next,
                Led::Unknown if !anchored => return Led::Outside,
                other => return other,
            }
            (rest, anchored) = (after, true);
        }
        Led::Module(here)
    }

    /// What `name` means in the module `at`, for its own code and for others.
    fn lookup(&self, at: &Path, name: &str, sought: As, depth: usize) -> Led {
        let Some(module) = self.modules.get(at).filter(|_| depth < DEEPEST) else { return Led::Unknown };
        let child: Path = at.iter().cloned().chain([name.to_owned()]).collect();
        let child = self.modules.contains_key(&child).then_some(Led::Module(child));
        let item = || module.items.contains(name).then(|| Led::Item(module.file.clone()));
        if let Some(found) = if sought == As::Module { child.clone().or_else(item) } else { item() } {
            return found;
        }
        let imported = |import: &&Import| import.name.as_deref() == Some(name);
        for import in module.imports.iter().filter(imported) {
            match self.follow(at, &import.path, sought, depth + 1) {
                // `pub use bind::bind` beside `mod bind`: the module has been told already.
                Led::Module(same) if sought == As::Item && child == Some(Led::Module(same.clone())) => {}
                // `use libc;`
                Led::Outside if import.path.len() == 1 && import.path[0] == name => return Led::Outside,
                other => return other,
            }
        }
        let mut unsure = false;
        for import in module.imports.iter().filter(|import| import.glob) {
            match self.follow(at, &import.path, As::Module, depth + 1) {
                Led::Module(of) => match self.lookup(&of, name, sought, depth + 1) {
                    Led::Unknown => {}
                    found => return found,
                },
                // The variants of an enumeration of ours, or another crate's: they may have any name.
                Led::Item(_) | Led::Outside => unsure = true,
                Led::Unknown => {}
            }
        }
        child.unwrap_or(if unsure { Led::Outside } else { Led::Unknown })
    }
}

fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let graph = Graph::of(&files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect::<Vec<_>>());
    assert!(graph.unknown.is_empty(), "{:?}", graph.unknown);
    graph.circles().iter().map(|circle| graph.tell(circle).lines().next().unwrap_or_default().to_owned()).collect()
}

/// What every invented crate has besides its two files.
const ROOT: (&str, &str) = ("src/lib.rs", "pub mod a; pub mod b; mod c;");

#[test]
fn a_circle_is_found_however_it_is_written() {
    let shown = ["src/a.rs → src/b.rs → src/a.rs"];
    for (a, b) in [
        ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;"),
        ("use super::b::B; pub fn f() {}", "pub struct B; fn g() { crate::a::f() }"),
        ("use crate::{b::{self, B as _}, c}; pub fn f() { b::g() }", "pub trait B {} use super::*; pub fn g() { a::f() }"),
        (
            "use crate::b; pub fn f() { let x = [1]; assert!(x[0] == b::g(), \"{}\", 1) }",
            "use crate::a as z; pub fn g() -> i32 { z::f(); 1 }",
        ),
        ("pub struct A(pub Option<super::b::B>);", "#[derive(Default)] pub struct B; impl From<crate::a::A> for B {}"),
        ("#[field(with = \"crate::b::how\")] pub struct A;", "use crate::a::*; pub mod how {} pub fn how() -> A { A }"),
        ("pub const A: u8 = crate::b::B; #[cfg(test)] mod tests { use super::*; }", "pub use crate::a::A; pub static B: u8 = A + 1;"),
        ("#[cfg(test)] use crate::c::X; use crate::b::B; pub enum A {}", "pub type B = crate::a::A;"),
        ("pub mod inner { pub fn f() { super::super::b::g() } }", "use crate::a::inner; pub fn g() { inner::f() }"),
        ("macro_rules! m { () => { $crate::b::g() } } pub fn f() {}", "pub fn g() { for _ in 0..crate::a::f() {} }"),
    ] {
        assert_eq!(circles_of(&[ROOT, ("src/a.rs", a), ("src/b.rs", b), ("src/c.rs", "")]), shown, "{a} // {b}");
    }
}

#[test]
fn what_is_no_circle_is_not_told() {
    for (a, b) in [
        ("use crate::b::B;", "pub struct B; // use crate::a::A;"),
        ("use crate::b::B;", "pub struct B; /* crate::a::f() */ const T: &str = \"crate::a::f()\";"),
        ("pub fn f() {} use crate::b::B;", "pub struct B; #[cfg(test)] mod tests { use crate::a::f; }"),
        ("pub fn f() {} use crate::b::B;", "pub struct B; impl B { #[cfg(test)] fn t<X, Y>() { crate::a::f() } fn u() {} }"),
        ("pub fn f() {} use crate::b::B;", "pub enum B { #[cfg(test)] X(crate::a::A), Y }"),
        ("pub fn f() {} use crate::b;", "use crate::a::f;"),
        ("pub fn f() {} pub use crate::b::B;", "use crate::a::f; pub struct B;"),
        ("pub use crate::c::C; use crate::b::B;", "use crate::a::C; pub struct B;"),
        ("use crate::b::B; pub struct A { a: u8 }", "pub struct B; fn f(x: B) { x.a::<u8>(); x.crate_a.f() }"),
    ] {
        let c = ("src/c.rs", "pub struct C;");
        assert_eq!(circles_of(&[ROOT, ("src/a.rs", a), ("src/b.rs", b), c]), [""; 0], "{a} // {b}");
    }
}

#[test]
fn a_parent_and_its_child_are_one_only_if_each_needs_the_other() {
    for (parent, child, circle) in [
        ("pub mod b; pub struct A;", "use super::A; pub fn bind() {}", false),
        ("mod bind; pub use bind::bind; pub struct A;", "use super::A; pub fn bind() {}", false),
        ("mod bind; pub use bind::bind; pub struct A; fn f() { bind() }", "use super::A; pub fn bind() {}", true),
        ("mod bind; use bind::bind; pub struct A;", "pub fn bind(_: super::A) {}", true),
        ("mod bind; pub struct A; fn f() { bind::bind() }", "use super::super::a::A; pub fn bind() {}", true),
        ("mod bind; use bind::bind; pub struct A;", "pub fn bind() {}", false),
        ("#[cfg(test)] mod bind; pub struct A;", "use super::A; pub fn bind() {}", false),
    ] {
        let files = [("src/lib.rs", "pub mod a;"), ("src/a/mod.rs", parent), ("src/a/bind.rs", child)];
        let expected: &[&str] = if circle { &["src/a/bind.rs → src/a/mod.rs → src/a/bind.rs"] } else { &[] };
        assert_eq!(circles_of(&files), expected, "{parent} // {child}");
    }
}

#[test]
fn names_are_followed_to_where_they_are_defined() {
    // Through two that only pass it on, and around three corners.
    let files = [
        ("src/lib.rs", "pub mod a; pub mod b; pub mod c; pub mod d;"),
        ("src/a/mod.rs", "mod deep; pub use deep::*;"),
        ("src/a/deep.rs", "use crate::d::D; pub struct Deep;"),
        ("src/b.rs", "pub use crate::a::Deep as Shallow;"),
        ("src/c.rs", "use crate::b::Shallow; pub fn c() {}"),
        ("src/d.rs", "pub struct D; fn d() { crate::c::c() }"),
    ];
    assert_eq!(circles_of(&files), ["src/a/deep.rs → src/d.rs → src/c.rs → src/a/deep.rs"]);
}

#[test]
fn a_path_that_leads_nowhere_is_told() {
    let files = [("src/lib.rs", "pub mod a;"), ("src/a.rs", "fn f() { crate::a::missing::g(); std::mem::take(); T::new() }")];
    let graph = Graph::of(&files.map(|(file, text)| (file.to_owned(), text.to_owned())));
    assert_eq!(graph.unknown.into_iter().collect::<Vec<_>>(), ["src/a.rs: crate::a::missing::g"]);
}
