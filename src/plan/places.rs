//! Where things are: the workspace and its target directory (asked of cargo), cargo's and rustup's homes, the run's private temporary
//! directory. In: cargo's arguments and environment. Out: `judge::Places`, all paths real.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::judge::Places;

/// The few fields of `cargo metadata --no-deps` that matter here.
#[derive(Debug, Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    build_directory: Option<PathBuf>,
}

/// Options of cargo that decide where it works; each is passed on to `cargo metadata`, `--target-dir` excepted.
const STEERING: [&str; 3] = ["--manifest-path", "--config", "--lockfile-path"];

/// What cargo was told about places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Steering {
    pub subcommand: Option<OsString>,
    /// `+toolchain` and the options in [`STEERING`], as typed.
    pub passed_on: Vec<OsString>,
    pub target_dir: Option<PathBuf>,
    pub path: Option<PathBuf>,
}

/// Reads cargo's arguments for what steers it. Everything behind `--` belongs to the program.
pub fn steering(args: &[OsString]) -> Steering {
    let mut found = Steering::default();
    let mut words = args.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word.as_bytes().starts_with(b"+") && found.subcommand.is_none() {
            found.passed_on.push(word.clone());
        } else if let Some((_, value)) = option(word, "--target-dir", &mut words) {
            found.target_dir = Some(value.into());
        } else if let Some((_, value)) = option(word, "--path", &mut words) {
            found.path = Some(value.into());
        } else if let Some((name, value)) = STEERING.iter().find_map(|name| option(word, name, &mut words)) {
            found.passed_on.extend([name.into(), value]);
        } else if !word.as_bytes().starts_with(b"-") && found.subcommand.is_none() {
            found.subcommand = Some(word.clone());
        }
    }
    found
}

/// `--name value` or `--name=value`.
fn option<'n, 'a>(word: &OsStr, name: &'n str, rest: &mut impl Iterator<Item = &'a OsString>) -> Option<(&'n str, OsString)> {
    let after = word.as_bytes().strip_prefix(name.as_bytes())?;
    match after {
        [] => Some((name, rest.next()?.clone())),
        [b'=', value @ ..] => Some((name, OsStr::from_bytes(value).to_owned())),
        _ => None,
    }
}

/// Asks cargo where the workspace is. Without one (or with a broken manifest) cargo itself will say so when it runs: then the places
/// hold no workspace, and the target is the current directory's.
///
/// # Errors
/// When a directory that must exist cannot be made or resolved.
pub fn find(cargo: &Path, steering: &Steering, env: &[(OsString, OsString)], tmp: &Path) -> Result<Places> {
    let variable = |name: &str| {
        env.iter().find(|(key, _)| key == name).map(|(_, value)| PathBuf::from(value)).filter(|value| !value.as_os_str().is_empty())
    };
    let here = std::env::current_dir().context("find the current directory")?;
    let home = variable("HOME").map(real);
    let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
    let installs = steering.subcommand.as_deref() == Some(OsStr::new("install"));
    let metadata = if installs && steering.path.is_none() { None } else { ask(cargo, steering, env) };
    let target = match (&steering.target_dir, &metadata) {
        (Some(dir), _) => here.join(dir),
        (None, Some(metadata)) => metadata.target_directory.clone(),
        // `cargo install` builds in a directory of its own below TMPDIR, unless it is told otherwise.
        (None, None) if installs => variable("CARGO_TARGET_DIR").map_or_else(|| tmp.to_owned(), |dir| here.join(dir)),
        (None, None) => variable("CARGO_TARGET_DIR").map_or_else(|| here.join("target"), |dir| here.join(dir)),
    };
    let build = match &steering.target_dir {
        Some(_) => None,
        None => metadata.as_ref().and_then(|metadata| metadata.build_directory.clone()),
    };
    Ok(Places {
        workspace: metadata.map(|metadata| real(metadata.workspace_root)),
        build: build.map_or_else(|| real(target.clone()), real),
        report_dir: real(target.clone()).join("brig"),
        target: real(target),
        cargo_home: variable("CARGO_HOME").or_else(|| in_home(".cargo")).map(real).unwrap_or_default(),
        rustup_home: variable("RUSTUP_HOME").or_else(|| in_home(".rustup")).map(real),
        home,
        tmp: real(tmp.to_owned()),
        ..Places::default()
    })
}

fn ask(cargo: &Path, steering: &Steering, env: &[(OsString, OsString)]) -> Option<Metadata> {
    let (toolchain, options): (Vec<_>, Vec<_>) = steering.passed_on.iter().partition(|word| word.as_bytes().starts_with(b"+"));
    let mut command = Command::new(cargo);
    command.args(toolchain).args(["metadata", "--no-deps", "--offline", "--format-version=1"]).args(options);
    if let Some(path) = &steering.path {
        command.arg("--manifest-path").arg(path.join("Cargo.toml"));
    }
    let output = command.env_clear().envs(env.iter().cloned()).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())
}

/// The real path; for what does not exist yet, the real path of its nearest existing ancestor with the rest appended.
pub fn real(path: PathBuf) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path.as_path();
    loop {
        if let Ok(found) = at.canonicalize() {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return path };
        missing.push(name.to_owned());
        at = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn steering_is_found_in_both_forms_and_not_behind_dashes() {
        let found =
            steering(&words("+nightly build --release --manifest-path a/Cargo.toml --config=k=1 --target-dir=/t -- --target-dir x"));
        assert_eq!(found.subcommand.as_deref(), Some(OsStr::new("build")));
        assert_eq!(found.passed_on, words("+nightly --manifest-path a/Cargo.toml --config k=1"));
        assert_eq!(found.target_dir, Some("/t".into()));
        assert_eq!(steering(&words("run -- --manifest-path x")).passed_on, words(""));
        assert_eq!(steering(&words("install --path tool")).path, Some("tool".into()));
    }

    #[test]
    fn a_missing_directory_has_a_real_path_too() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(&root, root.join("link")).unwrap();
        assert_eq!(real(root.join("link/target/debug")), root.join("target/debug"));
    }
}
