//! Paths as bytes: containment, components, names. Everything here is lexical and allocation-free; paths come in resolved.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is left of `path` below `tree`: empty for the tree itself, `None` outside.
pub fn below<'p>(path: &'p [u8], tree: &Path) -> Option<&'p [u8]> {
    below_bytes(path, tree.as_os_str().as_bytes())
}

/// The same with the tree as bytes.
pub fn below_bytes<'p>(path: &'p [u8], tree: &[u8]) -> Option<&'p [u8]> {
    if tree.is_empty() {
        return None;
    }
    if tree == b"/" {
        return path.strip_prefix(b"/");
    }
    let rest = path.strip_prefix(tree)?;
    match rest.first() {
        None => Some(rest),
        Some(b'/') => Some(&rest[1..]),
        Some(_) => None,
    }
}

/// Length of the longest of `trees` that holds `path`: the most specific grant.
pub fn deepest(path: &[u8], trees: &[PathBuf]) -> Option<usize> {
    trees.iter().filter(|tree| below(path, tree).is_some()).map(|tree| tree.as_os_str().len()).max()
}

pub fn within(path: &[u8], trees: &[PathBuf]) -> bool {
    trees.iter().any(|tree| below(path, tree).is_some())
}

/// The longest of these patterns that `path` matches, or lies below a match of: `*` stands in their last component only, and means no hidden name.
pub fn deepest_match(path: &[u8], patterns: &[PathBuf]) -> Option<usize> {
    let matches = |pattern: &&PathBuf| {
        let text = pattern.as_os_str().as_bytes();
        let rest = below_bytes(path, parent(text)).unwrap_or_default();
        let part = components(rest).next().unwrap_or_default();
        let hides = part.starts_with(b".") && !name(text).starts_with(b".");
        !part.is_empty() && !hides && glob(name(text), part)
    };
    patterns.iter().filter(matches).map(|pattern| pattern.as_os_str().len()).max()
}

/// The last component.
pub fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

/// Everything before the last component, without the slash; `/` for a child of the root.
pub fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|b| *b == b'/') {
        Some(0) => b"/",
        Some(at) => &path[..at],
        None => b"",
    }
}

pub fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    path.split(|b| *b == b'/').filter(|part| !part.is_empty())
}

/// Absolute, and no component is empty, `.` or `..`: nothing would be resolved away. The root itself does not count.
pub fn is_clean(path: &[u8]) -> bool {
    path.len() > 1 && path[0] == b'/' && path[1..].split(|b| *b == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

pub use crate::model::is_drawn;

/// Is `dir` one of the directories above (or equal to) `of`?
pub fn is_ancestor(dir: &[u8], of: &Path) -> bool {
    below_bytes(of.as_os_str().as_bytes(), dir).is_some()
}

/// `*` matches any run of bytes, `?` one; everything else itself. Linear for the patterns in use.
pub fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containment_is_by_component() {
        assert_eq!(below(b"/a/b/c", Path::new("/a/b")), Some(&b"c"[..]));
        assert_eq!(below(b"/a/b", Path::new("/a/b")), Some(&b""[..]));
        assert_eq!(below(b"/a/bc", Path::new("/a/b")), None);
        assert_eq!(below(b"/x", Path::new("/")), Some(&b"x"[..]));
        assert_eq!(below(b"/x", Path::new("")), None);
        assert!(is_ancestor(b"/", Path::new("/a/b")));
        assert!(is_ancestor(b"/a", Path::new("/a/b")));
        assert!(!is_ancestor(b"/a/b/c", Path::new("/a/b")));
        assert_eq!((name(b"/a/b"), parent(b"/a/b"), parent(b"/a")), (&b"b"[..], &b"/a"[..], &b"/"[..]));
    }

    #[test]
    fn clean_texts() {
        for (text, clean) in [
            ("/a/b", true),
            ("/a", true),
            ("/", false),
            ("/a/", false),
            ("/a//b", false),
            ("/a/./b", false),
            ("/a/..", false),
            ("a", false),
        ] {
            assert_eq!(is_clean(text.as_bytes()), clean, "{text}");
        }
        assert!(is_clean(b"/a/...") && is_clean(b"/.env"));
    }

    #[test]
    fn drawn_names() {
        for (text, drawn) in [("aB3xyZ", true), ("aB3xy", false), ("aB3xyZZ", false), ("aB3_yZ", false), ("", false)] {
            assert_eq!(is_drawn(text.as_bytes()), drawn, "{text}");
        }
    }

    #[test]
    fn stars() {
        for (pattern, text, expected) in [
            ("*.pem", "server.pem", true),
            ("*.pem", ".pem", true),
            (".env.*", ".env.local", true),
            (".env.*", ".environment", false),
            ("service-account*.json", "service-account-1.json", true),
            ("*cert*.pem", "my-cert-a.pem", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} on {text}");
        }
    }
}
