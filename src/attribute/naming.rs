//! From a symbol to the crate that wrote it. In: a raw symbol as the linker left it. Out: crate and function names, bounded in length.
//! Both mangling schemes; code of the standard library and of the compiler has no crate here.

use std::fmt::Write;

/// Longest function name kept, in bytes.
const MAX_FUNCTION: usize = 300;
/// Longest crate name believed; registries allow 64.
const MAX_CRATE: usize = 100;

/// A function of a crate that is neither the standard library nor the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub krate: String,
    pub function: String,
    /// The function is the standard library's; the crate only appears among its type parameters. Optimised builds inline a closure
    /// into the library function that runs it, and this is all that is left.
    pub by_parameter: bool,
}

/// Names the crate of a raw symbol; `None` for foreign languages, the standard library and the compiler.
pub fn name(symbol: &str) -> Option<Named> {
    // A C++ symbol may pass for the legacy scheme, which always ends in a hash.
    if symbol.starts_with("_ZN") && !symbol.contains("17h") {
        return None;
    }
    let demangled = rustc_demangle::try_demangle(symbol).ok()?;
    let mut text = Short(String::new());
    // An error means the bound was reached: what was written so far is what we keep.
    let _ = write!(text, "{demangled:#}");
    let own = crate_of(&text.0);
    let by_parameter = own.is_none();
    let krate = own.or_else(|| crate_among_parameters(&text.0))?;
    Some(Named { krate, function: text.0, by_parameter })
}

/// The crate of `lib<crate>-<hash>.so`.
pub fn crate_of_file(file_name: &str) -> Option<&str> {
    let stem = file_name.strip_prefix("lib")?.strip_suffix(".so")?;
    let (name, hash) = stem.rsplit_once('-').unwrap_or((stem, "0"));
    let known = !name.is_empty() && name.len() <= MAX_CRATE && hash.bytes().all(|b| b.is_ascii_hexdigit());
    known.then_some(name)
}

fn crate_of(path: &str) -> Option<String> {
    let Some(inside) = path.strip_prefix('<') else {
        return third_party(first_segment(path)?);
    };
    // `<a::B as c::D>::f`: the code is a's, unless a is the standard library: then it is an impl that c, or c's user, wrote for it.
    let (own, of_trait) = split_as(inside);
    let mut own = own;
    loop {
        let bare = own.trim_start_matches(['&', '*', '[', '(', '<', ' ']);
        let bare = ["mut ", "const ", "dyn ", "impl "].iter().find_map(|word| bare.strip_prefix(word)).unwrap_or(bare);
        if bare.len() == own.len() {
            break;
        }
        own = bare;
    }
    first_segment(own).and_then(third_party).or_else(|| third_party(first_segment(of_trait?)?))
}

fn crate_among_parameters(path: &str) -> Option<String> {
    let starts = path.match_indices(['<', ' ', '&', '(', '[']).map(|(at, mark)| &path[at + mark.len()..]);
    starts.filter_map(first_segment).find_map(third_party)
}

/// Splits at the ` as ` that belongs to the outermost bracket.
fn split_as(inside: &str) -> (&str, Option<&str>) {
    let mut depth = 0usize;
    let bytes = inside.as_bytes();
    for at in 0..bytes.len() {
        match bytes[at] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' | b']' | b'}' if depth == 0 => return (&inside[..at], None),
            b'>' | b')' | b']' | b'}' => depth -= 1,
            b' ' if depth == 0 && bytes[at..].starts_with(b" as ") => return (&inside[..at], Some(&inside[at + 4..])),
            _ => {}
        }
    }
    (inside, None)
}

/// The identifier a path starts with; `None` for primitives and generics, which no `::` follows.
fn first_segment(path: &str) -> Option<&str> {
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let (segment, rest) = path.split_at(end);
    (!segment.is_empty() && segment.len() <= MAX_CRATE && rest.starts_with("::")).then_some(segment)
}

fn third_party(segment: &str) -> Option<String> {
    // Compiler objects are never looked up for symbols, so a `rustc_…` crate found here is a published one (rustc_hash), not the compiler.
    const OURS_NOT: [&str; 12] = [
        "std",
        "core",
        "alloc",
        "proc_macro",
        "test",
        "compiler_builtins",
        "panic_unwind",
        "panic_abort",
        "std_detect",
        "unwind",
        "rustc_std_workspace_core",
        "__rustc",
    ];
    if OURS_NOT.contains(&segment) {
        return None;
    }
    // Cargo names the crate of a build script after its file; `build_script_main` is what a `build = "main.rs"` becomes.
    Some(if segment == "build_script_main" { "build_script_build" } else { segment }.to_owned())
}

/// A string that refuses to grow beyond the bound: a demangled name may be a thousand times its symbol.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = MAX_FUNCTION - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(std::fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_found_in_every_shape_of_path() {
        for (path, krate) in [
            ("evil_macro::go", Some("evil_macro")),
            ("evil::params::{{closure}}", Some("evil")),
            ("<evil::B as other::D>::f", Some("evil")),
            ("<&mut evil::B<alloc::vec::Vec<u8>> as core::fmt::Debug>::fmt", Some("evil")),
            ("<[evil::B]>::f", Some("evil")),
            ("<dyn evil::T as core::any::Any>::type_id", Some("evil")),
            ("<evil::B>::new", Some("evil")),
            ("<std::path::PathBuf as evil::Ext>::steal", Some("evil")),
            ("<str as evil::Ext>::steal", Some("evil")),
            ("<fn(u8) -> u8 as evil::Ext>::steal", Some("evil")),
            ("<alloc::boxed::Box<F> as core::ops::function::FnOnce<A>>::call_once", None),
            ("<F as core::ops::function::FnOnce<()>>::call_once", None),
            ("std::thread::Builder::spawn_unchecked_::<evil::f::{closure#0}>", None),
            ("build_script_build::main", Some("build_script_build")),
            ("build_script_main::main", Some("build_script_build")),
            ("rustc_hash::x", Some("rustc_hash")),
            ("__rustc::__rust_alloc", None),
            ("", None),
            ("<", None),
            ("<<<", None),
            (">", None),
        ] {
            assert_eq!(crate_of(path).as_deref(), krate, "{path}");
        }
    }

    #[test]
    fn both_manglings_and_no_other_language() {
        let legacy = name("_ZN10evil_macro2go17h0123456789abcdefE").expect("legacy");
        assert_eq!((legacy.krate.as_str(), legacy.function.as_str()), ("evil_macro", "evil_macro::go"));
        let v0 = name("_RNvCs1234_7mycrate3foo").expect("v0");
        assert_eq!((v0.krate.as_str(), v0.function.as_str()), ("mycrate", "mycrate::foo"));
        assert_eq!(name("_ZN3foo3barEv"), None);
        assert_eq!(name("main"), None);
        assert_eq!(name("_ZN3std2io5Write9write_all17h0123456789abcdefE"), None);
    }

    #[test]
    fn an_inlined_closure_is_known_by_its_type() {
        let short = "std::sys::backtrace::__rust_begin_short_backtrace::<<chrono_look::Look>::start::{closure#0}, ()>";
        assert_eq!((crate_of(short), crate_among_parameters(short).as_deref()), (None, Some("chrono_look")));
        assert_eq!(crate_among_parameters("core::ptr::drop_in_place::<alloc::vec::Vec<u8>>"), None);
    }

    #[test]
    fn hostile_symbols_stay_short() {
        let long = format!("_ZN{0}{1}17h0123456789abcdefE", 5000, "a".repeat(5000));
        assert!(name(&long).is_none_or(|n| n.function.len() <= MAX_FUNCTION));
        // Back-references that double at each step: the demangled text would be enormous.
        let bomb = format!("_RIC1a{}E", "TB4_B4_".repeat(60));
        assert!(name(&bomb).is_none_or(|n| n.function.len() <= MAX_FUNCTION));
    }

    #[test]
    fn a_macro_is_named_by_its_file() {
        assert_eq!(crate_of_file("libevil_macro-0f3a9c.so"), Some("evil_macro"));
        assert_eq!(crate_of_file("libplain.so"), Some("plain"));
        assert_eq!(crate_of_file("libc.so.6"), None);
    }
}
