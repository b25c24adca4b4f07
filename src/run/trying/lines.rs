//! What was seen, as the lines that a `brig.lock` would hold: for whoever wants to compare it with another version's, or with his own. In: the report of all
//! stages. Out: a lock.

use std::collections::{BTreeMap, BTreeSet};

use super::suspect::Suspect;
use crate::baseline::fold::{Key, fold};
use crate::baseline::line::Line;
use crate::baseline::lock::Beside;
use crate::baseline::{Dirs, Lock, Unit};
use crate::model::Hostile;
use crate::model::report::{Report, ReportedPackage};
use crate::suspect::decoys::PROJECT;

/// Of a package that no registry has a checksum for.
const UNPINNED: &str = "unpinned";

/// Without versions and checksums: what each package did, in what.
pub fn did(all: &Report) -> BTreeMap<Key, BTreeSet<Line>> {
    fold(all, &dirs(all)).lines.into_iter().map(|(key, lines)| (key, lines.into_keys().collect())).collect()
}

fn packages(all: &Report) -> impl Iterator<Item = &ReportedPackage> {
    all.packages.iter().filter(|package| package.name != PROJECT)
}

fn dirs(all: &Report) -> Dirs {
    let dir = |name: &str| Hostile::from(&*format!("{{home}}/work/{name}"));
    Dirs::new(packages(all).map(|package| (dir(&package.name), package.name.clone(), package.version.clone())))
}

pub fn lock(all: &Report, suspect: &Suspect) -> String {
    let packages = || packages(all);
    let dirs = dirs(all);
    let folded = fold(all, &dirs);
    let checksum = |name: &str, version: &str| {
        let own = suspect.checksum.clone().filter(|_| (&*suspect.name, &*suspect.version) == (name, version));
        own.or_else(|| packages().find(|package| (&*package.name, &*package.version) == (name, version))?.checksum.clone())
    };
    let mut lock = Lock::default();
    let on = BTreeSet::from([format!("{}-linux", all.host.arch)]);
    for (name, version, kind) in &folded.ran {
        let pin = checksum(name, version).unwrap_or_else(|| UNPINNED.to_owned());
        let unit = Unit { name: name.clone(), kind: *kind, version: version.clone(), pin };
        lock.units.insert(unit, Beside { ran: true, on: on.clone(), features: BTreeSet::new() });
    }
    lock.did = folded.lines.into_iter().map(|(key, lines)| (key, lines.into_keys().collect())).collect();
    lock.text()
}
