//! A home, a workspace and an environment that look lived in, in which every credential is a canary: of the right shape, unique to its place
//! and its run, valid nowhere. In: two directories, and where the suspect is to believe it is. Out: the canaries, the variables, the files.
//! What a directory already holds stays as it is.

mod bait;
mod browsers;
mod clutter;
mod encode;
mod ground;
mod keys;
mod objects;
mod persona;
mod project;
mod put;
mod random;
mod repository;
mod shape;
mod sqlite;
mod template;
mod words;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

pub use ground::Ground;
pub use project::PROJECT;

use crate::model::Canary;
use persona::Persona;
use put::Putting;
use random::Random;

/// What was laid.
#[derive(Debug, Default)]
pub struct Laid {
    pub canaries: Vec<Canary>,
    /// For the suspect; neither `PATH` nor cargo's own variables are among them.
    pub environment: Vec<(OsString, OsString)>,
    /// How many files.
    pub files: usize,
    /// Who it is about: the user, and the machine.
    pub user: String,
    pub host: String,
}

/// Lays home and workspace, which may exist.
///
/// # Errors
/// With the path that could not be written, or when there are no random numbers.
pub fn lay(home: &Path, workspace: &Path, ground: Ground) -> io::Result<Laid> {
    let project = |putting: &mut Putting| {
        project::FILES.iter().try_for_each(|(path, text)| putting.put(&workspace.join(path), text.as_bytes(), 0o644))
    };
    lay_with(home, workspace, ground, &project, &[])
}

/// The same around sources of somebody's, which are no decoys: none are added. `baits`: absolute paths below either, where files lie in any case.
///
/// # Errors
/// As [`lay`].
pub fn lay_around(home: &Path, workspace: &Path, ground: Ground, baits: &[PathBuf]) -> io::Result<Laid> {
    lay_with(home, workspace, ground, &|_| Ok(()), baits)
}

fn lay_with(
    home: &Path,
    workspace: &Path,
    ground: Ground,
    project: &dyn Fn(&mut Putting) -> io::Result<()>,
    baits: &[PathBuf],
) -> io::Result<Laid> {
    let mut random = Random::new()?;
    let mut persona = Persona::new(home, workspace, &mut random)?;
    match ground {
        Ground::Root => persona.user = "root".to_owned(),
        Ground::Ci => persona.user = "runner".to_owned(),
        Ground::Laptop | Ground::Container => {}
    }
    let mut putting = Putting::new()?;
    let mut canaries = Vec::new();
    for (path, template) in ground::files(ground) {
        let path = template::fill(path, path, &persona, &mut random, &mut Vec::new())?;
        let text = template::fill(template, &place_of(&path), &persona, &mut random, &mut canaries)?;
        let (file, mode) = match path.strip_prefix("~/") {
            Some(rest) => (home.join(rest), if template.contains('«') { 0o600 } else { 0o644 }),
            None => (workspace.join(&path), 0o644),
        };
        putting.put(&file, text.as_bytes(), mode)?;
    }
    for (path, kind) in ground::databases(ground) {
        let bytes = browsers::browser(kind, path, &persona, &mut random, &mut canaries)?;
        putting.put(&home.join(path.trim_start_matches("~/")), &bytes, 0o600)?;
    }
    project(&mut putting)?;
    for file in baits.iter().filter(|file| file.symlink_metadata().is_err()) {
        let place = match (file.strip_prefix(workspace), file.strip_prefix(home)) {
            (Ok(below), _) => format!("<workspace>/{}", below.display()),
            (_, Ok(below)) => format!("~/{}", below.display()),
            _ => continue,
        };
        let text = template::fill(bait::template(file), &place, &persona, &mut random, &mut canaries)?;
        putting.put(file, text.as_bytes(), 0o644)?;
    }
    repository::lay(workspace, &persona, &mut random, &mut putting, &mut canaries)?;
    clutter::lay(home, ground, &mut random, &mut putting)?;
    let mut environment = Vec::new();
    for (name, template) in ground::variables(ground) {
        let value = template::fill(template, &format!("${name}"), &persona, &mut random, &mut canaries)?;
        environment.push((OsString::from(name), OsString::from(value)));
    }
    let files = putting.files;
    putting.finish()?;
    Ok(Laid { canaries, environment, files, user: persona.user, host: persona.host })
}

/// Files of a system.
#[derive(Debug, Default)]
pub struct System {
    pub canaries: Vec<Canary>,
    /// By the paths that are asked for: each lies at the same path below the root.
    pub files: Vec<PathBuf>,
}

/// Lays below `root` what a system keeps, for whoever can put it in the system's place.
///
/// # Errors
/// With the path that could not be written, or when there are no random numbers.
pub fn lay_system(root: &Path, user: &str, ground: Ground) -> io::Result<System> {
    let mut random = Random::new()?;
    let mut persona = Persona::new(Path::new("/home"), Path::new("/"), &mut random)?;
    persona.user = user.to_owned();
    let mut putting = Putting::new()?;
    let mut system = System::default();
    for (path, template) in ground::system(ground) {
        let path = template::fill(path, path, &persona, &mut random, &mut Vec::new())?;
        let text = template::fill(template, &path, &persona, &mut random, &mut system.canaries)?;
        let file = root.join(path.trim_start_matches('/'));
        putting.put(&file, text.as_bytes(), 0o600)?;
        system.files.push(PathBuf::from(path));
    }
    putting.finish()?;
    Ok(system)
}

/// As people call it.
fn place_of(path: &str) -> String {
    if path.starts_with("~/") { path.to_owned() } else { format!("<workspace>/{path}") }
}

#[cfg(test)]
mod tests;
