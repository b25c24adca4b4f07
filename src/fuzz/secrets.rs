//! Target: what is a secret. The compiled matcher against the catalogue read pattern by pattern, and the globs of a profile: one that is
//! accepted means something.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::Places;
use crate::judge::matcher::Matcher;
use crate::judge::paths::{components, glob};
use crate::judge::secrets::{SecretLists, Secrets};
use crate::model::ActorKind;
use crate::plan::ActorFacts;
use crate::plan::config::{load_with, parse};

/// Of every shape, some overlapping.
const PATTERNS: [&str; 18] = [
    "~/.ssh/**",
    "~/.aws/credentials",
    "~/.mozilla/firefox/*/logins.json",
    "~/*secret*/key",
    "{cargo-home}/credentials",
    "{cargo-home}/credentials.toml",
    "{rustup-home}/x/**",
    "/etc/shadow",
    "/run/secrets/**",
    ".env",
    ".env.*",
    "*.pem",
    "*.key.bak",
    "config/master.key",
    "service-account*.json",
    ".docker/*.json",
    ".git/hooks/**",
    ".ssh/**",
];

const PARTS: [&str; 24] = [
    "home",
    "u",
    ".ssh",
    ".SSH",
    "id_rsa",
    ".aws",
    "credentials",
    "Credentials.toml",
    ".cargo",
    "app",
    ".env",
    ".ENV.local",
    "a.pem",
    "A.PEM",
    "b.key.bak",
    "config",
    "master.key",
    "service-account-1.json",
    ".docker",
    "config.json",
    ".git",
    "hooks",
    "my-secret-x",
    "key",
];

fn places() -> Places {
    Places {
        workspace: Some("/home/u/app".into()),
        target: "/home/u/app/target".into(),
        cargo_home: "/home/u/.Cargo".into(),
        rustup_home: Some("/home/u/.rustup".into()),
        home: Some("/home/u".into()),
        tmp: "/tmp/brig-1".into(),
        ..Places::default()
    }
}

/// One pattern on one path, as the catalogue describes its shapes; whether it is rooted.
fn plainly(pattern: &str, path: &[u8], places: &Places) -> Option<bool> {
    let (pattern, path) = (pattern.to_ascii_lowercase(), path.to_ascii_lowercase());
    let starts = |names: &[&[u8]], parts: &str| {
        let parts: Vec<&[u8]> = components(parts.as_bytes()).collect();
        names.len() >= parts.len() && parts.iter().zip(names).all(|(part, name)| glob(part, name))
    };
    let rooted = |root: Option<&Path>, rest: &str| {
        let root = root?.as_os_str().as_bytes().to_ascii_lowercase();
        let below = path.strip_prefix(root.as_slice()).filter(|rest| root == b"/" || rest.starts_with(b"/"))?;
        let names: Vec<&[u8]> = components(below).collect();
        starts(&names, rest.strip_suffix("/**").unwrap_or(rest)).then_some(true)
    };
    let names: Vec<&[u8]> = components(&path).collect();
    if let Some(rest) = pattern.strip_prefix("~/") {
        rooted(places.home.as_deref(), rest)
    } else if let Some(rest) = pattern.strip_prefix("{cargo-home}/") {
        rooted(Some(&places.cargo_home), rest)
    } else if let Some(rest) = pattern.strip_prefix("{rustup-home}/") {
        rooted(places.rustup_home.as_deref(), rest)
    } else if let Some(rest) = pattern.strip_prefix('/') {
        rooted(Some(Path::new("/")), rest)
    } else if let Some(dir) = pattern.strip_suffix("/**") {
        (0..names.len()).any(|at| starts(&names[at..], dir)).then_some(false)
    } else {
        let count = pattern.split('/').count();
        (names.len() >= count && starts(&names[names.len() - count..], &pattern)).then_some(false)
    }
}

fn path(source: &mut Source) -> Bytes {
    let mut parts: Vec<Vec<u8>> = if source.one_in(2) { vec![b"home".to_vec(), b"u".to_vec()] } else { Vec::new() };
    parts.extend(source.many(5, |source| match source.below(12) {
        0 => source.bytes(6).into_iter().filter(|byte| !b"/\0".contains(byte)).collect(),
        1 => b"x".repeat(600),
        _ => source.pick(&PARTS).as_bytes().to_vec(),
    }));
    parts.retain(|part| !part.is_empty());
    Bytes([b"/", &parts.join(&b'/')[..]].concat())
}

#[test]
fn the_matcher_finds_what_its_patterns_say() {
    let case = |source: &mut Source| (source.many(10, |source| source.pick(&PATTERNS)), source.many(8, path));
    fuzz("matcher", 3000, case, |(patterns, paths)| {
        let places = places();
        let mut matcher = Matcher::default();
        patterns.iter().enumerate().for_each(|(tag, pattern)| matcher.add(pattern, tag as u16, &places));
        for path in paths {
            let plain: Vec<Option<bool>> = patterns.iter().map(|pattern| plainly(pattern, &path.0, &places)).collect();
            let hit = matcher.find(&path.0);
            let rooted = plain.contains(&Some(true));
            must(hit.is_some() == plain.iter().any(Option::is_some), || format!("{path:?}: {hit:?}, plainly {plain:?}"))?;
            let Some(hit) = hit else { continue };
            must(hit.rooted == rooted, || format!("{path:?}: {hit:?}, plainly {plain:?}"))?;
            must(plain[usize::from(hit.tag)] == Some(hit.rooted), || format!("{path:?}: {hit:?}, plainly {plain:?}"))?;
        }
        Ok(())
    });
}

#[test]
fn what_is_secret_is_secret_in_any_letters_and_all_the_way_down() {
    let secrets = Secrets::compile(&places(), &SecretLists::default()).expect("compiles");
    let rooted = ["/home/u/.ssh", "/home/u/.aws/credentials", "/home/u/.kube/config", "/home/u/.gnupg", "/etc/shadow", "/run/secrets"];
    let case = |source: &mut Source| {
        let tree = source.pick(&rooted);
        let mixed: String = tree.chars().map(|c| if source.one_in(3) { c.to_ascii_uppercase() } else { c }).collect();
        Bytes([mixed.as_bytes(), b"/", &path(source).0[1..]].concat())
    };
    fuzz("secrets", 3000, case, |path| {
        let at = path.0.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
        must(secrets.class_of(&path.0[..at]).is_some(), || "no secret".into())?;
        must(secrets.looks_secret(&path.0[..at]), || "does not even look like one".into())
    });
}

/// A glob for a profile, and a path it names by any reading.
fn written(source: &mut Source) -> (String, String) {
    let (mut glob, mut path) = match source.below(6) {
        0 => ("{home}/".to_owned(), "/home/u/".to_owned()),
        1 => ("{workspace}/".to_owned(), "/home/u/app/".to_owned()),
        2 => ("/srv/".to_owned(), "/srv/".to_owned()),
        3 => ("**/".to_owned(), "/srv/a/b/".to_owned()),
        _ => (String::new(), "/srv/".to_owned()),
    };
    for at in 0..=source.below(3) {
        if at > 0 {
            glob.push('/');
            path.push('/');
        }
        for _ in 0..=source.below(3) {
            let (written, meant) = source.pick(&[
                ("abc", "abc"),
                ("*", "xyz"),
                ("?", "q"),
                ("{a,b}", "b"),
                ("{one,two,three}", "two"),
                ("[xyz]", "z"),
                ("[!a]", "k"),
                (".env", ".ENV"),
                ("-", "-"),
            ]);
            glob.push_str(written);
            path.push_str(meant);
        }
    }
    (glob, path)
}

#[test]
fn a_glob_that_is_accepted_means_something() {
    fuzz(
        "secret-globs",
        250,
        |source| source.many(3, written),
        |globs| {
            let list: Vec<String> = globs.iter().map(|(glob, _)| format!("'{glob}'")).collect();
            let text = format!("version = 1\n[profile.x]\nextend-secrets = [{}]", list.join(", "));
            let config = parse("brig.toml", &text).map_err(|error| error.to_string())?;
            let profile = load_with("x", &config, "brig.toml").map_err(|error| error.to_string())?;
            let policy = profile.resolve(&places(), &ActorFacts::new(ActorKind::BuildScript, "/tmp/brig-1/1"));
            for (glob, path) in globs {
                must(policy.secrets.class_of(path.as_bytes()).is_some(), || format!("`{glob}` does not name {path}"))?;
            }
            Ok(())
        },
    );
}
