//! Commands that only read and tell: which profiles there are, and what stands in them.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::anyhow;

use super::stage;
use super::stopped::Stopped;
use super::streams::Heedless;
use crate::cli::Options;
use crate::judge::secrets;
use crate::model::{ActorKind, Exit, Mode};
use crate::plan::exceptions::Exceptions;
use crate::plan::exceptions::day::Day;
use crate::plan::exceptions::lock::{self, Locked};
use crate::plan::exceptions::whom::{Origin, Whom};
use crate::plan::floor;
use crate::plan::malicious::{Known, List};
use crate::plan::places::ask;
use crate::plan::steering::Steering;
use crate::plan::{self, config, profile, reasons};
use crate::report::escape;

/// Our own text on stdout; a reader that has gone away is not our failure.
pub fn print(text: &str) -> Result<Exit, Stopped> {
    let mut stdout = Heedless(io::stdout().lock());
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Stopped::usage)?;
    Ok(Exit::Success)
}

pub(super) fn places() -> Result<crate::judge::Places, Stopped> {
    let env = std::env::vars_os().collect();
    let cargo = stage::find_cargo(&env, false).map_err(Stopped::usage)?;
    let steering = Steering::default();
    stage::refuse_foreign_toolchain(&cargo, None, &env).map_err(Stopped::usage)?;
    stage::find_places(ask(&cargo, &steering, &env, (None, None)).answer(), &steering, &env, &std::env::temp_dir()).map_err(Stopped::usage)
}

/// What is known of a package of that name, whatever the last report says.
pub(super) fn known_malicious(options: &Options, name: &str) -> Result<Option<String>, Stopped> {
    // Of no workspace, there is no file of one.
    let written = configuration(options).ok();
    let more = written.map(|(own, file)| own.malicious_files(file.as_deref())).unwrap_or_default();
    let list = List::read(&more)?;
    let lines: Vec<String> = list
        .of(name)
        .map(|known| {
            let versions = known.versions.as_ref().map_or("every version".to_owned(), |versions| format!("versions {versions}"));
            let after = known.after.as_ref().map(|after| format!("  it was after: {}\n", escape::ours(after))).unwrap_or_default();
            let Known { date, advisory, what, origin, .. } = known;
            escape::ours(&format!("{} ({versions}), {advisory}, {date}: {what} ({origin})", known.name)) + "\n" + &after
        })
        .collect();
    let head = "known to be malicious, as a package of the public registry:\n";
    Ok((!lines.is_empty()).then(|| head.to_owned() + &lines.concat() + "`cargo brig explain package/malicious` says what that means\n"))
}

/// One line per profile: the user's own first.
pub fn profiles(options: &Options) -> Result<String, Stopped> {
    let (own, _) = configuration(options)?;
    let names = own.profile_names().map(str::to_owned).chain(profile::EMBEDDED.iter().map(|(name, _)| (*name).to_owned()));
    let mut text = String::new();
    for name in names {
        let _ = writeln!(text, "{}", escape::ours(&name));
    }
    Ok(text)
}

/// A profile as it is in force: every grant with the file and line it comes from.
pub fn profile(options: &Options, name: Option<&str>, whom: Option<&str>) -> Result<String, Stopped> {
    let whom = whom.map(|text| Whom::read(text).map_err(|error| Stopped::usage(anyhow!("`--for`: {error}")))).transpose()?;
    let whom = whom.as_ref();
    let (own, file) = configuration(options)?;
    let name =
        name.map(str::to_owned).or_else(|| options.policy.clone()).or_else(|| own.policy.clone()).unwrap_or_else(|| "default".into());
    let floors = floor::read(options.floor.as_deref())?;
    let mut text = shown(&plan::load(&name, file.as_deref())?, whom) + &excepted_in_force(&own.exceptions, whom);
    if let Some(nobody) = whom.map(|whom| nobody(whom, &own.exceptions)).transpose()?.flatten() {
        let _ = writeln!(text, "\n# {}", escape::ours(&nobody));
    }
    for floor in &floors {
        let (path, profile) = (escape::ours(&floor.path.display().to_string()), escape::ours(&floor.profile.name));
        let _ = writeln!(text, "\n# floor {path} (profile {profile}): nothing in force may have more");
    }
    Ok(text)
}

/// What to say where no package is the one that was asked for: neither does the lock have it, nor is anything written for it.
fn nobody(whom: &Whom, exceptions: &Exceptions) -> Result<Option<String>, Stopped> {
    let Some(name) = whom.name() else { return Ok(None) };
    let is_written = exceptions.allows.iter().any(|allow| whom.meets(&allow.whom))
        || exceptions.denials.iter().any(|denial| denial.name == name)
        || plan::reviewed::shipped().iter().any(|review| review.name == name);
    let locked = places()?.workspace.map(|workspace| Locked::read(&workspace)).transpose()?.flatten();
    let lock = if locked.is_some() { "Cargo.lock has none of that name" } else { "there is no Cargo.lock to look it up in" };
    let named = locked.as_ref().map(|locked| locked.which(|its, _| its == name)).unwrap_or_default();
    let is_it =
        |package: &&lock::Package| whom.is(&package.name, &package.version) && (!whom.has_source() || whom.is_from(origin(package)));
    if is_written || named.iter().any(is_it) {
        return Ok(None);
    }
    let there: Vec<String> = named.iter().map(|package| format!("`{}`", origin(package).name(&package.name, &package.version))).collect();
    let lock = if there.is_empty() { lock.to_owned() } else { format!("Cargo.lock has {}", there.join(", ")) };
    Ok(Some(format!("nothing is written for such a package, and none is known: {lock}")))
}

fn origin(package: &lock::Package) -> Origin<'_> {
    Origin { source: package.source.as_deref(), fetched: None }
}

/// Names, descriptions and entries are the repository's, or whoever's a profile was copied from.
fn shown(profile: &plan::Profile, whom: Option<&Whom>) -> String {
    let chain: Vec<_> = profile.chain.iter().map(|name| escape::ours(name)).collect();
    let mut text = format!(
        "# {}: {}\n# mode {}, Landlock {} or newer\n",
        chain.join(" ← "),
        escape::ours(&profile.description),
        if profile.mode == Mode::Observe { "observe" } else { "enforce" },
        profile.require.landlock
    );
    for kind in [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program, ActorKind::Tool] {
        let _ = writeln!(text, "\n[{}]", kind.name());
        for (list, lines) in profile.grants(kind).lists() {
            for line in lines {
                let _ = writeln!(text, "{list:<8} {:<40} # {}", escape::ours(&line.text), from(&line.origin));
            }
        }
    }
    text.push_str(&closed(profile));
    for (table, reach) in profile.cargo.tables() {
        let _ = writeln!(text, "\n[{}]", escape::ours(&table));
        for (list, line) in reach.lists().into_iter().flat_map(|(list, lines)| lines.iter().map(move |line| (list, line))) {
            let _ = writeln!(text, "{list:<8} {:<40} # {}", escape::ours(&line.text), from(&line.origin));
        }
    }
    text.push_str(&reviewed_in_force(profile, whom));
    text
}

/// Where a line comes from, and why it is there.
fn from(origin: &str) -> String {
    let reason = reasons::of(origin).map(|reason| format!(": {}", escape::ours(&reason))).unwrap_or_default();
    escape::ours(&reasons::shown(origin)) + &reason
}

/// What is closed whatever a line above opens: secrets, and variables.
fn closed(profile: &plan::Profile) -> String {
    let mut text = "\n[secrets] # beat every line above\n".to_owned();
    if profile.secrets.catalogue {
        for (class, pattern) in secrets::catalogue().secrets() {
            let _ = writeln!(text, "{:<8} {pattern:<40} # the catalogue: {class}", "secret");
        }
    }
    let mut list = |key: &str, entries: &[String], why: &str| {
        for entry in entries {
            let _ = writeln!(text, "{key:<8} {:<40} # {why}", escape::ours(entry));
        }
    };
    list("secret", &profile.secrets.extra, "a profile's `secrets` or `extend-secrets`");
    list("not", &profile.secrets.except, "a profile's `not-secrets`: open, whatever else says so");
    text.push_str("\n[environment]\n");
    if profile.environment.catalogue {
        for pattern in &secrets::catalogue().environment.withhold {
            let _ = writeln!(text, "{:<8} {pattern:<40} # the catalogue: from all code but cargo's own", "withhold");
        }
    }
    let mut list = |key: &str, entries: &[String], why: &str| {
        for entry in entries {
            let _ = writeln!(text, "{key:<8} {:<40} # {why}", escape::ours(entry));
        }
    };
    list("withhold", &profile.environment.withhold, "a profile's `withhold` or `extend-withhold`");
    list("pass", &profile.environment.pass, "a profile's `pass`: known to everybody, whatever else says so");
    text
}

/// Of what is for all packages of a name.
fn is_named(whom: Option<&Whom>, name: &str) -> bool {
    whom.is_none_or(|whom| whom.name() == Some(name))
}

/// Exceptions, as commentary, too: each with its reason, and whether it counts today.
fn excepted_in_force(exceptions: &Exceptions, whom: Option<&Whom>) -> String {
    let mut text = String::new();
    if !exceptions.is_empty() {
        text.push_str("\n# exceptions:\n");
    }
    // What is for all members may be for this one.
    let is_for = |allow: &Whom| whom.is_none_or(|whom| whom.meets(allow)) || allow.name().is_none();
    for allow in exceptions.allows.iter().filter(|allow| is_for(&allow.whom)) {
        let told = &allow.told;
        let state = if allow.counts(Day::today()) { "until" } else { "EXPIRED" };
        let (whom, reason, origin) = (escape::ours(&told.whom), escape::ours(&told.reason), escape::ours(&told.origin));
        let _ = writeln!(text, "# {whom} ({}), {state} {}: {reason} # {origin}", told.actor.name(), escape::ours(&told.expires));
        for grant in &told.grants {
            let _ = writeln!(text, "#   {}", escape::ours(grant));
        }
    }
    for denial in exceptions.denials.iter().filter(|denial| is_named(whom, &denial.name)) {
        let (name, reason, origin) = (escape::ours(&denial.name), escape::ours(&denial.reason), escape::ours(&denial.origin));
        let _ = writeln!(text, "# {name} is denied: {reason} # {origin}");
    }
    text
}

/// The reviewed allows, as commentary: they are no lines of the profile's.
fn reviewed_in_force(profile: &plan::Profile, whom: Option<&Whom>) -> String {
    let by = profile.reviewed_by.as_deref().map(|origin| format!(" ({})", escape::ours(&reasons::shown(origin)))).unwrap_or_default();
    if !profile.reviewed {
        return format!("\n# reviewed allows for well-known crates: none{by}\n");
    }
    let mut text = format!("\n# reviewed allows for well-known crates, for their own compilers{by}:\n");
    for review in plan::reviewed::shipped().into_iter().filter(|review| is_named(whom, &review.name)) {
        let _ = writeln!(text, "# {} {} ({}): {}", review.name, review.versions, review.actor.name(), review.reason);
        for (list, line) in review.lists().into_iter().flat_map(|(list, lines)| lines.iter().map(move |line| (list, line))) {
            let _ = writeln!(text, "#   {list:<6} {:<40} # {}", line.text, reasons::shown(&line.origin));
        }
    }
    text
}

/// The profile a build started here would use, for `doctor`: which must not need a cargo to ask, so the workspace is the current directory.
pub fn in_force(options: &Options) -> Result<plan::Profile, Stopped> {
    let here = std::env::current_dir().ok();
    let file = config::find(here.as_deref(), options.config.as_deref())?;
    let written = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
    let floors = floor::read(options.floor.as_deref())?;
    let mut profile = match (options.policy.as_ref().or(written.policy.as_ref()), floors.last()) {
        (Some(name), _) => plan::load(name, file.as_deref())?,
        (None, Some(floor)) => floor.profile.clone(),
        (None, None) => plan::load("default", file.as_deref())?,
    };
    floors.iter().for_each(|floor| floor.tighten(&mut profile));
    Ok(profile)
}

pub(super) fn configuration(options: &Options) -> Result<(config::Config, Option<PathBuf>), Stopped> {
    let workspace = places()?.workspace.filter(|_| !options.no_config);
    let file = config::find(workspace.as_deref(), options.config.as_deref())?;
    let own = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
    Ok((own, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviewed_allows_in_force_are_shown_with_their_origin() {
        let text = shown(&plan::load("default", None).unwrap(), None);
        for part in [
            "for their own compilers (default, line ",
            "# sailfish-macros >=0.9.0, <=0.9.1 (proc-macro): ",
            "#   write  {out-of:sailfish-compiler}/templates",
            " # reviewed, line ",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let strict = shown(&plan::load("strict", None).unwrap(), None);
        assert!(strict.contains("# reviewed allows for well-known crates: none (strict, line ") && !strict.contains("sailfish"));
    }

    #[test]
    fn exceptions_are_shown_with_their_reasons_and_are_only_text() {
        let text = "version = 1\n[[allow]]\ncrate = 'x@1.2.3'\nactor = 'program'\nread = ['/srv/x']\nreason = \"looked\\n::error::\"\nexpires = 2020-01-31\n\
                    [[deny]]\ncrate = 'y'\nreason = 'phones home'\n";
        let config = plan::config::parse("brig.toml", text).unwrap();
        let shown = excepted_in_force(&config.exceptions, None);
        for part in
            ["# x@1.2.3 (program), EXPIRED 2020-01-31: looked\\n::error:: # brig.toml:2", "#   read /srv/x", "# y is denied: phones home"]
        {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
        assert!(!shown.lines().any(|line| line.starts_with("::")));
        assert_eq!(excepted_in_force(&Exceptions::default(), None), "");
    }

    #[test]
    fn of_one_package_only_what_is_for_it() {
        let text = "version = 1\n[[allow]]\ncrate = 'x@1.2.3'\nactor = 'program'\nread = ['/srv/x']\nreason = 'r'\nexpires = 'never'\n\
                    [[allow]]\ncrate = 'workspace'\nactor = 'program'\nread = ['/srv/w']\nreason = 'r'\nexpires = 'never'\n[[deny]]\ncrate = 'y'\nreason = 'r'\n";
        let config = plan::config::parse("brig.toml", text).unwrap();
        let of = |whom: &str| {
            let text = excepted_in_force(&config.exceptions, Some(&Whom::read(whom).unwrap()));
            ["# x@1.2.3", "# workspace", "# y is denied"].map(|part| text.contains(part))
        };
        assert_eq!((of("x"), of("y"), of("z")), ([true, true, false], [false, true, true], [false, true, false]));
        assert_eq!((of("x@1.2.3"), of("x@2.0.0"), of("path#x")), ([true, true, false], [false, true, false], [false, true, false]));
        for spelled in ["y@0.1.0", "path#y", "path#y@0.1.0"] {
            assert_eq!(of(spelled), [false, true, true], "{spelled}");
        }
        let profile = plan::load("default", None).unwrap();
        let shown = |whom: &str| shown(&profile, Some(&Whom::read(whom).unwrap()));
        assert!(shown("sailfish-macros").contains("# sailfish-macros >=") && !shown("serde").contains("# sailfish-macros >="));
    }

    #[test]
    fn what_is_closed_is_shown_and_why_each_line_is_there() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let text = "version = 1\ninherits = \"default\"\nextend-secrets = [\"*.ours\"]\nnot-secrets = [\"*.pem\"]\n[environment]\nextend-withhold = [\"OURS_*\"]\npass = [\"TOKEN\"]\n";
        std::fs::write(file.path(), text).unwrap();
        let text = shown(&plan::load(file.path().to_str().unwrap(), None).unwrap(), None);
        for part in [
            "secret   .env                                     # the catalogue: project env\n",
            "secret   *.ours ",
            "not      *.pem ",
            " # the catalogue: from all code but cargo's own\n",
            "withhold OURS_* ",
            "pass     TOKEN ",
            ": path packages, overrides, vendored sources\n",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        assert!(!text.contains("profiles/"), "no file that an installed user does not have\n{text}");
    }

    #[test]
    fn a_repositorys_profile_is_only_text() {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        let attack = r"\u001b[2Kx\n::error::y\u202e##[add-path]/z";
        let text = format!("version = 1\ndescription = \"{attack}\"\n[rustc]\nread = [\"/a{attack}\"]\n");
        std::fs::write(file.path(), text).unwrap();
        let shown = shown(&plan::load(file.path().to_str().unwrap(), None).unwrap(), None);
        assert!(shown.contains("\\u{1b}[2Kx\\n::error::y"), "{shown}");
        assert!(!shown.contains(['\x1b', '\u{202e}']) && !shown.contains("##[") && !shown.lines().any(|line| line.starts_with("::")));
    }
}
