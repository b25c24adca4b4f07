//! Where the suspect is made to believe it runs, and what is found there: `profiles/decoys.toml`. In: the ground. Out: its files, databases and
//! variables, as texts with places for values.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The embedded data file.
const DECOYS: &str = include_str!("../../../profiles/decoys.toml");

/// What `--as` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ground {
    /// A developer's own machine.
    #[default]
    Laptop,
    /// A step of a pipeline: GitHub's, GitLab's and Buildkite's variables are all there, since code waits for any of them.
    Ci,
    /// A container that builds.
    Container,
    /// A server where one works as root.
    Root,
}

impl Ground {
    pub const ALL: [Ground; 4] = [Ground::Laptop, Ground::Ci, Ground::Container, Ground::Root];

    fn sections(self) -> &'static [&'static str] {
        match self {
            Ground::Laptop => &["everywhere", "home", "desktop"],
            Ground::Ci => &["everywhere", "ci"],
            Ground::Container => &["everywhere", "container"],
            Ground::Root => &["everywhere", "home"],
        }
    }

    fn variables(self) -> &'static [&'static str] {
        match self {
            Ground::Laptop => &["everywhere", "person", "desktop"],
            Ground::Ci => &["everywhere", "ci"],
            Ground::Container => &["everywhere", "container"],
            Ground::Root => &["everywhere", "person", "root"],
        }
    }

    fn system(self) -> &'static [&'static str] {
        match self {
            Ground::Laptop => &[],
            Ground::Ci => &["system-ci"],
            Ground::Container => &["system-container"],
            Ground::Root => &["system-root"],
        }
    }

    /// Has it a screen, and what people keep who sit before one?
    pub fn is_somebodys(self) -> bool {
        self == Ground::Laptop
    }
}

type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Decoys {
    environment: BTreeMap<String, Texts>,
    #[serde(flatten)]
    files: BTreeMap<String, Texts>,
}

fn decoys() -> &'static Decoys {
    static PARSED: LazyLock<Decoys> = LazyLock::new(|| toml::from_str(DECOYS).expect("the embedded decoys are well-formed"));
    &PARSED
}

fn of<'a>(map: &'a BTreeMap<String, Texts>, sections: &[&str]) -> Vec<(&'a str, &'a str)> {
    let sections = sections.iter().filter_map(|section| map.get(*section));
    sections.flatten().map(|(key, text)| (key.as_str(), text.as_str())).collect()
}

/// Files of home (`~/x`) and workspace (`x`), each with its text.
pub fn files(ground: Ground) -> Vec<(&'static str, &'static str)> {
    of(&decoys().files, ground.sections())
}

/// Files of the system that whoever runs there can read, by absolute path.
pub fn system(ground: Ground) -> Vec<(&'static str, &'static str)> {
    of(&decoys().files, ground.system())
}

/// Databases of browsers, each with its kind.
pub fn databases(ground: Ground) -> Vec<(&'static str, &'static str)> {
    if ground.is_somebodys() { of(&decoys().files, &["browsers"]) } else { Vec::new() }
}

pub fn variables(ground: Ground) -> Vec<(&'static str, &'static str)> {
    of(&decoys().environment, ground.variables())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_laid_somewhere() {
        let all = Ground::ALL.iter().flat_map(|ground| ground.sections().iter().chain(ground.system()));
        let laid: Vec<&str> = all.chain(&["browsers"]).copied().collect();
        assert!(decoys().files.keys().all(|section| laid.contains(&section.as_str())), "{:?}", decoys().files.keys());
        let laid: Vec<&str> = Ground::ALL.iter().flat_map(|ground| ground.variables()).copied().collect();
        assert!(decoys().environment.keys().all(|section| laid.contains(&section.as_str())));
    }
}
