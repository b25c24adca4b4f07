//! Brings the suspect and what it needs into the throw-away, and runs none of it: cargo fetches, behind its own wall, and the source is copied. In: what was
//! named. Out: a workspace that depends on the suspect, the suspect's own as a second one, both fetched.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::aside;
use super::interrupt::Interrupt;
use super::laid::Laid;
use super::members::{Copied, Part};
use super::named::{Named, is_name};
use super::stage::{self, Stage};
use super::started::Started;
use super::suspect::{self, Suspect};
use super::throwaway::Throwaway;
use super::{benches, neighbours, settings, unpacking};
use crate::model::sha256;
use crate::plan::{published, whose};
use crate::report::wording::count;
use crate::run::stage::Env;
use crate::suspect::decoys::PROJECT;
use crate::suspect::harness::Neighbours;

/// Seconds for one fetch.
const PATIENCE: u64 = 300;

pub struct Fetching<'a> {
    pub throwaway: &'a Throwaway,
    /// With the way to the registry.
    pub env: Env,
    pub interrupt: &'a Interrupt,
    /// The user's.
    pub cargo_home: Option<PathBuf>,
    pub features: &'a [String],
    /// Which says the versions.
    pub lock: Option<&'a Path>,
}

/// What lies there now.
pub struct Prepared {
    pub suspect: Suspect,
    /// Why its own tests, doctests and examples cannot be built, if something they need could not be fetched.
    pub alone: Option<String>,
    /// Links that were left out.
    pub links: usize,
    /// It brought settings for cargo, which are laid aside: whoever depends on it never has them, and they name programs that cargo would start.
    pub settings: bool,
    /// It is no suspect, but a run of the user's once more.
    pub run: Option<Laid>,
    /// Which crates its code may name, and whose macros it may export again. None where cargo does not say.
    pub neighbours: Option<Neighbours>,
    /// What only its benchmarks name, and is not built.
    pub benches: Vec<String>,
    /// What of its own can be started, or why that is not known.
    pub started: Result<Started, String>,
}

impl Fetching<'_> {
    /// # Errors
    /// When it cannot be had.
    pub fn prepare(&self, named: &Named) -> Result<Prepared> {
        let (app, work) = (self.throwaway.app(), &self.throwaway.work);
        self.begin()?;
        let prepared = match named {
            Named::Archive(file) => {
                let dir = work.join("unpacked");
                fs::create_dir(&dir).context("make a directory")?;
                let (top, links) = unpacking::archive(file, &dir)?;
                ensure!(suspect::manifest(&dir).is_ok(), "{} holds no Cargo.toml in {top:?}", file.display());
                let bytes = fs::read(file).with_context(|| format!("read {}", file.display()))?;
                let (checksum, from) = (Some(sha256::hex(&bytes)), format!("the file {}", file.display()));
                self.of_a_directory(&dir, links, (checksum, from))?
            }
            Named::Directory(from) => match Part::of(&self.env, from, repository)? {
                Some(part) => {
                    let laid = self.lay(&part)?;
                    let beside = if part.others() == 0 {
                        String::new()
                    } else {
                        format!(", with {} beside it", count(part.others() as u64, "package"))
                    };
                    let whence = (None, format!("the directory {}{beside}", from.display()));
                    self.of_what_lies_here((part.name, part.version), whence, &laid)?
                }
                None => {
                    let dir = work.join("unpacked");
                    let links = unpacking::directory(from, &dir)?;
                    self.of_a_directory(&dir, links, (None, format!("the directory {}", from.display())))?
                }
            },
            Named::Registry { name, version } => {
                let version = self.locked_version(name, version.as_deref())?.or_else(|| version.clone());
                let wanted = version.as_deref().map_or("\"*\"".to_owned(), |version| format!("\"={version}\""));
                self.depend(name, &format!("version = {wanted}"))?;
                self.fetch(&app)?;
                let (version, checksum) =
                    suspect::locked(&app.join("Cargo.lock"), name, version.as_deref()).context("cargo locked no such crate")?;
                let source = self.source(name, || self.in_registry(name, &version))?;
                self.own_copy(name, version, checksum, "the registry".to_owned(), &source)?
            }
            Named::Git { url, rev, name } => {
                let name = name.clone().map_or_else(|| named_by(url), Ok)?;
                self.depend(&name, &format!("git = {}, rev = {}", quoted(url), quoted(rev)))?;
                self.fetch(&app)?;
                let (version, _) = suspect::locked(&app.join("Cargo.lock"), &name, None).context("cargo locked no such crate")?;
                let source = self.source(&name, || self.in_checkouts(&name))?;
                self.own_copy(&name, version, None, format!("{url} at {rev}"), &source)?
            }
        };
        let typed = if let Named::Git { url, .. } = named { Some(&**url) } else { None };
        for dir in [&app, &prepared.suspect.root] {
            refuse_local(&dir.join("Cargo.lock"), typed)?;
        }
        self.configure(true)?;
        Ok(Prepared { neighbours: neighbours::of(&self.env, &app), ..prepared })
    }

    fn begin(&self) -> Result<()> {
        let app = self.throwaway.app();
        fs::create_dir_all(app.join("src")).context("make a workspace")?;
        fs::write(app.join("src/lib.rs"), "//! What is common to its programs.\n").context("make a workspace")?;
        self.configure(false)
    }

    /// What the registry's index says of a crate, as cargo has fetched it now: one JSON object for each version, with other bytes between.
    ///
    /// # Errors
    /// When cargo has not.
    pub fn index_of(&self, name: &str) -> Result<Vec<u8>> {
        self.begin()?;
        self.depend(name, "version = \"*\"")?;
        // All of them may be yanked: then there is nothing to depend on, and the index is here all the same.
        let fetched = self.fetch(&self.throwaway.app());
        let place = published::place(name).with_context(|| format!("{name:?} is no name of a crate"))?;
        let kept = fs::read_dir(self.throwaway.cargo_home.join("registry/index")).into_iter().flatten().flatten();
        let kept = kept.map(|index| index.path().join(".cache").join(&place));
        let settings = self.cargo_home.as_deref().map(settings::of).unwrap_or_default();
        let near = settings::local(&settings).map(|dir| dir.join("index").join(&place));
        let found = kept.chain(near).find_map(|path| fs::read(path).ok());
        found.map_or_else(|| fetched.and_then(|()| bail!("cargo keeps no index of {name} here")), Ok)
    }

    /// The version that a lock file has, and the file itself for the rest.
    fn locked_version(&self, name: &str, version: Option<&str>) -> Result<Option<String>> {
        let Some(lock) = self.lock else { return Ok(None) };
        let (version, _) = suspect::locked(lock, name, version)
            .with_context(|| format!("{} locks no {name} {}", lock.display(), version.unwrap_or_default()).trim_end().to_owned())?;
        fs::copy(lock, self.throwaway.app().join("Cargo.lock")).with_context(|| format!("read {}", lock.display()))?;
        Ok(Some(version))
    }

    /// The part of a workspace that a package needs.
    fn lay(&self, part: &Part) -> Result<Copied> {
        let dir = self.throwaway.work.join(&part.name);
        ensure!(is_name(&part.name) && !dir.exists(), "a crate cannot be tried under the name {:?}", part.name);
        part.lay(&dir)
    }

    fn of_a_directory(&self, dir: &Path, links: usize, whence: (Option<String>, String)) -> Result<Prepared> {
        let (name, version) = suspect::read(dir)?;
        let at = self.throwaway.work.join(&name);
        ensure!(!at.exists(), "a crate cannot be tried under the name {name:?}");
        fs::rename(dir, &at).context("name its directory")?;
        let laid = Copied { package: at.clone(), root: at, links };
        self.of_what_lies_here((name, version), whence, &laid)
    }

    /// One that lies below the workspaces.
    fn of_what_lies_here(&self, (name, version): (String, String), whence: (Option<String>, String), laid: &Copied) -> Result<Prepared> {
        let brought = (self.lay_aside(laid)?, benches::leave_out(&laid.package)?);
        if let Some(lock) = self.lock {
            fs::copy(lock, self.throwaway.app().join("Cargo.lock")).with_context(|| format!("read {}", lock.display()))?;
        }
        let way = laid.package.strip_prefix(&self.throwaway.work).context("it lies elsewhere")?;
        self.depend(&name, &format!("path = {}", quoted(&format!("../{}", way.display()))))?;
        self.fetch(&self.throwaway.app())?;
        Ok(self.stands((name, version), whence, laid, brought))
    }

    /// A suspect where it is to be tried.
    fn stands(
        &self,
        (name, version): (String, String),
        (checksum, from): (Option<String>, String),
        laid: &Copied,
        (settings, benches): (bool, Vec<String>),
    ) -> Prepared {
        let (dir, root) = (laid.package.clone(), laid.root.clone());
        let started = Started::of(&self.env, &dir).map_err(|error| format!("{error:#}"));
        Prepared {
            started,
            suspect: Suspect { name, version, checksum, from, dir, root },
            alone: self.alone(laid),
            links: laid.links,
            settings,
            run: None,
            neighbours: None,
            benches,
        }
    }

    fn own_copy(&self, name: &str, version: String, checksum: Option<String>, from: String, source: &Path) -> Result<Prepared> {
        let dir = self.throwaway.work.join(name);
        ensure!(!dir.exists(), "a crate cannot be tried under the name {name:?}");
        let checkout = self.throwaway.cargo_home.join("git/checkouts");
        // Of a repository its own; what the registry has stands by itself.
        let within = source.strip_prefix(&checkout).map(|rest| checkout.join(rest.components().take(2).collect::<PathBuf>()));
        let laid = match within.map_or(Ok(None), |within| Part::of(&self.env, source, |_| within.clone()))? {
            Some(part) => self.lay(&part)?,
            None => Copied { links: unpacking::directory(source, &dir)?, package: dir.clone(), root: dir },
        };
        let brought = (self.lay_aside(&laid)?, benches::leave_out(&laid.package)?);
        Ok(self.stands((name.to_owned(), version), (checksum, from), &laid, brought))
    }

    /// As a workspace of its own, with the versions that the app has.
    fn alone(&self, laid: &Copied) -> Option<String> {
        let (lock, apps) = (laid.root.join("Cargo.lock"), self.throwaway.app().join("Cargo.lock"));
        let brought = lock.exists();
        if !brought {
            let _ = fs::copy(&apps, &lock);
        }
        let mut fetched = self.fetch(&laid.package);
        if fetched.is_err() && brought {
            // What it locked may be gone, or not be there yet.
            let locked = self.forget_repositories().and_then(|()| fs::copy(&apps, &lock).context("lock it anew"));
            fetched = locked.and_then(|_| self.fetch(&laid.package));
        }
        let why = format!("{:#}", fetched.err()?);
        self.forget_repositories().map_or_else(|error| Some(format!("{why}; {error:#}")), |()| Some(why.clone()))
    }

    /// After a fetch that failed: what it brought before is in no lock file, so nobody looks at where it is from. What the app needs is fetched anew.
    fn forget_repositories(&self) -> Result<()> {
        match fs::remove_dir_all(self.throwaway.cargo_home.join("git")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("remove what was fetched"),
            _ => self.fetch(&self.throwaway.app()),
        }
    }

    /// Settings for cargo, where cargo would look for them.
    fn lay_aside(&self, laid: &Copied) -> Result<bool> {
        let mut found = false;
        for dir in laid.package.ancestors().take_while(|dir| *dir != self.throwaway.work) {
            found |= !aside::hide(dir)?.is_empty();
        }
        Ok(found)
    }

    /// The workspace that depends on the suspect, and looks like one of somebody's.
    fn depend(&self, name: &str, how: &str) -> Result<()> {
        ensure!(name != PROJECT, "a crate cannot be tried under the name {name:?}");
        let features: Vec<String> = self.features.iter().map(|feature| quoted(feature)).collect();
        let text = format!(
            "[package]\nname = \"{PROJECT}\"\nversion = \"0.4.1\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n{name} = {{ {how}, features = [{}] }}\n",
            features.join(", ")
        );
        fs::write(self.throwaway.app().join("Cargo.toml"), text).context("write a manifest")
    }

    /// Cargo's settings: where packages come from, and once they are here, nowhere.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn configure(&self, fetched: bool) -> Result<()> {
        let mut table = self.cargo_home.as_deref().map(settings::of).unwrap_or_default();
        if fetched {
            table.retain(|name, _| name == "source" || name == "registries");
        }
        fs::write(self.throwaway.cargo_home.join("config.toml"), table.to_string()).context("write cargo's settings")
    }

    fn fetch(&self, dir: &Path) -> Result<()> {
        self.fetch_as(dir, &["fetch".to_owned()])
    }

    /// With these words of cargo's.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn fetch_as(&self, dir: &Path, words: &[String]) -> Result<()> {
        let args = words.iter().map(OsString::from).collect();
        let report_dir = self.throwaway.reports.join("fetch");
        let stage = Stage { lure: None, report_dir, seconds: PATIENCE, args, allow_degraded: true, view: None, told: None };
        let played = stage::play(&stage, (&self.env, dir), self.interrupt, None)?;
        ensure!(!self.interrupt.came(), "interrupted");
        if played.code == 0 {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&played.said);
        let mut lines = said.lines().skip_while(|line| !line.starts_with("error"));
        let ours = |line: &&str| line.starts_with("Not run") || line.starts_with("Help");
        let why: Vec<&str> =
            lines.by_ref().take(20).map(str::trim).filter(|line| !line.is_empty()).take_while(|line| !ours(line)).collect();
        bail!("fetch it: {}", if why.is_empty() { format!("cargo ended with {}", played.code) } else { why.join(" ") })
    }

    /// Of what the workspace depends on. A repository may hold several of one name: cargo says which it is, but of what has no library, which nobody can depend
    /// on, it says nothing.
    fn source(&self, name: &str, else_in: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
        neighbours::source(&self.env, &self.throwaway.app(), name).map_or_else(else_in, Ok)
    }

    fn in_registry(&self, name: &str, version: &str) -> Result<PathBuf> {
        let sources = self.throwaway.cargo_home.join("registry/src");
        let registries = fs::read_dir(&sources).context("look for its source")?.flatten();
        let found = registries.map(|entry| entry.path().join(format!("{name}-{version}"))).find(|dir| dir.join("Cargo.toml").is_file());
        found.ok_or_else(|| anyhow!("its source is not where cargo keeps sources"))
    }

    /// Of a repository with several packages the one of this name.
    fn in_checkouts(&self, name: &str) -> Result<PathBuf> {
        const LOOKS: usize = 20_000;
        let mut open = vec![self.throwaway.cargo_home.join("git/checkouts")];
        let mut looks = 0;
        while let Some(dir) = open.pop() {
            if suspect::read(&dir).is_ok_and(|(found, _)| found == name) {
                return Ok(dir);
            }
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                looks += 1;
                ensure!(looks < LOOKS, "its repository holds too much");
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git" {
                    open.push(entry.path());
                }
            }
        }
        bail!("its source is not where cargo keeps checkouts")
    }
}

/// The repository that a workspace lies in.
fn repository(workspace: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let found = whose::repository(workspace, home.as_deref()).filter(|found| workspace.starts_with(found));
    found.unwrap_or_else(|| workspace.to_owned())
}

/// A repository's last word.
fn named_by(url: &str) -> Result<String> {
    let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = last.strip_suffix(".git").unwrap_or(last);
    ensure!(is_name(name), "name the crate that is meant: `cargo brig try CRATE --git {url} --rev …`");
    Ok(name.to_owned())
}

/// As TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A repository on this machine may be one of the user's own: whoever depends on it would be handed a copy. So may an index. Nothing has run yet.
///
/// # Errors
/// With its address, unless that is the one that was typed.
fn refuse_local(lock: &Path, typed: Option<&str>) -> Result<()> {
    let Ok(text) = fs::read_to_string(lock) else { return Ok(()) };
    let table = text.parse::<toml::Table>().with_context(|| format!("read {}", lock.display()))?;
    let mut left = vec![toml::Value::Table(table)];
    while let Some(value) = left.pop() {
        match value {
            toml::Value::String(source) => ensure_elsewhere(&source, typed)?,
            toml::Value::Array(list) => left.extend(list),
            // Old ones name sources in their keys: `checksum NAME VERSION (SOURCE)`.
            toml::Value::Table(table) => {
                table.keys().try_for_each(|key| ensure_elsewhere(key.trim_end_matches(')'), typed))?;
                left.extend(table.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `git+file:`, `registry+file:`, and what is asked for of it.
fn ensure_elsewhere(source: &str, typed: Option<&str>) -> Result<()> {
    let Some(at) = source.to_ascii_lowercase().find("+file:") else { return Ok(()) };
    let address = source[at + 1..].split(['?', '#']).next().unwrap_or_default();
    ensure!(typed == Some(address), "it depends on a repository on this machine, which is not handed to it: {address}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_of_the_users_own_are_not_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join("Cargo.lock");
        let fine = |source: &str, typed: Option<&str>| {
            fs::write(&lock, format!("[[package]]\nname = \"x\"\nsource = \"{source}\"\n")).unwrap();
            refuse_local(&lock, typed).is_ok()
        };
        assert!(fine("git+https://h.example/x?rev=0a1b#0a1b", None));
        assert!(!fine("git+file:///home/u/private?rev=0a1b#0a1b", None));
        assert!(!fine("git+FILE:///home/u/private#0a1b", Some("file:///home/u/other")));
        assert!(fine("git+file:///home/u/x?rev=0a1b#0a1b", Some("file:///home/u/x")));
        fs::write(&lock, "[[package]]\nname='x'\nsource='git+file:///home/u/private?rev=0a1b#0a1b'\n").unwrap();
        assert!(refuse_local(&lock, None).is_err());
        assert!(!fine("registry+file:///home/u/index", None) && !fine("sparse+file:///home/u/index/", None));
        assert!(fine("registry+https://h.example/index", None));
    }
}
