//! Where cargo was led to, and by what. In: an act of cargo's with paths as it named them. Out: the same with real paths; the link on the way; what
//! nobody led it to, kept to be told when cargo fails.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::attribute::source::clean;
use crate::judge::{KernelGrants, Policy};
use crate::model::act::ObjectKind;
use crate::model::{Act, ActorId, Hostile, Object};
use crate::plan::places::real;

/// So many leaders are told apart; what others led to is told, too, and blamed on the first of their kind.
pub(super) const LEADERS: usize = 64;
/// So many refusals are told of a cargo that failed, and so many kept.
const TOLD: usize = 10;
const KEPT: usize = 1000;

#[derive(Default)]
pub struct Led {
    /// Who led it, as entered in the record.
    pub(super) leaders: BTreeMap<Leader, ActorId>,
    /// What is said to what cargo was led to: what is said to code of whoever leads.
    pub(super) policy: Option<Arc<Policy>>,
    /// What nobody is to blame for.
    rest: BTreeSet<Act>,
}

/// What made cargo go there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leader {
    Link(PathBuf),
    /// The compiler of the package in this directory.
    Compiler(PathBuf),
}

impl Led {
    pub(super) fn of_its_own_accord(&mut self, act: Act) {
        if self.rest.len() < KEPT {
            self.rest.insert(act);
        }
    }

    /// What cargo was refused without anybody's doing, a few of them. What it keeps in its home it does without, and what its runtime looks at in
    /// `/proc`.
    pub fn told(&self, cargo_home: &Path) -> Vec<Act> {
        let below = |act: &Act, tree: &Path| act.path().is_some_and(|path| path.as_path().starts_with(tree));
        let own = |act: &Act| match act {
            Act::Read { .. } => below(act, Path::new("/proc")),
            act => below(act, cargo_home),
        };
        self.rest.iter().filter(|act| !own(act)).take(TOLD).cloned().collect()
    }
}

/// With real paths.
pub(super) fn resolved(act: &Act, pid: i32) -> Act {
    let real = |path: &Path| {
        // `self` is cargo, not us.
        let own = Path::new("/proc").join(std::process::id().to_string());
        let path = real(path.to_owned());
        path.strip_prefix(own).map(|rest| Path::new("/proc").join(pid.to_string()).join(rest)).unwrap_or(path)
    };
    let followed = |path: &Hostile| Hostile::from(real(path.as_path()));
    let named = |path: &Hostile| Hostile::from(last_apart(path.as_path(), real));
    match act {
        Act::Read { path } => Act::Read { path: followed(path) },
        Act::Write { path } => match followed(path) {
            path if path.as_path().exists() => Act::Write { path },
            path => Act::Create { path },
        },
        Act::Create { path } => Act::Create { path: named(path) },
        Act::Remove { path } => Act::Remove { path: named(path) },
        Act::Rename { from, to } => Act::Rename { from: named(from), to: named(to) },
        Act::Link { from, to } => Act::Link { from: named(from), to: named(to) },
        other => other.clone(),
    }
}

/// The name itself, in the directory it really lies in.
fn last_apart(path: &Path, real: impl Fn(&Path) -> PathBuf) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => clean(path),
    }
}

pub(super) fn is_inside(grants: &KernelGrants, act: &Act) -> bool {
    let within = |trees: &[PathBuf], path: &Hostile| trees.iter().any(|tree| path.as_path().starts_with(tree));
    match act {
        Act::Read { path } => within(&grants.read, path),
        Act::Rename { from, to } | Act::Link { from, to } => within(&grants.write, from) && within(&grants.write, to),
        act => act.path().is_none_or(|path| within(&grants.write, path)),
    }
}

pub(super) fn link(act: &Act, among: &impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let follows = matches!(act, Act::Read { .. } | Act::Write { .. });
    let on_the_way = |path: &Hostile| {
        let path = path.as_path();
        let path = if follows { path } else { path.parent()? };
        let mut at = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::Normal(name) => {
                    let next = at.join(name);
                    let is_link = next.is_symlink();
                    if is_link && among(&next) {
                        return Some(next);
                    }
                    at = if is_link { real(next) } else { next };
                }
                Component::ParentDir => drop(at.pop()),
                _ => {}
            }
        }
        None
    };
    match act {
        Act::Rename { from, to } | Act::Link { from, to } => on_the_way(from).or_else(|| on_the_way(to)),
        act => on_the_way(act.path()?),
    }
}

pub(super) fn object(path: &Path) -> Option<Object> {
    let meta = path.symlink_metadata().ok()?;
    let kind = match meta.file_type() {
        kind if kind.is_dir() => ObjectKind::Directory,
        kind if kind.is_symlink() => ObjectKind::Symlink,
        kind if kind.is_file() => ObjectKind::File,
        _ => ObjectKind::Special,
    };
    Some(Object { dev: meta.dev(), ino: meta.ino(), kind })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// `home/own` is a link of the user's to where the sources are.
    fn ground() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for made in ["home/secret", "sources/dep/src", "sources/other"] {
            std::fs::create_dir_all(top.join(made)).unwrap();
        }
        for (link, to) in [("home/own", "../sources"), ("sources/dep/to", "../../home/secret"), ("sources/dep/in", "../other")] {
            symlink(to, top.join(link)).unwrap();
        }
        (dir, top)
    }

    #[test]
    fn the_link_that_led_there() {
        let (_dir, top) = ground();
        let read = |path: &str| Act::Read { path: Hostile::from(&*top.join(path)) };
        for (path, found) in [
            ("sources/dep/src", None),
            ("sources/dep/to", Some("sources/dep/to")),
            ("sources/dep/to/key", Some("sources/dep/to")),
            ("home/own/dep/to/key", Some("sources/dep/to")),
            ("home/own/dep/src/lib.rs", None),
            ("sources/dep/src/../to/key", Some("sources/dep/to")),
            ("sources/dep/in/../dep/to", Some("sources/dep/in")),
            ("home/secret", None),
        ] {
            assert_eq!(link(&read(path), &|path| path.starts_with(top.join("sources"))), found.map(|found| top.join(found)), "{path}");
        }
        // What is removed or made is the name itself.
        let path = || Hostile::from(&*top.join("sources/dep/to"));
        for act in [Act::Remove { path: path() }, Act::Create { path: path() }] {
            assert_eq!(link(&act, &|path| path.starts_with(top.join("sources"))), None, "{act:?}");
        }
    }

    #[test]
    fn where_it_really_is() {
        let (_dir, top) = ground();
        let (key, beyond) = (Hostile::from(&*top.join("sources/dep/to/key")), Hostile::from(&*top.join("home/secret/key")));
        for (act, expected) in [
            (Act::Read { path: key.clone() }, Act::Read { path: beyond.clone() }),
            (Act::Write { path: key.clone() }, Act::Create { path: beyond.clone() }),
            (Act::Remove { path: key.clone() }, Act::Remove { path: beyond.clone() }),
            (Act::Rename { from: key.clone(), to: key }, Act::Rename { from: beyond.clone(), to: beyond }),
        ] {
            assert_eq!(resolved(&act, 1), expected);
        }
        // Its own process, not ours.
        let environ = Act::Read { path: "/proc/self/environ".into() };
        assert_eq!(resolved(&environ, 4711), Act::Read { path: "/proc/4711/environ".into() });
    }

    #[test]
    fn inside_and_out() {
        let grants = KernelGrants { read: vec!["/r".into()], write: vec!["/w".into()], exec: Vec::new() };
        let path = |path: &str| Hostile::from(path);
        for (act, inside) in [
            (Act::Read { path: path("/r/x") }, true),
            (Act::Read { path: path("/w/x") }, false),
            (Act::Write { path: path("/r/x") }, false),
            (Act::Create { path: path("/w/x") }, true),
            (Act::Rename { from: path("/w/x"), to: path("/r/x") }, false),
            (Act::Link { from: path("/r/x"), to: path("/w/x") }, false),
        ] {
            assert_eq!(is_inside(&grants, &act), inside, "{act:?}");
        }
    }

    #[test]
    fn what_is_told_of_its_own_accord_is_bounded_and_no_habit() {
        let mut led = Led::default();
        for at in 0..2 * KEPT {
            led.of_its_own_accord(Act::Write { path: Hostile::from(&*PathBuf::from(format!("/elsewhere/{at}"))) });
        }
        assert_eq!((led.rest.len(), led.told(Path::new("/h/.cargo")).len()), (KEPT, TOLD));
        let mut led = Led::default();
        for act in [Act::Write { path: "/h/.cargo/.global-cache".into() }, Act::Read { path: "/proc/4711/maps".into() }] {
            led.of_its_own_accord(act);
        }
        led.of_its_own_accord(Act::Read { path: "/h/.cargo/credentials.toml".into() });
        assert_eq!(led.told(Path::new("/h/.cargo")), [Act::Read { path: "/h/.cargo/credentials.toml".into() }]);
    }
}
