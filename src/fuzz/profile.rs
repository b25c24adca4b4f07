//! Target: `brig.toml` and profiles: a repository brings them. Read or refused with a place that is in the file; what is read resolves to
//! paths that are whole, and to the same ones every time.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::Places;
use crate::model::ActorKind;
use crate::plan::ActorFacts;
use crate::plan::config::{load_with, parse};
use crate::plan::loosening::beyond;
use crate::plan::profile::EMBEDDED;

const KEYS: [&str; 26] = [
    "description",
    "inherits",
    "mode",
    "require",
    "environment",
    "secrets",
    "extend-secrets",
    "not-secrets",
    "read",
    "write",
    "exec",
    "connect",
    "unix",
    "extend-read",
    "extend-write",
    "extend-exec",
    "extend-connect",
    "pass",
    "withhold",
    "extend-withhold",
    "landlock",
    "complete",
    "policy",
    "profile",
    "version",
    "conect",
];
const TABLES: [&str; 16] = [
    "[profile.x]",
    "[profile.y]",
    "[profile.x.build-script]",
    "[profile.x.rustc]",
    "[profile.y.program]",
    "[profile.x.tool]",
    "[profile.x.linker]",
    "[profile.x.environment]",
    "[profile.x.require]",
    "[[allow]]",
    "[[deny]]",
    "[profile.default]",
    "[profile.\"a\\u001bb\"]",
    "[profile.x.rustdoc]",
    "[profile]",
    "[x",
];
const VALUES: [&str; 34] = [
    "'{out}'",
    "'{tmp}/x'",
    "'{workspace}'",
    "'{nothing}'",
    "'/usr'",
    "'/'",
    "'/a/../b'",
    "'~/x'",
    "'src'",
    "'protoc'",
    "'{out}/../x'",
    "''",
    "'a{out}'",
    "'h.example:443'",
    "'*:*'",
    "'loopback'",
    "'[::1]:80'",
    "'[::1'",
    "':1'",
    "'*.pem'",
    "'{a,b}.x'",
    "'a['",
    "'**/x'",
    "'default'",
    "'strict'",
    "'x'",
    "'y'",
    "'observe'",
    "\"\\u001b[2K\\u202e\"",
    "1",
    "-7",
    "true",
    "1979-05-27",
    "{ landlock = 4 }",
];

fn text(source: &mut Source) -> String {
    let mut text = if source.one_in(8) { String::new() } else { "version = 1\n".to_owned() };
    for _ in 0..source.below(8) {
        if source.one_in(2) {
            text.push_str(source.pick(&TABLES));
        } else {
            let values: Vec<&str> = source.many(3, |source| source.pick(&VALUES));
            let value =
                if source.one_in(3) { values.first().copied().unwrap_or("''").to_owned() } else { format!("[{}]", values.join(", ")) };
            text.push_str(&format!("{} = {value}", source.pick(&KEYS)));
        }
        text.push_str(source.pick(&["\n", "\r\n", " # x\n", "\n\n"]));
    }
    text
}

/// Places that are nowhere, so that resolving looks at hardly anything.
fn places() -> Places {
    Places {
        workspace: Some("/nowhere/w".into()),
        target: "/nowhere/w/target".into(),
        toolchain: "/nowhere/toolchain".into(),
        cargo_home: "/nowhere/home/.cargo".into(),
        home: Some("/nowhere/home".into()),
        tmp: "/nowhere/tmp".into(),
        ..Places::default()
    }
}

fn whole(text: &str) -> Result<(), String> {
    let lines = text.lines().count() as u32 + 1;
    let config = match parse("brig.toml", text) {
        Err(error) => {
            must(error.line >= 1 && error.column >= 1 && error.line <= lines, || format!("a place outside of the file: {error}"))?;
            return must(!error.message.is_empty() && !error.message.contains('\n'), || format!("says {:?}", error.message));
        }
        Ok(config) => config,
    };
    let names: Vec<String> = config.profile_names().map(str::to_owned).collect();
    for name in names.iter().map(String::as_str).chain(["default", "nothing"]).take(3) {
        // A name that looks like a path is one.
        if name.contains('/') || name.ends_with(".toml") {
            continue;
        }
        let Ok(profile) = load_with(name, &config, "brig.toml") else { continue };
        must(profile.chain.len() <= names.len() + 2 * EMBEDDED.len(), || "inherits without end".into())?;
        let again = load_with(name, &config, "brig.toml").map_err(|error| error.to_string())?;
        must(profile.digest() == again.digest(), || "two digests".into())?;
        must(beyond(&profile, &again).is_empty(), || format!("grants more than itself: {:?}", beyond(&profile, &again)))?;
        let facts =
            ActorFacts { outputs: vec!["/nowhere/w/target/out".into()], ..ActorFacts::new(ActorKind::BuildScript, "/nowhere/tmp/1") };
        let policy = profile.resolve(&places(), &facts);
        for path in policy.read.iter().chain(&policy.write).chain(&policy.exec).chain(&policy.unix) {
            let climbs = path.components().any(|part| matches!(part, std::path::Component::ParentDir | std::path::Component::CurDir));
            must(path.is_absolute() && !climbs, || format!("grants {path:?}"))?;
        }
        // A hole in a grant is a hole, whatever the repository asks for: the kernel is never granted what holds secrets by name.
        let granted = |tree: &std::path::PathBuf| policy.kernel.read.contains(tree) && !policy.read.contains(&"/".into());
        must(!granted(&"/nowhere/home".into()), || "the kernel is granted a home".into())?;
    }
    Ok(())
}

#[test]
fn any_configuration_is_read_or_refused() {
    fuzz("profile", 150, text, |text| whole(text));
}

#[test]
fn damaged_profiles_are_read_or_refused() {
    let damaged = |source: &mut Source| {
        let (_, embedded) = source.pick(&EMBEDDED);
        let mut bytes = embedded.as_bytes().to_vec();
        let words: [&[u8]; 10] = [b"[", b"]", b"'", b"\"\"\"", b"=", b"\n", b"{out}", b"\xff", b"\\u202e", b"# "];
        let other = text(source);
        mutate(source, &mut bytes, other.as_bytes(), &words);
        if source.one_in(40) {
            bytes.extend([b"x = ".to_vec(), b"[".repeat(50_000)].concat());
        }
        Bytes(bytes)
    };
    fuzz("profile-files", 150, damaged, |bytes| {
        let Ok(text) = std::str::from_utf8(&bytes.0) else { return Ok(()) };
        // As a file of its own it stands in a table of the configuration.
        whole(text)?;
        let inner = text.replace("\nversion = 1\n", "\n").replace("\n[", "\n[profile.x.");
        whole(&format!("version = 1\n[profile.x]\n{inner}"))
    });
}
