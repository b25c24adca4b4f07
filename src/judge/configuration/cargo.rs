//! Cargo's configuration (The Cargo Book, "Configuration"). In: a file's text. Out: one that says the same of how to build, and nothing of
//! who one is elsewhere: no tokens, providers, proxies and aliases, and of `[env]` only what actors are given anyway. Written anew from the
//! parsed values, so that nothing a parser passes over (comments, text in any of TOML's four kinds of string) is carried along.

use std::sync::LazyLock;

use toml::{Table, Value};

use super::address;
use crate::judge::environment::{EnvVerdict, Environment, EnvironmentLists};
use crate::model::{ActorKind, Hostile};
use crate::report::redact;

pub fn copy(text: &[u8]) -> Option<Vec<u8>> {
    let table: Table = std::str::from_utf8(text).ok()?.parse().ok()?;
    let kept: Table = table.into_iter().filter_map(|(name, value)| Some((name.clone(), section(&name, value)?))).collect();
    Some(toml::to_string(&kept).ok()?.into_bytes())
}

fn section(name: &str, value: Value) -> Option<Value> {
    match name {
        "paths" | "include" => plain(value),
        // Numbers, words, lists of flags: nothing in there is about anybody.
        "build" | "profile" | "term" | "unstable" | "resolver" | "future-incompat-report" | "doc" | "cargo-new" | "cache" => plain(value),
        "env" => each(value, environment),
        "http" => {
            only(value, &["debug", "ssl-version", "timeout", "low-speed-limit", "cainfo", "proxy-cainfo", "check-revoke", "multiplexing"])
        }
        "install" => only(value, &["root"]),
        "net" => only(value, &["retry", "git-fetch-with-cli", "offline"]),
        "registry" => only(value, &["default", "index"]),
        "registries" => each(value, |_, registry| only(registry, &["index", "protocol"])),
        "source" => each(value, |_, source| {
            let keys = ["replace-with", "directory", "local-registry", "registry", "git", "branch", "tag", "rev"];
            only(source, &keys)
        }),
        "patch" => each(value, |_, registry| {
            each(registry, |_, dependency| {
                let keys =
                    ["version", "path", "git", "branch", "tag", "rev", "registry", "package", "features", "default-features", "optional"];
                only(dependency, &keys)
            })
        }),
        "target" => each(value, |_, target| each(target, of_target)),
        _ => None,
    }
}

/// Below `[target.<triple>]`: keys, and what stands in for a build script of a library that is linked.
fn of_target(key: &str, value: Value) -> Option<Value> {
    match (key, &value) {
        ("linker" | "ar" | "rustflags" | "rustdocflags", _) => plain(value),
        ("runner", Value::String(text)) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            is_harmless_command(&words).then(|| plain(value)).flatten()
        }
        ("runner", Value::Array(words)) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            words.is_some_and(|words| is_harmless_command(&words)).then(|| plain(value)).flatten()
        }
        (_, Value::Table(_)) => only(value, &["rustc-link-lib", "rustc-link-search", "rustc-flags", "rustc-cfg", "rustc-cdylib-link-arg"]),
        _ => None,
    }
}

/// A nested cargo needs the emulator that runs what it builds. One that is told a password is left out.
fn is_harmless_command(words: &[&str]) -> bool {
    let words: Vec<Hostile> = words.iter().map(|word| Hostile::from(*word)).collect();
    redact::argv(&words) == words
}

/// As actors have it in their environment.
fn environment(name: &str, value: Value) -> Option<Value> {
    static LISTS: LazyLock<Environment> = LazyLock::new(|| Environment::compile(&EnvironmentLists::default()));
    let text = match &value {
        Value::Table(table) => table.get("value").and_then(Value::as_str),
        value => value.as_str(),
    };
    let kept = LISTS.decide(ActorKind::BuildScript, name.as_bytes(), text?.as_bytes()) == EnvVerdict::Keep;
    kept.then(|| match value {
        Value::Table(_) => only(value, &["value", "force", "relative"]),
        value => plain(value),
    })?
}

fn only(value: Value, keys: &[&str]) -> Option<Value> {
    each(value, |key, value| keys.contains(&key).then(|| plain(value)).flatten())
}

fn each(value: Value, keep: impl Fn(&str, Value) -> Option<Value>) -> Option<Value> {
    let Value::Table(table) = value else { return None };
    Some(Value::Table(table.into_iter().filter_map(|(key, value)| Some((key.clone(), keep(&key, value)?))).collect()))
}

/// The value, without what lets one in anywhere.
fn plain(value: Value) -> Option<Value> {
    Some(match value {
        Value::String(text) => Value::String(if is_address(&text) { address::bare(&text)? } else { address::without_credentials(&text)? }),
        Value::Array(values) => Value::Array(values.into_iter().filter_map(plain).collect()),
        Value::Table(table) => Value::Table(table.into_iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect()),
        value => value,
    })
}

fn is_address(text: &str) -> bool {
    text.contains("://") && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let copied = copy(text.as_bytes()).map(|copy| String::from_utf8(copy).unwrap());
        assert_eq!(copied.map(|text| text.parse::<Table>().unwrap()), Some(expected.parse().unwrap()), "{text}");
    }

    #[test]
    fn in_whatever_shape_they_are_written() {
        check(
            "[registries]\ncorp = { index = \"sparse+http://h/\", token = \"CANARY\" } # CANARY",
            "[registries.corp]\nindex = \"sparse+http://h/\"",
        );
        check("[registries.o]\n\"tok\\u0065n\" = \"\"\"\nCANARY\"\"\"", "[registries.o]");
        check("registries.x.token = '''CANARY'''\nregistries.x.\"secret-key\" = \"CANARY\"", "[registries.x]");
        check("[http]\nproxy = \"me:CANARY@h:9\"\ntimeout = 3\nuser-agent = \"CANARY\"", "[http]\ntimeout = 3");
        check(
            "[env]\nOPENAI_API_KEY = \"CANARY\"\nDEPLOY_KEY = { value = \"CANARY\", force = true }\nCC = { value = \"cc\", relative = true }\nURL = \"pg://u:CANARY@h\"",
            "[env.CC]\nvalue = \"cc\"\nrelative = true",
        );
        check(
            "[alias]\nup = [\"publish\", \"--token\", \"CANARY\"]\n[registry]\nglobal-credential-providers = [\"x CANARY\"]\ndefault = \"corp\"",
            "[registry]\ndefault = \"corp\"",
        );
        check(
            "[source.m]\nregistry = \"https://u:CANARY@h/i?k=CANARY\"\n[source.n]\ngit = \"me:CANARY@h/x\"",
            "[source.m]\nregistry = \"https://h/i\"\n[source.n]",
        );
        check(
            "[target.x]\nrunner = \"sshpass -p CANARY ssh h\"\nlinker = \"clang\"\n[target.x.z]\nrustc-link-lib = [\"z\"]\nrustc-env = { K = \"CANARY\" }",
            "[target.x]\nlinker = \"clang\"\n[target.x.z]\nrustc-link-lib = [\"z\"]",
        );
        check("[credential-alias]\nx = [\"CANARY\"]\n[newest]\nthing = \"CANARY\"", "");
        check("env = \"CANARY\"\nhttp = [\"CANARY\"]", "");
        assert_eq!(copy(b"[registries\ntoken = CANARY"), None);
        assert_eq!(copy(b"\xff"), None);
    }

    #[test]
    fn what_a_build_needs_stays() {
        let text = "paths = [\"/x\"]\n[build]\ntarget = \"x\"\nrustflags = [\"--cfg\", \"a\"]\njobs = 3\n[target.'cfg(unix)']\nrunner = [\"qemu\", \"-L\", \"/x\"]\n\
                    rustflags = \"-C link-arg=-fuse-ld=mold\"\n[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n[net]\noffline = true\n\
                    [profile.dev.package.x]\nopt-level = 3\n[patch.crates-io]\ny = { path = \"../y\" }\n[env]\nFOO = \"bar\"\n[unstable]\nbuild-std = [\"core\"]\n";
        check(text, text);
        check("", "");
    }
}
