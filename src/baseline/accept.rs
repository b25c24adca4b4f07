//! More accepted: what a run did becomes part of the lock. In: a lock, what was folded of a report, the units there are now. Out: the lock with it; whom it was
//! about, and who is left.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{Folded, Key};
use super::line::Line;
use super::lock::{Library, Lock, Unit};

/// So many of one directory become one line.
const MANY: usize = 20;

/// What is to be accepted.
pub struct Wanted<'a> {
    /// Names; nothing for all that ran.
    pub names: &'a [String],
    /// Also what did not run, without a name.
    pub unseen: bool,
    /// `x86_64-linux`.
    pub on: &'a str,
}

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Units that were not accepted before, or have run for the first time.
    pub units: Vec<Unit>,
    /// Lines that are new, by whom they are of.
    pub lines: Vec<(Key, Line)>,
    /// Libraries that were not accepted before.
    pub libraries: Vec<Library>,
    /// Not accepted: they did not run, and nobody named them.
    pub left: Vec<Unit>,
    /// Names that no unit and nobody who did anything bears.
    pub unknown: Vec<String>,
}

/// `units` are those of the graph as it is now, with their features.
pub fn accept(lock: &mut Lock, folded: &Folded, units: &BTreeMap<Unit, BTreeSet<String>>, wanted: &Wanted) -> Accepted {
    let mut done = Accepted::default();
    let is_wanted = |name: &str| wanted.names.is_empty() || wanted.names.iter().any(|wanted| wanted == name);
    let known = |name: &String| units.keys().any(|unit| unit.name == *name) || folded.lines.keys().any(|(known, _)| known == name);
    done.unknown = wanted.names.iter().filter(|name| !known(name)).cloned().collect();
    let mut replaced: BTreeSet<Key> = BTreeSet::new();
    for (unit, features) in units.iter().filter(|(unit, _)| is_wanted(&unit.name)) {
        let ran = folded.ran.contains(&(unit.name.clone(), unit.version.clone(), unit.kind));
        if !ran && wanted.names.is_empty() && !wanted.unseen {
            if !lock.accepts(unit) {
                done.left.push(unit.clone());
            }
            continue;
        }
        let key = (unit.name.clone(), unit.kind);
        // Another version did what it did; of this one nothing is known but this run. Versions that are still built keep theirs.
        let gone: Vec<Unit> = lock
            .units
            .keys()
            .filter(|old| (&old.name, old.kind) == (&unit.name, unit.kind) && !units.contains_key(*old))
            .cloned()
            .collect();
        let others = lock.units.keys().any(|old| (&old.name, old.kind) == (&unit.name, unit.kind) && units.contains_key(old));
        if ran && !gone.is_empty() && !others && replaced.insert(key.clone()) {
            lock.did.remove(&key);
        }
        gone.iter().for_each(|old| drop(lock.units.remove(old)));
        let before = lock.units.get(unit).map(|beside| beside.ran);
        if before.is_none() || ran && before == Some(false) {
            done.units.push(unit.clone());
        }
        let beside = lock.units.entry(unit.clone()).or_default();
        beside.ran |= ran;
        if ran {
            beside.on.insert(wanted.on.to_owned());
        }
        beside.features = features.clone();
    }
    for (key, lines) in folded.lines.iter().filter(|((name, _), _)| is_wanted(name)) {
        for line in gathered(lines.keys()) {
            let mut new = !lock.holds(key, &line);
            new &= lock.did.entry(key.clone()).or_default().insert(line.clone());
            if new {
                done.lines.push((key.clone(), line));
            }
        }
    }
    lock.did.retain(|_, lines| !lines.is_empty());
    done
}

/// Libraries go with whom they are linked into: units that are accepted, and the workspace's own code. `units` and `libraries` are those of the graph as it is now.
pub fn accept_libraries(
    lock: &mut Lock,
    units: &BTreeMap<Unit, BTreeSet<String>>,
    libraries: &BTreeMap<Library, BTreeSet<Key>>,
    names: &[String],
    done: &mut Accepted,
) {
    lock.without_libraries = false;
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let counts = |key: &Key| {
        let mut theirs = units.keys().filter(|unit| (&unit.name, unit.kind) == (&key.0, key.1)).peekable();
        theirs.peek().is_none() || theirs.any(|unit| lock.accepts(unit))
    };
    let wanted = |library: &Library, into: &BTreeSet<Key>| is_wanted(&library.name) || into.iter().any(|(name, _)| is_wanted(name));
    let new: Vec<&Library> = libraries
        .iter()
        .filter(|(library, into)| wanted(library, into) && into.iter().any(counts))
        .map(|(library, _)| library)
        .filter(|library| !lock.links(library))
        .collect();
    for library in &new {
        // The version whose place it takes.
        lock.libraries.retain(|old| old.name != library.name || libraries.contains_key(old));
    }
    lock.libraries.extend(new.iter().copied().cloned());
    done.libraries = new.into_iter().cloned().collect();
    done.unknown.retain(|name| !libraries.keys().any(|library| library.name == *name));
}

/// Many of one directory are one line.
fn gathered<'l>(lines: impl Iterator<Item = &'l Line>) -> BTreeSet<Line> {
    let all: Vec<&Line> = lines.collect();
    let mut of_directory: BTreeMap<Line, usize> = BTreeMap::new();
    for line in all.iter().filter_map(|line| line.of_directory()) {
        *of_directory.entry(line).or_default() += 1;
    }
    let gather = |line: &Line| line.of_directory().filter(|all| of_directory[all] > MANY).unwrap_or_else(|| line.clone());
    all.into_iter().map(gather).collect()
}

/// Takes out what belongs to no unit, library and package there is: `is_there` by name, `units` and `libraries` as they are now. Units and libraries that went.
pub fn prune(
    lock: &mut Lock,
    units: &BTreeMap<Unit, BTreeSet<String>>,
    libraries: &BTreeMap<Library, BTreeSet<Key>>,
    is_there: impl Fn(&str, &str) -> bool,
    has: impl Fn(&str) -> bool,
) -> (Vec<Unit>, Vec<Library>) {
    let unused = |library: &&Library| !libraries.contains_key(*library) && !is_there(&library.name, &library.version);
    let unlinked: Vec<Library> = lock.libraries.iter().filter(unused).cloned().collect();
    unlinked.iter().for_each(|library| {
        lock.libraries.remove(library);
    });
    let gone: Vec<Unit> =
        lock.units.keys().filter(|unit| !units.contains_key(*unit) && !is_there(&unit.name, &unit.version)).cloned().collect();
    gone.iter().for_each(|unit| drop(lock.units.remove(unit)));
    let left: BTreeSet<Key> = lock.units.keys().map(|unit| (unit.name.clone(), unit.kind)).collect();
    use crate::model::ActorKind::{BuildScript, ProcMacro};
    lock.did.retain(|key, _| if matches!(key.1, BuildScript | ProcMacro) { left.contains(key) } else { has(&key.0) });
    (gone, unlinked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::lock::Beside;
    use crate::model::ActorKind::BuildScript;

    fn unit(name: &str, version: &str) -> Unit {
        Unit { name: name.into(), kind: BuildScript, version: version.into(), pin: format!("pin-{version}") }
    }

    fn folded(did: &[(&str, &str)], ran: &[(&str, &str)]) -> Folded<'static> {
        let mut folded = Folded { lines: BTreeMap::new(), ran: BTreeSet::new() };
        for (name, line) in did {
            let key = ((*name).to_owned(), BuildScript);
            folded.lines.entry(key).or_default().insert(Line::read(line).unwrap(), Vec::new());
        }
        folded.ran = ran.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned(), BuildScript)).collect();
        folded
    }

    fn now(units: &[(&str, &str)]) -> BTreeMap<Unit, BTreeSet<String>> {
        units.iter().map(|(name, version)| (unit(name, version), BTreeSet::new())).collect()
    }

    const ALL: Wanted = Wanted { names: &[], unseen: false, on: "x86_64-linux" };

    fn lines(lock: &Lock) -> Vec<String> {
        lock.text().lines().filter(|line| !line.starts_with('#')).skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn what_ran_is_accepted_and_what_did_not_is_left() {
        let mut lock = Lock::default();
        let (first, units) = (folded(&[("a", "exec cc"), ("a", "exec ar")], &[("a", "1.0.0")]), now(&[("a", "1.0.0"), ("b", "1.0.0")]));
        let done = accept(&mut lock, &first, &units, &ALL);
        assert_eq!((done.units.len(), done.lines.len(), done.left), (1, 2, vec![unit("b", "1.0.0")]));
        assert_eq!(
            lines(&lock),
            ["a build-script 1.0.0 pin-1.0.0 ran x86_64-linux -", "a build-script does exec ar", "a build-script does exec cc"]
        );
        // Again, on another machine that has another compiler: what both did. Nobody is told anew.
        let second = folded(&[("a", "exec clang"), ("a", "exec cc")], &[("a", "1.0.0")]);
        let done = accept(&mut lock, &second, &units, &Wanted { on: "aarch64-linux", ..ALL });
        assert_eq!((done.units.len(), done.lines.len()), (0, 1));
        assert!(lines(&lock)[0].ends_with("ran aarch64-linux,x86_64-linux -"));
        // A warm build: nothing ran, nothing changes.
        let before = lock.text();
        accept(&mut lock, &folded(&[], &[]), &units, &ALL);
        assert_eq!(lock.text(), before);
        // By its name, unseen; and later seen.
        let named = ["b".to_owned(), "nobody".to_owned()];
        let done = accept(&mut lock, &folded(&[], &[]), &units, &Wanted { names: &named, ..ALL });
        assert_eq!((done.units, done.unknown), (vec![unit("b", "1.0.0")], vec!["nobody".to_owned()]));
        assert!(lock.text().contains("b build-script 1.0.0 pin-1.0.0 unseen - -"));
        let done = accept(&mut lock, &folded(&[], &[("b", "1.0.0")]), &units, &ALL);
        assert!(done.units == [unit("b", "1.0.0")] && lock.text().contains("b build-script 1.0.0 pin-1.0.0 ran x86_64-linux -"));
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one() {
        let mut lock = Lock::read(
            "brig-lock 1\na build-script 1.0.0 pin-1.0.0 ran x86_64-linux -\na build-script does exec ar\na build-script does exec cc\n",
        )
        .unwrap();
        let run = folded(&[("a", "exec cc"), ("a", "connect tcp h:443")], &[("a", "1.1.0")]);
        let done = accept(&mut lock, &run, &now(&[("a", "1.1.0")]), &ALL);
        assert_eq!(
            done.lines,
            [
                (("a".to_owned(), BuildScript), Line::read("connect tcp h:443").unwrap()),
                (("a".to_owned(), BuildScript), Line::read("exec cc").unwrap())
            ]
        );
        assert_eq!(
            lines(&lock),
            ["a build-script 1.1.0 pin-1.1.0 ran x86_64-linux -", "a build-script does connect tcp h:443", "a build-script does exec cc"]
        );
        // Where both are built, both stand for what either did.
        let both = now(&[("a", "1.1.0"), ("a", "2.0.0")]);
        accept(&mut lock, &folded(&[("a", "exec nm")], &[("a", "2.0.0")]), &both, &ALL);
        assert_eq!(lines(&lock).len(), 5);
    }

    #[test]
    fn many_of_a_directory_are_one_line() {
        let names: Vec<String> = (0..=MANY).map(|n| format!("read {{workspace}}/data/{n}")).collect();
        let did: Vec<_> =
            names.iter().map(|line| ("a", line.as_str())).chain([("a", "read {workspace}/x"), ("a", "lookup h.example")]).collect();
        let mut lock = Lock::default();
        accept(&mut lock, &folded(&did, &[("a", "1.0.0")]), &now(&[("a", "1.0.0")]), &ALL);
        assert_eq!(
            lines(&lock)[1..],
            [
                "a build-script does lookup h.example",
                "a build-script does read {workspace}/data/*",
                "a build-script does read {workspace}/x"
            ]
        );
    }

    #[test]
    fn what_is_gone_is_taken_out() {
        let text = "brig-lock 1\na build-script 1.0.0 p ran x -\na build-script does exec ar\nb build-script 1.0.0 p ran x -\nb build-script does exec ar\n\
                    c rustc does write {workspace}/x\n";
        let mut lock = Lock::read(text).unwrap();
        lock.libraries = ["a", "b"].map(|name| library(name, "1.0.0")).into();
        let (gone, unlinked) = prune(&mut lock, &BTreeMap::new(), &BTreeMap::new(), |name, _| name == "a", |_| false);
        assert_eq!(unlinked, [library("b", "1.0.0")]);
        assert_eq!(gone.iter().map(|unit| &*unit.name).collect::<Vec<_>>(), ["b"]);
        assert_eq!(lines(&lock), ["a build-script 1.0.0 p ran x -", "a build-script does exec ar", "a library 1.0.0 pin-1.0.0"]);
    }

    fn library(name: &str, version: &str) -> Library {
        Library { name: name.into(), version: version.into(), pin: format!("pin-{version}") }
    }

    #[test]
    fn libraries_go_with_whom_they_are_linked_into() {
        let into = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), BuildScript)).collect::<BTreeSet<Key>>();
        let units = now(&[("a", "1.0.0"), ("b", "1.0.0")]);
        let libraries = BTreeMap::from([
            (library("cc", "1.1.0"), into(&["a"])),
            (library("find", "2.0.0"), into(&["a", "b"])),
            (library("late", "1.0.0"), into(&["b"])),
            (library("own", "1.0.0"), into(&["member"])),
        ]);
        let mut lock = Lock::read("brig-lock 1\na build-script 1.0.0 pin-1.0.0 ran x -\n").unwrap();
        lock.libraries = BTreeSet::from([library("cc", "1.0.0"), library("other", "1.0.0")]);
        let mut done = Accepted::default();
        accept_libraries(&mut lock, &units, &libraries, &[], &mut done);
        // What is linked into nobody accepted is not, and an older version gives way.
        let expected = [library("cc", "1.1.0"), library("find", "2.0.0"), library("own", "1.0.0")];
        assert_eq!((&done.libraries[..], lock.without_libraries), (&expected[..], false));
        assert_eq!(lock.libraries.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["cc", "find", "other", "own"]);
        // By its own name, or by whom it is linked into: of nobody who was not accepted.
        for (name, more) in [("late", 0), ("b", 0)] {
            let mut done = Accepted { unknown: vec![name.to_owned()], ..Accepted::default() };
            accept_libraries(&mut lock, &units, &libraries, &[name.to_owned()], &mut done);
            assert_eq!((done.libraries.len(), done.unknown.len()), (more, usize::from(name == "b")), "{name}");
        }
        lock.units.insert(unit("b", "1.0.0"), Beside::default());
        accept_libraries(&mut lock, &units, &libraries, &["b".to_owned()], &mut done);
        assert_eq!(done.libraries, [library("late", "1.0.0")]);
    }
}
