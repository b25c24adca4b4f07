//! Commands that only read and tell: a stored report again, what a rule means, which profiles there are.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::{Stopped, print, stage};
use crate::cli::Options;
use crate::judge::rules;
use crate::model::{ActorKind, Exit, Rule};
use crate::plan::places::steering;
use crate::plan::{self, config, profile};
use crate::report::json::{self, Output};
use crate::report::terminal;

/// Renders a stored report again: to the files asked for, else to the terminal. Without a name, the last one of this workspace.
pub fn report(options: &Options, file: Option<&Path>, style: terminal::Style) -> Result<Exit, Stopped> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => last(options)?,
    };
    let report = json::load(&file).map_err(Stopped::usage)?;
    let outputs = options.outputs();
    for (format, path) in &outputs {
        if path.as_os_str() == "-" {
            format.write(&report, &mut io::stdout().lock()).context("write to stdout").map_err(Stopped::usage)?;
        } else {
            Output::prepare(path).and_then(|output| output.write(|w| format.write(&report, w))).map_err(Stopped::usage)?;
        }
    }
    if outputs.is_empty() {
        terminal::after(&mut io::stderr().lock(), &report, file.to_str(), style).context("write to stderr")?;
    }
    Ok(Exit::Success)
}

fn last(options: &Options) -> Result<PathBuf, Stopped> {
    let directory = match &options.report_dir {
        Some(directory) => directory.clone(),
        None => places()?.report_dir,
    };
    Ok(directory.join("report.json"))
}

fn places() -> Result<crate::judge::Places, Stopped> {
    let env = std::env::vars_os().collect();
    let cargo = stage::find_cargo(&env, false).map_err(Stopped::usage)?;
    stage::find_places(&cargo, &steering(&[]), &env, &std::env::temp_dir()).map_err(Stopped::usage)
}

/// The page of a rule.
pub fn explain(topic: &str) -> Result<Exit, Stopped> {
    let Some(rule) = Rule::from_id(topic) else {
        let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        let near = plan::document::suggestion(topic, &ids);
        return Err(Stopped::usage(anyhow!("there is no rule `{}`{near}\n  help: the rules are {}", topic.escape_debug(), ids.join(", "))));
    };
    match rules::page(rule) {
        Some(page) => print(page),
        None => print(&format!("`{}` is reserved: this version does not raise it.\n", rule.id())),
    }
}

/// One line per profile: the user's own first.
pub fn profiles(options: &Options) -> Result<String, Stopped> {
    let (own, _) = configuration(options)?;
    let names = own.profile_names().map(str::to_owned).chain(profile::EMBEDDED.iter().map(|(name, _)| (*name).to_owned()));
    let mut text = String::new();
    for name in names {
        let _ = writeln!(text, "{name}");
    }
    Ok(text)
}

/// A profile as it is in force: every grant with the file and line it comes from.
pub fn profile(options: &Options, name: Option<&str>) -> Result<String, Stopped> {
    let (own, file) = configuration(options)?;
    let name =
        name.map(str::to_owned).or_else(|| options.policy.clone()).or_else(|| own.policy.clone()).unwrap_or_else(|| "default".into());
    let profile = plan::load(&name, file.as_deref())?;
    let mut text = format!(
        "# {}: {}\n# mode {:?}, Landlock {} or newer\n",
        profile.chain.join(" ← "),
        profile.description,
        profile.mode,
        profile.require.landlock
    );
    for kind in [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program, ActorKind::Tool] {
        let _ = writeln!(text, "\n[{}]", kind.name());
        for (list, lines) in profile.grants(kind).lists() {
            for line in lines {
                let _ = writeln!(text, "{list:<8} {:<40} # {}", line.text, line.origin);
            }
        }
    }
    Ok(text)
}

fn configuration(options: &Options) -> Result<(config::Config, Option<PathBuf>), Stopped> {
    let file = config::find(places()?.workspace.as_deref(), options.config.as_deref())?;
    let own = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
    Ok((own, file))
}
