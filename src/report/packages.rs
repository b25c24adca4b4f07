//! The packages a report is about: whose code ran, and who is named by a finding. In: the cast, the findings, where packages lie. Out: each once, with what
//! tells it from any other of the same name.

use std::collections::BTreeMap;

use super::derive::Cast;
use super::normalise::Places;
use super::who::Who;
use crate::model::report::ReportedPackage;
use crate::model::{Finding, Hostile, Package};

pub fn packages(cast: &Cast, findings: &[Finding], places: &Places, who: &dyn Who) -> Vec<ReportedPackage> {
    let own = cast.actors.iter().filter_map(|actor| actor.package.as_ref());
    let named = findings.iter().flat_map(|finding| finding.offender.iter().chain(&finding.through).chain(&finding.candidates));
    let mut known: BTreeMap<(&str, &str, &Option<String>), &Package> = BTreeMap::new();
    for package in own.chain(named) {
        let one = known.entry((&package.name, &package.version, &package.source)).or_insert(package);
        if one.manifest_dir.is_none() {
            *one = package;
        }
    }
    let one = |package: &Package| ReportedPackage {
        name: package.name.clone(),
        version: package.version.clone(),
        purl: purl(package),
        source: package.source.clone(),
        checksum: package.checksum.clone(),
        manifest: package.manifest_dir.as_ref().map(|dir| places.path(&Hostile::from(dir.as_path()))),
        member: who.is_member(package),
        direct: who.why(&package.name, &package.version).len() == 2,
    };
    known.into_values().map(one).collect()
}

/// What the index of the registry is called that a package URL means where it names none.
const PUBLIC: &str = "crates.io-index";

/// A package URL (github.com/package-url/purl-spec, type `cargo`): the registry that is everybody's goes without saying.
pub fn purl(package: &Package) -> String {
    let mut purl = format!("pkg:cargo/{}@{}", encoded(&package.name), encoded(&package.version));
    if let Some(source) = &package.source {
        match source.split_once('+') {
            Some(("git", url)) => {
                let (url, commit) = url.rsplit_once('#').unwrap_or((url, ""));
                let url = url.split('?').next().unwrap_or_default();
                let at = if commit.is_empty() { String::new() } else { format!("@{commit}") };
                purl.push_str(&format!("?vcs_url={}", encoded(&format!("git+{url}{at}"))));
            }
            Some((_, url)) if !url.contains(PUBLIC) => purl.push_str(&format!("?repository_url={}", encoded(url))),
            _ => {}
        }
    }
    purl
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
