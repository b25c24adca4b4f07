//! What would allow a finding: a line of `brig.toml`. In: the rule, who, the evidence, the profile in force. Out: the line, or nothing
//! where no grant of a profile reaches (secrets, tampering), and where a name is not fit to be copied into a file.

use std::collections::BTreeSet;

use crate::model::drawn::is_drawn;
use crate::model::report::SHIPPED;
use crate::model::{Act, ActorKind, Endpoint, Evidence, Hostile, Rule};

/// Grants written out one by one; more of them become the directory they lie in.
pub(super) const MOST: usize = 4;

/// `pids` are those of the processes that did it, `profile` the one in force and what it inherits. A profile of the user's own is extended;
/// where a shipped one is in force, a new one inherits it.
pub fn line(rule: Rule, kind: ActorKind, evidence: &[Evidence], pids: &BTreeSet<u32>, profile: &[String]) -> Option<String> {
    let (list, grants) = grants(rule, evidence, pids)?;
    let grants: Vec<String> = grants.into_iter().map(|grant| format!("\"{grant}\"")).collect();
    // Macros and linkers live behind the compiler's wall.
    let kind = if matches!(kind, ActorKind::ProcMacro | ActorKind::Linker) { ActorKind::Rustc } else { kind };
    let grants = grants.join(", ");
    in_force(&format!("{}.extend-{list} = [{grants}]", kind.name()), profile)
}

/// What would allow an act that was refused without alarm, or a variable that was withheld.
pub fn quiet(act: &Act, kind: ActorKind, profile: &[String]) -> Option<String> {
    let rule = match act {
        Act::Withhold { name } => {
            let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return in_force(&format!("environment.extend-pass = [\"{name}\"]"), profile).filter(|_| plain);
        }
        Act::Read { .. } => Rule::FsReadOutside,
        Act::Write { .. } | Act::Create { .. } | Act::Remove { .. } => Rule::FsWriteOutside,
        Act::Exec { .. } => Rule::ExecUnexpected,
        Act::Connect { to: Endpoint::UnixPath { .. } } => Rule::IpcAgent,
        _ => return None,
    };
    // Processes, terminals and repositories have rules of their own, which come before any grant.
    let beyond = |path: &Hostile| {
        let path = path.as_bytes();
        [&b"/proc"[..], b"/dev"].iter().any(|tree| path.starts_with(tree)) || path.split(|byte| *byte == b'/').any(|part| part == b".git")
    };
    if act.path().is_some_and(beyond) {
        return None;
    }
    line(rule, kind, &[Evidence::of(act.clone(), 1)], &BTreeSet::new(), profile)
}

/// These words of a profile, put where they count.
fn in_force(lines: &str, profile: &[String]) -> Option<String> {
    let active = profile.first().map_or("default", String::as_str);
    let of_a_file = active.contains('/') || active.ends_with(".toml");
    let shipped = SHIPPED.contains(&active) && profile.get(1).is_none_or(|next| next != active);
    let bare = !active.is_empty() && active.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match shipped || of_a_file {
        true if active.contains(['"', '\\']) || active.contains(char::is_control) => None,
        true => Some(format!("profile.mine = {{ inherits = \"{active}\", {lines} }}")),
        false if bare => Some(format!("profile.{active}.{lines}")),
        false => None,
    }
}

/// The list of a profile whose grants reach what breaks this rule; nothing where none does.
pub(super) fn list(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::NetConnect | Rule::NetDns => Some("connect"),
        Rule::FsReadOutside => Some("read"),
        Rule::FsWriteOutside | Rule::FsWriteSource | Rule::FsForeignArtifact => Some("write"),
        Rule::ExecUnexpected | Rule::ExecDownloader => Some("exec"),
        Rule::IpcAgent => Some("unix"),
        _ => None,
    }
}

/// What would have to be granted, and in which list.
pub(super) fn grants(rule: Rule, evidence: &[Evidence], pids: &BTreeSet<u32>) -> Option<(&'static str, BTreeSet<String>)> {
    let list = list(rule)?;
    let grants = evidence.iter().map(|evidence| grant(&evidence.act, pids)).collect::<Option<BTreeSet<_>>>()?;
    let grants = if grants.len() > MOST { BTreeSet::from([common(&grants)?]) } else { grants };
    (!grants.is_empty()).then_some((list, grants))
}

/// What a list has to hold for this act.
fn grant(act: &Act, pids: &BTreeSet<u32>) -> Option<String> {
    match act {
        // Names are looked up to be connected to; what is downloaded comes by HTTPS.
        Act::Lookup { name, .. } => Some(format!("{}:443", host_name(name)?)),
        Act::Connect { to } | Act::Send { to } => match to {
            Endpoint::Ip { address, host, .. } => match host {
                Some(host) => Some(format!("{}:{}", host_name(host)?, address.port())),
                None => Some(address.to_string()),
            },
            Endpoint::UnixPath { path } => fit(path),
            Endpoint::UnixAbstract { .. } | Endpoint::Other { .. } => None,
        },
        // In the place of a grant's root there may be no link: what it lies in.
        Act::Symlink { path, .. } => narrow(fit(path)?.rsplit_once('/')?.0),
        // Both ends would have to be granted.
        Act::Rename { .. } | Act::Link { .. } => None,
        // A program is granted by its name.
        Act::Exec { path, .. } => fit(path).filter(|text| steady(text, pids).as_ref() == Some(text)),
        // A cargo that takes it goes on to write all there is: this line alone would not do, and there is a better way (the rule's page).
        Act::Write { path } if path.as_bytes().ends_with(b"/.cargo-lock") => None,
        act => steady(&fit(act.path()?)?, pids),
    }
}

/// Of a pattern, letters that are not drawn: with fewer it would match anybody's files.
const LEAST: usize = 3;

/// The narrowest entry that will match again: of a name that is drawn at random, or holds the number of the process, only the rest counts; what
/// lies below it comes with it.
fn steady(text: &str, pids: &BTreeSet<u32>) -> Option<String> {
    let mut kept = String::new();
    for (at, part) in text.split('/').enumerate() {
        let pattern = if part.starts_with('{') { part.to_owned() } else { without_drawn(part, pids) };
        kept.push_str(if at == 0 { "" } else { "/" });
        kept.push_str(&pattern);
        if pattern.contains('*') {
            return (pattern.len() > LEAST).then_some(kept);
        }
    }
    Some(kept)
}

/// `app-*.sock` of `app-4711.sock`, where 4711 did it.
fn without_drawn(part: &str, pids: &BTreeSet<u32>) -> String {
    let mut out = String::new();
    let mut rest = part;
    while !rest.is_empty() {
        let of_run = |c: char| c.is_ascii_alphanumeric();
        let length = rest.find(|c| of_run(c) != rest.starts_with(of_run)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        let scratch = run.strip_prefix("tmp").filter(|drawn| out.ends_with('.') && is_drawn(drawn.as_bytes()));
        match run.starts_with(of_run) {
            true if scratch.is_some() => out.push_str("tmp*"),
            true if is_random(run, pids) => out.push('*'),
            _ => out.push_str(run),
        }
        rest = after;
    }
    out
}

/// The number of a process, a time in nanoseconds, a hash, or letters of either case and digits in no order. Not `MyTest2`.
fn is_random(run: &str, pids: &BTreeSet<u32>) -> bool {
    let class = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    if run.chars().all(|c| c.is_ascii_digit()) {
        return run.len() >= 9 || run.parse().is_ok_and(|number| pids.contains(&number));
    }
    let hex = run.len() >= 8 && run.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')) && run.contains(|c: char| c.is_ascii_digit());
    // A capital before small letters begins a word.
    let turns =
        run.chars().zip(run.chars().skip(1)).filter(|(a, b)| class(*a) != class(*b) && !(a.is_ascii_uppercase() && b.is_ascii_lowercase()));
    hex || run.len() >= 6 && turns.count() >= 3
}

/// The directory that holds all of them; a bare placeholder or a top directory is too much to grant.
fn common(grants: &BTreeSet<String>) -> Option<String> {
    let mut shared: Vec<&str> = grants.first()?.split('/').collect();
    shared.pop();
    for grant in grants {
        let same = shared.iter().zip(grant.split('/')).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    narrow(&shared.join("/"))
}

/// A directory, unless it is a bare placeholder, or one at the top.
fn narrow(dir: &str) -> Option<String> {
    let least = if dir.starts_with('/') { 3 } else { 2 };
    (dir.split('/').count() >= least).then(|| dir.to_owned())
}

/// A path that means in a profile what it says: hostile names, stars for what is drawn at random and numbers of processes do not.
pub(super) fn fit(path: &Hostile) -> Option<String> {
    let text = std::str::from_utf8(path.as_bytes()).ok()?;
    let rest = text.strip_prefix('{').map_or(text, |rest| rest.split_once('}').map_or("{", |(_, rest)| rest));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:~,= ".contains(c);
    let clean = rest.is_empty() || rest.starts_with('/') && !rest.ends_with('/');
    (!text.is_empty() && clean && rest.chars().all(plain) && !rest.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")))
        .then(|| text.to_owned())
}

fn host_name(name: &Hostile) -> Option<String> {
    let text = std::str::from_utf8(name.as_bytes()).ok()?.trim_end_matches('.');
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: Rule, kind: ActorKind, acts: &[Act]) -> Option<String> {
        let evidence: Vec<_> = acts.iter().map(|act| Evidence::of(act.clone(), 1)).collect();
        line(rule, kind, &evidence, &BTreeSet::from([4711]), &["default".to_owned()])
    }

    #[test]
    fn what_is_drawn_or_numbered_becomes_a_pattern() {
        for (path, granted) in [
            ("/tmp/writes-test-4711", Some("/tmp/writes-test-*")),
            ("/tmp/writes-test-4712", Some("/tmp/writes-test-4712")),
            ("{workspace}/.tmpSmchZ9", Some("{workspace}/.tmp*")),
            ("{workspace}/.tmpSmchZ9/a/b", Some("{workspace}/.tmp*")),
            ("/srv/run-1764378000123456789/x", Some("/srv/run-*")),
            ("/srv/5ec994e13782f90d.lock", Some("/srv/*.lock")),
            ("/srv/Ab3xYz9q", None),
            ("/srv/4711", None),
            ("/srv/MyTest2/notes-2024.txt", Some("/srv/MyTest2/notes-2024.txt")),
        ] {
            let line = of(Rule::FsWriteOutside, ActorKind::Program, &[Act::Create { path: path.into() }]);
            let expected =
                granted.map(|granted| format!("profile.mine = {{ inherits = \"default\", program.extend-write = [\"{granted}\"] }}"));
            assert_eq!(line, expected, "{path}");
        }
    }

    #[test]
    fn a_profile_of_the_users_own_is_extended() {
        let evidence = [Evidence::of(Act::Create { path: "/srv/x".into() }, 1)];
        let of = |chain: &[&str]| {
            let chain: Vec<String> = chain.iter().map(|name| (*name).to_owned()).collect();
            line(Rule::FsWriteOutside, ActorKind::Program, &evidence, &BTreeSet::new(), &chain)
        };
        for (chain, expected) in [
            (&["strict"][..], Some("profile.mine = { inherits = \"strict\", program.extend-write = [\"/srv/x\"] }")),
            (&["ci", "default"], Some("profile.mine = { inherits = \"ci\", program.extend-write = [\"/srv/x\"] }")),
            (&["mine", "default"], Some("profile.mine.program.extend-write = [\"/srv/x\"]")),
            (&["default", "default"], Some("profile.default.program.extend-write = [\"/srv/x\"]")),
            (&["mi ne", "default"], None),
        ] {
            assert_eq!(of(chain).as_deref(), expected, "{chain:?}");
        }
    }

    #[test]
    fn a_line_for_what_a_grant_reaches() {
        let create = |path: &str| Act::Create { path: path.into() };
        let lookup = |name: &str| Act::Lookup { name: name.into(), via: Endpoint::Other { name: "nss".into() } };
        let exec = Act::Exec { path: "/usr/bin/git".into(), argv: vec!["git".into()] };
        let inherits = "profile.mine = { inherits = \"default\",";
        for (rule, kind, acts, expected) in [
            (
                Rule::NetDns,
                ActorKind::BuildScript,
                vec![lookup("cdn.example.org.")],
                "build-script.extend-connect = [\"cdn.example.org:443\"]",
            ),
            (Rule::ExecUnexpected, ActorKind::ProcMacro, vec![exec], "rustc.extend-exec = [\"/usr/bin/git\"]"),
            (
                Rule::FsWriteOutside,
                ActorKind::BuildScript,
                vec![create("{workspace}/gen/a"), create("{workspace}/b")],
                "build-script.extend-write = [\"{workspace}/b\", \"{workspace}/gen/a\"]",
            ),
            (
                Rule::FsWriteOutside,
                ActorKind::BuildScript,
                ["a", "b", "c", "d", "e/f"].map(|name| create(&format!("{{workspace}}/gen/{name}"))).to_vec(),
                "build-script.extend-write = [\"{workspace}/gen\"]",
            ),
        ] {
            assert_eq!(of(rule, kind, &acts), Some(format!("{inherits} {expected} }}")), "{rule:?}");
        }
    }

    #[test]
    fn no_line_where_none_would_do() {
        let create = |path: &str| Act::Create { path: path.into() };
        for (rule, act) in [
            (Rule::SecretRead, Act::Read { path: "{workspace}/.env".into() }),
            (Rule::FsWriteOutside, create("{workspace}/x\"] }\nexec = [\"/")),
            (Rule::FsWriteOutside, create("{tmp}/cc*.s")),
            (Rule::FsWriteOutside, create("/proc/{pid}/mem")),
            (Rule::FsWriteOutside, create("{workspace")),
            (Rule::FsWriteOutside, create("{workspace}/a/../b")),
            (Rule::FsWriteOutside, create("{workspace}/a/")),
            (Rule::NetConnect, Act::Lookup { name: "*:443\", \"x".into(), via: Endpoint::Other { name: "nss".into() } }),
        ] {
            assert_eq!(of(rule, ActorKind::BuildScript, &[act]), None);
        }
        let everywhere = ["a", "b", "c", "d", "e"].map(|name| create(&format!("{{workspace}}/{name}")));
        assert_eq!(of(Rule::FsWriteOutside, ActorKind::BuildScript, &everywhere), None);
        assert_eq!(of(Rule::FsWriteOutside, ActorKind::BuildScript, &[]), None);
    }
}
