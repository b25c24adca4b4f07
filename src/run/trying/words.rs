//! The words of a recorded run as they are said again. In: the command line of a report, which may come from anywhere. Out: cargo's words for a workspace that
//! lies elsewhere, and what of them cannot be the same; or a misuse.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::model::Hostile;
use crate::report::escape;

/// What builds a workspace and leaves its results in the target directory, with cargo's short names.
const BUILDS: [&str; 14] = ["build", "b", "check", "c", "test", "t", "run", "r", "bench", "doc", "d", "rustc", "rustdoc", "clippy"];
/// Options with a value: where results go, which is the trial's own to say.
const ELSEWHERE: [&str; 4] = ["--target-dir", "--artifact-dir", "--out-dir", "--build-dir"];
/// Options with a value that say where cargo works in a way that is not mapped.
const UNMAPPED: [&str; 2] = ["--lockfile-path", "-C"];
/// Options with a value that may stand before the subcommand.
const VALUED: [&str; 3] = ["--config", "--color", "-Z"];
/// Of a report: stands in place of what looks like a credential.
const REDACTED: &str = "[redacted]";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `+nightly`
    pub toolchain: Option<String>,
    words: Vec<String>,
    /// Where the workspace lay.
    recorded: Option<PathBuf>,
    /// What of the command is not as it was, for people.
    pub told: Vec<String>,
}

impl Words {
    /// # Errors
    /// Where it is no command that can be run again.
    pub fn read(command: &[Hostile], workspace: Option<&Hostile>) -> Result<Words> {
        let text = |word: &Hostile| std::str::from_utf8(word.as_bytes()).ok().map(str::to_owned);
        let all: Vec<String> = command.iter().map(text).collect::<Option<_>>().context("the recorded command is no text")?;
        let [_, rest @ ..] = &all[..] else { bail!("the report has no command") };
        let recorded = workspace.map(|path| path.as_path().to_owned()).filter(|path| path.is_absolute() && path.parent().is_some());
        ensure!(
            !all.iter().any(|word| word.contains(REDACTED)),
            "a word of the recorded command looks like a credential, and is not in the report"
        );
        let mut found = Words { recorded, ..Words::default() };
        let mut rest = rest.iter().peekable();
        if let Some(name) = rest.next_if(|word| word.starts_with('+')) {
            found.toolchain = Some(name.clone());
        }
        let mut subcommand = None;
        while let Some(word) = rest.next() {
            let (key, inline) = word.split_once('=').map_or((&**word, None), |(key, value)| (key, Some(value)));
            if word == "--" {
                found.words.push(word.clone());
                found.words.extend(rest.cloned());
                break;
            }
            if ELSEWHERE.contains(&key) {
                let value = inline.map(str::to_owned).or_else(|| rest.next().cloned()).unwrap_or_default();
                found.told.push(format!("`{key} {}` is left out: results go where the trial has them", escape::name(&value)));
                continue;
            }
            ensure!(!UNMAPPED.contains(&key), "the recorded command has `{key}`, and where that leads is not the same elsewhere");
            ensure!(
                word != "--fix",
                "the recorded command changes sources (`--fix`), which no replay does\n  help: build once, and replay that"
            );
            if subcommand.is_none() && VALUED.contains(&&**word) {
                found.words.extend([word.clone(), rest.next().cloned().unwrap_or_default()]);
                continue;
            }
            if subcommand.is_none() && !word.starts_with('-') {
                known(word)?;
                subcommand = Some(word.clone());
                found.words.push(word.clone());
                found.words.push("--offline".to_owned());
                continue;
            }
            // What was fetched for it is here.
            if key != "--offline" {
                found.words.push(word.clone());
            }
        }
        ensure!(subcommand.is_some(), "the recorded command has no subcommand");
        Ok(found)
    }

    /// For a workspace that lies there now.
    ///
    /// # Errors
    /// Where a word before `--` names something outside of it.
    pub fn at(&self, workspace: &Path) -> Result<Vec<String>> {
        let mut is_cargos = true;
        let one = |word: &String| {
            is_cargos &= word != "--";
            let mapped = self.mapped(word, workspace);
            let path = mapped.rsplit_once('=').map_or(&*mapped, |(_, value)| value);
            let leaves = is_cargos && Path::new(path).is_absolute() && !Path::new(path).starts_with(workspace);
            ensure!(!leaves, "the recorded command names `{}`, which is not of the workspace", escape::name(path));
            Ok(mapped)
        };
        self.words.iter().map(one).collect()
    }

    /// What of it is a path below the recorded workspace is one below this.
    fn mapped(&self, word: &str, workspace: &Path) -> String {
        let Some(recorded) = &self.recorded else { return word.to_owned() };
        let (before, path) = match word.split_once('=') {
            Some((before, path)) if path.starts_with('/') => (format!("{before}="), path),
            _ => (String::new(), word),
        };
        match Path::new(path).strip_prefix(recorded) {
            Ok(rest) if path.starts_with('/') => format!("{before}{}", workspace.join(rest).display()).trim_end_matches('/').to_owned(),
            _ => word.to_owned(),
        }
    }

    /// Those by which cargo finds what is to be fetched.
    ///
    /// # Errors
    /// As [`Words::at`].
    pub fn fetching(&self, workspace: &Path) -> Result<Vec<String>> {
        let all = self.at(workspace)?;
        let mut words = all.iter().take_while(|word| *word != "--");
        let mut kept = vec!["fetch".to_owned(), "--locked".to_owned()];
        while let Some(word) = words.next() {
            if word == "--manifest-path" {
                kept.extend([word.clone(), words.next().cloned().unwrap_or_default()]);
            } else if word.starts_with("--manifest-path=") {
                kept.push(word.clone());
            }
        }
        Ok(kept)
    }
}

/// # Errors
/// With what to do instead.
fn known(subcommand: &str) -> Result<()> {
    let shown = escape::name(subcommand);
    match subcommand {
        _ if BUILDS.contains(&subcommand) => Ok(()),
        "install" | "i" => {
            bail!("`cargo {shown}` builds a package of somebody else's\n  help: `cargo brig try CRATE` looks at one")
        }
        "publish" | "package" | "fix" => {
            bail!("`cargo {shown}` does more than build, and is not run again\n  help: `cargo brig build`, and replay that")
        }
        _ => bail!(
            "`cargo {shown}` is not run again: a replay is of `build`, `check`, `test`, `run`, `bench`, `doc`, `rustc`, `rustdoc` or `clippy`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Words> {
        let command: Vec<Hostile> = text.split(' ').map(Hostile::from).collect();
        Words::read(&command, Some(&"/home/u/app".into()))
    }

    #[test]
    fn what_is_said_again() {
        let at = |text: &str| read(text).unwrap().at(Path::new("/t/work/app")).map(|words| words.join(" "));
        for (typed, said) in [
            ("cargo test --test x -- --nocapture", "test --offline --test x -- --nocapture"),
            ("cargo +nightly b --offline --release", "b --offline --release"),
            ("cargo build --target-dir /elsewhere --artifact-dir=out -p x", "build --offline -p x"),
            (
                "cargo run --manifest-path /home/u/app/m/Cargo.toml -- /home/u/app/data /etc",
                "run --offline --manifest-path /t/work/app/m/Cargo.toml -- /t/work/app/data /etc",
            ),
            ("cargo check --manifest-path=/home/u/app/Cargo.toml", "check --offline --manifest-path=/t/work/app/Cargo.toml"),
            ("cargo -v --color never check -q", "-v --color never check --offline -q"),
        ] {
            assert_eq!(at(typed).unwrap(), said, "{typed}");
        }
        assert_eq!(read("cargo +nightly test").unwrap().toolchain.as_deref(), Some("+nightly"));
        assert_eq!(read("cargo test --target-dir x").unwrap().told.len(), 1);
        assert!(at("cargo build --manifest-path /home/u/other/Cargo.toml").is_err());
        assert!(at("cargo build --config=build.rustc-wrapper='/home/u/wrap'").is_ok(), "no path of its own");
        let fetching = read("cargo test --manifest-path m/Cargo.toml -p x -- --manifest-path y").unwrap();
        assert_eq!(fetching.fetching(Path::new("/t")).unwrap().join(" "), "fetch --locked --manifest-path m/Cargo.toml");
    }

    #[test]
    fn what_is_not() {
        for (typed, why) in [
            ("cargo install ripgrep", "cargo brig try CRATE"),
            ("cargo publish", "does more than build"),
            ("cargo clippy --fix", "changes sources"),
            ("cargo fix", "does more than build"),
            ("cargo nextest run", "cargo nextest"),
            ("cargo -C /x build", "`-C`"),
            ("cargo build --config k=[redacted]", "credential"),
            ("cargo run -- --token [redacted]", "credential"),
            ("cargo", "no subcommand"),
            ("cargo --version", "no subcommand"),
            ("cargo x\u{1b}[2J", "\\u{1b}"),
        ] {
            let error = read(typed).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(why), "{typed}: {error}");
        }
        assert!(Words::read(&["cargo".into(), Hostile::new(&b"b\xff"[..])], None).is_err());
    }
}
