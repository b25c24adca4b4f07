//! What of a package an actor was: the one thing cargo would have to run again for the same code to run again. In: an actor. Out: a text that
//! is the same in every run, whatever the profile and the directories.

use crate::model::{Actor, ActorKind, Hostile};

use super::normalise::Places;

/// `rustc app 0.1.0 app lib test`, `build-script x 1.0.0`, `program app 0.1.0 app tests`.
pub fn of(actor: &Actor, role: Option<&str>) -> String {
    let mut words = vec![actor.kind.name().to_owned()];
    words.extend(actor.package.iter().flat_map(|package| [package.name.clone(), package.version.clone()]));
    // A package has one build script, and cargo calls it by several names.
    if actor.kind != ActorKind::BuildScript {
        words.extend(actor.crate_name.clone());
    }
    if matches!(actor.kind, ActorKind::Rustc | ActorKind::Rustdoc) {
        words.extend(after(actor, b"--crate-type").map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned()));
        // The code of tests is compiled only with them.
        words.extend(actor.argv.iter().any(|word| word.as_bytes() == b"--test").then(|| "test".to_owned()));
    }
    words.extend(role.map(str::to_owned));
    words.join(" ")
}

fn after<'a>(actor: &'a Actor, option: &'a [u8]) -> impl Iterator<Item = &'a Hostile> {
    actor.argv.windows(2).filter(move |pair| pair[0].as_bytes() == option).map(|pair| &pair[1])
}

/// What a program was started with: with other words, other parts of it run.
pub fn arguments(actor: &Actor, places: &Places) -> Vec<Hostile> {
    match actor.kind {
        ActorKind::Program => places.argv(&actor.argv).into_iter().skip(1).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{actor, facts, package};

    #[test]
    fn units() {
        let of = |kind, crate_name, argv: &[&str], role| {
            let mut actor = actor(1, kind, Some(package("app", "0.1.0")), crate_name, "/x");
            actor.argv = argv.iter().map(|word| Hostile::from(*word)).collect();
            (of(&actor, role), arguments(&actor, &facts().places))
        };
        let compiled = of(ActorKind::Rustc, Some("app"), &["rustc", "--crate-type", "lib", "src/lib.rs"], None);
        assert_eq!(compiled, ("rustc app 0.1.0 app lib".to_owned(), Vec::new()));
        assert_eq!(of(ActorKind::Rustc, Some("app"), &["rustc", "--test"], None).0, "rustc app 0.1.0 app test");
        assert_eq!(of(ActorKind::BuildScript, Some("build_script_main"), &["b"], None).0, "build-script app 0.1.0");
        let tests = of(ActorKind::Program, Some("app"), &["app-3c", "/home/u/app/x"], Some("tests"));
        assert_eq!(tests, ("program app 0.1.0 app tests".to_owned(), vec!["{workspace}/x".into()]));
    }
}
