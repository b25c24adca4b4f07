//! What options and configuration together ask for. In: options, the workspace's `brig.toml`. Out: the profile in force, and what else was asked for.

use std::time::Duration;

use super::stopped::Stopped;
use crate::cli::Options;
use crate::judge::Places;
use crate::model::Hostile;
use crate::model::report::Loosened;
use crate::plan::exceptions::Exceptions;
use crate::plan::exceptions::day::Day;
use crate::plan::malicious::List;
use crate::plan::{self, Profile, config, loosening};

pub struct Chosen {
    pub profile: Profile,
    pub timeout: Option<Duration>,
    /// By the repository's own file. One the user named is the user's word.
    pub loosened: Option<Loosened>,
    pub exceptions: Exceptions,
    pub malicious: List,
}

impl Chosen {
    /// # Errors
    /// When a file is wrong, with its place.
    pub fn read(options: &Options, places: &Places) -> Result<Chosen, Stopped> {
        let workspace = places.workspace.as_deref().filter(|_| !options.no_config);
        let file = config::find(workspace, options.config.as_deref())?;
        let written = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
        let name = options.policy.clone().or(written.policy.clone()).unwrap_or_else(|| "default".into());
        let mut profile = plan::load(&name, file.as_deref())?;
        if let Some(mode) = options.mode.or(written.mode) {
            profile.mode = mode;
        }
        let malicious = List::read(&written.malicious_files(file.as_deref()))?;
        let loosened = file.filter(|_| options.config.is_none()).and_then(|file| {
            // Without the file: a profile that exists without it, else the default one; in the mode that was typed.
            let named = options.policy.as_deref().and_then(|name| plan::load(name, None).ok());
            let mut reference = named.or_else(|| plan::load("default", None).ok())?;
            reference.mode = options.mode.unwrap_or(reference.mode);
            let mut grants = loosening::beyond(&profile, &reference);
            grants.extend(written.exceptions.loosening(Day::today()));
            let shown = places.workspace.as_deref().and_then(|root| file.strip_prefix(root).ok()).unwrap_or(&file);
            (!grants.is_empty()).then(|| Loosened { file: Hostile::from(shown), than: reference.name, grants })
        });
        Ok(Chosen { profile, timeout: options.timeout.or(written.timeout), loosened, exceptions: written.exceptions, malicious })
    }
}
