//! Many path patterns, one look: compiled from the lists in `profiles/catalogue.toml`, asked on every open. In: pattern texts with a tag
//! each. Out: the tag of the first pattern that matches, without allocating. Case does not matter: `.ENV` is a secret, too.
//!
//! Four shapes: `~/x` and `{cargo-home}/x` and `/x` name a file or a whole tree below a root (components may hold `*`); `a/b` the
//! last components of any path; `a/b/**` those components anywhere, with everything below.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::os::unix::ffi::OsStrExt;

use crate::judge::paths::{components, glob, name};
use crate::judge::places::Places;
use crate::model::digest;

/// Index of a class in the list a matcher was built from.
pub type Tag = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub tag: Tag,
    /// Matched below a known root; names alone can be coincidence.
    pub rooted: bool,
}

type Parts = Vec<Box<[u8]>>;

/// FNV-1a: keys are a few bytes, and the maps hold only our own patterns, so nobody can choose collisions.
#[derive(Debug)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(digest::EMPTY)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = digest::extend(self.0, bytes);
    }
    fn write_usize(&mut self, _length: usize) {}
}

type Map<V> = HashMap<Box<[u8]>, V, BuildHasherDefault<Fnv>>;

/// Patterns that start with the same literal component, below one root.
#[derive(Debug, Default)]
struct Root {
    at: Vec<u8>,
    by_first: Map<Vec<(Parts, Tag)>>,
    /// Those whose first component holds a `*`.
    loose: Vec<(Parts, Tag)>,
}

#[derive(Debug, Default)]
pub struct Matcher {
    roots: Vec<Root>,
    /// Keyed by the exact last component; the parts before it, nearest last.
    by_name: Map<Vec<(Parts, Tag)>>,
    /// `*.ext`.
    by_extension: Map<Tag>,
    /// Last components that need a glob.
    loose: Vec<(Parts, Tag)>,
    /// Directories anywhere, keyed by their first component.
    inner: Map<Vec<(Parts, Tag)>>,
    /// First bytes of `inner`'s keys: most components need no look at all.
    inner_starts: Vec<u8>,
    /// Last components of all patterns.
    ends: Vec<Box<[u8]>>,
}

/// Paths longer than this are lowered on the heap.
const SHORT: usize = 512;

impl Matcher {
    /// A further pattern of the configuration's, with its placeholders filled; `tag` comes back with what it matches.
    pub fn add(&mut self, pattern: &str, tag: Tag, places: &Places) {
        let text = pattern.to_ascii_lowercase();
        let end: Box<[u8]> = name(text.as_bytes()).into();
        if !self.ends.contains(&end) {
            self.ends.push(end);
        }
        if let Some(rest) = text.strip_prefix("~/") {
            self.rooted(places.home.as_deref(), rest, tag);
        } else if let Some(rest) = text.strip_prefix("{cargo-home}/") {
            self.rooted(Some(&places.cargo_home), rest, tag);
        } else if let Some(rest) = text.strip_prefix("{rustup-home}/") {
            self.rooted(places.rustup_home.as_deref(), rest, tag);
        } else if let Some(rest) = text.strip_prefix('/') {
            self.rooted(Some(std::path::Path::new("/")), rest, tag);
        } else if let Some(dir) = text.strip_suffix("/**") {
            let parts = split(dir);
            if let Some(first) = parts.first() {
                self.inner_starts.extend(first.first().filter(|start| !self.inner_starts.contains(start)).copied());
                self.inner.entry(first.clone()).or_default().push((parts, tag));
            }
        } else {
            self.tail(split(&text), tag);
        }
    }

    fn rooted(&mut self, root: Option<&std::path::Path>, rest: &str, tag: Tag) {
        let Some(root) = root.filter(|root| root.is_absolute()) else { return };
        let at = root.as_os_str().as_bytes().to_ascii_lowercase();
        let parts = split(rest.strip_suffix("/**").unwrap_or(rest));
        let Some(first) = parts.first().cloned() else { return };
        let known = self.roots.iter().position(|known| known.at == at);
        let index = known.unwrap_or_else(|| {
            self.roots.push(Root { at, ..Root::default() });
            self.roots.len() - 1
        });
        if first.contains(&b'*') {
            self.roots[index].loose.push((parts, tag));
        } else {
            self.roots[index].by_first.entry(first).or_default().push((parts, tag));
        }
    }

    fn tail(&mut self, parts: Parts, tag: Tag) {
        let Some(last) = parts.last().cloned() else { return };
        if !last.contains(&b'*') {
            self.by_name.entry(last).or_default().push((parts, tag));
        } else if let (1, Some(extension)) = (parts.len(), plain_extension(&last)) {
            self.by_extension.insert(extension.into(), tag);
        } else {
            self.loose.push((parts, tag));
        }
    }

    /// The first pattern that matches the absolute path.
    pub fn find(&self, path: &[u8]) -> Option<Hit> {
        lowered(path, |path| self.below_roots(path).or_else(|| self.within(path)).or_else(|| self.by_tail(path)))
    }

    /// A cheap no for matchers whose patterns all end in a literal name.
    pub fn may_end_in(&self, last: &[u8]) -> bool {
        self.ends.iter().any(|end| end.eq_ignore_ascii_case(last))
    }

    /// Only what names say, wherever the path lies.
    pub fn find_by_name(&self, path: &[u8]) -> Option<Hit> {
        lowered(path, |path| self.within(path).or_else(|| self.by_tail(path)))
    }

    fn below_roots(&self, path: &[u8]) -> Option<Hit> {
        self.roots.iter().find_map(|root| {
            let rest = super::paths::below_bytes(path, &root.at)?;
            let first = components(rest).next()?;
            let literal = root.by_first.get(first).into_iter().flatten();
            let hit = literal.chain(&root.loose).find(|(parts, _)| starts_with(rest, parts))?;
            Some(Hit { tag: hit.1, rooted: true })
        })
    }

    fn by_tail(&self, path: &[u8]) -> Option<Hit> {
        let last = name(path);
        let exact = self.by_name.get(last).and_then(|entries| entries.iter().find(|(parts, _)| ends_with(path, parts)));
        let tag = exact
            .map(|(_, tag)| *tag)
            .or_else(|| plain_end(last).and_then(|extension| self.by_extension.get(extension).copied()))
            .or_else(|| self.loose.iter().find(|(parts, _)| may_end(last, parts) && ends_with(path, parts)).map(|(_, tag)| *tag))?;
        Some(Hit { tag, rooted: false })
    }

    fn within(&self, path: &[u8]) -> Option<Hit> {
        if self.inner.is_empty() {
            return None;
        }
        let mut rest = path;
        while let Some(at) = rest.iter().position(|b| *b == b'/') {
            rest = &rest[at + 1..];
            if !rest.first().is_some_and(|start| self.inner_starts.contains(start)) {
                continue;
            }
            let first = rest.split(|b| *b == b'/').next()?;
            if let Some(hit) = self.inner.get(first).and_then(|entries| entries.iter().find(|(parts, _)| starts_with(rest, parts))) {
                return Some(Hit { tag: hit.1, rooted: false });
            }
        }
        None
    }
}

/// Calls with the path in lower case, on the stack unless it is unusually long.
fn lowered<T>(path: &[u8], look: impl FnOnce(&[u8]) -> T) -> T {
    let mut short = [0u8; SHORT];
    match short.get_mut(..path.len()) {
        Some(buffer) => {
            buffer.copy_from_slice(path);
            buffer.make_ascii_lowercase();
            look(buffer)
        }
        None => look(&path.to_ascii_lowercase()),
    }
}

fn split(text: &str) -> Parts {
    components(text.as_bytes()).map(Into::into).collect()
}

/// `*.pem` → `pem`; `None` where the pattern holds more than that.
fn plain_extension(pattern: &[u8]) -> Option<&[u8]> {
    let extension = pattern.strip_prefix(b"*.")?;
    (!extension.contains(&b'*') && !extension.contains(&b'.')).then_some(extension)
}

fn plain_end(name: &[u8]) -> Option<&[u8]> {
    name.iter().rposition(|b| *b == b'.').map(|dot| &name[dot + 1..])
}

fn starts_with(path: &[u8], parts: &Parts) -> bool {
    let mut found = components(path);
    parts.iter().all(|part| found.next().is_some_and(|component| glob(part, component)))
}

/// A cheap no: the last component starts with another letter.
fn may_end(last: &[u8], parts: &Parts) -> bool {
    let wanted = parts.last().and_then(|part| part.first()).copied();
    wanted == Some(b'*') || wanted == last.first().copied()
}

fn ends_with(path: &[u8], parts: &Parts) -> bool {
    let mut found = path.rsplit(|b| *b == b'/');
    parts.iter().rev().all(|part| found.next().is_some_and(|component| !component.is_empty() && glob(part, component)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_shapes() {
        let places = Places { home: Some("/home/u".into()), cargo_home: "/home/u/.cargo".into(), ..Places::default() };
        let mut matcher = Matcher::default();
        for (tag, pattern) in
            ["~/.ssh/**", "{cargo-home}/credentials", "/etc/shadow", ".env", "*.pem", ".env.*", "config/master.key", ".git/hooks/**"]
                .iter()
                .enumerate()
        {
            matcher.add(pattern, tag as Tag, &places);
        }
        matcher.add("~/.mozilla/firefox/*/logins.json", 8, &places);
        for (path, expected) in [
            ("/home/u/.ssh/id_ed25519", Some(0)),
            ("/home/u/.ssh", Some(0)),
            ("/home/u/.SSH/x", Some(0)),
            ("/home/u/.sshx", None),
            ("/home/u/.cargo/credentials", Some(1)),
            ("/etc/shadow", Some(2)),
            ("/etc/shadow-", None),
            ("/w/.ENV", Some(3)),
            ("/w/a.pem", Some(4)),
            ("/w/.env.local", Some(5)),
            ("/w/config/master.key", Some(6)),
            ("/w/master.key", None),
            ("/w/.git/hooks/pre-commit", Some(7)),
            ("/w/.git/hooksx", None),
            ("/home/u/.mozilla/firefox/abc/logins.json", Some(8)),
            ("/w/src/lib.rs", None),
            ("", None),
            ("/", None),
        ] {
            assert_eq!(matcher.find(path.as_bytes()).map(|hit| hit.tag), expected, "{path}");
        }
    }
}
