//! Who else has accepted it: locks of others that count beside one's own. In: a lock, imports, the units and libraries of this build. Out: the lock with what they
//! vouch for, and which of them vouched for what.

use super::lock::{Library, Lock, Unit};
use crate::model::report::Vouched;

/// Somebody else's lock, by the name it is imported under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub name: String,
    pub lock: Lock,
}

/// Only what is pinned by its contents is the same there and here.
fn is_content(pin: &str) -> bool {
    pin.strip_prefix("git:").unwrap_or(pin).bytes().all(|byte| byte.is_ascii_hexdigit()) && pin.len() >= 40
}

/// What the lock itself accepts is nobody else's business: what it did there widens nothing here.
pub fn vouched<'g>(
    lock: &Lock,
    imports: &[Import],
    units: impl IntoIterator<Item = &'g Unit>,
    libraries: impl IntoIterator<Item = &'g Library>,
) -> (Lock, Vec<Vouched>) {
    let (mut with, mut all) = (lock.clone(), Vec::new());
    for unit in units.into_iter().filter(|unit| !lock.accepts(unit) && is_content(&unit.pin)) {
        let Some((import, beside)) = imports.iter().find_map(|import| Some((import, import.lock.units.get(unit)?))) else { continue };
        with.units.insert(unit.clone(), beside.clone());
        let key = (unit.name.clone(), unit.kind);
        if let Some(did) = import.lock.did.get(&key) {
            with.did.entry(key).or_default().extend(did.iter().cloned());
        }
        let what = unit.kind.name().to_owned();
        all.push(Vouched { import: import.name.clone(), name: unit.name.clone(), version: unit.version.clone(), what });
    }
    for library in libraries.into_iter().filter(|library| !lock.links(library) && is_content(&library.pin)) {
        let Some(import) = imports.iter().find(|import| import.lock.links(library)) else { continue };
        with.libraries.insert(library.clone());
        let what = "library".to_owned();
        all.push(Vouched { import: import.name.clone(), name: library.name.clone(), version: library.version.clone(), what });
    }
    (with, all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActorKind::BuildScript;

    #[test]
    fn the_same_code_counts_and_nothing_else_of_theirs() {
        let sum = |digit: &str| digit.repeat(64);
        let unit = |name: &str, pin: &str| Unit { name: name.into(), kind: BuildScript, version: "1.0.0".into(), pin: pin.into() };
        let local = Lock::read(&format!("brig-lock 2\na build-script 1.0.0 {} ran x -\na build-script does exec cc\n", sum("a"))).unwrap();
        let theirs = format!(
            "brig-lock 2\na build-script 1.0.0 {a} ran x -\na build-script does exec curl\nb build-script 1.0.0 {b} ran x -\nb build-script does exec ar\n\
             c build-script 1.0.0 source:{c} ran x -\nd build-script 2.0.0 {d} ran x -\nd build-script does exec nm\ncc library 1.0.0 {b}\n",
            a = sum("a"),
            b = sum("b"),
            c = sum("c"),
            d = sum("d")
        );
        let import = Import { name: "ours".into(), lock: Lock::read(&theirs).unwrap() };
        let library = |digit: &str| Library { name: "cc".into(), version: "1.0.0".into(), pin: sum(digit) };
        let units = [
            unit("a", &sum("a")),
            unit("b", &sum("b")),
            unit("b", &sum("e")),
            unit("c", &format!("source:{}", sum("c"))),
            unit("d", &sum("d")),
        ];
        let (with, all) = vouched(&local, &[import], &units, &[library("b"), library("c")]);
        let told: Vec<String> = all.iter().map(|one| format!("{} {} {} {}", one.import, one.name, one.version, one.what)).collect();
        assert_eq!(told, ["ours b 1.0.0 build-script", "ours cc 1.0.0 library"]);
        let accepted: Vec<bool> = units.iter().map(|unit| with.accepts(unit)).collect();
        assert_eq!(accepted, [true, true, false, false, false]);
        let did = |name: &str| {
            with.did.get(&(name.to_owned(), BuildScript)).into_iter().flatten().map(|line| line.text().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((did("a"), did("b"), did("d")), (vec!["exec cc".to_owned()], vec!["exec ar".to_owned()], vec![]));
        assert!(with.links(&library("b")) && !with.links(&library("c")));
    }
}
