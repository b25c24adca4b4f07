//! Target: the lexical path machinery every judgement stands on, against readings so plain that they can be seen to be right.

use std::path::{Path, PathBuf};

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::paths;

const PARTS: [&[u8]; 14] = [b"a", b"ab", b"b", b".", b"..", b"", b"...", b".env", b"home", b"u", b"\xff", b"a b", b"target", b"a\n"];

fn path(source: &mut Source) -> Vec<u8> {
    let parts = source.many(6, |source| source.pick(&PARTS));
    let start: &[u8] = if source.one_in(5) { b"" } else { b"/" };
    let end: &[u8] = if source.one_in(6) { b"/" } else { b"" };
    [start, &parts.join(&b'/'), end].concat()
}

fn real(source: &mut Source) -> Vec<u8> {
    let parts = source.many(5, |source| source.pick(&[&b"a"[..], b"ab", b"b", b"...", b".env", b"\xff", b"a b"]));
    if parts.is_empty() { b"/".to_vec() } else { [b"/", &parts.join(&b'/')[..]].concat() }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[test]
fn containment_is_what_path_says() {
    fuzz(
        "paths",
        6000,
        |source| (Bytes(real(source)), source.many(3, |source| Bytes(real(source)))),
        |(inner, trees)| {
            let path = as_path(&inner.0);
            let trees: Vec<PathBuf> = trees.iter().map(|tree| as_path(&tree.0).to_owned()).collect();
            for tree in &trees {
                let below = paths::below(&inner.0, tree);
                must(below.is_some() == path.starts_with(tree), || format!("below {tree:?}: {below:?}"))?;
                let rest = below.is_none_or(|rest| tree.join(as_path(rest)) == path || (rest.is_empty() && tree == path));
                must(rest, || format!("the rest below {tree:?} is {below:?}"))?;
                let ancestor = paths::is_ancestor(&inner.0, tree);
                must(ancestor == tree.starts_with(path), || format!("is_ancestor of {tree:?}: {ancestor}"))?;
            }
            must(paths::within(&inner.0, &trees) == trees.iter().any(|tree| path.starts_with(tree)), || "within".into())?;
            let deepest = trees.iter().filter(|tree| path.starts_with(tree)).map(|tree| tree.as_os_str().len()).max();
            must(paths::deepest(&inner.0, &trees) == deepest, || "deepest".into())?;
            if inner.0 != b"/" {
                must(path.file_name().map(std::ffi::OsStr::as_encoded_bytes) == Some(paths::name(&inner.0)), || "name".into())?;
                must(path.parent() == Some(as_path(paths::parent(&inner.0))), || "parent".into())?;
            }
            must(paths::components(&inner.0).count() == path.components().count() - 1, || "components".into())
        },
    );
}

#[test]
fn clean_is_what_resolution_leaves_alone() {
    fuzz(
        "paths-clean",
        4000,
        |source| Bytes(path(source)),
        |bytes| {
            let names: Vec<&[u8]> = bytes.0.split(|byte| *byte == b'/').collect();
            let clean = names.len() > 1 && names[0].is_empty() && names[1..].iter().all(|name| ![&b""[..], b".", b".."].contains(name));
            must(paths::is_clean(&bytes.0) == clean, || format!("is_clean: {}", !clean))
        },
    );
}

/// By trying everything.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|taken| matches(rest, &text[taken..])),
        (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
        (Some((wanted, rest)), Some((found, tail))) => wanted == found && matches(rest, tail),
        _ => false,
    }
}

#[test]
fn globs_match_what_trying_everything_matches() {
    let pair = |source: &mut Source| {
        let pattern: Vec<u8> = source.many(8, |source| source.pick(b"ab*?.*"));
        let mut text: Vec<u8> = source.many(10, |source| source.pick(b"ab.?*"));
        if source.one_in(2) {
            // One that is likely to match.
            text = pattern.iter().flat_map(|byte| if *byte == b'*' { source.bytes(3) } else { vec![*byte] }).collect();
        }
        (Bytes(pattern), Bytes(text))
    };
    fuzz("glob", 6000, pair, |(pattern, text)| {
        let expected = matches(&pattern.0, &text.0);
        must(paths::glob(&pattern.0, &text.0) == expected, || format!("{}", !expected))
    });
}

/// The worst pattern takes as long as pattern times text, no longer.
#[test]
fn a_glob_ends_soon() {
    fuzz(
        "glob-long",
        6,
        |source| 1 + source.below(3),
        |stars| {
            let pattern = [b"a*".repeat(*stars * 8), b"b".to_vec()].concat();
            must(!paths::glob(&pattern, &b"a".repeat(20_000)), || "matched".into())
        },
    );
}
