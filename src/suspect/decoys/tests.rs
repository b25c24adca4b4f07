//! That nothing worth stealing is without a decoy, as the catalogue itself says, and that what is laid looks lived in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, SystemTime};

use super::*;
use crate::judge::environment::EnvironmentLists;
use crate::judge::paths::glob;
use crate::judge::secrets::catalogue;
use crate::judge::{EnvVerdict, Environment, Places, SecretLists, Secrets};
use crate::model::ActorKind;

struct World {
    _dir: tempfile::TempDir,
    home: PathBuf,
    workspace: PathBuf,
    laid: Laid,
}

impl World {
    /// As a canary's place has it.
    fn place(&self, path: &Path) -> String {
        match path.strip_prefix(&self.workspace) {
            Ok(rest) if rest.starts_with(".git/objects") => "<workspace>/.git (history)".to_owned(),
            Ok(rest) => format!("<workspace>/{}", rest.display()),
            Err(_) => format!("~/{}", path.strip_prefix(&self.home).unwrap().display()),
        }
    }
}

fn world(ground: Ground) -> World {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home").join("ada");
    let workspace = home.join("src/app");
    let laid = lay(&home, &workspace, ground).unwrap();
    World { home, workspace, laid, _dir: dir }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn contains(bytes: &[u8], value: &str) -> bool {
    bytes.windows(value.len()).any(|window| window == value.as_bytes())
}

/// Each file that was laid and holds a canary, by the path it would have for somebody called `runner` (whose home a class of the catalogue is).
fn laid() -> (Secrets, BTreeMap<String, Vec<u8>>) {
    let places = Places {
        workspace: Some("/home/runner/src/app".into()),
        target: "/home/runner/src/app/target".into(),
        home: Some("/home/runner".into()),
        cargo_home: "/home/runner/.cargo".into(),
        tmp: "/tmp/x".into(),
        ..Places::default()
    };
    let mut all = BTreeMap::new();
    for ground in Ground::ALL {
        let world = world(ground);
        let mut found = Vec::new();
        files(&world.home, &mut found);
        for path in found {
            let bytes = fs::read(&path).unwrap();
            let place = world.place(&path);
            if world.laid.canaries.iter().any(|canary| canary.place == place && contains(&bytes, &canary.value)) {
                all.insert(format!("/home/runner/{}", path.strip_prefix(&world.home).unwrap().display()), bytes);
            }
        }
    }
    for ground in Ground::ALL {
        let dir = tempfile::tempdir().unwrap();
        let System { canaries, files } = lay_system(dir.path(), "ada", ground).unwrap();
        for asked in files {
            let bytes = fs::read(dir.path().join(asked.strip_prefix("/").unwrap())).unwrap();
            if canaries.iter().any(|canary| Path::new(&canary.place) == asked && contains(&bytes, &canary.value)) {
                all.insert(asked.display().to_string(), bytes);
            }
        }
    }
    (Secrets::compile(&places, &SecretLists::default()).unwrap(), all)
}

#[test]
fn every_class_of_secrets_has_a_decoy_and_every_place_at_home_too() {
    let (secrets, laid) = laid();
    let classes: BTreeSet<&str> = laid.keys().filter_map(|path| secrets.class_of(path.as_bytes())).collect();
    for (class, pattern) in catalogue().secrets() {
        assert!(classes.contains(class), "no decoy is of class `{class}`");
        let Some(tail) = pattern.strip_prefix("~/") else { continue };
        let known = format!("/home/runner/{tail}").to_ascii_lowercase();
        let found = laid.keys().any(|path| {
            // A pattern names a file or a whole tree.
            let path = path.to_ascii_lowercase();
            let depth = known.matches('/').count();
            let cut = path.match_indices('/').nth(depth + 1).map_or(path.len(), |found| found.0);
            let head = path.match_indices('/').nth(depth).map_or(path.len(), |found| found.0);
            glob(known.as_bytes(), &path.as_bytes()[..cut]) || glob(known.as_bytes(), &path.as_bytes()[..head])
        });
        assert!(found, "{class}: nothing lies at `{pattern}`");
    }
}

#[test]
fn every_name_that_is_withheld_has_a_decoy() {
    let mut names = BTreeSet::new();
    let environment = Environment::compile(&EnvironmentLists::default());
    for ground in Ground::ALL {
        let laid = world(ground).laid;
        for (name, value) in &laid.environment {
            let verdict = environment.decide(ActorKind::BuildScript, name.as_bytes(), value.as_bytes());
            let has_canary = laid.canaries.iter().any(|canary| contains(value.as_bytes(), &canary.value));
            let place = format!("${}", name.to_string_lossy());
            assert!(!has_canary || laid.canaries.iter().any(|canary| canary.place == place), "{place}");
            // What holds a canary is what would have been withheld.
            assert!(!has_canary || verdict == EnvVerdict::Withhold, "{place} is no secret to the catalogue");
            names.insert(name.to_string_lossy().to_ascii_uppercase());
        }
    }
    for pattern in &catalogue().environment.withhold {
        assert!(names.iter().any(|name| glob(pattern.as_bytes(), name.as_bytes())), "no variable is called {pattern}");
    }
}

#[test]
fn a_canary_stands_where_it_says() {
    let mut seen = BTreeSet::new();
    for ground in Ground::ALL {
        let world = world(ground);
        let mut found = Vec::new();
        files(&world.home, &mut found);
        let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        found.iter().for_each(|path| texts.entry(world.place(path)).or_default().extend(fs::read(path).unwrap()));
        texts
            .extend(world.laid.environment.iter().map(|(name, value)| (format!("${}", name.to_str().unwrap()), value.as_bytes().to_vec())));
        for canary in &world.laid.canaries {
            assert!(seen.insert(canary.value.clone()), "{canary:?} is there twice");
            assert!(canary.value.len() >= 16 && !canary.name.is_empty(), "{canary:?}");
            // The same bytes in another encoding are a value of their own (a key of Solana in base58, a password in base64).
            let shown = |canary: &Canary| contains(&texts[&canary.place], &canary.value);
            let beside = |other: &Canary| other.place == canary.place && other.name == canary.name && shown(other);
            assert!(shown(canary) || world.laid.canaries.iter().any(beside), "{canary:?} does not stand there");
        }
    }
}

/// Values are drawn one by one, so one ground is as good as any.
#[test]
fn a_canary_stands_nowhere_else() {
    let world = world(Ground::Container);
    let mut found = Vec::new();
    files(&world.home, &mut found);
    for path in found {
        let (place, text) = (world.place(&path), fs::read(&path).unwrap());
        for canary in world.laid.canaries.iter().filter(|canary| canary.place != place) {
            assert!(!contains(&text, &canary.value), "{canary:?} stands in {place}");
        }
    }
}

#[test]
fn it_looks_lived_in() {
    let World { home, laid, .. } = &world(Ground::Laptop);
    let mut found = Vec::new();
    files(home, &mut found);
    assert!(found.len() > 500, "{} files", found.len());
    let now = SystemTime::now();
    let age = |path: &PathBuf| now.duration_since(fs::metadata(path).unwrap().modified().unwrap()).unwrap();
    let ages: Vec<Duration> = found.iter().map(age).collect();
    let days = |days: u64| Duration::from_secs(days * 86_400);
    assert!(ages.iter().all(|age| *age > Duration::from_secs(60) && *age < days(731)));
    assert!(ages.iter().any(|age| *age > days(500)) && ages.iter().any(|age| *age < days(30)));
    assert!(age(&home.join("Documents")) > Duration::from_secs(60), "directories are as old as what is in them");
    assert_eq!(laid.user, "ada");
}

/// What is there is the caller's.
#[test]
fn what_is_there_stays() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "mine").unwrap();
    lay(&dir.path().join("h"), dir.path(), Ground::Container).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("Cargo.toml")).unwrap(), "mine");
}
