//! What a fixture says about itself, in `[package.metadata.evasion]` of its `Cargo.toml`. In: `tests/crates/evasions/`. Out: `Fixture`s.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// The workspace all fixtures are members of.
pub const WORKSPACE: &str = "evasions";

#[derive(Clone, Debug)]
pub struct Fixture {
    /// Of the package.
    pub name: String,
    /// The technique, as the package's description.
    pub technique: String,
    pub says: Says,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Says {
    /// Of THREATS.md §4, e.g. `E01`; `D01` and on are what attacks on Brig itself brought up since.
    pub row: String,
    /// What it tries: each must win under plain cargo, and none under Brig. A way that wins says so with `trick::won`.
    pub ways: Vec<String>,
    /// Ways that only root can go, even under plain cargo.
    #[serde(default)]
    pub root_ways: Vec<String>,
    /// Ways that this kernel closes to everybody, and why: tried all the same.
    #[serde(default)]
    pub closed_ways: BTreeMap<String, String>,
    /// Ways that win under Brig, too, because they cannot or need not be stopped, and why.
    #[serde(default)]
    pub recorded_ways: BTreeMap<String, String>,
    /// Ways that win under Brig and leave no trace in its report, and why.
    #[serde(default)]
    pub unseen_ways: BTreeMap<String, String>,
    /// Ways for which it is chance whether there is anything to win once a layer is gone, each with the reason: no layer is named for them.
    #[serde(default)]
    pub chance_ways: BTreeMap<String, String>,
    /// What it leaves in its package under Brig, as a test may: new directories and data.
    #[serde(default)]
    pub leaves: Vec<String>,
    /// Why its being stopped leaves nothing in the report.
    pub silent: Option<String>,
    /// Rules that must each be found about the offender.
    #[serde(default)]
    pub finds: Vec<String>,
    /// Rules that are found or not as a race turns out, each with the reason: no trial needs them, and what they say is not in the table.
    #[serde(default)]
    pub chance_finds: BTreeMap<String, String>,
    /// Acts (`read`, `exec`, `symlink` …) that must each be in the recorded behaviour of its actors, whatever came of them.
    #[serde(default)]
    pub acts: Vec<String>,
    /// Environment variables that must have been withheld from its actors.
    #[serde(default)]
    pub withholds: Vec<String>,
    /// Kind of the actor that is named: `build-script` unless it says otherwise.
    #[serde(default = "build_script")]
    pub actor: String,
    /// The package that must be named: the fixture's own unless it says otherwise.
    pub offender: Option<String>,
    /// The crate that must be on the stack.
    pub blames: Option<String>,
    #[serde(default)]
    pub at: At,
}

/// When it acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// During `cargo build`.
    #[default]
    Build,
    /// During `cargo test`.
    Test,
}

fn build_script() -> String {
    "build-script".to_owned()
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    description: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    evasion: Option<Says>,
}

impl Fixture {
    pub fn offender(&self) -> &str {
        self.says.offender.as_deref().unwrap_or(&self.name)
    }

    /// Every way it tries, for a user.
    pub fn ways(&self, root: bool) -> Vec<&str> {
        self.says.ways.iter().chain(self.says.root_ways.iter().filter(|_| root)).map(String::as_str).collect()
    }

    /// What a control does not prove that won in these ways: one sentence for each.
    pub fn unproven(&self, root: bool, won: &BTreeSet<&str>) -> Vec<String> {
        let lost = self.ways(root).into_iter().filter(|way| !won.contains(way)).map(|way| format!("`{way}` does not win"));
        let closed = self.says.closed_ways.keys().filter(|way| won.contains(way.as_str()));
        lost.chain(closed.map(|way| format!("`{way}` is said to be closed here, and wins"))).collect()
    }

    /// May this way win under Brig?
    pub fn is_open(&self, way: &str) -> bool {
        self.says.recorded_ways.contains_key(way) || self.says.unseen_ways.contains_key(way)
    }
}

/// All fixtures, in the order of their rows.
pub fn all() -> Vec<Fixture> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crates").join(WORKSPACE);
    let mut found: Vec<Fixture> =
        fs::read_dir(&workspace).expect("read the workspace").flatten().filter_map(|dir| read(&dir.path())).collect();
    found.sort_by_key(|fixture| (order(&fixture.says.row), fixture.name.clone()));
    found
}

/// Where a row stands: `E07` before `E110`, and those before `D01`.
pub fn order(row: &str) -> (bool, u32) {
    let number = |letter| row.strip_prefix(letter).and_then(|digits| digits.parse().ok());
    let known = number('E').map(|number| (false, number)).or_else(|| number('D').map(|number| (true, number)));
    known.unwrap_or_else(|| panic!("`{row}` is no row"))
}

fn read(dir: &Path) -> Option<Fixture> {
    let path = dir.join("Cargo.toml");
    let text = fs::read_to_string(&path).ok()?;
    let manifest: Manifest = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Package { name, description, metadata } = manifest.package;
    let says = metadata?.evasion?;
    let technique = description.unwrap_or_else(|| panic!("{}: no description", path.display()));
    assert_eq!(Some(&*name), dir.file_name().and_then(|name| name.to_str()), "a fixture's directory bears its name");
    assert!(name.starts_with(&format!("{}-", says.row.to_lowercase())), "{name}: a fixture's name begins with its row");
    for way in says.recorded_ways.keys().chain(says.unseen_ways.keys()).chain(says.chance_ways.keys()) {
        assert!(says.ways.contains(way) || says.root_ways.contains(way), "{name}: `{way}` is not among its ways");
    }
    for rule in says.chance_finds.keys() {
        assert!(!says.finds.contains(rule), "{name}: `{rule}` cannot be both certain and chance");
    }
    Some(Fixture { name, technique, says })
}
