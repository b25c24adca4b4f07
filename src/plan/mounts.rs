//! Where the places of a run are seen once more: the mount table read against them. In: `proc_pid_mountinfo(5)` and trees. Out:
//! `judge::SecondPaths`. Actors cannot mount, so it stays as it is.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::judge::Places;
use crate::judge::paths::below;
use crate::judge::second_paths::{Mount, SecondPaths, joined};

/// A line of the table: which file system, which part of it, and where.
struct Line {
    /// `major:minor` of the superblock: on btrfs the same for all subvolumes, which `st_dev` is not.
    device: Vec<u8>,
    root: PathBuf,
    point: PathBuf,
}

/// Of the calling process's mount namespace, which is also that of all it starts. Nothing is seen twice where the table cannot be read.
pub fn second_paths(places: &Places) -> SecondPaths {
    of_table(&std::fs::read("/proc/self/mountinfo").unwrap_or_default(), places)
}

fn of_table(table: &[u8], places: &Places) -> SecondPaths {
    let lines: Vec<Line> = table.split(|byte| *byte == b'\n').filter_map(line).collect();
    let trees = places.all().chain(&places.home).chain([&places.cargo_home]).chain(&places.rustup_home);
    let trees: Vec<&PathBuf> = trees.filter(|tree| tree.is_absolute() && tree.parent().is_some()).collect();
    // Each place as the file system itself has it.
    let inside: Vec<(&Line, PathBuf, &PathBuf)> = trees
        .into_iter()
        .filter_map(|tree| {
            let on = lines.iter().filter(|line| holds(&line.point, tree).is_some()).max_by_key(|line| line.point.as_os_str().len())?;
            Some((on, joined(&on.root, holds(&on.point, tree)?), tree))
        })
        .collect();
    let shown = |mount: &Line| {
        let mut shows: Vec<(PathBuf, usize, PathBuf)> = Vec::new();
        for (_, at, place) in inside.iter().filter(|(on, ..)| on.device == mount.device) {
            let depth = at.as_os_str().len();
            if let Some(rest) = holds(&mount.root, at) {
                shows.push((joined(&mount.point, rest), depth, (*place).clone()));
            } else if let Some(rest) = holds(at, &mount.root) {
                shows.push((mount.point.clone(), depth, joined(place, rest)));
            }
        }
        shows.sort_by_key(|(seen, depth, _)| std::cmp::Reverse((seen.as_os_str().len(), *depth)));
        shows.into_iter().map(|(seen, _, known)| (seen, known)).collect()
    };
    SecondPaths::new(lines.iter().map(|line| Mount { point: line.point.clone(), shows: shown(line) }).collect())
}

/// What is left of `path` below `tree`.
fn holds<'p>(tree: &Path, path: &'p Path) -> Option<&'p [u8]> {
    below(path.as_os_str().as_bytes(), tree)
}

fn line(text: &[u8]) -> Option<Line> {
    let mut fields = text.split(|byte| *byte == b' ').skip(2);
    let device = fields.next()?.to_vec();
    let (root, point) = (unescaped(fields.next()?), unescaped(fields.next()?));
    (root.is_absolute() && point.is_absolute()).then_some(Line { device, root, point })
}

/// Blanks, tabs, newlines and backslashes stand there as three octal digits.
fn unescaped(text: &[u8]) -> PathBuf {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        let code = text.get(at + 1..at + 4).filter(|_| text[at] == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 4;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(home: &str, workspace: &str) -> Places {
        Places {
            home: Some(home.into()),
            workspace: Some(workspace.into()),
            target: format!("{workspace}/target").into(),
            build: format!("{workspace}/target").into(),
            cargo_home: format!("{home}/.cargo").into(),
            tmp: "/tmp/brig-1".into(),
            ..Places::default()
        }
    }

    fn known(table: &str, places: &Places, path: &str) -> Option<String> {
        of_table(table.as_bytes(), places).known(path.as_bytes()).map(|path| String::from_utf8(path).unwrap())
    }

    #[test]
    fn one_home_by_many_paths() {
        let table = "\
            20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            21 20 8:2 / /home rw - ext4 /dev/sda2 rw\n\
            22 20 8:1 / /run/host rw - ext4 /dev/sda1 rw\n\
            23 22 8:2 / /run/host/home rw - ext4 /dev/sda2 rw\n\
            24 20 8:2 /u/.ssh /opt/keys rw - ext4 /dev/sda2 rw\n\
            25 20 8:2 /u /usr/share/with\\040blank rw - ext4 /dev/sda2 rw\n\
            26 20 0:40 / /run/host/home/u/tmp rw - tmpfs tmpfs rw\n";
        let places = places("/home/u", "/home/u/app");
        for (path, expected) in [
            ("/run/host/home/u/.ssh/id", Some("/home/u/.ssh/id")),
            ("/run/host/home/u", Some("/home/u")),
            ("/run/host/home/u/app/.env", Some("/home/u/app/.env")),
            ("/run/host/home/u/app/target/x", Some("/home/u/app/target/x")),
            ("/opt/keys/id", Some("/home/u/.ssh/id")),
            ("/opt/keys", Some("/home/u/.ssh")),
            ("/usr/share/with blank/.netrc", Some("/home/u/.netrc")),
            ("/home/u/.ssh/id", None),
            ("/home/v/x", None),
            ("/run/host/home/v/x", None),
            ("/run/host/home/u2/x", None),
            ("/run/host/etc/passwd", None),
            ("/opt/keysx", None),
            // Another file system lies on top.
            ("/run/host/home/u/tmp/x", None),
            ("pipe:[1]", None),
        ] {
            assert_eq!(known(table, &places, path).as_deref(), expected, "{path}");
        }
        let mut seen: Vec<_> = of_table(table.as_bytes(), &places).seen().map(Path::to_owned).collect();
        seen.retain(|path| path.starts_with("/opt") || path.starts_with("/usr"));
        assert!(seen.contains(&PathBuf::from("/opt/keys")) && seen.contains(&PathBuf::from("/usr/share/with blank")));
    }

    /// Whoever works in the second path has it as the place, and home is home still.
    #[test]
    fn a_workspace_reached_by_the_second_path() {
        let table = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:1 /home/u /work rw - ext4 /dev/sda1 rw\n";
        let places = places("/home/u", "/work/app");
        for (path, expected) in [
            ("/work/app/src/lib.rs", None),
            ("/home/u/app/src/lib.rs", Some("/work/app/src/lib.rs")),
            ("/work/.ssh/id", Some("/home/u/.ssh/id")),
            ("/home/u/.ssh/id", None),
        ] {
            assert_eq!(known(table, &places, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn nothing_is_seen_twice_on_most_machines() {
        let table = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:1 /nix/store /nix/store ro - ext4 /dev/sda1 rw\n\
            22 20 8:2 /@home /home rw - btrfs /dev/sdb rw\n23 20 8:1 /tmp/private/tmp /var/tmp rw - ext4 /dev/sda1 rw\n";
        assert_eq!(of_table(table.as_bytes(), &places("/home/u", "/home/u/app")), SecondPaths::default());
        assert_eq!(of_table(b"garbage\n1 2 3\n", &places("/home/u", "/home/u/app")), SecondPaths::default());
    }

    #[test]
    fn a_second_path_is_judged_as_what_it_is() {
        use crate::model::act::ObjectKind;
        use crate::model::{Act, ActorKind, Object, Rule};
        let table = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:1 / /opt/host rw - ext4 /dev/sda1 rw\n";
        let mut places = places("/home/u", "/home/u/app");
        places.second = of_table(table.as_bytes(), &places);
        let mut facts = crate::plan::actor_facts::ActorFacts::new(ActorKind::BuildScript, "/tmp/brig-1/7");
        facts.outputs = vec!["/home/u/app/target/debug/build/x-1/out".into()];
        let policy = crate::plan::load("default", None).unwrap().resolve(&places, &facts);
        let object = Some(Object { dev: 1, ino: 2, kind: ObjectKind::File });
        let judged = |act: Act| policy.judge(&act, object).breach.map(|breach| breach.rule);
        let at = |path: &str| format!("/opt/host/home/u/{path}");
        assert_eq!(judged(Act::Read { path: at(".ssh/id").as_str().into() }), Some(Rule::SecretRead));
        assert_eq!(judged(Act::Read { path: at("app/.env").as_str().into() }), Some(Rule::SecretRead));
        assert_eq!(judged(Act::Read { path: at("Documents/x").as_str().into() }), Some(Rule::FsReadOutside));
        assert_eq!(judged(Act::Write { path: at(".bashrc").as_str().into() }), Some(Rule::FsPersist));
        assert_eq!(judged(Act::Write { path: at("app/src/lib.rs").as_str().into() }), Some(Rule::FsWriteSource));
        assert_eq!(judged(Act::Read { path: at("app/src/lib.rs").as_str().into() }), None);
        assert_eq!(judged(Act::Write { path: at("app/target/debug/build/x-1/out/a").as_str().into() }), None);
        assert!(!policy.may_pass(Path::new("/opt/host/home/u/.netrc")));
    }
}
