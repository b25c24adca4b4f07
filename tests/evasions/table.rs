//! The table: what came out, row by row, as Markdown. It is written by this program alone, and the one in the repository must equal what
//! comes out here, where the machine is the same in what matters.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_brig::plan::host::Host;

use crate::elsewhere;
use crate::fixture::order;
use crate::verdict::{Trials, Verdict};
use crate::who::Who;

const HEAD: &str = "| row | technique | fixture or test | stopped by | rule | named | as root | as an ordinary user | observe mode |\n|---|---|---|---|---|---|---|---|---|\n";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/evasions.md")
}

/// Begins what `--strict` adds, up to the end.
const STRICT: &str = "\n## Under `strict`\n";
const STRICT_HEAD: &str = "| row | fixture | rule | as root | as an ordinary user |\n|---|---|---|---|---|\n";

/// Writes the table, or compares it with the one that is there. What differs is a failure.
pub fn settle(verdicts: &[Verdict], users: &[(Who, Trials)], write: bool) -> Vec<String> {
    if users.len() < 2 {
        println!("note: the table needs both users; not compared");
        return Vec::new();
    }
    let totals = totals(verdicts);
    let there = fs::read_to_string(path()).unwrap_or_default();
    // What this run does not try stays as it was.
    let strict = there.find(STRICT).map_or("", |at| &there[at..]);
    if !strict.contains(&tried(verdicts)) {
        println!("note: the table of the rows under `strict` is about other fixtures; `scripts/evasions --strict` makes it");
    }
    let text = format!(
        "{}\n{HEAD}{}\nTotals: {} Fixtures that did not come out as they must: {}.\n{strict}",
        intro(),
        rows(verdicts),
        totals.quoted,
        totals.faults
    );
    if write {
        fs::write(path(), &text).expect("write the table");
        println!("wrote {}", path().display());
        return unquoted(&totals.quoted);
    }
    let machine = |text: &str| text.lines().find(|line| line.starts_with("Made on ")).map(str::to_owned);
    if machine(&there) != machine(&text) {
        println!("note: the table in the repository was made on another kind of machine; not compared");
        return Vec::new();
    }
    let differs = |one: &str, other: &str| {
        one.lines().filter(|line| !other.lines().any(|there| there == *line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let (gone, new) = (differs(&there, &text), differs(&text, &there));
    if gone.is_empty() && new.is_empty() {
        return unquoted(&totals.quoted);
    }
    let lines = |sign: char, lines: &[String]| lines.iter().map(|line| format!("{sign} {line}\n")).collect::<String>();
    vec![format!("scripts/evasions.md is not what came out (`scripts/evasions` writes it):\n{}{}", lines('-', &gone), lines('+', &new))]
}

fn intro() -> String {
    let host = Host::examine(&std::env::temp_dir());
    let sockets = host.sockets.map_or("none", |sockets| sockets.name());
    format!(
        "# Every known evasion\n\n\
         Written by `scripts/evasions`; nothing here is written by hand, and `scripts/check` fails where it is not what comes out. Rows E… are those of\n\
         THREATS.md §4, rows D… what attacks on Brig itself brought up since. Each fixture (`tests/crates/evasions/`) first wins under plain cargo, by every way it counts, as root and as an ordinary user.\n\
         \"Stopped by\" is measured, as the ordinary user: the same build with the kernel's wall alone, with the gate alone, and with neither (what is stopped then is\n\
         *preparation*: environment, descriptors, and calls that do not exist). Rows with a test instead of a fixture need a run of their own.\n\n\
         Made on {}, Landlock {}, sockets: {sockets}.\n",
        host.arch,
        host.abi(),
    )
}

/// One line per fixture, and per row that is proved elsewhere.
pub fn rows(verdicts: &[Verdict]) -> String {
    let mut lines: Vec<_> = verdicts.iter().map(|verdict| (order(&verdict.fixture.says.row), line(verdict))).collect();
    lines.extend(elsewhere::lines());
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(verdict: &Verdict) -> String {
    let says = &verdict.fixture.says;
    let layers: Vec<String> = match verdict.layers.len() {
        1 => verdict.layers.iter().map(|(layer, _)| layer.clone()).collect(),
        _ => verdict.layers.iter().map(|(layer, count)| format!("{layer} ({count})")).collect(),
    };
    let join = |words: &std::collections::BTreeSet<String>| words.iter().cloned().collect::<Vec<_>>().join(", ");
    let mut technique = verdict.fixture.technique.clone();
    let notes = [
        ("recorded only", &says.recorded_ways),
        ("not seen", &says.unseen_ways),
        ("closed to everybody here", &says.closed_ways),
        ("layer not measured", &says.chance_ways),
        ("by chance also", &says.chance_finds),
    ];
    for (word, ways) in notes {
        for (way, why) in ways {
            let _ = write!(technique, "; {word}: {way} ({why})");
        }
    }
    let [root, user] = [0, 1].map(|at| verdict.enforced.get(at).cloned().unwrap_or_default());
    let cells = [
        &says.row,
        &technique,
        &verdict.fixture.name,
        &layers.join(", "),
        &join(&verdict.rules),
        &join(&verdict.blamed),
        &root,
        &user,
        &join(&verdict.observed),
    ];
    let mut line = String::new();
    for cell in cells {
        let _ = write!(line, "| {} ", if cell.is_empty() { "—" } else { cell });
    }
    line + "|\n"
}

/// How many were tried, in the words in which the table tells it.
fn tried(verdicts: &[Verdict]) -> String {
    let ways: usize = verdicts.iter().map(|verdict| verdict.fixture.ways(true).len()).sum();
    format!("{} fixtures with {ways} ways", verdicts.len())
}

/// The part that `--strict` makes: written, or compared with the one that is there.
pub fn settle_strict(verdicts: &[Verdict], write: bool) -> Vec<String> {
    let there = fs::read_to_string(path()).unwrap_or_default();
    let at = there.find(STRICT).unwrap_or(there.len());
    let text = format!(
        "{STRICT}\nThe same with `--policy strict`, written by `scripts/evasions --strict` alone: {}. What is stopped by default is stopped and\n\
         told, by the same rule or one of its family, and nobody innocent is named. These came out otherwise than in the table above:\n\n{STRICT_HEAD}{}",
        tried(verdicts),
        strict_rows(verdicts),
    );
    if write {
        fs::write(path(), [&there[..at], &text].concat()).expect("write the table");
        println!("wrote {}", path().display());
    } else if there[at..] != text {
        return vec![format!("scripts/evasions.md is not what came out (`scripts/evasions --strict` writes it):{text}")];
    }
    Vec::new()
}

/// One line for each fixture for which `strict` makes a difference to its line in the table.
pub fn strict_rows(verdicts: &[Verdict]) -> String {
    let table = fs::read_to_string(path()).unwrap_or_default();
    let mut lines = String::new();
    for verdict in verdicts {
        let fixture = verdict.fixture;
        let rules: Vec<String> = verdict.strict_rules.iter().cloned().collect();
        let rules = if rules.is_empty() { "—".to_owned() } else { rules.join(", ") };
        let by_default = table.lines().find(|line| line.contains(&format!("| {} |", fixture.name)));
        let open = fixture.says.recorded_ways.len() + fixture.says.unseen_ways.len();
        let is_open = |words: &String| if open == 0 { !words.contains("open") } else { words.ends_with(&format!(" {open} open")) };
        if by_default.is_some_and(|line| line.contains(&format!("| {rules} |"))) && verdict.strict.iter().all(is_open) {
            continue;
        }
        let _ = writeln!(lines, "| {} | {} | {rules} | {} |", fixture.says.row, fixture.name, verdict.strict.join(" | "));
    }
    lines
}

/// The totals, in the words in which README.md quotes them.
struct Totals {
    quoted: String,
    faults: usize,
}

fn totals(verdicts: &[Verdict]) -> Totals {
    let mut rows: Vec<&str> = verdicts.iter().map(|verdict| verdict.fixture.says.row.as_str()).collect();
    rows.dedup();
    let count = |of: &dyn Fn(&Verdict) -> usize| verdicts.iter().map(of).sum::<usize>();
    let ways = count(&|verdict| verdict.fixture.ways(true).len());
    let recorded = count(&|verdict| verdict.fixture.says.recorded_ways.len());
    let unseen = count(&|verdict| verdict.fixture.says.unseen_ways.len());
    let (elsewhere, untried) = elsewhere::rows_not_among(&rows);
    let quoted = format!(
        "{} rows: {} by {} fixtures with {ways} ways, {elsewhere} by tests of their own, {untried} not tried. Of the ways, {} are stopped, \
         {recorded} recorded only, {unseen} not seen.",
        rows.len() + elsewhere + untried,
        rows.len(),
        verdicts.len(),
        ways - recorded - unseen,
    );
    Totals { quoted, faults: count(&|verdict| usize::from(!verdict.faults.is_empty())) }
}

/// README.md must say what came out.
fn unquoted(quoted: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap_or_default();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words(&readme).contains(quoted) { Vec::new() } else { vec![format!("README.md does not say: {quoted}")] }
}
