//! Which versions of a crate there are between two, as the registry's index says. In: the index's entries of that crate. Out: versions in order, each with what
//! a lock file holds of it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use cargo_metadata::semver::Version;
use serde::Deserialize;

use super::named::is_name;
use crate::plan::public::SOURCE;

/// Of an index's entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Offered {
    pub vers: String,
    #[serde(default)]
    pub yanked: bool,
    cksum: String,
}

/// Both ends of `1.0.0..1.0.9`, which belong to it.
///
/// # Errors
/// When it is no such range.
pub fn range(text: &str) -> Result<(Version, Version)> {
    let (from, to) = text.split_once("..").with_context(|| format!("{text:?} is no range such as 1.0.0..1.0.9"))?;
    let version = |text: &str| Version::parse(text).with_context(|| format!("{text:?} is no version"));
    let (from, to) = (version(from)?, version(to)?);
    ensure!(from < to, "{from} is not before {to}");
    Ok((from, to))
}

/// Those of the range, in order. `index`: as cargo keeps it, or as a local registry has it.
pub fn between(index: &[u8], (from, to): &(Version, Version)) -> Vec<Offered> {
    let parts = index.split(|byte| *byte == 0 || *byte == b'\n').filter(|part| part.starts_with(b"{"));
    let offered = parts.filter_map(|part| serde_json::from_slice::<Offered>(part).ok());
    let known: BTreeMap<Version, Offered> = offered.filter_map(|one| Some((Version::parse(&one.vers).ok()?, one))).collect();
    known.range(from..=to).map(|(_, one)| one.clone()).collect()
}

/// A lock file with this crate alone. What is locked cargo takes, yanked or not; the rest it chooses itself.
pub fn lock(name: &str, one: &Offered) -> Option<String> {
    let plain = is_name(name) && one.cksum.len() == 64 && one.cksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let vers = Version::parse(&one.vers).ok()?;
    plain.then(|| {
        format!(
            "version = 3\n\n[[package]]\nname = \"{name}\"\nversion = \"{vers}\"\nsource = \"{SOURCE}\"\nchecksum = \"{}\"\n",
            one.cksum
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_order_of_both_forms_of_an_index() {
        let sum = "0".repeat(64);
        let entry = |vers: &str, yanked: bool| {
            format!("{{\"name\":\"x\",\"vers\":\"{vers}\",\"deps\":[],\"cksum\":\"{sum}\",\"yanked\":{yanked}}}")
        };
        let all = [("1.10.0", false), ("1.9.0", true), ("1.2.0-rc.1", false), ("0.9.0", false), ("2.0.0", false), ("odd", false)];
        let near: String = all.iter().map(|(vers, yanked)| entry(vers, *yanked) + "\n").collect();
        let kept: String = all.iter().map(|(vers, yanked)| format!("{vers}\0{}\0", entry(vers, *yanked))).collect();
        for index in [near, format!("\x03\x02\0\0\0etag\0{kept}")] {
            let found = between(index.as_bytes(), &range("1.0.0..1.10.0").unwrap());
            let told: Vec<(&str, bool)> = found.iter().map(|one| (&*one.vers, one.yanked)).collect();
            assert_eq!(told, [("1.2.0-rc.1", false), ("1.9.0", true), ("1.10.0", false)]);
            let text = lock("x", &found[1]).unwrap();
            assert!(text.parse::<toml::Table>().unwrap()["package"][0]["version"].as_str() == Some("1.9.0"), "{text}");
        }
        for wrong in ["1.0.0", "1..2", "1.0.0..1.0.0", "2.0.0..1.0.0", "..", "1.0.0...2.0.0"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
        assert!(lock("x\"", &between(entry("1.0.0", false).as_bytes(), &range("0.1.0..2.0.0").unwrap())[0]).is_none());
    }
}
