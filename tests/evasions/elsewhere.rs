//! Rows whose proof is no fixture of the corpus: a test that needs a run of its own, or a reason why nothing can be shown. In:
//! `elsewhere.toml`. Out: lines of the table; failures where a named test is not there, or a row is nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::fixture::{Fixture, order};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    /// Every row of THREATS.md §4. Rows of attacks on Brig itself (`D01` …) stand in no list: each is there because something shows it.
    rows: Vec<String>,
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    row: String,
    technique: String,
    /// `tests/behaviour/lifetime.rs::a_test`, each; none where nothing can be shown.
    #[serde(default)]
    tests: Vec<String>,
    /// What the tests show, or why there are none.
    says: String,
}

static LIST: LazyLock<Elsewhere> = LazyLock::new(|| toml::from_str(include_str!("elsewhere.toml")).expect("elsewhere.toml is well-formed"));

/// Every named test must exist, and every row be one of THREATS.md.
pub fn check() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for entry in &LIST.entry {
        for test in &entry.tests {
            let (file, name) = test.split_once("::").unwrap_or((test, ""));
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            if name.is_empty() || !text.contains(&format!("fn {name}(")) && !text.contains(&format!("{name} = ")) {
                wrong.push(format!("elsewhere.toml: {}: there is no test {test}", entry.row));
            }
        }
        if !is_row(&entry.row) {
            wrong.push(format!("elsewhere.toml: {} is no row", entry.row));
        }
    }
    wrong
}

fn is_row(row: &str) -> bool {
    row.starts_with('D') || LIST.rows.iter().any(|known| known == row)
}

/// Rows that nothing speaks of.
pub fn missing(fixtures: &[Fixture]) -> Vec<String> {
    let shown: BTreeSet<&str> =
        fixtures.iter().map(|fixture| fixture.says.row.as_str()).chain(LIST.entry.iter().map(|entry| entry.row.as_str())).collect();
    let missing = LIST.rows.iter().filter(|row| !shown.contains(row.as_str()));
    let strange = fixtures.iter().map(|fixture| &fixture.says.row).filter(|row| !is_row(row));
    missing.map(|row| format!("{row} is shown nowhere")).chain(strange.map(|row| format!("{row} is no row"))).collect()
}

/// How many rows besides `shown` have tests of their own, and how many only a reason why nothing can be shown.
pub fn rows_not_among(shown: &[&str]) -> (usize, usize) {
    let others = LIST.entry.iter().filter(|entry| !shown.contains(&entry.row.as_str()));
    let (tried, untried): (Vec<&Entry>, _) = others.partition(|entry| !entry.tests.is_empty());
    let rows = |entries: Vec<&Entry>| entries.into_iter().map(|entry| entry.row.as_str()).collect::<BTreeSet<_>>().len();
    (rows(tried), rows(untried))
}

pub fn lines() -> Vec<((bool, u32), String)> {
    let name = |test: &String| format!("`{}`", test.rsplit("::").next().unwrap_or(test));
    let tests =
        |entry: &Entry| if entry.tests.is_empty() { "—".to_owned() } else { entry.tests.iter().map(name).collect::<Vec<_>>().join(", ") };
    let line = |entry: &Entry| format!("| {} | {} | {} | {} | | | | | |\n", entry.row, entry.technique, tests(entry), entry.says);
    LIST.entry.iter().map(|entry| (order(&entry.row), line(entry))).collect()
}
