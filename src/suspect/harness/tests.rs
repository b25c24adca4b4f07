//! That what a crate offers is found, called and, where it does not compile, left out alone.

use super::*;

fn crate_of(text: &str, also: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("Cargo.toml"), "[package]\nname = \"sus-pect\"\nversion = \"0.1.0\"\nedition = \"2021\"\n").unwrap();
    put(&dir.path().join("src/lib.rs"), text).unwrap();
    also.iter().for_each(|(path, text)| put(&dir.path().join(path), text).unwrap());
    dir
}

const SUSPECT: &str = r#"
mod private;
pub mod open;
pub use private::{check_params, Hidden as Shown};
pub fn plain() {}
pub unsafe
fn risky() {}
pub fn stop() -> ! { std::process::exit(0) }
pub fn odd(x: std::thread::Thread) {}
pub async fn later(name: &str) -> u8 { 1 }
pub fn generic<T: AsRef<str>>(x: T, y: &[u8], z: Option<std::time::Duration>) {}
pub fn wrong(x: Thing) {}
pub struct Thing;
#[cfg(test)] mod tests { pub fn never() {} }
fn inner() {}
#[macro_export] macro_rules! noisy { () => { () } }
"#;
const PRIVATE: &str = "
pub fn check_params(name: &str, level: u8) -> bool { true }
#[derive(Default)] pub struct Hidden { x: u8 }
impl Hidden { pub fn run(&mut self, by: &std::path::Path) {} fn quiet(&self) {} pub fn of(text: String) -> Self { Hidden { x: 0 } } }
impl std::fmt::Display for Hidden { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }
";

#[test]
fn what_is_public_is_called_by_a_path_that_leads_there() {
    let dir =
        crate_of(SUSPECT, &[("src/private.rs", PRIVATE), ("src/open/mod.rs", "pub fn door(n: i64) {} pub mod deep { pub fn end() {} }")]);
    let harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    assert_eq!(harness.library, "sus_pect");
    for name in [
        "sus_pect::plain",
        "sus_pect::check_params",
        "sus_pect::open::door",
        "sus_pect::open::deep::end",
        "sus_pect::later",
        "sus_pect::generic",
        "sus_pect::Shown::run",
        "sus_pect::Shown::of",
        "sus_pect::Shown: Display::fmt",
        "sus_pect::noisy!()",
    ] {
        assert!(harness.called.iter().any(|called| called == name), "{name} is not in {:#?}", harness.called);
    }
    for (name, why) in [("sus_pect::risky", "it is unsafe"), ("sus_pect::stop", "it never returns")] {
        assert!(harness.not_called.contains(&(name.to_owned(), why.to_owned())), "{:?}", harness.not_called);
    }
    let odd = harness.not_called.iter().find(|(name, _)| name == "sus_pect::odd").unwrap();
    assert_eq!(odd.1, "no values are known for (std :: thread :: Thread)");
    assert!(!harness.called.iter().any(|name| name.contains("never") || name.contains("quiet") || name.contains("inner")));
}

#[test]
fn a_call_that_does_not_compile_costs_itself_only() {
    let dir = crate_of("pub fn one() {} pub fn two() {} pub fn three() {}", &[]);
    let mut harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    let text = Program::of(&harness.calls).text;
    let line = text.lines().position(|line| line.contains("::two()")).unwrap() + 1;
    let message = format!(
        r#"{{"reason":"compiler-message","message":{{"level":"error","message":"mismatched types","spans":[{{"file_name":"examples/calls.rs","line_start":{line},"is_primary":true}}]}}}}"#
    );
    assert_eq!(harness.learn(message.as_bytes()), 1);
    assert_eq!(harness.called, ["sus_pect::one", "sus_pect::three"]);
    assert!(harness.not_called[0].1.ends_with("mismatched types"));
    assert_eq!(harness.learn(b""), 0);
    assert_eq!(harness.targets(), [Target::Calls("calls".to_owned())]);
    harness.give_up("it did not build");
    assert!(harness.targets().is_empty() && harness.not_called.len() == 3);
}

#[test]
fn macros_are_expanded_on_every_kind_of_item() {
    let text = "
        #[proc_macro_derive(Show, attributes(show, hide))] pub fn derive(x: TokenStream) -> TokenStream { x }
        #[proc_macro_attribute] pub fn marked(a: TokenStream, x: TokenStream) -> TokenStream { x }
        #[proc_macro] pub fn query(x: TokenStream) -> TokenStream { x }";
    let dir = crate_of(text, &[]);
    let manifest = "[package]\nname = \"m\"\nversion = \"0.1.0\"\n[lib]\nproc-macro = true\n";
    fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    let harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    assert_eq!(harness.called, ["#[derive(Show)]", "#[marked]", "query!"]);
    harness.write(dir.path()).unwrap();
    let derive = fs::read_to_string(dir.path().join("tests/expand_1.rs")).unwrap();
    assert!(derive.contains("#[derive(m::Show)] pub enum Mixed {  Unit") && derive.contains("#[hide(example)]"), "{derive}");
    assert!(fs::read_to_string(dir.path().join("tests/expand_3.rs")).unwrap().contains("m::query! { \"example\" }"));
}

/// A crate `sus_pect` with neighbours, each by name, its text, whether it is one of macros, and whom it needs.
fn world_of(text: &str, others: &[(&str, &str, bool, &[&str])]) -> (tempfile::TempDir, Neighbours) {
    let dir = crate_of(text, &[]);
    let at = |name: &str| dir.path().join("near").join(name);
    let names = |needs: &[&str]| -> Names { needs.iter().map(|name| ((*name).to_owned(), at(name))).collect() };
    let mut neighbours = Neighbours { own: names(&others.iter().map(|other| other.0).collect::<Vec<_>>()), ..Neighbours::default() };
    for (name, text, is_macro, needs) in others {
        let macros = if *is_macro { "[lib]\nproc-macro = true\n" } else { "" };
        put(&at(name).join("Cargo.toml"), &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n{macros}")).unwrap();
        put(&at(name).join("src/lib.rs"), text).unwrap();
        neighbours.of.insert(at(name), names(needs));
    }
    (dir, neighbours)
}

const DERIVE: &str = "#[proc_macro_derive(Show)] pub fn show(x: TokenStream) -> TokenStream { x }
    #[proc_macro_attribute] pub fn marked(a: TokenStream, x: TokenStream) -> TokenStream { x }";

#[test]
fn macros_of_others_are_expanded_by_the_path_that_shows_them() {
    for (text, path) in [
        ("pub use d::Show;", "sus_pect::Show"),
        ("pub use ::d::{Show as Other};", "sus_pect::Other"),
        ("pub mod prelude { pub use d::*; }", "sus_pect::prelude::Show"),
        ("pub extern crate d;", "sus_pect::d::Show"),
        ("#[macro_use] pub extern crate d as e;", "sus_pect::e::Show"),
        ("extern crate d as e; pub use e::Show;", "sus_pect::Show"),
        ("use d as e; pub use e::Show;", "sus_pect::Show"),
        ("pub use d;", "sus_pect::d::Show"),
        ("#[cfg(feature = \"x\")] #[doc(inline)] pub use d::Show;", "sus_pect::Show"),
        ("mod inner { pub mod deep { pub use d::Show; } } pub use inner::deep::*;", "sus_pect::Show"),
        ("cfg_x! { pub use d::Show; }", "sus_pect::Show"),
        ("pub use m::*;", "sus_pect::Again"),
        ("pub use m::inner as other;", "sus_pect::other::Show"),
        ("pub use own::Show; mod own { pub use d::Show; pub trait Show {} }", "sus_pect::Show"),
    ] {
        let middle = "pub use d::Show as Again; pub mod inner { pub use d::*; }";
        let (dir, neighbours) = world_of(text, &[("d", DERIVE, true, &[]), ("m", middle, false, &["d"])]);
        let harness = Harness::of(dir.path(), &neighbours).unwrap();
        let name = format!("#[derive({path})]");
        assert!(harness.called.contains(&name), "{text}: {:?}", harness.called);
        let text = &harness.expansions.iter().find(|expansion| expansion.name == name).unwrap().text;
        assert!(text.contains(&format!("#[derive({path})] pub union Both")), "{text}");
        assert!(harness.hidden.is_empty(), "{:?}", harness.hidden);
    }
}

#[test]
fn macros_that_nobody_knows_how_to_expand_are_told() {
    let said = |lines: &[usize]| -> String {
        lines
            .iter()
            .map(|at| format!("tests/expand_{at}.rs:6:14: error[E0433]: could not find `{}` in `s`\n", ["Show", "marked"][at - 1]))
            .collect()
    };
    let veiled = "macro_rules! show { ($($x:tt)*) => { pub mod m { pub use $($x)*; } } } show!(d::Show);";
    for (text, lines, hidden) in [
        (veiled, &[1, 2][..], "of d, which it names in a way that is not understood"),
        // One of its macros is where it was guessed.
        (veiled, &[2], ""),
        // Its own code uses it.
        ("#[derive(d::Show)] struct Own;", &[1, 2], ""),
        // What its sources show is not there with these features.
        ("pub use d::*;", &[1, 2], ""),
    ] {
        let (dir, neighbours) = world_of(text, &[("d", DERIVE, true, &[])]);
        let mut harness = Harness::of(dir.path(), &neighbours).unwrap();
        harness.expanded(said(lines).as_bytes());
        assert_eq!(harness.hidden.concat(), hidden, "{text}");
        assert_eq!(harness.called.iter().filter(|name| name.starts_with("#[")).count(), 2 - lines.len(), "{text}: {:?}", harness.called);
    }
    let (dir, neighbours) = world_of("pub use d::Show;", &[("d", "make_macros!();", true, &[])]);
    let harness = Harness::of(dir.path(), &neighbours).unwrap();
    assert_eq!(harness.hidden, ["of d, in whose sources none are seen"]);
}

#[test]
fn what_is_shown_of_others_is_called_after_its_own() {
    let other = "pub fn take() {} pub struct Bag; impl Bag { pub fn new() -> Self { Bag } pub fn open(&self) {} }
        mod hidden { #[macro_export] macro_rules! noisy { () => { () } } } pub fn left() {}";
    let text = "pub use o::{take, Bag, noisy}; pub fn own() {} mod macros { #[macro_export] macro_rules! loud { () => { () } } }";
    let (dir, neighbours) = world_of(text, &[("o", other, false, &[])]);
    let harness = Harness::of(dir.path(), &neighbours).unwrap();
    for name in ["sus_pect::take", "sus_pect::Bag::open", "sus_pect::noisy!()", "sus_pect::loud!()"] {
        assert!(harness.called.iter().any(|called| called == name), "{name}: {:?}", harness.called);
    }
    let at = |name: &str| harness.called.iter().position(|called| called == name);
    assert!(at("sus_pect::own") < at("sus_pect::take") && at("sus_pect::left").is_none(), "{:?}", harness.called);
}

#[test]
fn what_only_others_make_is_asked_of_them() {
    let text = "
        pub struct Bag<K, V> { x: (K, V) }
        impl<K, V> Bag<K, V> { pub fn new() -> Self { loop {} } pub fn all(&self) -> All<'_, K, V> { loop {} } }
        pub struct All<'a, K, V> { x: &'a (K, V) }
        impl<'a, K, V> Iterator for All<'a, K, V> { type Item = u8; fn next(&mut self) -> Option<u8> { None } }
        pub struct Wrong { x: u8 }
        impl std::fmt::Display for Wrong { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }
        pub fn read(text: &str) -> Result<Open, Wrong> { loop {} }
        pub struct Set { x: u8 }
        impl Set { pub const fn add(&self, byte: u8) -> Self { loop {} } }
        pub const LETTERS: &Set = &Set { x: 1 };
        pub struct Mode { x: u8 }
        impl Mode { pub const PLAIN: Self = Mode { x: 1 }; pub fn name(&self) {} }
        pub struct Open { x: u8 }
        impl Open { pub fn close(self) {} }";
    let dir = crate_of(text, &[]);
    let harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    for (name, code) in [
        ("sus_pect::All: iter::Iterator::next", "match (<sus_pect::Bag<u64, u64>>::all(&(sus_pect::Bag::new())))"),
        ("sus_pect::Wrong: Display::fmt", "sus_pect::read(text(set)).err().unwrap()"),
        ("sus_pect::Set::add", "match ((*sus_pect::LETTERS))"),
        ("sus_pect::Mode::name", "match (sus_pect::Mode::PLAIN)"),
        ("sus_pect::Open::close", "sus_pect::read(text(set)).unwrap()"),
    ] {
        let call = harness.calls.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("{name}: {:?}", harness.not_called));
        assert!(call.code.contains(code), "{}", call.code);
    }
}

/// A source can lead from each name to many others, and from each of those on.
#[test]
fn names_that_lead_everywhere_end() {
    let globs: String = (0..40).map(|to| format!("pub use crate::m{to}::*; ")).collect();
    let text: String = (0..40).map(|at| format!("pub mod m{at} {{ {globs} pub use crate::m{}::nowhere; }}\n", (at + 1) % 40)).collect();
    let dir = crate_of(&text, &[]);
    let harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    assert!(harness.called.is_empty() && harness.unread.iter().any(|told| told.contains("too many names")), "{:?}", harness.unread);
}

#[test]
fn what_is_no_library_is_told() {
    let dir = crate_of("", &[]);
    fs::remove_file(dir.path().join("src/lib.rs")).unwrap();
    assert_eq!(Harness::of(dir.path(), &Neighbours::default()).err().unwrap().to_string(), "it has no library");
    let dir = crate_of("mod gone; pub fn f( {", &[]);
    let harness = Harness::of(dir.path(), &Neighbours::default()).unwrap();
    assert!(harness.called.is_empty() && harness.unread.len() == 1, "{:?}", harness.unread);
}
