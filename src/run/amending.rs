//! Commands that write to `brig.toml`: `allow`, `deny`, `init`. In: what was typed, the last report. Out: a file with something more at its end,
//! replaced as a whole or not at all, and a word about what was added.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::pages::{places, print};
use super::stopped::Stopped;
use super::stored::report_of;
use crate::cli::Options;
use crate::cli::exceptions::{Allow, Deny};
use crate::model::report::Report;
use crate::model::{ActorKind, Exit, Severity};
use crate::plan::config;
use crate::plan::exceptions::day::Day;
use crate::plan::exceptions::edit::{self, Refusal, Wish};
use crate::plan::exceptions::lock::{self, Locked};
use crate::plan::exceptions::whom::{Origin, Whom};
use crate::plan::exceptions::{ACTORS, LISTS};
use crate::report::escape;

/// The file is the documentation.
const STARTING: &str = include_str!("../plan/starting.toml");
/// How long an exception counts for which no day was given.
const YEAR: u64 = 365;

/// # Errors
/// When nothing can be allowed so (2), or what stands in the file is wrong (96). Then nothing was written.
pub fn allow(options: &Options, typed: &Allow) -> Result<Exit, Stopped> {
    let wishes = match typed.from.is_empty() {
        true => vec![as_typed(typed)],
        false => from_findings(&report_of(options, &typed.of)?, typed)?,
    };
    let exit = add(options, &wishes.iter().map(Wish::text).collect::<String>())?;
    wishes.iter().try_for_each(missing)?;
    Ok(exit)
}

/// An exception for nobody there is can be meant, for what comes tomorrow; a typo is not.
fn missing(wish: &Wish) -> Result<(), Stopped> {
    let (Ok(whom), Some(workspace)) = (Whom::read(&wish.whom), places()?.workspace) else { return Ok(()) };
    let Some(locked) = Locked::read(&workspace)?.filter(|_| whom != Whom::Workspace) else { return Ok(()) };
    let origin =
        |package: &lock::Package| Origin { source: package.source.as_deref(), fetched: None }.name(&package.name, &package.version);
    let named = |version: bool| {
        let is = |name: &str, its: &str| whom.name() == Some(name) && (!version || whom.is(name, its));
        locked.which(is).into_iter().map(origin).collect::<Vec<_>>()
    };
    let is_there = locked
        .which(|name, its| whom.is(name, its))
        .into_iter()
        .any(|package| whom.is_from(Origin { source: package.source.as_deref(), fetched: None }));
    if is_there {
        return Ok(());
    }
    let there = if named(true).is_empty() { named(false) } else { named(true) };
    let instead = match &there[..] {
        [] => "Cargo.lock has none of that name".to_owned(),
        there => format!("Cargo.lock has {}", there.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")),
    };
    print(&format!("note: it is for no package there is: {}\n", escape::ours(&instead))).map(drop)
}

/// # Errors
/// As [`allow`].
pub fn deny(options: &Options, typed: &Deny) -> Result<Exit, Stopped> {
    add(options, &Refusal { name: typed.name.clone(), reason: typed.reason.clone(), by: typed.by.clone() }.text())
}

/// A commented file to start from.
///
/// # Errors
/// When there is one already.
pub fn init(options: &Options) -> Result<Exit, Stopped> {
    let path = place(options)?;
    if path.symlink_metadata().is_ok() {
        return Err(Stopped::usage(anyhow!("{} is there already: nothing was written", path.display())));
    }
    replace(&path, STARTING, None)?;
    print(&format!("wrote {}: everything in it is a comment, and changes nothing until you say so\n", shown(&path)))
}

fn as_typed(typed: &Allow) -> Wish {
    let chosen = [typed.build_script, typed.proc_macro, typed.program, typed.rustc, typed.rustdoc];
    let actor = ACTORS.into_iter().zip(chosen).find(|(_, chosen)| *chosen).map_or(ActorKind::BuildScript, |(kind, _)| kind);
    let lists = [&typed.read, &typed.write, &typed.exec, &typed.connect, &typed.unix].map(Clone::clone);
    Wish {
        whom: typed.whom.clone().unwrap_or_default(),
        checksum: typed.checksum.clone(),
        actor,
        lists,
        arguments: typed.arguments.clone(),
        via: typed.via.clone(),
        reveal: typed.reveal.clone(),
        ..empty(typed)
    }
}

/// What findings of one package's one kind of code were about becomes one entry.
pub(super) fn from_findings(report: &Report, typed: &Allow) -> Result<Vec<Wish>, Stopped> {
    let mut wishes: Vec<Wish> = Vec::new();
    for id in &typed.from {
        let shown = id.escape_debug();
        let stop = |why: String| Err(Stopped::usage(anyhow!("{why}\n  help: nothing was written")));
        let Some(finding) = report.all_findings().find(|finding| finding.id == *id) else {
            return stop(format!("the last report has no finding `{shown}`"));
        };
        let Some(proposal) = &finding.except else {
            let why = match finding.severity {
                Severity::Critical => "it is critical",
                _ => "no exception reaches what it is about, or whoever did it did something critical besides",
            };
            return stop(format!("`{shown}` ({}) cannot be allowed: {why}", finding.rule.id()));
        };
        if proposal.secret {
            return stop(format!(
                "`{shown}` is about a secret, which is never taken over from a finding; if it is meant, say so word for word, and what of it is needed \
                 (`--reveal NAME`): {}",
                report.reach.only_writing(&proposal.words())
            ));
        }
        let Some(list) = LISTS.iter().position(|list| *list == proposal.list) else {
            return stop(format!("`{shown}`: the report is not one of this version"));
        };
        let same = wishes.iter().position(|wish| wish.whom == proposal.whom && wish.actor == proposal.actor);
        let at = same.unwrap_or_else(|| {
            // Of a registry's package: that very code.
            let package = report.actor(finding.actor).and_then(|actor| actor.package.as_ref());
            let checksum = package.and_then(|package| package.checksum.clone()).filter(|_| !proposal.whom.contains('#'));
            wishes.push(Wish { whom: proposal.whom.clone(), checksum, actor: proposal.actor, ..empty(typed) });
            wishes.len() - 1
        });
        for what in &proposal.what {
            if !wishes[at].lists[list].contains(what) {
                wishes[at].lists[list].push(what.clone());
            }
        }
    }
    Ok(wishes)
}

/// With all that does not say what is allowed.
fn empty(typed: &Allow) -> Wish {
    Wish {
        whom: String::new(),
        checksum: None,
        actor: ActorKind::BuildScript,
        lists: Default::default(),
        arguments: Vec::new(),
        via: Vec::new(),
        reveal: Vec::new(),
        reason: typed.reason.clone(),
        expires: typed.expires.clone().unwrap_or_else(|| Day::today().after(YEAR).text()),
        by: typed.by.clone(),
        wide: typed.wide,
    }
}

fn add(options: &Options, entries: &str) -> Result<Exit, Stopped> {
    // Of the file nobody has spoken yet: what is wrong is what was typed.
    edit::check(entries, Day::today())
        .map_err(|message| Stopped::usage(anyhow!("{}", message.replace("add `wide = true`", "add `--wide`"))))?;
    let path = place(options)?;
    let there = match std::fs::symlink_metadata(&path) {
        Ok(facts) if !facts.is_file() => {
            return Err(Stopped::usage(anyhow!("{} is no plain file: edit what it leads to", path.display())));
        }
        Ok(_) => Some(std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display())).map_err(Stopped::usage)?),
        Err(_) => None,
    };
    if let Some(text) = &there
        && edit::holds(&path.display().to_string(), text, entries)?
    {
        return print(&format!("{} says so already: nothing was written\n", shown(&path)));
    }
    let whole = edit::appended(&path.display().to_string(), there.as_deref(), entries)?;
    replace(&path, &whole, there.as_deref())?;
    let lines: String = entries.trim().lines().map(|line| format!("    {}\n", escape::ours(line))).collect();
    // A finding stands until then, however often one builds.
    let when = if entries.contains("[[allow]]") {
        "it counts when that code runs again: `--fresh` has a build run all of its scripts and macros\n"
    } else {
        ""
    };
    print(&format!("added to {}:\n{lines}{when}", shown(&path)))
}

/// The file there is, or the one there will be.
fn place(options: &Options) -> Result<PathBuf, Stopped> {
    if options.no_config {
        return Err(Stopped::usage(anyhow!("`--no-config` leaves out the file that this command writes to")));
    }
    let workspace = places()?.workspace;
    if let Some(named) = &options.config {
        return Ok(named.clone());
    }
    let found = config::find(workspace.as_deref(), None)?;
    let here = || workspace.as_ref().map(|workspace| workspace.join("brig.toml"));
    found.or_else(here).ok_or_else(|| Stopped::usage(anyhow!("there is no workspace here; `--config FILE` names a file")))
}

/// Beside it, and then in its place: whoever reads meanwhile reads one or the other. Owner and mode stay.
pub(super) fn replace(path: &Path, text: &str, before: Option<&str>) -> Result<(), Stopped> {
    let write = || -> anyhow::Result<()> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new().prefix(".brig-toml-").tempfile_in(dir)?;
        beside.write_all(text.as_bytes())?;
        let Some(before) = before else {
            set_mode(beside.as_file(), 0o666 & !mask())?;
            beside.as_file().sync_all()?;
            beside.persist_noclobber(path).map_err(|error| error.error)?;
            return Ok(());
        };
        use std::os::unix::fs::MetadataExt;
        let facts = std::fs::symlink_metadata(path)?;
        std::os::unix::fs::fchown(beside.as_file(), Some(facts.uid()), Some(facts.gid())).ok();
        set_mode(beside.as_file(), facts.mode() & 0o7777)?;
        beside.as_file().sync_all()?;
        anyhow::ensure!(std::fs::read_to_string(path)? == before, "somebody else has changed it meanwhile: try again");
        beside.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("write {}", path.display())).map_err(Stopped::usage)
}

fn set_mode(file: &File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// What the user takes from new files. To read it, it has to be set: nobody else makes files here meanwhile.
fn mask() -> u32 {
    use nix::sys::stat::{Mode, umask};
    let mask = umask(Mode::from_bits_truncate(0o077));
    umask(mask);
    mask.bits()
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    escape::ours(&path.strip_prefix(here).unwrap_or(path).display().to_string())
}
