//! Reviewed allows as one actor has them (`profiles/reviewed.toml`, put together by `plan::reviewed`). In: an act the profile refuses, with
//! its judgement; later the stack behind it. Out: the entry that lifts the refusal, and whether that stack is the entry's own macro.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::judge::paths::{below, below_bytes, components};
use crate::judge::places::Places;
use crate::model::act::ObjectKind;
use crate::model::review::Reviewed;
use crate::model::{Act, Blame, Judgement, Object, Rule};

/// One entry, for a compiler of a package that needs the entry's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    pub write: Vec<(Place, Arc<Reviewed>)>,
    pub read: Vec<(PathBuf, Arc<Reviewed>)>,
    /// Programs, each by itself. The kernel grants them as well.
    pub exec: Vec<(PathBuf, Arc<Reviewed>)>,
    /// The libraries cargo built of the macro, as a process that has loaded one shows it.
    pub objects: Vec<PathBuf>,
}

/// Where an entry lets its macro write. `dir` is clean and relative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `{out-of:NAME}/DIR`: a directory of another package's `OUT_DIR`, by the names cargo gives: `<profile>/build/<name>-<hash>/out`, and
    /// `<profile>/build/<name>/<hash>/out` of its newer layout, below `<triple>` when it compiles for another machine. `{own-out}/DIR`: the same
    /// with the name of the package that is compiled.
    OutOf { package: String, dir: String },
    /// `{own-out}/<checksum>`: files in the compiled package's `OUT_DIR` that are named by 64 hexadecimal digits, and nothing else in there.
    Checksums { package: String },
    /// `{target}/DIR`: a directory at the top of the target directory that cargo itself has no use for.
    Target { dir: String },
}

/// What an act is lifted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift<'a> {
    pub allow: &'a Allow,
    pub by: &'a Arc<Reviewed>,
    /// Only for the macro itself: see [`Allow::made_this`].
    pub to_macro: bool,
}

/// Calls that set a file's times and nothing else.
const TIMES: [&str; 4] = ["utimensat", "utimes", "futimesat", "utime"];

/// The entry that lifts this judgement; `None` where nothing is to be lifted.
pub(crate) fn lift<'a>(allows: &'a [Allow], places: &Places, act: &Act, object: Option<Object>, judgement: &Judgement) -> Option<Lift<'a>> {
    let rule = judgement.breach.as_ref().map(|breach| breach.rule);
    // Nothing broken and nothing refused: the profile itself lets it.
    if rule.is_none() && !judgement.refused() || judgement.noted {
        return None;
    }
    allows.iter().find_map(|allow| {
        let (by, to_macro) = match (act, rule) {
            (Act::Read { path }, None | Some(Rule::FsReadOutside)) => (tree(&allow.read, path.as_bytes()), false),
            (Act::Exec { path, .. }, Some(Rule::ExecUnexpected)) => {
                let is_it = |(program, _): &&(PathBuf, _)| program.as_os_str().as_bytes() == path.as_bytes();
                (allow.exec.iter().find(is_it).map(|(_, by)| by), false)
            }
            // Times and the like of what lies in the compiled package, a target directory too, are refused without a word.
            (_, Some(Rule::FsForeignArtifact | Rule::FsWriteOutside)) | (Act::Metadata { .. }, None) => {
                let is_it = |(place, _): &&(Place, _)| rule.is_none_or(|rule| rule == place.rule()) && place.holds(places, act, object);
                (allow.write.iter().find(is_it).map(|(_, by)| by), true)
            }
            _ => (None, false),
        };
        by.map(|by| Lift { allow, by, to_macro })
    })
}

fn tree<'a>(grants: &'a [(PathBuf, Arc<Reviewed>)], path: &[u8]) -> Option<&'a Arc<Reviewed>> {
    grants.iter().find(|(tree, _)| below(path, tree).is_some()).map(|(_, by)| by)
}

impl Place {
    /// The rule a write there breaks.
    fn rule(&self) -> Rule {
        match self {
            Place::OutOf { .. } | Place::Checksums { .. } => Rule::FsForeignArtifact,
            Place::Target { .. } => Rule::FsWriteOutside,
        }
    }

    /// Making, writing, removing and dating what lies in the directory, and making it and those it lies in. Links, moves, modes and owners
    /// are nothing a generator needs, and would let one name stand for another.
    fn holds(&self, places: &Places, act: &Act, object: Option<Object>) -> bool {
        let is_plain = object.is_none_or(|object| matches!(object.kind, ObjectKind::File | ObjectKind::Directory));
        let (path, itself) = match act {
            Act::Create { path } => (path, true),
            Act::Write { path } | Act::Remove { path } => (path, false),
            Act::Metadata { call, path } if TIMES.contains(&call.as_str()) => (path, false),
            _ => return false,
        };
        let inside = match self {
            Place::Target { dir } => {
                let path = below(path.as_bytes(), &places.target).filter(|path| !path.is_empty());
                let above = path.is_some_and(|path| below_bytes(dir.as_bytes(), path).is_some());
                if above { Some(&b""[..]) } else { path.and_then(|path| below_bytes(path, dir.as_bytes())) }
            }
            Place::OutOf { package, dir } => {
                let mut results = places.results().filter_map(|tree| below(path.as_bytes(), tree));
                results.find_map(|path| below_bytes(in_out_of(package, path)?, dir.as_bytes()))
            }
            Place::Checksums { package } => {
                let mut results = places.results().filter_map(|tree| below(path.as_bytes(), tree));
                results.find_map(|path| in_out_of(package, path).filter(|name| is_hex(name, 64)))
            }
        };
        is_plain && inside.is_some_and(|rest| itself || !rest.is_empty())
    }
}

/// What is left of a path below that package's `OUT_DIR`; empty for the directory itself. The path is relative to a directory of results.
fn in_out_of<'p>(package: &str, path: &'p [u8]) -> Option<&'p [u8]> {
    // `<profile>/build`, or `<triple>/<profile>/build`.
    let depth = [1, 2].into_iter().find(|depth| components(path).nth(*depth) == Some(b"build"))?;
    let mut rest = path;
    let mut next = || {
        let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let (part, more) = rest.split_at(end);
        rest = more.strip_prefix(b"/").unwrap_or(more);
        part
    };
    for _ in 0..=depth {
        next();
    }
    let unit = next();
    let of_package = match unit.strip_prefix(package.as_bytes())? {
        b"" => is_hash(next()),
        tail => tail.strip_prefix(b"-").is_some_and(is_hash),
    };
    let is_out = of_package && next() == b"out";
    is_out.then_some(rest)
}

/// As cargo writes one.
fn is_hash(text: &[u8]) -> bool {
    is_hex(text, 16)
}

fn is_hex(text: &[u8], digits: usize) -> bool {
    text.len() == digits && text.iter().all(u8::is_ascii_hexdigit)
}

impl Allow {
    /// Does this stack show the entry's macro and nobody else's code? It must have been climbed to its end: further up may stand whoever
    /// called. Code can forge its own stack, see `model::blame`: this narrows what the entry opens to the compilers of its users, it is not
    /// what holds it.
    pub fn made_this(&self, blame: &Blame) -> bool {
        let ours = |object: &crate::model::Hostile| self.objects.iter().any(|known| known.as_os_str().as_bytes() == object.as_bytes());
        blame.is_whole() && !blame.crates.is_empty() && blame.crates.iter().all(|found| found.object.as_ref().is_some_and(ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActorKind, Candidate, Hostile, Severity, Verdict};

    fn by() -> Arc<Reviewed> {
        Arc::new(Reviewed {
            name: "m".into(),
            version: "1.0.0".into(),
            actor: ActorKind::ProcMacro,
            list: "write".into(),
            grant: "{out-of:gen}/made".into(),
            versions: "=1.0.0".into(),
            reason: "r".into(),
            origin: "profiles/reviewed.toml:1".into(),
        })
    }

    fn allow() -> Allow {
        Allow {
            write: vec![
                (Place::OutOf { package: "gen".into(), dir: "made".into() }, by()),
                (Place::Checksums { package: "app".into() }, by()),
                (Place::Target { dir: "generated/m".into() }, by()),
            ],
            read: vec![("/r/toolchains".into(), by())],
            exec: vec![("/r/toolchains/x/bin/rustfmt".into(), by())],
            objects: vec!["/w/target/debug/deps/libm-0123456789abcdef.so".into()],
        }
    }

    fn judged(rule: Option<Rule>) -> Judgement {
        let breach = rule.map(|rule| crate::model::Breach { rule, severity: Severity::High, reason: String::new() });
        Judgement { verdict: Verdict::Refuse(libc::EACCES), breach, noted: false }
    }

    fn lifted(act: &Act, rule: Option<Rule>) -> bool {
        let places = Places { target: "/w/target".into(), build: "/b".into(), ..Places::default() };
        lift(&[allow()], &places, act, None, &judged(rule)).is_some()
    }

    #[test]
    fn only_that_directory_of_that_package() {
        let foreign = Some(Rule::FsForeignArtifact);
        for (path, open) in [
            ("/w/target/debug/build/gen-0123456789abcdef/out/made/x", true),
            ("/w/target/debug/build/gen-0123456789abcdef/out/made/deep/x", true),
            ("/w/target/x86_64-unknown-linux-gnu/release/build/gen-0123456789abcdef/out/made/x", true),
            ("/b/debug/build/gen/0123456789abcdef/out/made/x", true),
            ("/w/target/debug/build/gen-0123456789abcdef/out/made", false),
            ("/w/target/debug/build/gen-0123456789abcdef/out/x", false),
            ("/w/target/debug/build/gen-0123456789abcdef/out/made2/x", false),
            ("/w/target/debug/build/gen-0123456789abcdef/made/x", false),
            ("/w/target/debug/build/gen-0123456789abcdef/output", false),
            ("/w/target/debug/build/other-0123456789abcdef/out/made/x", false),
            ("/w/target/debug/build/gen-0123456789abcdef-0123456789abcdef/out/made/x", false),
            ("/w/target/debug/build/gen-sys-0123456789abcdef/out/made/x", false),
            ("/w/target/debug/build/gen-0123/out/made/x", false),
            ("/w/target/a/b/c/build/gen-0123456789abcdef/out/made/x", false),
            ("/w/build/gen-0123456789abcdef/out/made/x", false),
            ("/w/debug/build/gen-0123456789abcdef/out/made/x", false),
        ] {
            assert_eq!(lifted(&Act::Write { path: path.into() }, foreign), open, "{path}");
        }
        assert!(lifted(&Act::Create { path: "/w/target/debug/build/gen-0123456789abcdef/out/made".into() }, foreign));
        let sum = "0123456789abcdef".repeat(4);
        for (path, open) in [
            (format!("/w/target/debug/build/app-0123456789abcdef/out/{sum}"), true),
            (format!("/w/target/debug/build/app-0123456789abcdef/out/{sum}.a"), false),
            (format!("/w/target/debug/build/app-0123456789abcdef/out/x/{sum}"), false),
            (format!("/w/target/debug/build/app-0123456789abcdef/out/{sum}/x"), false),
            (format!("/w/target/debug/build/app-0123456789abcdef/{sum}"), false),
            (format!("/w/target/debug/build/gen-0123456789abcdef/out/{sum}"), false),
            ("/w/target/debug/build/app-0123456789abcdef/out/libx.a".into(), false),
            ("/w/target/debug/build/app-0123456789abcdef/out".into(), false),
        ] {
            for act in [Act::Create { path: path.as_str().into() }, Act::Write { path: path.as_str().into() }] {
                assert_eq!(lifted(&act, foreign), open, "{act:?}");
            }
        }
        let outside = Some(Rule::FsWriteOutside);
        for (path, written, made) in [
            ("/w/target/generated/m/x", true, true),
            ("/w/target/generated/m/deep/x", true, true),
            ("/w/target/generated/m", false, true),
            ("/w/target/generated", false, true),
            ("/w/target", false, false),
            ("/w/target/generated/other", false, false),
            ("/w/target/generated/mm/x", false, false),
            ("/w/target/debug/generated/m/x", false, false),
            ("/b/generated/m/x", false, false),
        ] {
            assert_eq!(lifted(&Act::Write { path: path.into() }, outside), written, "{path}");
            assert_eq!(lifted(&Act::Create { path: path.into() }, outside), made, "{path}");
        }
    }

    #[test]
    fn only_what_a_generator_does() {
        let path = || Hostile::from("/w/target/debug/build/gen-0123456789abcdef/out/made/x");
        let foreign = Some(Rule::FsForeignArtifact);
        let metadata = |call: &str| Act::Metadata { call: call.into(), path: path() };
        for (act, open) in [
            (Act::Create { path: path() }, true),
            (Act::Remove { path: path() }, true),
            (metadata("utimensat"), true),
            (metadata("fchmod"), false),
            (metadata("lchown"), false),
            (metadata("setxattr"), false),
            (Act::Symlink { target: "/etc/passwd".into(), path: path() }, false),
            (Act::Link { from: path(), to: path() }, false),
            (Act::Rename { from: path(), to: path() }, false),
        ] {
            assert_eq!(lifted(&act, foreign), open, "{act:?}");
            assert_eq!(lifted(&act, None), open && matches!(act, Act::Metadata { .. }), "{act:?}, refused without a word");
        }
        for rule in [None, Some(Rule::SecretRead), Some(Rule::FsPersist), Some(Rule::FsWriteOutside), Some(Rule::ProcTamper)] {
            assert!(!lifted(&Act::Write { path: path() }, rule), "{rule:?} is not lifted");
        }
        let special = Some(Object { dev: 1, ino: 1, kind: ObjectKind::Special });
        let places = Places { target: "/w/target".into(), ..Places::default() };
        assert_eq!(lift(&[allow()], &places, &Act::Write { path: path() }, special, &judged(foreign)), None);
    }

    #[test]
    fn programs_one_by_one_and_reads_that_are_no_secrets() {
        let exec = |path: &str| Act::Exec { path: path.into(), argv: Vec::new() };
        let read = |path: &str| Act::Read { path: path.into() };
        assert!(lifted(&exec("/r/toolchains/x/bin/rustfmt"), Some(Rule::ExecUnexpected)));
        assert!(!lifted(&exec("/r/toolchains/x/bin/rustc"), Some(Rule::ExecUnexpected)));
        assert!(!lifted(&exec("/r/toolchains/x/bin/rustfmt"), Some(Rule::ExecDropped)));
        assert!(lifted(&read("/r/toolchains"), None) && lifted(&read("/r/toolchains/x/lib/a.so"), Some(Rule::FsReadOutside)));
        assert!(!lifted(&read("/r/settings.toml"), None) && !lifted(&read("/r/toolchains/x/.env"), Some(Rule::SecretRead)));
        // What the profile lets is the profile's, and no use of the entry.
        let places = Places::default();
        assert_eq!(lift(&[allow()], &places, &read("/r/toolchains/x"), None, &Judgement::allow()), None);
    }

    #[test]
    fn a_stack_must_be_whole_and_nobody_elses() {
        let found = |object: Option<&str>| Candidate { name: "m".into(), function: None, object: object.map(Into::into), package: None };
        let blame = |crates: Vec<Candidate>, caveat: Option<&str>| Blame { crates, by: "stack".into(), caveat: caveat.map(str::to_owned) };
        let (own, other) = ("/w/target/debug/deps/libm-0123456789abcdef.so", "/w/target/debug/deps/libm-fedcba9876543210.so");
        for (stack, ok) in [
            (blame(vec![found(Some(own)), found(Some(own))], None), true),
            (blame(vec![found(Some(own))], Some(Blame::NO_SYMBOLS)), true),
            (blame(Vec::new(), None), false),
            (blame(vec![found(Some(other))], None), false),
            (blame(vec![found(Some(own)), found(Some(other))], None), false),
            (blame(vec![found(None)], None), false),
            (blame(vec![found(Some(own))], Some("the stack could not be walked to its end")), false),
        ] {
            assert_eq!(allow().made_this(&stack), ok, "{stack:?}");
        }
    }
}
