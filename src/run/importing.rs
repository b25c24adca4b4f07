//! Locks of others beside one's own: which count, and which files they are. In: `brig.toml`, the files it names. Out: `brig.lock` with their digests; a lock with what
//! they vouch for.

use std::fmt::Write as _;

use anyhow::anyhow;

use super::amending::replace;
use super::graph_now::{Now, now};
use super::pages::{configuration, places, print};
use super::stopped::Stopped;
use crate::baseline::Lock;
use crate::baseline::vouch::vouched;
use crate::cli::Options;
use crate::model::Exit;
use crate::model::report::Vouched;
use crate::plan::carried::Whence;
use crate::plan::imports::{Imports, Place, Wanted};
use crate::plan::{ConfigError, behaviours, proven};
use crate::report::escape;

/// Pins what is there now, and nothing that is not named any more.
///
/// # Errors
/// Where there is nothing to import, or one of the files is no lock, or is not what cargo was given for the package it lies in.
pub fn import(options: &Options) -> Result<Exit, Stopped> {
    let (written, file) = configuration(options)?;
    let workspace = places()?.workspace.ok_or_else(|| Stopped::usage(anyhow!("there is no workspace here")))?;
    let path = behaviours::place(&workspace);
    let before = behaviours::text(&path)?;
    let mut own: Lock = before.as_deref().map(|text| behaviours::parse(behaviours::NAME, text)).transpose()?.unwrap_or_default();
    if written.imports.is_empty() && own.imports.is_empty() {
        return Err(Stopped::usage(anyhow!(
            "brig.toml has no `[imports.NAME]`\n  help: `path = …` below it names somebody else's brig.lock, `package = …` a package that brings it"
        )));
    }
    let mut said = String::new();
    // Only what lies in a package needs to know which there are.
    let known = written.imports.iter().any(Wanted::is_carried).then(|| now(None)).transpose()?;
    let graph = known.as_ref().map_or("", |known| &known.text);
    let mut there = Vec::new();
    for wanted in &written.imports {
        let one = wanted.read(file.as_deref(), graph)?;
        let from = match (&one.whence, &known) {
            (Some(whence), Some(known)) => from(wanted, &one.text, whence, known)?,
            _ => String::new(),
        };
        there.push((one, from));
    }
    let gone: Vec<String> = own.imports.keys().filter(|name| !there.iter().any(|(one, _)| one.import.name == **name)).cloned().collect();
    for name in gone {
        own.imports.remove(&name);
        let _ = writeln!(said, "import `{}` is named no more, and was taken out of brig.lock", escape::ours(&name));
    }
    for (one, from) in there {
        let (name, theirs) = (&one.import.name, &one.import.lock);
        let what = match own.imports.insert(name.clone(), one.digest.clone()) {
            Some(old) if old == one.digest => "is pinned already",
            Some(_) => "was another file, and is pinned as it is now",
            None => "is pinned",
        };
        let (units, libraries) = (theirs.units.len(), theirs.libraries.len());
        let _ = writeln!(said, "import `{}` {what}: {units} build scripts and macros, {libraries} libraries{from}", escape::ours(name));
    }
    let text = own.text();
    if before.as_deref() != Some(&*text) {
        replace(&path, &text, before.as_deref())?;
    }
    print(&said)
}

/// From which package, and what it was compared with there.
fn from(wanted: &Wanted, text: &str, whence: &Whence, known: &Now) -> Result<String, Stopped> {
    let Place::Package(carrier) = &wanted.place else { return Ok(String::new()) };
    let package = format!("`{}` {} ({})", whence.name, whence.version, whence.source);
    let wrong = |why| ConfigError { message: format!("`{}` of {package}: {why}", whence.file), ..carrier.at.clone() };
    let proof = proven::compare(text, whence, &known.locked, &known.cargo_home).map_err(wrong)?;
    Ok(format!("; from {}, {}", escape::ours(&package), proof.text()))
}

/// One's own with what the others vouch for in this build.
///
/// # Errors
/// Where `brig.toml` or a file it names is wrong.
pub(super) fn beside(options: &Options, own: Lock, now: &Now) -> Result<(Lock, Vec<Vouched>), Stopped> {
    let (written, file) = configuration(options)?;
    let mut imports = Imports::read(written.imports, file.as_deref(), Some(&own))?;
    imports.complete(&now.text)?;
    Ok(vouched(&own, &imports.counted, now.units.keys(), now.libraries.keys()))
}
