//! `review`: code that runs while this workspace is built and that nobody has accepted, one after the other, with what there is to judge it by. In: cargo's graph,
//! `brig.lock`, the last report, what cargo has kept of the registry. Out: a list; on a terminal a question after each, and what was answered, written down.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::amending;
use super::baseline::{accept, lock_of, report};
use super::graph_now::{Now, now};
use super::importing;
use super::pages::print;
use super::stopped::Stopped;
use crate::baseline::compare;
use crate::baseline::fold::{Folded, fold};
use crate::baseline::{Lock, Unit};
use crate::cli::Options;
use crate::cli::exceptions::Deny;
use crate::model::barred::{Why, code_of};
use crate::model::{ActorKind, Exit};
use crate::plan::{behaviours, published};
use crate::report::escape;

/// Lines of what it did.
const LISTED: usize = 12;

/// One package's one kind of code.
struct Newcomer {
    name: String,
    version: String,
    /// "build script", "macro", "library".
    what: String,
    text: String,
}

/// # Errors
/// Where there is no workspace, or cargo cannot say what it builds with.
pub fn review(options: &Options) -> Result<Exit, Stopped> {
    let last = report(options).ok();
    let now = now(last.as_ref())?;
    let locked = lock_of(&now.workspace)?;
    let is_there = locked.is_some();
    let (lock, _) = importing::beside(options, locked.unwrap_or_default(), &now)?;
    let folded = last.as_ref().map(|report| fold(report, &now.dirs));
    let all = newcomers(&now, &lock, folded.as_ref());
    if all.is_empty() {
        return print(match is_there {
            true => "brig.lock holds all code that runs in this build\n",
            false => "there is no brig.lock here, and no code of others in this build that it would be about\n",
        });
    }
    drop(folded);
    let asks = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut accepted: Vec<String> = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let head = format!("{} of {}: {} {}, {}\n", at + 1, all.len(), one.name, one.version, one.what);
        print(&format!("{}{}\n", escape::ours(head.trim_end()) + "\n", one.text))?;
        if !asks {
            continue;
        }
        match ask("accept it? [y]es, [d]eny the package, [q]uit, anything else leaves it: ").map_err(Stopped::usage)?.as_str() {
            "y" | "yes" => accepted.push(one.name.clone()),
            "d" | "deny" => {
                let reason = ask("why? ").map_err(Stopped::usage)?;
                if reason.is_empty() {
                    print("not denied: a reason is needed\n")?;
                } else {
                    amending::deny(options, &Deny { name: one.name.clone(), reason, by: None })?;
                }
            }
            "q" | "quit" => break,
            _ => {}
        }
    }
    if !accepted.is_empty() {
        return accept(options, &accepted, false);
    }
    if !asks {
        print(
            "accept what is meant: `cargo brig baseline accept CRATE…`; or that no build may hold it: `cargo brig deny CRATE --reason …`\n",
        )?;
    }
    Ok(Exit::NewBehaviour)
}

fn ask(question: &str) -> io::Result<String> {
    let mut out = io::stdout();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut line = String::new();
    // Nobody there any more: nothing is accepted.
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok("q".into());
    }
    Ok(line.trim().to_owned())
}

fn newcomers(now: &Now, lock: &Lock, folded: Option<&Folded>) -> Vec<Newcomer> {
    let mut all = Vec::new();
    for unit in now.units.keys().filter(|unit| !lock.accepts(unit)) {
        let mut text = facts(now, (&unit.name, &unit.version));
        let before: Vec<&str> = lock.versions(&unit.name, unit.kind).collect();
        line(&mut text, "before", &earlier(now, unit, &before));
        if let Some(root) = now.graph.root_of(&unit.name, &unit.version, unit.kind == ActorKind::BuildScript) {
            line(&mut text, "source", &shown(&root, now));
        }
        did(&mut text, unit, lock, folded);
        all.push(Newcomer { name: unit.name.clone(), version: unit.version.clone(), what: code_of(unit.kind), text });
    }
    for barred in compare::unlinked(lock, &now.libraries, behaviours::NAME) {
        let Why::Library { into, before, .. } = barred.why else { continue };
        let mut text = facts(now, (&barred.name, &barred.version));
        line(&mut text, "in", &into.join(", "));
        line(&mut text, "before", &before.map_or("nothing of it was accepted".to_owned(), |before| format!("{before} was accepted")));
        all.push(Newcomer { name: barred.name, version: barred.version, what: "a library".into(), text });
    }
    all
}

/// Why it is there, and how old it is.
fn facts(now: &Now, (name, version): (&str, &str)) -> String {
    let mut text = String::new();
    let way = now.graph.why(name, version);
    line(&mut text, "why", &if way.is_empty() { "not known".to_owned() } else { way.join(" → ") });
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let age = published::of(&now.cargo_home, name, version).map(|then| {
        let day = crate::model::moment::text(then);
        format!("published {} ({day})", published::ago(then, seconds))
    });
    line(&mut text, "age", &age.unwrap_or_else(|| "not known: cargo keeps no entry of the public registry for it".to_owned()));
    text
}

/// Had an earlier version code that runs at build time? By the lock; else by those that cargo has unpacked.
fn earlier(now: &Now, unit: &Unit, accepted: &[&str]) -> String {
    if !accepted.is_empty() {
        return match accepted.contains(&unit.version.as_str()) {
            true => format!("{} was accepted with another checksum", unit.version),
            false => format!("{} was accepted", accepted.join(", ")),
        };
    }
    let nothing = "nothing of it was accepted".to_owned();
    if unit.kind != ActorKind::BuildScript {
        return nothing;
    }
    let others = unpacked(&now.cargo_home, &unit.name);
    let (with, without): (Vec<_>, Vec<_>) = others.into_iter().filter(|(version, _)| *version != unit.version).partition(|(_, has)| *has);
    let list = |versions: Vec<(String, bool)>| versions.into_iter().map(|(version, _)| version).collect::<Vec<_>>().join(", ");
    match (with.is_empty(), without.is_empty()) {
        (_, false) => format!("{nothing}; {} had no build script", list(without)),
        (false, true) => format!("{nothing}; {} had a build script, too", list(with)),
        (true, true) => nothing,
    }
}

/// Versions of a package in cargo's cache, each with whether a `build.rs` lies where cargo looks for one.
fn unpacked(cargo_home: &Path, name: &str) -> Vec<(String, bool)> {
    let indices = std::fs::read_dir(cargo_home.join("registry/src")).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for package in indices.filter_map(|index| std::fs::read_dir(index.path()).ok()).flatten().flatten() {
        let dir = package.file_name();
        if let Some((found, version)) = dir.to_str().and_then(crate::attribute::source::split_name)
            && found == name
        {
            all.push((version.to_owned(), package.path().join("build.rs").is_file()));
        }
    }
    all.sort();
    all
}

/// What it did in the last run, beyond what everybody does.
fn did(text: &mut String, unit: &Unit, lock: &Lock, folded: Option<&Folded>) {
    let ran = folded.is_some_and(|folded| folded.ran.contains(&(unit.name.clone(), unit.version.clone(), unit.kind)));
    if !ran {
        line(text, "did", "not seen to run: `cargo brig --policy default --fresh build` has it run behind the walls");
        return;
    }
    let key = (unit.name.clone(), unit.kind);
    let lines: Vec<_> = folded.into_iter().filter_map(|folded| folded.lines.get(&key)).flat_map(|lines| lines.keys()).collect();
    if lines.is_empty() {
        line(text, "did", "nothing but what everybody does");
    }
    for (at, one) in lines.iter().enumerate().take(LISTED) {
        let new = if lock.versions(&unit.name, unit.kind).next().is_some() && !lock.holds(&key, one) { " (new)" } else { "" };
        line(text, if at == 0 { "did" } else { "" }, &format!("{}{new}", one.text()));
    }
    if lines.len() > LISTED {
        line(text, "", &format!("and {} more: `cargo brig baseline diff`", lines.len() - LISTED));
    }
}

fn line(text: &mut String, key: &str, what: &str) {
    let _ = writeln!(text, "    {key:<7} {}", escape::ours(what));
}

fn shown(path: &Path, now: &Now) -> String {
    let below = |root: &Path, name: &str| path.strip_prefix(root).ok().map(|rest| PathBuf::from(name).join(rest));
    let found = below(&now.workspace, "").or_else(|| below(&now.cargo_home, "{cargo-home}"));
    found.as_deref().unwrap_or(path).display().to_string()
}
