//! A run that a report tells of, brought into the throw-away: of the recorded commit with the recorded lock file, and else nothing, or what is said. In: the report,
//! the workspace that we stand in. Out: a workspace that was fetched; or why it cannot be the same.

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::aside::Aside;
use super::checkout::{self, Missing};
use super::laid::Laid;
use super::preparing::{Fetching, Prepared};
use super::started::Started;
use super::suspect::Suspect;
use super::throwaway::Throwaway;
use super::unpacking;
use super::words::Words;
use crate::model::report::Report;
use crate::model::{Hostile, Rule, Source, moment};
use crate::plan::places::real;
use crate::plan::whose::repository;
use crate::report::escape;
use crate::report::wording::count;
use crate::run::committed::Repository;
use crate::run::uncommitted;

/// Paths that a sentence lists.
const LISTED: usize = 4;
/// Files of a report that decoys are laid for.
const BAITS: usize = 200;
/// What stands for the version of something without a commit.
const AS_IT_IS: &str = "as-it-is";
const HERE: &str = "help: `--here` runs the directory as it is now, with whatever lock file it has";

pub struct Recorded {
    pub then: Report,
    pub words: Words,
    /// That we stand in.
    pub workspace: PathBuf,
    /// The user's.
    pub home: Option<PathBuf>,
    /// As it is, whatever was recorded.
    pub here: bool,
}

/// Sources in the throw-away.
struct Brought {
    /// All that was brought.
    top: PathBuf,
    workspace: PathBuf,
    /// A commit, or none.
    version: String,
    from: String,
    /// Places of files that look like secrets, from the top.
    secrets: Vec<PathBuf>,
    links: usize,
}

impl Recorded {
    /// # Errors
    /// When it cannot be had as it was.
    pub fn prepare(&self, fetching: &Fetching) -> Result<Prepared> {
        let throwaway = fetching.throwaway;
        let source = self.then.run.source.clone().unwrap_or_default();
        let mut told = self.words.told.clone();
        let brought = self.bring(&source, throwaway, &mut told)?;
        let workspace = real_within(&brought.workspace, &brought.top)?;
        ensure!(workspace.join("Cargo.toml").is_file(), "there is no workspace in {} where it was", brought.from);
        let member = source.member.as_ref().map(inner).transpose()?.unwrap_or_default();
        let relative = self.words.at(&workspace)?.iter().any(|word| word.starts_with("--manifest-path"));
        ensure!(!source.outside || !relative, "cargo was started outside of the workspace, which is not here");
        // As cargo will see it: the settings that it heeds lie where a link leads, which the repository may hold.
        let dir = real_within(&workspace.join(member), &brought.top)?;
        ensure!(dir.is_dir(), "the directory that cargo was started in is not there");
        let aside = Aside::put(&brought.top, &dir)?;
        fetching.configure(false)?;
        let words = self.words.fetching(&workspace)?;
        let manifest = words.iter().skip_while(|word| !word.starts_with("--manifest-path")).last();
        let manifest = manifest.map(|word| real(dir.join(word.trim_start_matches("--manifest-path="))));
        ensure!(
            manifest.is_none_or(|manifest| manifest.starts_with(&brought.top)),
            "the recorded command names a manifest outside of its repository"
        );
        fetching.fetch_as(&dir, &words)?;
        aside.restore()?;
        fetching.configure(true)?;
        self.differs(&brought, &mut told);
        let mut baits: Vec<PathBuf> = brought.secrets.iter().map(|path| brought.top.join(path)).collect();
        baits.extend(self.read(throwaway, &workspace));
        let name = name(&self.root());
        let args = self.words.at(&workspace)?;
        let suspect =
            Suspect { name, version: brought.version, checksum: None, from: brought.from, dir: workspace.clone(), root: workspace.clone() };
        let run = Some(Laid { workspace, dir, args, baits, told });
        Ok(Prepared {
            suspect,
            alone: None,
            links: brought.links,
            settings: false,
            run,
            neighbours: None,
            benches: Vec::new(),
            started: Ok(Started::default()),
        })
    }

    /// Of the repository that we stand in, or of the workspace: whoever keeps a home under git has that copied by nobody.
    fn root(&self) -> PathBuf {
        repository(&self.workspace, self.home.as_deref()).unwrap_or_else(|| self.workspace.clone())
    }

    fn bring(&self, source: &Source, throwaway: &Throwaway, told: &mut Vec<String>) -> Result<Brought> {
        let top = throwaway.work.join(name(&self.root()));
        let now = uncommitted::lock(&self.workspace);
        let is_locked = |lock: &Option<String>| lock.is_some() && *lock == source.lock;
        if self.here {
            let brought = self.directory(&top)?;
            match (&source.lock, &now) {
                (Some(then), Some(now)) if then == now => told.push("it is the directory as it is now, with the same lock file".to_owned()),
                (Some(_), _) => told.push("it is the directory as it is now, with another lock file than then".to_owned()),
                (None, _) => told.push("it is the directory as it is now; the report does not say with which lock file it ran".to_owned()),
            }
            return Ok(brought);
        }
        let Some(commit) = &source.commit else {
            let why = match &self.then.run.source {
                None => "the report does not say of which commit the run was, nor with which lock file: an older Brig wrote it",
                Some(_) if !is_locked(&now) => {
                    "the run was of no git repository, and the lock file here is not the one that it was built with"
                }
                Some(_) => {
                    told.push("the run was of no git repository: it is the directory as it is now, with the same lock file".to_owned());
                    return self.directory(&top);
                }
            };
            bail!("{why}\n  {HERE}");
        };
        let found = Repository::around(&self.workspace)
            .with_context(|| format!("the run was of the commit {}, and this is no git repository\n  {HERE}", escape::name(commit)))?;
        let missing = checkout::lay(&found, commit, &top).with_context(|| format!("take the commit {}\n  {HERE}", escape::name(commit)));
        let missing = missing.map_err(|error| anyhow::anyhow!("{}", innermost_first(&error)))?;
        let within = source.within.as_ref().map(inner).transpose()?.unwrap_or_default();
        let workspace = top.join(within);
        let short = commit.get(..12).unwrap_or(commit).to_owned();
        let committed = uncommitted::lock(&workspace);
        if !is_locked(&committed) && source.lock.is_some() {
            ensure!(
                is_locked(&now),
                "the lock file that it was built with is neither in the commit {short} nor here: versions would not be the same\n  {HERE}"
            );
            if committed.is_some() {
                // Manifests were not committed either, or cargo would not have changed it.
                fs::remove_dir_all(&top).context("take the commit away again")?;
                told.push(format!(
                    "its lock file was not committed, but is the one here: it is the directory as it is now, and not the commit {short}"
                ));
                return self.directory(&top);
            }
            let lock = fs::read(self.workspace.join("Cargo.lock")).context("take the lock file")?;
            let mut file =
                fs::File::options().write(true).create_new(true).open(workspace.join("Cargo.lock")).context("take the lock file")?;
            file.write_all(&lock).context("take the lock file")?;
            told.push("the commit has no lock file: it is the one here, which is the same".to_owned());
        }
        uncommitted_then(source, told);
        let Missing { secrets, links, modules, pointers } = missing;
        if modules > 0 {
            told.push(format!("{} left out", count(modules as u64, "submodule")));
        }
        if pointers > 0 {
            told.push(format!("{} kept elsewhere by git LFS: there are pointers in their place", count(pointers as u64, "file")));
        }
        Ok(Brought { top, workspace, version: short, from: format!("the commit {commit} of this repository"), secrets, links })
    }

    /// A copy of it, with what lies around it in its repository.
    fn directory(&self, top: &Path) -> Result<Brought> {
        let root = self.root();
        let is_built = |path: &Path, depth: usize| {
            let name = path.file_name().unwrap_or_default();
            path.join("CACHEDIR.TAG").is_file() || name == ".git" || name == "brig-evidence" || depth == 0 && name == "target"
        };
        let left = unpacking::tree(&root, top, &is_built)?;
        let workspace = top.join(self.workspace.strip_prefix(&root).unwrap_or(Path::new("")));
        let from = format!("the directory {} as it is", root.display());
        Ok(Brought { top: top.to_owned(), workspace, version: AS_IT_IS.to_owned(), from, secrets: left.secrets, links: left.links })
    }

    /// What no replay can have as it was.
    fn differs(&self, brought: &Brought, told: &mut Vec<String>) {
        if !brought.secrets.is_empty() {
            let paths: Vec<Hostile> = brought.secrets.iter().map(|path| Hostile::from(&**path)).collect();
            told.push(format!("decoys lie in place of {}", listed(&paths)));
        }
        if brought.links > 0 {
            told.push(format!("{} left out, for where it leads is not here", count(brought.links as u64, "link")));
        }
        let profile = self.then.run.profile.first().filter(|name| *name != "default");
        told.extend(
            profile.map(|name| format!("it ran under the profile `{}`; what is judged here is judged by `default`", escape::name(name))),
        );
        told.push("no variable of yours comes along: what waits for one stays away".to_owned());
    }

    /// Where files lay that the run read as secrets, in the throw-away.
    fn read(&self, throwaway: &Throwaway, workspace: &Path) -> Vec<PathBuf> {
        let findings = self.then.findings.iter().filter(|finding| finding.rule == Rule::SecretRead);
        let paths = findings.flat_map(|finding| &finding.evidence).filter_map(|evidence| evidence.act.path());
        let trees = [("{workspace}/", workspace), ("{cargo-home}/", &throwaway.cargo_home), ("{home}/", &throwaway.home)];
        let below = |path: &Hostile| {
            let text = std::str::from_utf8(path.as_bytes()).ok()?;
            let (rest, tree) = trees.iter().find_map(|(name, tree)| Some((text.strip_prefix(name)?, tree)))?;
            Some(tree.join(inner(&Hostile::from(rest)).ok().filter(|rest| !rest.as_os_str().is_empty())?))
        };
        paths.filter_map(below).take(BAITS).collect()
    }

    /// "the run of 2026-11-29 10:55"
    pub fn shown(&self) -> String {
        let id = if self.then.run.id.is_empty() { String::new() } else { format!(" ({})", escape::name(&self.then.run.id)) };
        format!("the run of {}{id}", moment::text(self.then.run.started))
    }
}

fn uncommitted_then(source: &Source, told: &mut Vec<String>) {
    match source.dirty {
        Some(true) => {
            told.push(format!("not all was committed when it ran, and this is the commit without it: {}", listed(&source.changed)))
        }
        Some(false) => {}
        None => told.push("whether all was committed when it ran is not known".to_owned()),
    }
}

/// "`.env`, `a/key.pem` and 3 more"
fn listed(paths: &[Hostile]) -> String {
    let shown: Vec<String> = paths.iter().take(LISTED).map(|path| format!("`{}`", escape::quoted(path))).collect();
    let more = paths.len().saturating_sub(LISTED);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// Without links, and still in there.
fn real_within(dir: &Path, top: &Path) -> Result<PathBuf> {
    let found = dir.canonicalize().with_context(|| format!("look for {}", dir.display()))?;
    ensure!(found.starts_with(top), "{} is a link out of what was recorded", dir.display());
    Ok(found)
}

/// A way down, and nowhere else: reports come from anywhere.
fn inner(path: &Hostile) -> Result<PathBuf> {
    let path = path.as_path();
    ensure!(path.components().all(|part| matches!(part, Component::Normal(_))), "the report names a directory that is not below another");
    Ok(path.to_owned())
}

/// What its directory is called, where that is a plain name.
fn name(root: &Path) -> String {
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = super::named::is_name(name) && name != "target" && name != crate::suspect::decoys::PROJECT;
    if plain { name.to_owned() } else { "workspace".to_owned() }
}

/// The cause, then what was to be done; a line of help stays last.
fn innermost_first(error: &anyhow::Error) -> String {
    let outer = error.to_string();
    let (what, help) = outer.split_once('\n').map_or((&*outer, ""), |(what, help)| (what, help));
    format!("{what}: {}\n{help}", error.root_cause()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_link_is_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap().join("top");
        fs::create_dir_all(top.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", top.join("member")).unwrap();
        std::os::unix::fs::symlink("..", top.join("out")).unwrap();
        assert_eq!(real_within(&top.join("member"), &top).unwrap(), top.join("a/b"));
        assert_eq!(real_within(&top, &top).unwrap(), top);
        assert!(real_within(&top.join("out"), &top).is_err() && real_within(&top.join("none"), &top).is_err());
    }
}
