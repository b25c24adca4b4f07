//! A policy that a project may tighten and not loosen: the machine's (`/etc/brig/floor.toml`), the user's (`~/.config/brig/floor.toml`), an organisation's or a base
//! branch's (`--floor FILE`). In: files of the form of a `brig.toml`. Out: floors; what a profile and exceptions have beyond one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::plan::config::{self, Config};
use crate::plan::document::ConfigError;
use crate::plan::exceptions::Exceptions;
use crate::plan::profile::Profile;
use crate::plan::{load, loosening, own_files};

const NAME: &str = "floor.toml";

/// One file, and the profile it asks for.
#[derive(Clone, Debug)]
pub struct Floor {
    pub path: PathBuf,
    pub profile: Profile,
    config: Config,
}

/// The machine's, the user's, and the one that was named: all of them hold.
///
/// # Errors
/// When one is wrong, with its place; and when the one that was named is not there.
pub fn read(named: Option<&Path>) -> Result<Vec<Floor>, ConfigError> {
    own_files::of(NAME).into_iter().chain(named.map(Path::to_owned)).map(Floor::read).collect()
}

impl Floor {
    fn read(path: PathBuf) -> Result<Floor, ConfigError> {
        let config = config::read(&path)?;
        let mut profile = load(config.policy.as_deref().unwrap_or("default"), Some(&path))?;
        profile.mode = config.mode.unwrap_or(profile.mode);
        Ok(Floor { path, profile, config })
    }

    /// What a project cannot know of and need not say: what is required, what else is a secret, and that nothing was reviewed for it.
    pub fn tighten(&self, profile: &mut Profile) {
        let (require, least) = (&mut profile.require, self.profile.require);
        require.landlock = require.landlock.max(least.landlock);
        require.complete |= least.complete;
        require.accepted |= least.accepted;
        if profile.reviewed && !self.profile.reviewed {
            (profile.reviewed, profile.reviewed_by) = (false, self.profile.reviewed_by.clone());
        }
        let add = |to: &mut Vec<String>, from: &[String]| {
            let new: Vec<String> = from.iter().filter(|entry| !to.contains(entry)).cloned().collect();
            to.extend(new);
        };
        add(&mut profile.secrets.extra, &self.profile.secrets.extra);
        add(&mut profile.environment.withhold, &self.profile.environment.withhold);
    }

    /// What these have beyond it; one phrase each, with the place of an exception.
    pub fn beyond(&self, profile: &Profile, exceptions: &Exceptions) -> Vec<(String, Option<ConfigError>)> {
        let mut more: Vec<_> = loosening::beyond(profile, &self.profile).into_iter().map(|phrase| (phrase, None)).collect();
        for allow in exceptions.allows.iter().filter(|allow| !self.config.exceptions.allows.iter().any(|known| known.covers(allow))) {
            let phrase = format!("the exception for {} ({}, {})", allow.told.whom, allow.told.actor.name(), allow.told.origin);
            more.push((phrase, Some(allow.complaint(String::new()))));
        }
        more
    }

    /// What it forbids, the project's own forbids besides.
    pub fn denials(&self) -> &Exceptions {
        &self.config.exceptions
    }

    pub fn timeout(&self) -> Option<Duration> {
        self.config.timeout
    }

    pub fn malicious_files(&self) -> Vec<PathBuf> {
        self.config.malicious_files(Some(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::config::parse;

    fn floor(text: &str) -> Floor {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("version = 1\n{text}")).unwrap();
        Floor::read(file.path().to_owned()).unwrap()
    }

    fn beyond(floor_text: &str, policy: &str, text: &str) -> Vec<String> {
        let (floor, config) = (floor(floor_text), parse("brig.toml", &format!("version = 1\n{text}")).unwrap());
        let mut profile = config::load_with(policy, &config, "brig.toml").unwrap();
        profile.mode = config.mode.unwrap_or(profile.mode);
        floor.tighten(&mut profile);
        floor.beyond(&profile, &config.exceptions).into_iter().map(|(phrase, _)| phrase).collect()
    }

    const MINE: &str = "[profile.mine]\ninherits = \"default\"\n";

    #[test]
    fn a_project_may_tighten_and_not_loosen() {
        for (at_least, policy, text) in [
            ("", "default", ""),
            ("", "strict", ""),
            ("policy = \"ci\"", "default", ""),
            ("[profile.default]\ninherits = \"default\"\nextend-secrets = [\"*.ours\"]\nreviewed = false\n", "default", ""),
            ("", "mine", "[profile.mine]\ninherits = \"strict\"\n[profile.mine.environment]\nextend-withhold = [\"OURS\"]\n"),
        ] {
            assert_eq!(beyond(at_least, policy, text), Vec::<String>::new(), "{at_least} {policy}");
        }
        let more = |grants: &str| format!("{MINE}[profile.mine.build-script]\n{grants}\n");
        for (at_least, policy, text, said) in [
            ("", "default", "mode = \"observe\"".to_owned(), "mode observe: nothing is refused"),
            ("", "observe", String::new(), "mode observe: nothing is refused"),
            ("policy = \"strict\"", "default", String::new(), "build-script read {workspace}"),
            ("", "mine", more("extend-connect = [\"*:443\"]"), "build-script connect *:443"),
            ("", "mine", format!("{MINE}not-secrets = [\"*.pem\"]\n"), "not-secrets *.pem"),
        ] {
            assert!(beyond(at_least, policy, &text).iter().any(|phrase| phrase == said), "{at_least} {policy} {text}");
        }
    }

    #[test]
    fn what_is_required_is_required_of_all() {
        let mut profile = load("default", None).unwrap();
        let strict = floor("policy = \"strict\"\n");
        strict.tighten(&mut profile);
        assert_eq!(profile.require, strict.profile.require);
        assert!(profile.require.accepted && !profile.reviewed);
    }

    #[test]
    fn an_exception_must_stand_in_the_floor_as_well() {
        let allow = |whom: &str, grants: &str, expires: &str| {
            format!("[[allow]]\ncrate = \"{whom}\"\nactor = \"build-script\"\n{grants}\nreason = \"r\"\nexpires = {expires}\n")
        };
        let two = "connect = [\"a.example:443\", \"b.example:443\"]";
        let known = allow("x@1.2.3", two, "2027-02-01");
        for (text, expected) in [
            (known.clone(), 0),
            (allow("x@1.2.3", "connect = [\"b.example:443\"]", "2027-01-01"), 0),
            (allow("x@1.2.3", two, "2027-02-02"), 1),
            (allow("x@1.2.3", two, "\"never\""), 1),
            (allow("x@1.2.4", two, "2027-02-01"), 1),
            (allow("x@1.2.3", "connect = [\"c.example:443\"]", "2027-02-01"), 1),
            (allow("x@1.2.3", "read = [\"{workspace}/.env\"]\nreveal = [\"A\"]", "2027-02-01"), 1),
            (allow("x@1.2.3", two, "2027-02-01").replace("build-script", "program"), 1),
        ] {
            assert_eq!(beyond(&known, "default", &text).len(), expected, "{text}");
        }
        let phrase = beyond("", "default", &known);
        assert_eq!(phrase, ["the exception for x@1.2.3 (build-script, brig.toml:2)"]);
    }
}
