//! `brig.toml`: which policy, and profiles of the user's own. In: a path, or the workspace root. Out: a `Config`, a loaded `Profile`,
//! or a `ConfigError` with file, line and column (exit 96).

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::model::{Mode, duration};
use crate::plan::document::{ConfigError, Document, mode, suggestion};
use crate::plan::exceptions::Exceptions;
use crate::plan::imports::{self, Wanted};
use crate::plan::layer::Layer;
use crate::plan::profile::{EMBEDDED, Profile, embedded};

/// A parsed `brig.toml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `policy = "…"`, the profile to use.
    pub policy: Option<String>,
    /// Line and column of that.
    policy_at: (u32, u32),
    pub mode: Option<Mode>,
    mode_at: (u32, u32),
    /// How long a build may take.
    pub timeout: Option<Duration>,
    pub(crate) profiles: Vec<(String, Layer)>,
    /// Files that add to what is known to be malicious, from where this one lies.
    pub malicious: Vec<String>,
    /// `[[allow]]` and `[[deny]]`.
    pub exceptions: Exceptions,
    /// `[imports.NAME]`: locks of others.
    pub imports: Vec<Wanted>,
}

impl Config {
    /// The files that add to what is known to be malicious; `file` is where this was read from.
    pub fn malicious_files(&self, file: Option<&Path>) -> Vec<PathBuf> {
        let beside = file.and_then(Path::parent).unwrap_or(Path::new("."));
        self.malicious.iter().map(|path| beside.join(path)).collect()
    }

    /// Where it says which mode, or which profile.
    pub fn chooses_at(&self, what: Choice) -> Option<(u32, u32)> {
        match what {
            Choice::Mode => self.mode.map(|_| self.mode_at),
            Choice::Policy => self.policy.as_ref().map(|_| self.policy_at),
        }
    }

    /// The profiles it defines, in the order they stand in.
    pub fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|(name, _)| name.as_str())
    }
}

/// What a file chooses for a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Mode,
    Policy,
}

const KEYS: [&str; 9] = ["version", "policy", "profile", "mode", "timeout", "known-malicious", "allow", "deny", "imports"];

/// The configuration file for a workspace: what `--config` or `BRIG_CONFIG` named, else `brig.toml`, else `.config/brig.toml`.
///
/// # Errors
/// When a named file does not exist, or both default files do.
pub fn find(workspace: Option<&Path>, named: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(path) = named {
        let text = path.display().to_string();
        return if path.is_file() { Ok(Some(path.to_owned())) } else { Err(ConfigError::unread(&text, "there is no such file")) };
    }
    let Some(workspace) = workspace else { return Ok(None) };
    for path in ["brig.toml", ".config/brig.toml"].map(|name| workspace.join(name)) {
        // What it leads to was written by nobody knows whom; one that leads nowhere would be no policy at all.
        if path.is_symlink() {
            let message = "is a symbolic link: it must be a file of the workspace's own; `--config FILE` names another one";
            return Err(ConfigError::unread(&path.display().to_string(), message));
        }
    }
    let found: Vec<PathBuf> =
        ["brig.toml", ".config/brig.toml"].iter().map(|name| workspace.join(name)).filter(|path| path.is_file()).collect();
    match found.as_slice() {
        [_, second] => Err(ConfigError::whole(&second.display().to_string(), "there is also a `brig.toml`: keep one of them")),
        found => Ok(found.first().cloned()),
    }
}

/// Reads and checks a `brig.toml`.
///
/// # Errors
/// With the place and, where it helps, what was probably meant.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unread(&file, format!("cannot be read: {error}")))?;
    parse(&file, &text)
}

pub(crate) fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
    let document = Document { file, text };
    let table = document.parse().map_err(|error| explain_profile_twice(error, text))?;
    let mut config = Config::default();
    for (key, item) in &table {
        match key.get_ref().as_ref() {
            "version" => {}
            "policy" => {
                config.policy = Some(document.string(item, "policy")?.to_owned());
                config.policy_at = document.position(item.span().start);
            }
            "mode" => {
                config.mode = Some(mode(&document, document.string(item, "mode")?, item.span())?);
                config.mode_at = document.position(item.span().start);
            }
            "timeout" => {
                let text = document.string(item, "timeout")?;
                config.timeout = Some(duration::parse(text).map_err(|why| document.error(item.span(), format!("`timeout`: {why}")))?);
            }
            "profile" => match item.get_ref().as_str() {
                Some(name) => {
                    config.policy = Some(name.to_owned());
                    config.policy_at = document.position(item.span().start);
                }
                None => {
                    for (name, body) in document.table(item, "profile")? {
                        let name = name.get_ref().to_string();
                        let layer = Layer::read(&document, &name, document.table(body, &format!("profile.{name}"))?, false)?;
                        config.profiles.push((name, layer));
                    }
                }
            },
            "known-malicious" => {
                for (path, at) in document.strings(item, "known-malicious")? {
                    // What a repository's file names is read and complained about: nothing but its own.
                    let is_beside = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
                    if !is_beside {
                        return Err(document.error(at, "`known-malicious` names files beside this one: no `..`, and no absolute path"));
                    }
                    config.malicious.push(path);
                }
            }
            "imports" => config.imports = imports::parse(&document, item)?,
            "allow" => config.exceptions.read_allows(&document, item)?,
            "deny" => config.exceptions.read_denials(&document, item)?,
            other => return Err(document.unknown(key.span(), "key", other, &KEYS)),
        }
    }
    document.version(&table)?;
    Ok(config)
}

/// `profile = "x"` next to `[profile.y]` is not TOML: the same key would be a string and a table.
fn explain_profile_twice(mut error: ConfigError, text: &str) -> ConfigError {
    let assigned =
        text.lines().any(|line| line.trim_start().strip_prefix("profile").is_some_and(|rest| rest.trim_start().starts_with('=')));
    if assigned && text.contains("[profile.") {
        error.message.push_str("; `profile = …` cannot stand next to `[profile.…]`: write `policy = …`");
    }
    error
}

/// Loads a profile: a path to a file of its own, else one of `config`'s, else an embedded one.
///
/// # Errors
/// When there is none of that name, a file cannot be read, or something in it is wrong.
pub fn load(name_or_path: &str, config: Option<&Path>) -> Result<Profile, ConfigError> {
    let config_read = config.map(read).transpose()?.unwrap_or_default();
    let file = config.map_or_else(|| "command line".to_owned(), |path| path.display().to_string());
    load_with(name_or_path, &config_read, &file)
}

/// The same with a configuration that was read already; `file` names it in errors.
pub(crate) fn load_with(name_or_path: &str, config: &Config, file: &str) -> Result<Profile, ConfigError> {
    let mut chain: Vec<(String, Layer)> = Vec::new();
    let mut wanted = name_or_path.to_owned();
    let mut asked_by = match config.policy.as_deref() == Some(name_or_path) {
        true => ConfigError { line: config.policy_at.0, column: config.policy_at.1, ..ConfigError::whole(file, String::new()) },
        false => ConfigError::typed(String::new()),
    };
    loop {
        // A profile may extend an embedded one under the same name: look past those already in the chain.
        let own = config
            .profiles
            .iter()
            .find(|(name, _)| *name == wanted && !chain.iter().any(|(known, layer)| known == name && !layer.embedded));
        let layer = match own {
            Some((_, layer)) => layer.clone(),
            None if wanted.contains('/') || wanted.ends_with(".toml") => from_file(&wanted)?,
            None => match embedded(&wanted) {
                Some(text) => from_text(&format!("profiles/{wanted}.toml"), text, true)?,
                None if chain.iter().any(|(name, _)| *name == wanted) => return Err(circle(asked_by, &wanted)),
                None => {
                    let mut known: Vec<&str> = config.profiles.iter().map(|(name, _)| name.as_str()).collect();
                    known.extend(EMBEDDED.iter().map(|(name, _)| *name));
                    asked_by.message = format!("there is no profile `{}`{}", wanted.escape_debug(), suggestion(&wanted, &known));
                    return Err(asked_by);
                }
            },
        };
        if chain.iter().any(|(name, known)| *name == wanted && known.file == layer.file) {
            return Err(circle(asked_by, &wanted));
        }
        let next = layer.inherits.clone();
        chain.push((wanted, layer));
        match next {
            None => return Profile::from_chain(chain),
            Some((parent, place)) => {
                wanted = parent;
                asked_by = place;
            }
        }
    }
}

fn circle(mut place: ConfigError, name: &str) -> ConfigError {
    place.message = format!("profile `{name}` inherits itself");
    place
}

fn from_file(path: &str) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unread(path, format!("cannot be read: {error}")))?;
    from_text(path, &text, false)
}

fn from_text(file: &str, text: &str, embedded: bool) -> Result<Layer, ConfigError> {
    let document = Document { file, text };
    let table = document.parse()?;
    let name = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut layer = Layer::read(&document, &name, &table, true)?;
    document.version(&table)?;
    layer.embedded = embedded;
    Ok(layer)
}
