//! What options and configuration together ask for. In: options, the workspace's `brig.toml`, floors. Out: the profile in force, and what else was asked for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;

use super::stopped::Stopped;
use crate::baseline::Lock;
use crate::cli::Options;
use crate::judge::{Decoys, Places};
use crate::model::report::Loosened;
use crate::model::{Exit, Hostile, Lure, Mode};
use crate::plan::config::{Choice, Config};
use crate::plan::exceptions::Exceptions;
use crate::plan::exceptions::day::Day;
use crate::plan::floor::{self, Floor};
use crate::plan::imports::Imports;
use crate::plan::malicious::List;
use crate::plan::{self, ConfigError, Profile, behaviours, config, loosening};

pub struct Chosen {
    pub profile: Profile,
    pub timeout: Option<Duration>,
    /// By the repository's own file. One the user named is the user's word.
    pub loosened: Option<Loosened>,
    /// Files that say what is the least.
    pub floors: Vec<Hostile>,
    pub exceptions: Exceptions,
    pub malicious: List,
    /// The workspace's lock of behaviours.
    pub accepted: Option<Lock>,
    /// Locks of others that count beside it.
    pub imports: Imports,
    /// What it does not hold must not be built, or done.
    pub held: bool,
}

impl Chosen {
    /// # Errors
    /// When a file is wrong, with its place; and when more would be in force than a floor grants.
    pub fn read(options: &Options, places: &Places) -> Result<Chosen, Stopped> {
        let workspace = places.workspace.as_deref().filter(|_| !options.no_config);
        let file = config::find(workspace, options.config.as_deref())?;
        let mut written = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
        let floors = floor::read(options.floor.as_deref())?;
        let mut profile = match (options.policy.as_ref().or(written.policy.as_ref()), floors.last()) {
            (Some(name), _) => plan::load(name, file.as_deref())?,
            // Nobody has chosen one: the least there is.
            (None, Some(floor)) => floor.profile.clone(),
            (None, None) => plan::load("default", file.as_deref())?,
        };
        if let Some(mode) = options.mode.or(written.mode) {
            profile.mode = mode;
        }
        if let Some(lure) = &options.lure {
            let Lure { root, more, laid, kept, closed, .. } = lure.clone();
            let decoys = Decoys { root, more, laid, kept, given: vec![lure.certificate()], closed };
            (profile.mode, profile.decoys) = (Mode::Decoy, Some(decoys));
            (profile.shift, profile.hostname) = (lure.shift, lure.hostname.as_deref().map(Into::into));
            // All of it is decoys: there is nothing of the user's in it.
            profile.environment.pass.push("*".to_owned());
        }
        let mut more = written.malicious_files(file.as_deref());
        for floor in &floors {
            floor.tighten(&mut profile);
            more.extend(floor.malicious_files());
        }
        hold(&floors, &profile, &written, options, file.as_ref())?;
        let malicious = List::read(&more)?;
        let shown = |path: &PathBuf| places.workspace.as_deref().and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path).to_owned();
        let loosened = file.clone().filter(|_| options.config.is_none()).and_then(|file| {
            // Without the file: a profile that exists without it, else the least there is; in the mode that was typed.
            let named = options.policy.as_deref().and_then(|name| plan::load(name, None).ok());
            let mut reference =
                named.or_else(|| floors.last().map(|floor| floor.profile.clone())).or_else(|| plan::load("default", None).ok())?;
            reference.mode = options.mode.unwrap_or(reference.mode);
            let mut grants = loosening::beyond(&profile, &reference);
            grants.extend(written.exceptions.loosening(Day::today()));
            (!grants.is_empty()).then(|| Loosened { file: Hostile::from(&*shown(&file)), than: reference.name, grants })
        });
        let accepted = places.workspace.as_deref().map(behaviours::read).transpose()?.flatten();
        if options.locked_behaviour && accepted.is_none() {
            let cause = anyhow!("there is no brig.lock here: `--locked-behaviour` wants one, and `cargo brig baseline accept` writes it");
            return Err(Stopped { exit: Exit::NewBehaviour, cause });
        }
        let held = options.locked_behaviour || profile.require.accepted && profile.mode != Mode::Observe;
        let wanted = std::mem::take(&mut written.imports);
        let imports = match places.workspace {
            Some(_) => Imports::read(wanted, file.as_deref(), accepted.as_ref())?,
            None => Imports::default(),
        };
        let limits = floors.iter().filter_map(Floor::timeout);
        let timeout = options.timeout.or(written.timeout).into_iter().chain(limits).min();
        for floor in &floors {
            written.exceptions.denials.extend(floor.denials().denials.iter().cloned());
        }
        let floors = floors.iter().map(|floor| Hostile::from(&*shown(&floor.path))).collect();
        Ok(Chosen { profile, timeout, loosened, floors, exceptions: written.exceptions, malicious, accepted, imports, held })
    }
}

/// Nothing in force may be more than a floor grants.
fn hold(floors: &[Floor], profile: &Profile, written: &Config, options: &Options, file: Option<&PathBuf>) -> Result<(), Stopped> {
    const LISTED: usize = 6;
    for floor in floors {
        let beyond = floor.beyond(profile, &written.exceptions);
        if beyond.is_empty() {
            continue;
        }
        let listed: Vec<String> = beyond.iter().take(LISTED).map(|(phrase, _)| format!("`{}`", phrase.escape_debug())).collect();
        let more = if beyond.len() > LISTED { ", …" } else { "" };
        let typed = if options.policy.is_some() || options.mode.is_some() { ", with what was typed," } else { "" };
        let message = format!(
            "profile `{}`{typed} has more than the floor {} (profile `{}`) lets anybody have: {}{more}; a project may tighten it only",
            profile.name.escape_debug(),
            floor.path.display(),
            floor.profile.name.escape_debug(),
            listed.join(", ")
        );
        let exception = beyond.iter().find_map(|(_, at)| at.clone());
        // The first line that has to do with it: of what was typed there is none.
        let chosen = match options.mode.is_none() && profile.mode == Mode::Observe && floor.profile.mode == Mode::Enforce {
            true => written.chooses_at(Choice::Mode).or_else(|| written.chooses_at(Choice::Policy)),
            false => written.chooses_at(Choice::Policy).filter(|_| options.policy.is_none()),
        };
        return Err(match (file, chosen, exception) {
            (Some(file), Some((line, column)), _) if beyond[0].1.is_none() => {
                ConfigError { line, column, ..ConfigError::unread(&file.display().to_string(), message) }
            }
            (_, _, Some(at)) => ConfigError { message, ..at },
            (Some(file), ..) => ConfigError::unread(&file.display().to_string(), message),
            (None, ..) => ConfigError::typed(message),
        }
        .into());
    }
    Ok(())
}
