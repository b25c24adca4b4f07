//! Whose words led a compiler or linker somewhere: what it reads there it reads because a build script had libraries looked for in that place,
//! and not of its own accord. In: what build scripts told cargo. Out: the package whose script said so.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::model::{Act, Actor, ActorId, ActorKind, Package};

use super::material::Material;

/// Directives by which a path gets into the command line of a linker, with what stands before the path.
pub struct Leads<'m> {
    told: Vec<(&'m Path, &'m Package)>,
}

impl<'m> Leads<'m> {
    pub fn new(material: &'m Material) -> Self {
        let package =
            |id: &ActorId| material.actors.iter().find(|actor| actor.id == *id && actor.kind == ActorKind::BuildScript)?.package.as_ref();
        let done = material.behaviours.iter().map(|did| (&did.actor, &did.act));
        let all = done.chain(material.breaches.iter().map(|(event, _)| (&event.actor, &event.act)));
        let told = all.filter_map(|(actor, act)| {
            let Act::Tell { directive, value } = act else { return None };
            let path = named(directive, value.as_bytes())?;
            Some((Path::new(std::ffi::OsStr::from_bytes(path)), package(actor)?))
        });
        Leads { told: told.collect() }
    }

    /// The package that led it there: its own before others, then whoever named the place most exactly.
    pub fn of(&self, actor: &Actor, act: &Act) -> Option<&'m Package> {
        let Act::Read { path } = act else { return None };
        if !matches!(actor.kind, ActorKind::Linker | ActorKind::Rustc) {
            return None;
        }
        let led = self.told.iter().filter(|(told, _)| path.as_path().starts_with(told));
        led.max_by_key(|(told, package)| (Some(*package) == actor.package.as_ref(), told.as_os_str().len())).map(|(_, package)| *package)
    }
}

/// A path that is worth naming: the root leads nowhere.
fn named<'v>(directive: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let path = match directive {
        "rustc-link-search" => searched(value),
        "rustc-flags" => {
            let word = value.split(u8::is_ascii_whitespace).map(|word| word.strip_prefix(b"-L").unwrap_or(word));
            word.map(searched).find(|word| word.starts_with(b"/"))?
        }
        // `-L/x`, `-Wl,-T,/x/y`, `/x/y.o`.
        key if key.contains("link-arg") => &value[value.iter().position(|byte| *byte == b'/')?..],
        _ => return None,
    };
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.starts_with(b"/").then_some(path)
}

/// Without the kind before it: `native=/x`.
fn searched(word: &[u8]) -> &[u8] {
    match word.iter().position(|byte| *byte == b'=') {
        Some(at) if !word[..at].contains(&b'/') => &word[at + 1..],
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(id: u32, kind: ActorKind, name: &str) -> Actor {
        let package = Package { name: name.to_owned(), version: "1.0.0".to_owned(), source: None, checksum: None, manifest_dir: None };
        Actor {
            id: ActorId(id),
            kind,
            package: Some(package),
            host: None,
            pid: 0,
            exe: "/x".into(),
            argv: Vec::new(),
            cwd: "/".into(),
            crate_name: None,
            attributed_by: "",
            outputs: Vec::new(),
            tmp: "/".into(),
            withheld: Vec::new(),
        }
    }

    #[test]
    fn a_linker_goes_where_it_is_led() {
        let told = |id: u32, value: &str| {
            let act = Act::Tell { directive: "rustc-link-search".to_owned(), value: value.into() };
            crate::report::samples::did(id, act, crate::model::Status::Allowed, 1)
        };
        let linker = actor(3, ActorKind::Linker, "app");
        let material = Material {
            actors: vec![actor(1, ActorKind::BuildScript, "dep"), actor(2, ActorKind::BuildScript, "other"), linker.clone()],
            behaviours: vec![told(1, "native=/home/u/.ssh"), told(2, "native=/home/u"), told(3, "/home/u/.aws")],
            ..Material::default()
        };
        let leads = Leads::new(&material);
        let of = |actor: &Actor, path: &str| leads.of(actor, &Act::Read { path: path.into() }).map(|package| package.name.as_str());
        assert_eq!(of(&linker, "/home/u/.ssh/id_ed25519"), Some("dep"));
        assert_eq!(of(&linker, "/home/u/.sshx"), Some("other"));
        assert_eq!(of(&linker, "/home/v/.ssh/id"), None);
        assert_eq!(of(&actor(4, ActorKind::BuildScript, "app"), "/home/u/.ssh/id_ed25519"), None);
    }

    #[test]
    fn paths_in_words() {
        for (directive, value, path) in [
            ("rustc-link-search", "native=/home/u/.ssh", Some("/home/u/.ssh")),
            ("rustc-link-search", "/home/u/.ssh/", Some("/home/u/.ssh")),
            ("rustc-link-search", "native=lib", None),
            ("rustc-link-search", "/", None),
            ("rustc-flags", "-l x -L native=/home/u/.ssh", Some("/home/u/.ssh")),
            ("rustc-link-arg", "-L/home/u/.aws", Some("/home/u/.aws")),
            ("rustc-link-arg-bins", "/home/u/.aws/credentials", Some("/home/u/.aws/credentials")),
            ("metadata", "/home/u", None),
        ] {
            assert_eq!(named(directive, value.as_bytes()), path.map(str::as_bytes), "{directive}={value}");
        }
    }
}
