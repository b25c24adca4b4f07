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
    let harness = Harness::of(dir.path()).unwrap();
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
    let mut harness = Harness::of(dir.path()).unwrap();
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
    let harness = Harness::of(dir.path()).unwrap();
    assert_eq!(harness.called, ["#[derive(Show)]", "#[marked]", "query!"]);
    harness.write(dir.path()).unwrap();
    let derive = fs::read_to_string(dir.path().join("tests/expand_1.rs")).unwrap();
    assert!(derive.contains("#[derive(m::Show)] pub enum Mixed {  Unit") && derive.contains("#[hide(example)]"), "{derive}");
    assert!(fs::read_to_string(dir.path().join("tests/expand_3.rs")).unwrap().contains("m::query! { \"example\" }"));
}

#[test]
fn what_is_no_library_is_told() {
    let dir = crate_of("", &[]);
    fs::remove_file(dir.path().join("src/lib.rs")).unwrap();
    assert_eq!(Harness::of(dir.path()).err().unwrap().to_string(), "it has no library");
    let dir = crate_of("mod gone; pub fn f( {", &[]);
    let harness = Harness::of(dir.path()).unwrap();
    assert!(harness.called.is_empty() && harness.unread.len() == 1, "{:?}", harness.unread);
}
