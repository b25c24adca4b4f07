//! Locks of others beside one's own: which count, and which files they are. In: `brig.toml`, the files it names. Out: `brig.lock` with their digests; a lock with what
//! they vouch for.

use std::fmt::Write as _;

use anyhow::anyhow;

use super::amending::replace;
use super::graph_now::Now;
use super::pages::{configuration, places, print};
use super::stopped::Stopped;
use crate::baseline::Lock;
use crate::baseline::vouch::vouched;
use crate::cli::Options;
use crate::model::Exit;
use crate::model::report::Vouched;
use crate::plan::{behaviours, imports};
use crate::report::escape;

/// Pins what is there now, and nothing that is not named any more.
///
/// # Errors
/// Where there is nothing to import, or one of the files is no lock.
pub fn import(options: &Options) -> Result<Exit, Stopped> {
    let (written, file) = configuration(options)?;
    let workspace = places()?.workspace.ok_or_else(|| Stopped::usage(anyhow!("there is no workspace here")))?;
    let path = behaviours::place(&workspace);
    let before = behaviours::text(&path)?;
    let mut own: Lock = before.as_deref().map(|text| behaviours::parse(behaviours::NAME, text)).transpose()?.unwrap_or_default();
    if written.imports.is_empty() && own.imports.is_empty() {
        return Err(Stopped::usage(anyhow!(
            "brig.toml has no `[imports.NAME]`\n  help: `path = …` below it names somebody else's brig.lock"
        )));
    }
    let mut said = String::new();
    let there = imports::read(&written.imports, file.as_deref())?;
    let gone: Vec<String> = own.imports.keys().filter(|name| !there.iter().any(|one| one.import.name == **name)).cloned().collect();
    for name in gone {
        own.imports.remove(&name);
        let _ = writeln!(said, "import `{}` is named no more, and was taken out of brig.lock", escape::ours(&name));
    }
    for one in there {
        let (name, theirs) = (&one.import.name, &one.import.lock);
        let what = match own.imports.insert(name.clone(), one.digest.clone()) {
            Some(old) if old == one.digest => "is pinned already",
            Some(_) => "was another file, and is pinned as it is now",
            None => "is pinned",
        };
        let (units, libraries) = (theirs.units.len(), theirs.libraries.len());
        let _ = writeln!(said, "import `{}` {what}: {units} build scripts and macros, {libraries} libraries", escape::ours(name));
    }
    let text = own.text();
    if before.as_deref() != Some(&*text) {
        replace(&path, &text, before.as_deref())?;
    }
    print(&said)
}

/// One's own with what the others vouch for in this build.
///
/// # Errors
/// Where `brig.toml` or a file it names is wrong.
pub(super) fn beside(options: &Options, own: Lock, now: &Now) -> Result<(Lock, Vec<Vouched>), Stopped> {
    let (written, file) = configuration(options)?;
    let (imports, _) = imports::pinned(imports::read(&written.imports, file.as_deref())?, &own);
    Ok(vouched(&own, &imports, now.units.keys(), now.libraries.keys()))
}
