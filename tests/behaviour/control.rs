//! Controls that need not be tried again. Whether a fixture does its harm under plain cargo has nothing to do with Brig: one that won is taken
//! for granted as long as fixture, harness, toolchain, kernel and user are what they were. In: a control's name and fixture. Out: a stamp below
//! `target/tmp/controls`, with what the control wants to remember. A clean checkout has none, and where `CI` is set none counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cargo_brig::model::digest::{EMPTY, extend, hex};

use crate::place::{toolchain, visit};
use crate::who::Who;

pub struct Control {
    stamp: PathBuf,
    key: String,
}

impl Control {
    /// `name` says all about the control that its fixture (a directory below `tests/crates/`) and the harness do not.
    pub fn of(name: &str, fixture: &str, who: Who) -> Control {
        let user = if who.is_root() { "root" } else { "user" };
        let stamp = Path::new(env!("CARGO_TARGET_TMPDIR")).join("controls").join(hex(format!("{fixture}\n{name}\n{user}").as_bytes()));
        let fixture = texts(&root().join("tests/crates").join(fixture), "");
        Control { stamp, key: format!("{fixture:016x} {}", surroundings()) }
    }

    /// What it remembered when it last won, if nothing has changed since.
    pub fn remembered(&self) -> Option<Vec<String>> {
        if std::env::var_os("CI").is_some() {
            return None;
        }
        let text = fs::read_to_string(&self.stamp).ok()?;
        let mut lines = text.lines().map(str::to_owned);
        let same = lines.next()? == self.key;
        same.then(|| {
            static TOLD: OnceLock<()> = OnceLock::new();
            // Straight to stderr: the test harness would swallow `eprintln!`, and a case that did not run must be heard of.
            let note = "note: controls that won before are not tried again: nothing they depend on has changed (CI=true tries them all)";
            TOLD.get_or_init(|| drop(writeln!(std::io::stderr(), "{note}")));
            lines.collect()
        })
    }

    /// It has won. What cannot be written is tried again next time.
    pub fn won(&self, lines: impl IntoIterator<Item = String>) {
        let text: String = std::iter::once(self.key.clone()).chain(lines).map(|line| line + "\n").collect();
        fs::create_dir_all(self.stamp.parent().unwrap()).and_then(|()| fs::write(&self.stamp, text)).ok();
    }

    /// Tries it, unless it won before. It panics where it does not win.
    pub fn unless_won(&self, attempt: impl FnOnce()) {
        if self.remembered().is_none() {
            attempt();
            self.won([]);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The harness, the compiler and the kernel.
fn surroundings() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let harness: Vec<u64> = ["behaviour", "evasions"].iter().map(|dir| texts(&root().join("tests").join(dir), ".rs")).collect();
        let rustc = Command::new(toolchain().join("bin/rustc")).arg("-vV").output().expect("run rustc").stdout;
        let kernel = fs::read("/proc/version").expect("read the kernel's version");
        format!("{harness:x?} {} {}", hex(&rustc), hex(&kernel))
    })
}

/// One number for the names and contents of all files below a directory whose names end so.
fn texts(dir: &Path, end: &str) -> u64 {
    let mut files = BTreeMap::new();
    visit(dir, &mut |path| {
        let made = path.components().any(|part| part.as_os_str() == "target");
        if !made && path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()) && path.is_file() {
            files.insert(path.to_owned(), fs::read(path).expect("read a source"));
        }
    });
    files.iter().fold(EMPTY, |hash, (path, text)| {
        let name = path.strip_prefix(dir).unwrap().as_os_str().as_encoded_bytes();
        [name, b"\0", &text.len().to_le_bytes(), text].iter().fold(hash, |hash, bytes| extend(hash, bytes))
    })
}
