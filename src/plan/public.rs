//! The public registry, by whatever address. Cargo takes many spellings for it (its git index and its sparse one, with `.git` or a slash behind it, in
//! another case), and each is a source of its own in a lock file. In: a source, as lock files and cargo's graph say it. Out: is it that registry?

use std::borrow::Cow;
use std::ffi::OsStr;

use crate::plan::file_url::decoded;

/// What it is called, and its hosts below it.
pub const NAME: &str = "crates.io";
/// What its index is called, and copies of it.
const INDEX: &str = "crates.io-index";

/// The one spelling that cargo itself writes for it. Where something is allowed, no other counts.
pub const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Where a package is called malicious a copy of the index counts as the registry itself: what is listed is of it. Of no use where something is allowed.
pub fn is_public(source: &str) -> bool {
    let Some(url) = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+")) else { return false };
    let Some((_, rest)) = url.split_once("://") else { return false };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let rest = decoded(rest.as_bytes()).to_ascii_lowercase();
    let rest: Cow<str> = String::from_utf8_lossy(&rest);
    let (authority, path) = rest.split_once(['/', '\\']).unwrap_or((&rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    let last = path.split(['/', '\\']).rfind(|part| !part.is_empty() && *part != ".").unwrap_or_default();
    host == NAME || host.strip_suffix(NAME).is_some_and(|front| front.ends_with('.')) || last.trim_end_matches(".git") == INDEX
}

/// Its source, where this is what cargo calls the directory it unpacks its packages into: the host of an index, and a hash of the source.
pub fn unpacked(directory: &OsStr) -> Option<&'static str> {
    let (host, hash) = directory.to_str()?.rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && host.strip_prefix("index.") == Some(NAME)).then_some(SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_whatever_address() {
        for (source, expected) in [
            ("registry+https://github.com/rust-lang/crates.io-index", true),
            ("registry+https://github.com/rust-lang/crates.io-index.git", true),
            ("registry+https://github.com/rust-lang/crates.io-index/", true),
            ("registry+https://GitHub.com/Rust-Lang/Crates.IO-index", true),
            ("registry+https://github.com/rust-lang/crates%2eio-index", true),
            ("registry+git+ssh://git@github.com:22/rust-lang/crates.io-index?x#y", true),
            ("registry+file:///srv/crates.io-index/.", true),
            ("sparse+https://index.NAME/", true),
            ("sparse+https://me@INDEX.NAME.:443//", true),
            ("sparse+https://example.org/", false),
            ("sparse+https://notNAME/", false),
            ("sparse+https://NAME.example.org/", false),
            ("registry+https://example.org/index?crates.io-index", false),
            ("git+https://github.com/rust-lang/crates.io-index", false),
            ("path+file:///srv/crates.io-index", false),
            ("registry", false),
            ("", false),
        ] {
            assert_eq!(is_public(&source.replace("NAME", NAME)), expected, "{source}");
        }
    }

    #[test]
    fn what_cargo_has_unpacked() {
        for (directory, expected) in [
            ("index.NAME-1949cf8c6b5b557f", true),
            ("index.NAME.example.org-1949cf8c6b5b557f", false),
            ("example.org-1949cf8c6b5b557f", false),
            ("index.NAME-1949", false),
            ("index.NAME", false),
        ] {
            assert_eq!(unpacked(OsStr::new(&directory.replace("NAME", NAME))).is_some(), expected, "{directory}");
        }
    }
}
