//! What would allow a finding: a line of `brig.toml`. In: the rule, who, the evidence, the profile in force. Out: the line, or nothing
//! where no grant of a profile reaches (secrets, tampering), and where a name is not fit to be copied into a file.

use std::collections::BTreeSet;

use crate::model::{Act, ActorKind, Endpoint, Evidence, Hostile, Rule};

/// Grants written out one by one; more of them become the directory they lie in.
const MOST: usize = 4;

pub fn line(rule: Rule, kind: ActorKind, evidence: &[Evidence], profile: &str) -> Option<String> {
    let list = match rule {
        Rule::NetConnect | Rule::NetDns => "connect",
        Rule::FsReadOutside => "read",
        Rule::FsWriteOutside | Rule::FsWriteSource | Rule::FsForeignArtifact => "write",
        Rule::ExecUnexpected | Rule::ExecDownloader => "exec",
        Rule::IpcAgent => "unix",
        _ => return None,
    };
    let grants = evidence.iter().map(|evidence| grant(&evidence.act)).collect::<Option<BTreeSet<_>>>()?;
    let grants = if grants.len() > MOST { BTreeSet::from([common(&grants)?]) } else { grants };
    let grants: Vec<String> = grants.into_iter().map(|grant| format!("\"{grant}\"")).collect();
    // Macros and linkers live behind the compiler's wall.
    let kind = if matches!(kind, ActorKind::ProcMacro | ActorKind::Linker) { ActorKind::Rustc } else { kind };
    let grants = grants.join(", ");
    (!grants.is_empty()).then(|| format!("profile.mine = {{ inherits = \"{profile}\", {}.extend-{list} = [{grants}] }}", kind.name()))
}

/// What a list has to hold for this act.
fn grant(act: &Act) -> Option<String> {
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
        // Both ends would have to be granted.
        Act::Rename { .. } | Act::Link { .. } => None,
        act => fit(act.path()?),
    }
}

/// The directory that holds all of them; a bare placeholder or a top directory is too much to grant.
fn common(grants: &BTreeSet<String>) -> Option<String> {
    let mut shared: Vec<&str> = grants.first()?.split('/').collect();
    shared.pop();
    for grant in grants {
        let same = shared.iter().zip(grant.split('/')).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    (shared.len() > 1 && shared.iter().any(|part| !part.is_empty() && !part.starts_with('{'))).then(|| shared.join("/"))
}

/// A path that means in a profile what it says: hostile names, stars for what is drawn at random and numbers of processes do not.
fn fit(path: &Hostile) -> Option<String> {
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
        let evidence: Vec<_> = acts.iter().map(|act| Evidence { act: act.clone(), count: 1, chain: Vec::new() }).collect();
        line(rule, kind, &evidence, "default")
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
