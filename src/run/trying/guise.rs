//! When and where a suspect is to believe it is: date, machine, language, processors. In: what was typed. Out: what is made up for it, its variables, and
//! what cannot be made up, as people are told.

use std::ffi::OsString;
use std::io;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::cli::trying::How;
use crate::model::Shift;
use crate::run::stage::Env;

/// The kernel's own limit is 64 (`__NEW_UTS_LEN`).
const LONGEST_NAME: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guise {
    pub shift: Option<Shift>,
    pub hostname: Option<String>,
    pub cpus: Option<usize>,
    locale: Option<String>,
}

impl Guise {
    /// `now`: seconds since the epoch.
    ///
    /// # Errors
    /// With what was typed wrong.
    pub fn read(how: &How, now: u64) -> Result<Guise, String> {
        let shift = how.at.as_deref().map(|date| Shift::to(date, i64::try_from(now).unwrap_or(i64::MAX))).transpose()?;
        let is_name =
            |name: &str| name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if let Some(name) = how.hostname.as_deref().filter(|name| !is_name(name)) {
            return Err(format!("`{name}` is no name of a machine"));
        }
        let is_locale = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte));
        if let Some(name) = how.locale.as_deref().filter(|name| !is_locale(name)) {
            return Err(format!("`{name}` is no locale such as de_DE.UTF-8"));
        }
        let cpus = how.cpus.map(|count| count as usize);
        Ok(Guise { shift, hostname: how.hostname.clone(), locale: how.locale.clone(), cpus })
    }

    /// Its part of the variables.
    pub fn dress(&self, env: &mut Env) {
        let mut set = |name: &str, value: &str| {
            env.retain(|(known, _)| known != name);
            env.push((OsString::from(name), OsString::from(value)));
        };
        if let Some(name) = &self.hostname {
            set("HOSTNAME", name);
        }
        if let Some(locale) = &self.locale {
            ["LANG", "LC_ALL", "LANGUAGE"].iter().for_each(|name| set(name, locale));
        }
    }

    /// What it can see through.
    pub fn limits(&self) -> Vec<String> {
        let mut told = Vec::new();
        if self.shift.is_some() {
            told.push("times of files, the processor's own counter, and a vDSO that is looked for in memory, still say today".to_owned());
        }
        if let Some(wanted) = self.cpus {
            let there = std::thread::available_parallelism().map_or(1, usize::from);
            told.push("/proc/cpuinfo still says how many processors there are".to_owned());
            if wanted > there {
                told.push(format!("it was to run on {wanted} processors, and there are {there}"));
            }
        }
        told
    }
}

/// From now on this process, and all it starts, runs on the first `count` processors it may run on.
///
/// # Errors
/// sched_setaffinity(2)
pub fn run_on(count: usize) -> io::Result<()> {
    let itself = Pid::from_raw(0);
    let allowed = sched_getaffinity(itself)?;
    let mut chosen = CpuSet::new();
    let first = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).take(count);
    first.into_iter().try_for_each(|cpu| chosen.set(cpu))?;
    Ok(sched_setaffinity(itself, &chosen)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_worn() {
        let how = How {
            at: Some("2027-01-01".into()),
            hostname: Some("build-7".into()),
            locale: Some("ru_RU.UTF-8".into()),
            cpus: Some(1),
            ..How::default()
        };
        let guise = Guise::read(&how, 1_798_761_600 - 60).unwrap();
        assert_eq!((guise.shift, guise.cpus), (Some(Shift { seconds: 60 }), Some(1)));
        let mut env: Env = vec![("LANG".into(), "C".into()), ("A".into(), "b".into())];
        guise.dress(&mut env);
        let of = |name: &str| env.iter().filter(|(known, _)| known == name).map(|(_, value)| value.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!((of("LANG"), of("HOSTNAME"), of("A")), (vec!["ru_RU.UTF-8"], vec!["build-7"], vec!["b"]));
        assert_eq!(guise.limits().len(), 2);
        assert!(Guise::read(&How::default(), 0).unwrap().limits().is_empty());
        for how in [
            How { at: Some("soon".into()), ..How::default() },
            How { hostname: Some("a b".into()), ..How::default() },
            How { locale: Some("x\u{1b}".into()), ..How::default() },
        ] {
            assert!(Guise::read(&how, 0).is_err(), "{how:?}");
        }
    }
}
