//! What is worth stealing: the catalogue `profiles/catalogue.toml` compiled for one run. In: a resolved path, or a file's (device,
//! inode). Out: the class of secret it is, if it is one. Values are never read, here or anywhere.

use std::collections::HashMap;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::judge::configuration::format::{self, Format};
use crate::judge::matcher::{Hit, Matcher, Tag};
use crate::judge::paths::{components, deepest, glob, name, within};
use crate::judge::places::Places;
use crate::model::Object;

/// The embedded data file.
pub const CATALOGUE: &str = include_str!("../../profiles/catalogue.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub version: u32,
    files: Files,
    pub environment: EnvironmentNames,
    sockets: Sockets,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Files {
    look_alikes: Vec<String>,
    in_projects: Vec<String>,
    fixture_directories: Vec<String>,
    class: Vec<Class>,
    redacted: Vec<Configuration>,
    persistence: Vec<List>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    #[serde(default)]
    fixtures: bool,
    paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    format: Format,
    paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentNames {
    pub withhold: Vec<String>,
    pub keep: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sockets {
    agents: Vec<String>,
    quiet: Vec<String>,
}

impl Catalogue {
    /// Each pattern with the class of secret it is.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.class.iter().flat_map(|class| class.paths.iter().map(|path| (class.name.as_str(), path.as_str())))
    }
}

/// The catalogue as data. The file is part of the program, and a test reads it.
pub fn catalogue() -> &'static Catalogue {
    static PARSED: LazyLock<Catalogue> = LazyLock::new(|| toml::from_str(CATALOGUE).expect("the embedded catalogue is well-formed"));
    &PARSED
}

/// What a profile changes about the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretLists {
    /// Use the catalogue at all (`secrets = […]` replaces it).
    pub catalogue: bool,
    /// Globs on whole paths where they begin with a slash, else on the last components of any path.
    pub extra: Vec<String>,
    /// Globs that are not secrets whatever else says so.
    pub except: Vec<String>,
}

impl Default for SecretLists {
    fn default() -> Self {
        SecretLists { catalogue: true, extra: Vec::new(), except: Vec::new() }
    }
}

/// Compiled for one run; shared by all actors.
#[derive(Debug, Default)]
pub struct Secrets {
    classes: Vec<(String, bool)>,
    files: Matcher,
    /// What is kept at home, by the same name in any directory of the workspace.
    copies: Matcher,
    look_alikes: Vec<Vec<u8>>,
    fixture_directories: Vec<Vec<u8>>,
    extra: Vec<GlobSet>,
    except: Vec<GlobSet>,
    redacted: Matcher,
    /// By the tags of `redacted`.
    formats: Vec<Format>,
    /// What configurations include from elsewhere, by real path.
    included: HashMap<Vec<u8>, Format>,
    persistence: Matcher,
    agents: Matcher,
    quiet_sockets: Matcher,
    /// Hard-linked secrets: another name is still the secret.
    inodes: HashMap<(u64, u64), Tag>,
    /// Trees where a name alone means nothing: published sources, system, build output.
    public: Vec<PathBuf>,
    /// Trees that are the user's own, unless a public one lies deeper (`target` in a workspace, a workspace in `/usr/src`).
    own: Vec<PathBuf>,
    workspace: Option<PathBuf>,
    /// The workspace and the packages beside it.
    projects: Vec<PathBuf>,
    /// Places that themselves lie below a secret tree (a worktree kept in an assistant's folder): only names count there.
    islands: Vec<PathBuf>,
}

const USER_CLASS: &str = "listed in the profile";

impl Secrets {
    /// Compiles the catalogue for these places. No file is looked at: see [`Secrets::with_inodes`].
    ///
    /// # Errors
    /// When a glob of the profile is malformed; the text names it.
    pub fn compile(places: &Places, lists: &SecretLists) -> Result<Self, String> {
        let data = catalogue();
        let mut secrets = Secrets { workspace: places.workspace.clone(), public: public_trees(places), ..Secrets::default() };
        secrets.own = places.workspace.iter().chain(&places.packages).chain(&places.home).chain([&places.cargo_home]).cloned().collect();
        secrets.projects = places.workspace.iter().chain(&places.packages).cloned().collect();
        if lists.catalogue {
            for class in &data.files.class {
                let tag = secrets.classes.len() as Tag;
                secrets.classes.push((class.name.clone(), class.fixtures));
                class.paths.iter().for_each(|pattern| secrets.files.add(pattern, tag, places));
                secrets.classes.push((class.name.clone(), true));
                let copies = class.paths.iter().filter_map(|pattern| copy(pattern, &data.files.in_projects));
                copies.for_each(|pattern| secrets.copies.add(&pattern, tag + 1, places));
            }
        }
        secrets.look_alikes = data.files.look_alikes.iter().map(|text| text.to_ascii_lowercase().into_bytes()).collect();
        secrets.fixture_directories = data.files.fixture_directories.iter().map(|text| text.clone().into_bytes()).collect();
        secrets.extra = globs(&lists.extra)?;
        secrets.except = globs(&lists.except)?;
        data.files.persistence.iter().flat_map(|list| &list.paths).for_each(|pattern| secrets.persistence.add(pattern, 0, places));
        for Configuration { format, paths } in &data.files.redacted {
            let tag = secrets.formats.len() as Tag;
            secrets.formats.push(*format);
            paths.iter().for_each(|pattern| secrets.redacted.add(pattern, tag, places));
        }
        data.sockets.agents.iter().for_each(|pattern| secrets.agents.add(pattern, 0, places));
        data.sockets.quiet.iter().for_each(|pattern| secrets.quiet_sockets.add(pattern, 0, places));
        secrets.islands = places.all().filter(|place| is_rooted(secrets.files.find(place.as_os_str().as_bytes()))).cloned().collect();
        Ok(secrets)
    }

    /// Adds the inodes of secrets that have more than one name (found by `plan::hard_links`).
    pub fn with_inodes(mut self, found: impl IntoIterator<Item = (PathBuf, u64, u64)>) -> Self {
        for (path, dev, ino) in found {
            if let Some(hit) = self.hit(path.as_os_str().as_bytes()) {
                self.inodes.insert((dev, ino), hit.tag);
            }
        }
        self
    }

    /// Adds files that configurations include (found by `plan::included`).
    pub fn with_included(mut self, found: impl IntoIterator<Item = (PathBuf, Format)>) -> Self {
        self.included.extend(found.into_iter().map(|(path, format)| (path.into_os_string().into_vec(), format)));
        self
    }

    /// The class of secret this path is.
    pub fn class_of(&self, path: &[u8]) -> Option<&str> {
        if let Some(hit) = self.hit(path) {
            return self.classes.get(usize::from(hit.tag)).map(|class| class.0.as_str());
        }
        let extra = self.extra.iter().any(|globs| globs.is_match(as_path(path)));
        (extra && !self.excepted(path)).then_some(USER_CLASS)
    }

    /// The class of secret this file is under another name.
    pub fn class_of_object(&self, object: Option<Object>) -> Option<&str> {
        let object = object.filter(|_| !self.inodes.is_empty())?;
        let tag = self.inodes.get(&(object.dev, object.ino))?;
        self.classes.get(usize::from(*tag)).map(|class| class.0.as_str())
    }

    fn hit(&self, path: &[u8]) -> Option<Hit> {
        let on_island = !self.islands.is_empty() && within(path, &self.islands);
        let hit = if on_island { self.files.find_by_name(path) } else { self.files.find(path) };
        let hit = hit.or_else(|| self.copy_in_a_project(path))?;
        if hit.rooted {
            return (!self.excepted(path)).then_some(hit);
        }
        let last = name(path).to_ascii_lowercase();
        let harmless = self.is_public(path)
            || self.look_alikes.iter().any(|pattern| glob(pattern, &last))
            || (self.classes.get(usize::from(hit.tag)).is_some_and(|class| class.1) && self.is_fixture(path))
            || self.excepted(path);
        (!harmless).then_some(hit)
    }

    /// Below the workspace, or a package beside it: where that itself lies says nothing.
    fn copy_in_a_project(&self, path: &[u8]) -> Option<Hit> {
        let rest = self.projects.iter().find_map(|tree| super::paths::below(path, tree)).filter(|rest| !rest.is_empty())?;
        // With the slash before it: a whole path of its own.
        self.copies.find_by_name(&path[path.len() - rest.len() - 1..])
    }

    /// Published sources, the system, the build's own output: nobody's secret, whatever its name.
    pub fn is_public(&self, path: &[u8]) -> bool {
        deepest(path, &self.public) > deepest(path, &self.own)
    }

    fn excepted(&self, path: &[u8]) -> bool {
        self.except.iter().any(|globs| globs.is_match(as_path(path)))
    }

    fn is_fixture(&self, path: &[u8]) -> bool {
        let Some(rest) = self.workspace.as_deref().and_then(|workspace| super::paths::below(path, workspace)) else { return false };
        components(super::paths::parent(rest)).any(|dir| self.fixture_directories.iter().any(|known| known.eq_ignore_ascii_case(dir)))
    }

    /// Could the last component name a secret? Wider than [`Secrets::class_of`]: for letting reads pass unexamined.
    pub fn looks_secret(&self, path: &[u8]) -> bool {
        self.files.find(path).is_some()
            || self.copy_in_a_project(path).is_some()
            || self.extra.iter().any(|globs| globs.is_match(as_path(path)))
    }

    /// Is this a configuration of which actors get a copy? With its format, whether it was found below a known root.
    pub fn is_redacted(&self, path: &[u8]) -> Option<(Format, bool)> {
        // All of these are files with literal names: hardly any path gets past this line.
        let hit = if self.redacted.may_end_in(name(path)) { self.redacted.find(path) } else { None };
        let listed = hit.and_then(|hit| Some((*self.formats.get(usize::from(hit.tag))?, hit.rooted)));
        let included = || self.included.get(path).map(|format| (*format, false));
        listed.or_else(|| Some((format::beside(path)?, false))).or_else(included)
    }

    /// Is this what runs later, of itself: start-up files, schedules, keys that let somebody in?
    pub fn is_persistence(&self, path: &[u8]) -> Option<Hit> {
        self.persistence.find(path)
    }

    /// Is this the socket of somebody who acts for the user (ssh-agent, docker)?
    pub fn is_agent(&self, path: &[u8]) -> bool {
        self.agents.find(path).is_some()
    }

    /// Is this a socket that the C library asks by habit, so that a refusal is no alarm?
    pub fn is_quiet_socket(&self, path: &[u8]) -> bool {
        self.quiet_sockets.find(path).is_some()
    }
}

/// The shape by which what is kept at home in a hidden place is found in any directory: `~/.kube` → `.kube/**`. Not what `projects` keep
/// openly by the same name.
fn copy(pattern: &str, projects: &[String]) -> Option<String> {
    let tail = pattern.strip_prefix("~/").filter(|tail| tail.starts_with('.'))?;
    let first = tail.split('/').next().unwrap_or(tail);
    if projects.iter().any(|open| tail == open) {
        return None;
    }
    // Without a literal name at its front it is found by the last one.
    Some(if first.contains('*') { tail.to_owned() } else { format!("{tail}/**") })
}

fn is_rooted(hit: Option<Hit>) -> bool {
    hit.is_some_and(|hit| hit.rooted)
}

pub(crate) fn as_path(path: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(path))
}

/// Sources others published, the system and the build's own output.
fn public_trees(places: &Places) -> Vec<PathBuf> {
    let system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ssl/certs", "/etc/pki", "/etc/ca-certificates"];
    let mut trees: Vec<PathBuf> = system.iter().map(PathBuf::from).collect();
    trees.extend(["/nix/store", "/gnu/store"].map(PathBuf::from));
    trees.extend(places.results().chain([&places.toolchain, &places.tmp]).cloned());
    trees.extend(["registry/src", "git/checkouts"].map(|dir| places.cargo_home.join(dir)));
    trees.retain(|tree| tree.is_absolute());
    trees
}

/// # Errors
/// When the glob is malformed.
pub fn check_glob(text: &str) -> Result<(), String> {
    globs(&[text.to_owned()]).map(|_| ())
}

/// One set, or as many as it takes: a set that would grow beyond the bound of its compiler is built in halves.
fn globs(texts: &[String]) -> Result<Vec<GlobSet>, String> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    match (set(texts), texts.split_at(texts.len() / 2)) {
        (Ok(set), _) => Ok(vec![set]),
        (Err(error), ([], _)) => Err(error),
        (Err(_), (front, back)) => Ok([globs(front)?, globs(back)?].concat()),
    }
}

fn set(texts: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        // Paths are whole: a glob that does not begin at the root means the end of one, as in the catalogue.
        let whole = if text.starts_with('/') || text.starts_with("**/") { text.clone() } else { format!("**/{text}") };
        let glob = GlobBuilder::new(&whole).case_insensitive(true).literal_separator(true).build();
        set.add(glob.map_err(|error| format!("glob `{text}`: {}", error.kind()))?);
    }
    set.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
