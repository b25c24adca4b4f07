//! What a program may leave in its own package: the profile's `record` (files that tests are known to write) and `data` (endings of files
//! that nothing compiles, runs or obeys), compiled for one run. In: a path below the package. Out: whether that may be written.
//!
//! A list of what is allowed: whatever it does not name — a build file, a workflow, an instruction, a key, a script — stays as it is.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::judge::paths::{components, is_drawn, name};
use crate::judge::secrets::as_path;

/// The paths git keeps, in lower case, from the root on. `None` where it cannot be known: then everything that is there counts.
pub type Tracked = Option<HashSet<Vec<u8>>>;

type Lazily<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// Shared by all programs of a run.
pub struct Records {
    /// With globs whose last part begins with a dot apart: as in a shell, `*` means no hidden name.
    shown: GlobSet,
    hidden: GlobSet,
    data: Vec<Vec<u8>>,
    tracked: Lazily<Tracked>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("shown", &self.shown.len()).field("hidden", &self.hidden.len()).finish_non_exhaustive()
    }
}

impl Default for Records {
    fn default() -> Self {
        Records { shown: GlobSet::empty(), hidden: GlobSet::empty(), data: Vec::new(), tracked: lazily(|| None) }
    }
}

fn lazily<T>(look: impl FnOnce() -> T + Send + 'static) -> Lazily<T> {
    LazyLock::new(Box::new(look))
}

/// Words in the name of a JSON or text file that something looks for by itself, in any directory: settings of editors, package managers and
/// assistants. Data has other names; where a test needs one of these, `record` can name it.
const OBEYED: [&str; 25] = [
    "config",
    "project",
    "package",
    "settings",
    "workspace",
    "manifest",
    "lock",
    "mcp",
    "agent",
    "extension",
    "plugin",
    "tasks",
    "launch",
    "requirements",
    "constraints",
    "cmake",
    "compile",
    "conan",
    "meson",
    "llms",
    "deno",
    "composer",
    "runtime",
    "environment",
    "opencode",
];

/// What data is called. At the top of a package or a repository, where tools look for what is called after *them* (`opencode.json`,
/// `lefthook.json`, `docker-bake.json` …), a JSON file is data if its name says so: by one of these at either end of a word, or by a shape no tool's name has (see
/// [`names_data`]).
const DATA: &[&str] = &[
    "test",
    "tmp",
    "temp",
    "out",
    "result",
    "data",
    "dump",
    "export",
    "import",
    "backup",
    "save",
    "load",
    "log",
    "trace",
    "record",
    "report",
    "bench",
    "perf",
    "metric",
    "stat",
    "score",
    "history",
    "cache",
    "state",
    "store",
    "storage",
    "database",
    "sample",
    "example",
    "demo",
    "dummy",
    "fake",
    "fixture",
    "golden",
    "expect",
    "actual",
    "snapshot",
    "schema",
    "todo",
    "task",
    "note",
    "list",
    "item",
    "entr",
    "user",
    "person",
    "people",
    "contact",
    "student",
    "employee",
    "customer",
    "account",
    "wallet",
    "ledger",
    "chain",
    "block",
    "transaction",
    "order",
    "product",
    "inventory",
    "invoice",
    "expense",
    "budget",
    "books",
    "librar",
    "movie",
    "game",
    "player",
    "message",
    "event",
    "index",
    "tree",
    "map",
    "table",
    "matrix",
    "model",
    "weight",
    "train",
    "dict",
    "word",
    "token",
    "vocab",
    "quote",
    "question",
    "answer",
    "recipe",
    "file",
    "hello",
    "world",
];
/// Words that only count where they are all of the name.
const WHOLE: &[&str] = &["foo", "bar", "baz", "qux", "db", "kv", "my", "new", "old", "json", "alice", "bob", "empty", "name"];

impl Records {
    /// # Errors
    /// When a glob is malformed; the text names it.
    pub fn compile(record: &[String], data: &[String], tracked: impl FnOnce() -> Tracked + Send + 'static) -> Result<Self, String> {
        let (mut shown, mut hidden) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let endings = data.iter().map(|ending| ending.to_ascii_lowercase().into_bytes()).collect();
        for text in record {
            let of_hidden = text.rsplit('/').next().is_some_and(|last| last.starts_with('.'));
            if of_hidden { &mut hidden } else { &mut shown }.add(glob(text)?);
        }
        let build = |set: GlobSetBuilder| set.build().map_err(|error| error.to_string());
        Ok(Records { shown: build(shown)?, hidden: build(hidden)?, data: endings, tracked: lazily(tracked) })
    }

    /// May a file of this name be written? `rest` is the path below the package, `path` the whole one; `found` says that it was there before
    /// the program came.
    pub fn hold(&self, rest: &[u8], path: &[u8], found: bool) -> bool {
        let last = name(rest);
        let hides = last.starts_with(b".") && !is_scratch_name(last);
        if !hides && is_in_scratch(rest) {
            return true;
        }
        if hides_within(rest) {
            return false;
        }
        let globs = if last.starts_with(b".") { &self.hidden } else { &self.shown };
        // What says which dependencies a package has, a fixture's too, is no output.
        if last.eq_ignore_ascii_case(b"cargo.lock") {
            return false;
        }
        globs.is_match(as_path(rest)) || !last.starts_with(b".") && self.is_data(rest) && !self.is_kept(path, found)
    }

    /// May a directory of this name come and go?
    pub fn hold_directory(&self, rest: &[u8]) -> bool {
        !rest.is_empty() && components(rest).all(|part| !part.starts_with(b".") || is_scratch_name(part))
    }

    fn is_data(&self, rest: &[u8]) -> bool {
        let last = name(rest).to_ascii_lowercase();
        let Some(dot) = last.iter().rposition(|byte| *byte == b'.') else { return false };
        let ending = &last[dot + 1..];
        let obeyed =
            || matches!(ending, b"json" | b"txt") && OBEYED.iter().any(|word| last.windows(word.len()).any(|part| part == word.as_bytes()));
        let at_the_top = name(rest).len() == rest.len();
        let named = || !at_the_top || ending != b"json" || names_data(&last[..dot]);
        // Package managers leave a `.lock` beside their manifest; in a directory for tests it is what programs under test lock.
        let locks = || ending != b"lock" || is_in_tests(rest);
        self.data.iter().any(|known| known == ending) && !obeyed() && named() && locks()
    }

    /// Is it among what git keeps? Read once, when somebody first asks.
    fn is_kept(&self, path: &[u8], found: bool) -> bool {
        self.tracked.as_ref().map_or(found, |known| known.contains(&path.to_ascii_lowercase()))
    }
}

/// Says this name, in lower case and without its ending, what is in the file rather than whom it is for? Programs are called by one word, or
/// by several with hyphens in between: no underscore, no further dot, no figure, and not by one letter.
fn names_data(stem: &[u8]) -> bool {
    let shaped = stem.len() < 2 || stem.iter().any(|byte| matches!(byte, b'_' | b'.') || byte.is_ascii_digit() || !byte.is_ascii());
    let words = || {
        stem.split(|byte| *byte == b'-')
            .any(|part| DATA.iter().any(|word| part.starts_with(word.as_bytes()) || part.ends_with(word.as_bytes())))
    };
    shaped || words() || WHOLE.iter().any(|word| word.as_bytes() == stem)
}

/// Below a directory that is called after tests (`tests`, `testfiles`, `test-data` …).
fn is_in_tests(rest: &[u8]) -> bool {
    let above = &rest[..rest.len() - name(rest).len()];
    let for_tests = |part: &[u8]| part.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"test"));
    components(above).any(for_tests)
}

/// As `tempfile` names what is to be gone soon: drawn, and with an ending of its user's, which makes it no name that anybody looks for. (An ending
/// with a dot says what kind of file it is, and is judged as that.)
fn is_scratch_name(part: &[u8]) -> bool {
    let Some(rest) = part.strip_prefix(b".tmp") else { return false };
    rest.len() >= 6 && is_drawn(&rest[..6]) && (rest.len() == 6 || matches!(rest[6], b'-' | b'_') && !rest.contains(&b'.'))
}

/// In a directory that `tempfile` has drawn: nothing looks there, whatever lies in it.
fn is_in_scratch(rest: &[u8]) -> bool {
    let mut parts = components(rest);
    parts.find(|part| part.starts_with(b".")).is_some_and(is_scratch_name)
}

fn hides_within(rest: &[u8]) -> bool {
    let above = rest.len() - name(rest).len();
    components(&rest[..above]).any(|part| part.starts_with(b"."))
}

/// Below the package; `{a,b}` is a choice, `**` any number of directories, `*` does not cross one.
fn glob(text: &str) -> Result<globset::Glob, String> {
    let mut builder = GlobBuilder::new(text);
    builder.case_insensitive(true).literal_separator(true).empty_alternates(true);
    builder.build().map_err(|error| format!("glob `{text}`: {}", error.kind()))
}

/// # Errors
/// When the glob is malformed, or would reach out of the package.
pub fn check(text: &str) -> Result<(), String> {
    if text.starts_with(['/', '~', '!']) || text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("`{text}` must be a glob below the package, without `..`, `.` or `//`"));
    }
    glob(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(tracked: Option<&[&str]>) -> Records {
        let tracked: Tracked = tracked.map(|paths| paths.iter().map(|path| format!("/w/{path}").into_bytes()).collect());
        let record = ["**/*.snap{,.new}", "**/.*.pending-snap", "{tests,**/snapshots}/**/*.{json,md}"].map(str::to_owned);
        Records::compile(&record, &["txt", "json", "log", "png", "lock"].map(str::to_owned), move || tracked).unwrap()
    }

    fn holds(records: &Records, rest: &str, found: bool) -> bool {
        records.hold(rest.as_bytes(), format!("/w/{rest}").as_bytes(), found)
    }

    #[test]
    fn what_is_named_and_what_is_data() {
        let records = records(Some(&["readme.txt"]));
        for name in [
            "src/snapshots/a__b.snap.new",
            "src/.lib.rs.pending-snap",
            "tests/x/golden.md",
            "TESTS/Case.JSON",
            "notes.txt",
            "todo.json",
            "a.json",
            "my_state.json",
            "run-1.json",
            "users.json",
            "crush_out.json",
            "sub/anything.json",
            "anything.txt",
            "out/deep/run.log",
            "a.png",
            "testfiles/attempt.lock",
            "a/tests/run/x.lock",
            ".tmpAb12Cd",
            ".tmpAb12Cd-foo",
            ".tmpAb12Cd/src/lib.rs",
            "x/.tmpAb12Cd/Makefile",
            ".tmpAb12Cd/.git/config",
        ] {
            assert!(holds(&records, name, false) && holds(&records, name, true), "{name}");
        }
        for name in [
            "flake.nix",
            "Jenkinsfile",
            "Justfile",
            "GNUmakefile",
            "a.code-workspace",
            "docker-compose.yml",
            "flake.lock",
            ".tmpAb12Cd-a.rs",
            ".tmpAb12Cdx",
            "native/yarn.lock",
            "tests/ui/Cargo.lock",
            "native/x.S",
            "native/x.cxx",
            "bin/release",
            "CLAUDE.md",
            "id_rsa",
            "README.txt",
            "package.json",
            "rust-project.json",
            "TSConfig.json",
            "requirements-dev.txt",
            "CMakeLists.txt",
            "CMAKELISTS.TXT",
            ".vscode/a.json",
            "opencode.json",
            "tools/opencode.json",
            "crush.json",
            "lefthook.json",
            "devbox.json",
            "docker-bake.json",
            "wrangler.json",
            "Nodemon.JSON",
            "turbo.json",
            "vercel.json",
            "global.json",
            "nx.json",
            ".a.json",
            ".github/x.snap",
            "snap",
            "x.snap.sh",
            "src/lib.rs",
            ".tmpAb12C/x.rs",
            ".tmpAb12Cdd",
            ".git/.tmpAb12Cd/x",
            "",
            "tests",
        ] {
            assert!(!holds(&records, name, false), "{name}");
        }
    }

    #[test]
    fn without_git_what_was_there_stays() {
        let records = records(None);
        assert!(holds(&records, "a.json", false) && !holds(&records, "a.json", true));
        assert!(holds(&records, "tests/a.json", true) && holds(&records, "x.snap", true));
    }

    #[test]
    fn directories_that_do_not_hide() {
        let records = records(None);
        for (name, held) in
            [("tests/data", true), ("src/snapshots", true), (".tmpAb12Cd/x", true), (".cargo", false), ("x/.y", false), ("", false)]
        {
            assert_eq!(records.hold_directory(name.as_bytes()), held, "{name}");
        }
    }

    #[test]
    fn globs_stay_in_the_package() {
        for (text, good) in
            [("**/*.snap", true), ("a/{b,c}", true), ("../x", false), ("/etc/x", false), ("a//b", false), ("a/[", false), ("~/x", false)]
        {
            assert_eq!(check(text).is_ok(), good, "{text}");
        }
    }
}
