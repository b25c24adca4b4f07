//! Where the user's credentials go is the user's to say. Cargo knows a registry's token by the registry's name, and a repository's configuration counts
//! before that of the user's home: so it could give the registry of that name another address, or put a proxy or an authority for certificates
//! of its own in between. In: cargo's configuration and whose word it is, the environment. Out: nothing, or the word of the repository's that must not
//! stand.
//!
//! Two rules, for phases in which cargo has the network. A repository does not contradict what the user's own files say of registries, providers and
//! connections; and while the user holds credentials, it does not say through whom cargo connects, or which program hands tokens out for all registries. A
//! registry that only the repository names is as good as ever, and so are sources it replaces: cargo looks for a token by the address that `[registries]`
//! has, and never by that of `[source]` (cargo's `registry_credential_config_raw`). Where the user holds a token for such a registry, that is told: any
//! other repository could give the same name another address.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cargo_files;
use super::whose::{Said, Words};
use crate::attribute::source::read_text;
use crate::model::report::Weakness;

/// Parts of the configuration that say to whom cargo speaks, and as whom.
const SECTIONS: [&str; 5] = ["registries", "registry", "http", "net", "credential-alias"];
/// Keys in them that say how, or what is taken when nothing is named. (`net.ssh` names hosts to be known by: no key is shown to a host.)
const MANNER: [&str; 11] = [
    "http.debug",
    "http.timeout",
    "http.low-speed-limit",
    "http.multiplexing",
    "http.user-agent",
    "http.check-revoke", // another system's
    "net.retry",
    "net.offline",
    "net.ssh.known-hosts",
    "registry.default",
    "registries.crates-io.protocol",
];
/// Bytes of a credentials file, of one of git's.
const LONGEST: u64 = 1 << 20;

/// A word of the repository's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Steered {
    #[error(
        "{}: the repository's cargo configuration says `{key}`, and {} says otherwise: your credentials would go where the repository wants\n  \
         help: if that is meant, put it into your own cargo configuration, or into the environment: {}",
        .file.display(), .users.display(), variable(.key)
    )]
    Contradicts { file: PathBuf, key: String, users: PathBuf },
    #[error(
        "{}: the repository's cargo configuration says `{key}`, and you hold credentials ({held}): they would pass through what the repository names\n  \
         help: if that is meant, put it into your own cargo configuration, or into the environment: {}",
        .file.display(), variable(.key)
    )]
    Between { file: PathBuf, key: String, held: String },
    #[error("{}: larger than 1 MiB, or no TOML: what it says of registries and proxies cannot be told\n  help: make it readable, or remove it", .0.display())]
    Unread(PathBuf),
}

/// Looks at what the repository says, before cargo has a network.
///
/// # Errors
/// With the first word that must not stand.
pub fn check(words: &Words, home: Option<&Path>, cargo_home: &Path, env: &[(OsString, OsString)]) -> Result<(), Steered> {
    if let Some(file) = &words.unread {
        return Err(Steered::Unread(file.clone()));
    }
    let all: Vec<(&Said, Vec<(String, &Value)>)> = words.said.iter().map(|said| (said, leaves(&said.table))).collect();
    let users: Vec<(&Path, &str, &Value)> = all
        .iter()
        .filter(|(said, _)| said.is_users)
        .flat_map(|(said, leaves)| leaves.iter().map(|(key, value)| (&*said.file, &**key, *value)))
        .collect();
    let held = std::cell::LazyCell::new(|| held(&users, home, cargo_home, env));
    // What was typed counts before any file, and a variable before any file as well.
    let mut settled: HashSet<&str> = HashSet::new();
    for (said, leaves) in &all {
        for (key, value) in leaves {
            if said.is_users {
                settled.insert(key);
                continue;
            }
            if settled.contains(&**key) || MANNER.contains(&&**key) || env.iter().any(|(name, _)| *name == *variable(key)) {
                continue;
            }
            let same = |other: &str| variable(other) == variable(key);
            let of_users = || users.iter().filter(|(_, other, _)| same(other));
            let is_list = key == "registry.global-credential-providers";
            if let Some((file, ..)) = of_users().find(|(_, _, other)| !is_list && other != value) {
                return Err(Steered::Contradicts { file: said.file.clone(), key: key.clone(), users: file.to_path_buf() });
            }
            // Lists are joined; providers that cargo has built in hand a token to nobody.
            let known: Vec<&Value> = of_users().flat_map(|(_, _, value)| elements(value)).collect();
            let names = |value: &&Value| !value.as_str().is_some_and(is_built_in) && !known.contains(value);
            let hands_out = (is_list || key == "registry.credential-provider") && elements(value).iter().any(names);
            if of_users().next().is_none_or(|_| is_list)
                && (hands_out || key.starts_with("http."))
                && let Some(held) = &*held
            {
                return Err(Steered::Between { file: said.file.clone(), key: key.clone(), held: held.clone() });
            }
        }
    }
    Ok(())
}

/// Tokens of the user's that go where only the repository says.
pub fn entrusted(words: &Words, cargo_home: &Path, env: &[(OsString, OsString)]) -> Vec<Weakness> {
    let indices = |said: &Said| -> Vec<(String, Value)> {
        let is_index = |key: &str| key.starts_with("registries.") && key.ends_with(".index");
        leaves(&said.table).into_iter().filter(|(key, _)| is_index(key)).map(|(key, value)| (key, value.clone())).collect()
    };
    let token = |key: &str| variable(key).replace("_INDEX", "_TOKEN");
    let users: HashSet<String> = words.said.iter().filter(|said| said.is_users).flat_map(&indices).map(|(key, _)| variable(&key)).collect();
    let files = ["credentials", "credentials.toml"].map(|name| cargo_files::read(&cargo_home.join(name)).unwrap_or_default());
    let kept = files.iter().chain(words.said.iter().filter(|said| said.is_users).map(|said| &said.table));
    let kept: HashSet<String> = kept.flat_map(leaves).map(|(key, _)| variable(&key)).collect();
    let set = |name: &str| env.iter().any(|(known, value)| known == name && !value.is_empty());
    let mut told = BTreeMap::new();
    for said in words.said.iter().filter(|said| !said.is_users) {
        for (key, index) in indices(said) {
            let (named, token) = (variable(&key), token(&key));
            // The first word counts.
            if !users.contains(&named) && !set(&named) && (kept.contains(&token) || set(&token)) {
                let means = format!(
                    "{:?} says that it is for {index}, and any other repository could name another address: put `{key}` into your own cargo configuration",
                    said.file
                );
                told.entry(named).or_insert(Weakness {
                    what: format!("your token {token} goes where this repository says"),
                    means,
                    covered: false,
                });
            }
        }
    }
    told.into_values().collect()
}

/// `section.key…` and value, for all in those sections.
fn leaves(table: &Table) -> Vec<(String, &Value)> {
    let mut open: Vec<(String, &Value)> =
        SECTIONS.iter().filter_map(|section| Some(((*section).to_owned(), table.get(*section)?))).collect();
    let mut found = Vec::new();
    while let Some((key, value)) = open.pop() {
        match value {
            Value::Table(inner) => open.extend(inner.iter().map(|(name, value)| (format!("{key}.{name}"), value))),
            _ => found.push((key, value)),
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The variable that says the same. Names that share one share its token, too.
fn variable(key: &str) -> String {
    format!("CARGO_{}", key.to_uppercase().replace(['.', '-'], "_"))
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// A provider of cargo's own, which starts no program.
fn is_built_in(text: &str) -> bool {
    text.starts_with("cargo:") && !text.starts_with("cargo:token-from-stdout")
}

/// The first thing found by which cargo, or git for it, could prove who the user is.
fn held(users: &[(&Path, &str, &Value)], home: Option<&Path>, cargo_home: &Path, env: &[(OsString, OsString)]) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let is_secret = |key: &str| ["token", "secret-key"].contains(&&*last(key));
    for name in ["credentials", "credentials.toml"] {
        let file = cargo_home.join(name);
        let is_there = file.symlink_metadata().is_ok();
        if is_there && cargo_files::read(&file).is_none_or(|table| leaves(&table).iter().any(|(key, _)| is_secret(key))) {
            return Some(file.display().to_string());
        }
    }
    let is_token = |value: &Value| value.as_str() == Some("cargo:token");
    let provides = |key: &str, value: &Value| {
        ["credential-provider", "global-credential-providers"].contains(&&*last(key)) && !elements(value).into_iter().all(is_token)
    };
    if let Some((file, key, _)) = users.iter().find(|(_, key, value)| is_secret(key) || provides(key, value)) {
        return Some(format!("`{key}` in {}", file.display()));
    }
    let of_registries = |name: &OsStr| {
        let ends = ["_TOKEN", "_SECRET_KEY", "_CREDENTIAL_PROVIDER", "_CREDENTIAL_PROVIDERS"];
        name.as_bytes().starts_with(b"CARGO_REGISTR") && ends.iter().any(|end| name.as_bytes().ends_with(end.as_bytes()))
    };
    if let Some((name, _)) = env.iter().find(|(name, value)| !value.is_empty() && of_registries(name)) {
        return Some(name.to_string_lossy().into_owned());
    }
    let home = home?;
    let config = env.iter().find(|(name, value)| name == "XDG_CONFIG_HOME" && !value.is_empty());
    let config = config.map_or_else(|| home.join(".config"), |(_, value)| value.into()).join("git");
    let files = [home.join(".git-credentials"), config.join("credentials"), home.join(".netrc")];
    let helped = [home.join(".gitconfig"), config.join("config")];
    let names_helper = |file: &PathBuf| read_text(file, LONGEST).is_some_and(|text| text.contains("[credential"));
    let found = files.iter().find(|file| file.metadata().is_ok_and(|facts| facts.len() > 0));
    found.or_else(|| helped.iter().find(|file| names_helper(file))).map(|file| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the repository's file and the user's; with a credential in the environment or without.
    fn found(repository: &str, users: &str, env: &[&str]) -> Option<String> {
        let said = |text: &str, file: &str, is_users| Said { table: text.parse().unwrap(), file: file.into(), is_users };
        let words = Words { said: vec![said(repository, "r", false), said(users, "u", true)], unread: None };
        let env: Vec<_> = env.iter().map(|name| (OsString::from(name), OsString::from("x"))).collect();
        match check(&words, None, Path::new("/nowhere"), &env).err()? {
            Steered::Contradicts { key, .. } => Some(format!("contradicts {key}")),
            Steered::Between { key, .. } => Some(format!("between {key}")),
            Steered::Unread(_) => None,
        }
    }

    const CORP: &str = "registries.corp.index = 'sparse+https://corp.invalid/'";
    const EVIL: &str = "registries.corp.index = 'sparse+https://evil.invalid/'";
    const TOKEN: &[&str] = &["CARGO_REGISTRIES_CORP_TOKEN"];

    #[test]
    fn a_repository_does_not_contradict_the_user() {
        for (repository, users, expected) in [
            (CORP, "", None),
            (CORP, CORP, None),
            (EVIL, "registries.corp.token = 'x'", None),
            (EVIL, CORP, Some("contradicts registries.corp.index")),
            ("registries.CORP.index = 'sparse+https://evil.invalid/'", CORP, Some("contradicts registries.CORP.index")),
            ("registries.other.index = 'sparse+https://evil.invalid/'", CORP, None),
            ("[http]\nproxy = 'p'\ntimeout = 1", "http.proxy = 'q'", Some("contradicts http.proxy")),
            ("[http]\ntimeout = 1\n[net]\nretry = 2", "[http]\ntimeout = 2\n[net]\nretry = 3", None),
            ("net.git-fetch-with-cli = true", "net.git-fetch-with-cli = false", Some("contradicts net.git-fetch-with-cli")),
            ("net.git-fetch-with-cli = true", "", None),
            ("credential-alias.mine = 'theirs'", "credential-alias.mine = 'keeper'", Some("contradicts credential-alias.mine")),
            (
                "[source.crates-io]\nreplace-with = 'vendored'\n[source.vendored]\ndirectory = 'vendor'",
                "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = 'sparse+https://mirror.invalid/'",
                None,
            ),
        ] {
            assert_eq!(found(repository, users, TOKEN).as_deref(), expected, "{repository} against {users}");
        }
        // A variable counts before every file.
        assert_eq!(found(EVIL, CORP, &["CARGO_REGISTRIES_CORP_INDEX"]), None);
    }

    #[test]
    fn a_repository_does_not_stand_between_the_user_and_whom_credentials_are_for() {
        let proxy = "http.proxy = 'http://evil.invalid'";
        for (repository, users, env, expected) in [
            (proxy, "", &[][..], None),
            (proxy, "", TOKEN, Some("between http.proxy")),
            (proxy, "registry.token = 'x'", &[], Some("between http.proxy")),
            (proxy, "registries.corp.credential-provider = 'keeper'", &[], Some("between http.proxy")),
            (proxy, "registry.global-credential-providers = ['cargo:token']", &[], None),
            (proxy, proxy, TOKEN, None),
            (proxy, "", &["CARGO_REGISTRY_TOKEN", "CARGO_HTTP_PROXY"], None),
            ("http.cainfo = 'ca.pem'", "", TOKEN, Some("between http.cainfo")),
            ("http.proxy-cainfo = 'ca.pem'", "", TOKEN, Some("between http.proxy-cainfo")),
            ("http.multiplexing = false", "", TOKEN, None),
            ("registry.global-credential-providers = ['cargo:token', 'cargo:libsecret']", "", TOKEN, None),
            ("registry.global-credential-providers = ['theirs']", "", TOKEN, Some("between registry.global-credential-providers")),
            ("registry.global-credential-providers = ['mine']", "registry.global-credential-providers = ['mine']", TOKEN, None),
            (
                "registry.global-credential-providers = ['theirs']",
                "registry.global-credential-providers = ['mine']",
                &[],
                Some("between registry.global-credential-providers"),
            ),
            ("registry.credential-provider = 'cargo:token-from-stdout x'", "", TOKEN, Some("between registry.credential-provider")),
            ("registries.corp.credential-provider = 'cargo:token-from-stdout x'", "", TOKEN, None),
        ] {
            assert_eq!(found(repository, users, env).as_deref(), expected, "{repository} against {users} with {env:?}");
        }
    }

    #[test]
    fn a_token_that_goes_where_only_a_repository_says_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = dir.path().join("credentials.toml");
        for (repository, users, kept, env, told) in [
            (EVIL, "", "", TOKEN, true),
            (EVIL, "", "registries.corp.token = 'x'", &[][..], true),
            ("registries.CORP.index = 'sparse+https://evil.invalid/'", "registries.corp.token = 'x'", "", &[], true),
            (EVIL, CORP, "", TOKEN, false),
            (EVIL, "", "", &["CARGO_REGISTRIES_CORP_TOKEN", "CARGO_REGISTRIES_CORP_INDEX"], false),
            (EVIL, "", "registries.other.token = 'x'", &["CARGO_REGISTRY_TOKEN"], false),
            ("", "", "", TOKEN, false),
        ] {
            std::fs::write(&credentials, kept).unwrap();
            let said = |text: &str, file: &str, is_users| Said { table: text.parse().unwrap(), file: file.into(), is_users };
            let words = Words { said: vec![said(repository, "r", false), said(users, "u", true)], unread: None };
            let env: Vec<_> = env.iter().map(|name| (OsString::from(name), OsString::from("x"))).collect();
            let found = entrusted(&words, dir.path(), &env);
            assert_eq!(found.len(), usize::from(told), "{repository} {users} {kept} {env:?}: {found:?}");
            assert!(found.iter().all(|one| one.means.contains("evil.invalid")), "{found:?}");
        }
    }

    #[test]
    fn what_a_user_holds_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        let cargo_home = home.join(".cargo");
        let held = || held(&[], Some(home), &cargo_home, &[]);
        for (file, text, holds) in [
            (".cargo/credentials.toml", "[registry]\n", false),
            (".cargo/credentials.toml", "[registries.corp]\ntoken = 'x'\n", true),
            (".cargo/credentials", "not toml", true),
            (".gitconfig", "[user]\nname = x\n", false),
            (".gitconfig", "[credential \"https://h\"]\nhelper = x\n", true),
            (".netrc", "machine h", true),
            (".config/git/credentials", "https://u:p@h", true),
        ] {
            std::fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            std::fs::write(home.join(file), text).unwrap();
            assert_eq!(held().is_some(), holds, "{file}: {text}");
            std::fs::remove_file(home.join(file)).unwrap();
        }
    }
}
