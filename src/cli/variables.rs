//! `BRIG_*` variables: the same options, for those who cannot type. What was typed wins; a bad value is a misuse like a bad option.

use std::ffi::OsString;
use std::path::PathBuf;

use super::arguments::{self, Options};
use super::misuse::Misuse;
use crate::model::duration;
use crate::plan::document::suggestion;

/// All of them.
pub const NAMES: [&str; 25] = [
    "BRIG_POLICY",
    "BRIG_MODE",
    "BRIG_FRESH",
    "BRIG_REPORT_DIR",
    "BRIG_JSON",
    "BRIG_SARIF",
    "BRIG_HTML",
    "BRIG_MARKDOWN",
    "BRIG_JUNIT",
    "BRIG_CODE_QUALITY",
    "BRIG_EVENTS",
    "BRIG_TRACE",
    "BRIG_IN_TOTO",
    "BRIG_EGRESS",
    "BRIG_CONFIG",
    "BRIG_NO_CONFIG",
    "BRIG_FLOOR",
    "BRIG_LOCKED_BEHAVIOUR",
    "BRIG_REQUIRE_RUN",
    "BRIG_TIMEOUT",
    "BRIG_ALLOW_DEGRADED",
    "BRIG_LIVE",
    "BRIG_COLOR",
    "BRIG_QUIET",
    "BRIG_VERBOSE",
];

/// Ours as well, and no options: what the supervisor does, and what tests pretend.
const OTHERS: [&str; 2] = ["BRIG_LOG", "BRIG_LANDLOCK_ABI"];
const OF_TESTS: [&str; 2] = ["BRIG_TEST_", "BRIG_FUZZ_"];

/// Is every variable that is called like one of ours one? A typo would be a wall less, and nobody would know.
///
/// # Errors
/// With the one that is not, and what was probably meant.
pub fn check(names: impl Iterator<Item = OsString>) -> Result<(), Misuse> {
    let known: Vec<&str> = NAMES.into_iter().chain(OTHERS).collect();
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("BRIG_")).collect();
    names.sort();
    let is_ours = |name: &String| known.contains(&name.as_str()) || OF_TESTS.iter().any(|front| name.starts_with(front));
    let Some(name) = names.into_iter().find(|name| !is_ours(name)) else { return Ok(()) };
    let near = suggestion(&name, &known);
    let hint = match near.strip_prefix("; did you mean ") {
        Some(near) => format!("did you mean {}", near.replace('?', "? Else unset it: what begins with `BRIG_` is an option")),
        None => "unset it: what begins with `BRIG_` is an option, and `cargo brig --help` names them".to_owned(),
    };
    Err(Misuse::new(format!("unknown variable `{}`", name.escape_debug()), hint))
}

pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

pub fn merge(mut typed: Options, variable: Lookup) -> Result<Options, Misuse> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Every variable is read and checked, even one that a typed option outranks: a typo should not wait for its day.
    let policy = text("BRIG_POLICY", variable)?;
    typed.policy = typed.policy.or(policy);
    let mode = one_of("BRIG_MODE", &["enforce", "observe"], variable)?;
    typed.mode = typed.mode.or(mode.map(|word| arguments::mode(&word)));
    let color = one_of("BRIG_COLOR", &["auto", "always", "never"], variable)?;
    typed.color = typed.color.or(color.map(|word| arguments::color(&word)));
    typed.report_dir = typed.report_dir.or_else(|| path("BRIG_REPORT_DIR"));
    typed.forms.fill(path);
    typed.floor = typed.floor.or_else(|| path("BRIG_FLOOR"));
    // What was typed stands against a variable: each of the two excludes the other.
    let (config, none) = (path("BRIG_CONFIG"), switch("BRIG_NO_CONFIG", variable)?);
    if config.is_some() && none {
        return Err(Misuse::new("BRIG_CONFIG and BRIG_NO_CONFIG are both set", "unset one of them"));
    }
    if typed.config.is_none() && !typed.no_config {
        (typed.config, typed.no_config) = (config, none);
    }
    let timeout = text("BRIG_TIMEOUT", variable)?.map(|value| duration::parse(&value)).transpose();
    let timeout = timeout.map_err(|why| Misuse::new(format!("BRIG_TIMEOUT: {why}"), "for example: BRIG_TIMEOUT=10m"))?;
    typed.timeout = typed.timeout.or(timeout);
    typed.fresh |= switch("BRIG_FRESH", variable)?;
    typed.locked_behaviour |= switch("BRIG_LOCKED_BEHAVIOUR", variable)?;
    typed.require_run |= switch("BRIG_REQUIRE_RUN", variable)?;
    typed.live |= switch("BRIG_LIVE", variable)?;
    typed.allow_degraded |= switch("BRIG_ALLOW_DEGRADED", variable)?;
    let (quiet, verbose) = (switch("BRIG_QUIET", variable)?, switch("BRIG_VERBOSE", variable)?);
    if quiet && verbose {
        return Err(Misuse::new("BRIG_QUIET and BRIG_VERBOSE are both set", "unset one of them"));
    }
    if !typed.quiet && !typed.verbose {
        (typed.quiet, typed.verbose) = (quiet, verbose);
    }
    Ok(typed)
}

/// A text variable; an empty one counts as not set.
fn text(name: &str, variable: Lookup) -> Result<Option<String>, Misuse> {
    match variable(name).filter(|value| !value.is_empty()).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(value)) => Err(bad(name, &value, "valid UTF-8")),
    }
}

fn one_of(name: &str, words: &[&str], variable: Lookup) -> Result<Option<String>, Misuse> {
    match text(name, variable)? {
        Some(value) if !words.contains(&value.as_str()) => Err(bad(name, &value.into(), &words.join(", "))),
        value => Ok(value),
    }
}

fn switch(name: &str, variable: Lookup) -> Result<bool, Misuse> {
    match text(name, variable)?.as_deref() {
        None | Some("0" | "false" | "no" | "off") => Ok(false),
        Some("1" | "true" | "yes" | "on") => Ok(true),
        Some(other) => Err(bad(name, &other.into(), "1, true, yes, on, 0, false, no, off")),
    }
}

fn bad(name: &str, value: &OsString, possible: &str) -> Misuse {
    let value = value.to_string_lossy();
    Misuse::new(format!("invalid value '{}' for {name}", value.escape_debug()), format!("possible values: {possible}"))
}
