//! What files and directories are, exactly enough to see that they are still the same. In: paths. Out: facts that can be kept and looked at again.
//!
//! The change time is what tells: nobody can set it, while content, size and modification time can be made to look as before.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What changed later than this before a question may change again within the same tick of a file system's clock, and look the same (as git
/// has it with its index: "racy"). The coarsest clocks tick every two seconds.
const SETTLED: Duration = Duration::from_secs(2);
/// More than this are not kept.
const MOST: usize = 20_000;

/// What is known of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Absent,
    /// Something is there: what, does not matter.
    There,
    Exactly(Stamp),
}

/// What stands there, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    dev: u64,
    ino: u64,
    mode: u32,
    size: u64,
    modified: i128,
    changed: i128,
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        let time = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Stamp {
            dev: found.dev(),
            ino: found.ino(),
            mode: found.mode(),
            size: found.size(),
            modified: time(found.mtime(), found.mtime_nsec()),
            changed: time(found.ctime(), found.ctime_nsec()),
        }
    }
}

/// Facts by path. What could not be looked at makes all of them worthless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<PathBuf, Fact>);

impl Facts {
    /// Keeps exactly what is there; an answer where something is.
    pub fn exactly(&mut self, path: &Path) -> Option<bool> {
        let fact = match look(path)? {
            None => Fact::Absent,
            Some(found) => Fact::Exactly(Stamp::of(&found)),
        };
        self.0.insert(path.to_owned(), fact);
        (self.0.len() <= MOST).then_some(fact != Fact::Absent)
    }

    /// Keeps whether something is there, and answers that.
    pub fn presence(&mut self, path: &Path) -> Option<bool> {
        let fact = if look(path)?.is_some() { Fact::There } else { Fact::Absent };
        self.0.entry(path.to_owned()).or_insert(fact);
        (self.0.len() <= MOST).then_some(fact == Fact::There)
    }

    /// Is everything as it was?
    pub fn hold(&self) -> bool {
        self.0.iter().all(|(path, fact)| match (look(path), fact) {
            (Some(None), Fact::Absent) | (Some(Some(_)), Fact::There) => true,
            (Some(Some(found)), Fact::Exactly(stamp)) => Stamp::of(&found) == *stamp,
            _ => false,
        })
    }

    /// Had all of it long been as it is when this began?
    pub fn were_settled(&self, began: SystemTime) -> bool {
        let Some(limit) = began.checked_sub(SETTLED).and_then(|limit| limit.duration_since(UNIX_EPOCH).ok()) else { return false };
        let early = |stamp: &Stamp| stamp.changed.max(stamp.modified) < limit.as_nanos() as i128;
        self.0.values().all(|fact| !matches!(fact, Fact::Exactly(stamp) if !early(stamp)))
    }

    /// Takes the other's facts as well. Do the two agree where both know of a path?
    pub fn agree(&mut self, other: Facts) -> bool {
        other.0.into_iter().all(|(path, fact)| *self.0.entry(path).or_insert(fact) == fact)
    }

    /// Path and fact by turns, each ended by a NUL.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 160);
        for (path, fact) in &self.0 {
            out.extend_from_slice(path.as_os_str().as_bytes());
            out.push(0);
            match fact {
                Fact::Absent => out.push(b'-'),
                Fact::There => out.push(b'+'),
                Fact::Exactly(Stamp { dev, ino, mode, size, modified, changed }) => {
                    out.extend(format!("{dev} {ino} {mode} {size} {modified} {changed}").bytes());
                }
            }
            out.push(0);
        }
        out
    }

    pub fn read(bytes: &[u8]) -> Option<Facts> {
        let mut facts = Facts::default();
        let mut words = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0);
        while let Some(path) = words.next() {
            let fact = match words.next()? {
                b"-" => Fact::Absent,
                b"+" => Fact::There,
                numbers => Fact::Exactly(stamp(std::str::from_utf8(numbers).ok()?)?),
            };
            facts.0.insert(OsStr::from_bytes(path).into(), fact);
        }
        Some(facts)
    }
}

fn stamp(text: &str) -> Option<Stamp> {
    let mut numbers = text.split(' ');
    let stamp = Stamp {
        dev: numbers.next()?.parse().ok()?,
        ino: numbers.next()?.parse().ok()?,
        mode: numbers.next()?.parse().ok()?,
        size: numbers.next()?.parse().ok()?,
        modified: numbers.next()?.parse().ok()?,
        changed: numbers.next()?.parse().ok()?,
    };
    numbers.next().is_none().then_some(stamp)
}

/// Nothing where it cannot be told whether something is there.
fn look(path: &Path) -> Option<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(found) => Some(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Some(None),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    type Change<'a> = (&'a str, &'a dyn Fn(&Path));

    fn facts(root: &Path) -> Facts {
        let mut facts = Facts::default();
        for name in ["file", "dir", "link", "none"] {
            facts.exactly(&root.join(name)).unwrap();
        }
        facts.presence(&root.join("there")).unwrap();
        facts
    }

    #[test]
    fn whatever_changes_is_seen() {
        let changes: [Change<'_>; 9] = [
            ("nothing", &|_| ()),
            ("more content", &|root| fs::write(root.join("file"), "longer").unwrap()),
            ("other content, and the old time", &|root| {
                let before = fs::metadata(root.join("file")).unwrap().modified().unwrap();
                fs::write(root.join("file"), "x").unwrap();
                fs::File::options().write(true).open(root.join("file")).unwrap().set_modified(before).unwrap();
            }),
            ("a file that was not there", &|root| fs::write(root.join("none"), "").unwrap()),
            ("one less", &|root| fs::remove_file(root.join("there")).unwrap()),
            ("an entry of a directory", &|root| fs::write(root.join("dir/new"), "").unwrap()),
            ("what a link leads to", &|root| fs::write(root.join("target"), "other").unwrap()),
            ("where a link leads", &|root| {
                fs::remove_file(root.join("link")).unwrap();
                std::os::unix::fs::symlink("file", root.join("link")).unwrap();
            }),
            ("a mode", &|root| {
                fs::set_permissions(root.join("file"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            }),
        ];
        for (what, change) in changes {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path();
            fs::create_dir(root.join("dir")).unwrap();
            for name in ["file", "target", "there"] {
                fs::write(root.join(name), "y").unwrap();
            }
            fs::set_permissions(root.join("file"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
            std::os::unix::fs::symlink("target", root.join("link")).unwrap();
            let before = facts(root);
            let kept = Facts::read(&before.write()).unwrap();
            assert_eq!(kept, before);
            // Ticks of a file system's clock are longer than this loop.
            std::thread::sleep(Duration::from_millis(20));
            change(root);
            assert_eq!(kept.hold(), what == "nothing", "{what}");
        }
    }

    #[test]
    fn what_is_new_is_not_settled() {
        let dir = tempfile::tempdir().unwrap();
        let mut facts = Facts::default();
        facts.exactly(dir.path()).unwrap();
        let now = SystemTime::now();
        assert!(!facts.were_settled(now) && !facts.were_settled(now + SETTLED - Duration::from_millis(500)));
        assert!(facts.were_settled(now + SETTLED + Duration::from_millis(500)));
        assert!(!facts.were_settled(UNIX_EPOCH));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for bytes in [&b""[..], b"/x", b"/x\0", b"/x\0+", b"/x\0?\0", b"/x\0 1 2 3\0", b"/x\x001 2 3 4 5 6 7\0"] {
            assert_eq!(Facts::read(bytes), None, "{bytes:?}");
        }
    }
}
