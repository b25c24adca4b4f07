//! What exceptions open for one actor. In: `[[allow]]` entries that are for it, the places of a run. Out: a `Granted` of each; the actor's policy
//! with all of them in it, and the one without beside it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::exceptions::Granted;
use crate::judge::{Places, Policy, SecretLists, Secrets, paths};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::document::ConfigError;
use crate::plan::exceptions::{Allow, EXEC, LISTS};
use crate::plan::kernel_grants::kernel_exec;
use crate::plan::placeholders::{expand, is_individual};
use crate::plan::resolve::roots;

/// What can only be seen once places are known: a link in the place of a grant, and names that stand for everything.
///
/// # Errors
/// With the entry's place in the file.
pub fn check(allow: &Allow, places: &Places) -> Result<(), ConfigError> {
    for (list, entries) in LISTS.into_iter().zip(&allow.lists).filter(|(list, _)| *list != "connect") {
        for entry in entries.iter().filter(|entry| !is_individual(entry)) {
            for root in roots(entry, places) {
                let tree = root.map_err(|link| {
                    allow
                        .complaint(format!("`{entry}`: a symbolic link stands there ({}), and would open what it leads to", link.display()))
                })?;
                if holds_everything(&tree, places)
                    && !allow.told.wide
                    && tree.file_name().is_none_or(|name| !name.to_string_lossy().contains('*'))
                {
                    let message = format!(
                        "`{list}` of `{entry}` is too wide: the user's home lies in it; if all of that is meant, add `wide = true`"
                    );
                    return Err(allow.complaint(message));
                }
            }
        }
    }
    Ok(())
}

fn holds_everything(tree: &Path, places: &Places) -> bool {
    let of_the_user = places.home.iter().chain([&places.cargo_home]).filter(|place| place.is_absolute());
    of_the_user.into_iter().any(|place| place.starts_with(tree))
}

/// For an actor of whom these facts are known. `objects` are the libraries of the macro an entry is for.
pub fn grant(allow: &Allow, places: &Places, facts: &ActorFacts, objects: Option<Vec<PathBuf>>) -> Granted {
    let paths = |entries: &[String]| -> Vec<PathBuf> {
        let one = |entry: &String| match is_individual(entry) {
            true => expand(entry, places, Some(facts)),
            false => roots(entry, places).into_iter().filter_map(Result::ok).collect(),
        };
        entries.iter().flat_map(one).collect()
    };
    let [read, write, exec, connect, unix] = &allow.lists;
    Granted {
        by: Arc::clone(&allow.told),
        read: paths(read),
        write: paths(write),
        exec: paths(exec),
        arguments: allow.arguments.clone(),
        connect: connect.clone(),
        unix: paths(unix),
        via: allow.via.clone(),
        reveal: allow.reveal.clone(),
        objects,
    }
}

/// Programs that exceptions let run: cargo's own wall, which every actor is inside of, has to hold them as well.
pub fn programs<'a>(allows: impl Iterator<Item = &'a Allow>, places: &Places) -> Vec<PathBuf> {
    let entries = allows.flat_map(|allow| &allow.lists[EXEC]).filter(|entry| !is_individual(entry));
    let trees: Vec<PathBuf> = entries.flat_map(|entry| roots(entry, places)).filter_map(Result::ok).collect();
    // Looked at only where a tree of the user's own is granted, program by program.
    let secrets = OnceCell::new();
    let compile = || Secrets::compile(places, &SecretLists::default()).expect("the catalogue");
    kernel_exec(&trees, places, || secrets.get_or_init(compile)).into_iter().filter(|program| program.exists()).collect()
}

/// Nothing but running programs is opened in the kernel's wall: all else the gate does, having judged it.
pub fn extend(policy: Policy, granted: Vec<Granted>) -> Policy {
    if granted.is_empty() {
        return policy;
    }
    let without = Arc::new(policy.clone());
    let of_all: Vec<Granted> = granted.iter().filter(|one| !one.asks_who()).cloned().collect();
    let for_all = (of_all.len() < granted.len()).then(|| Arc::new(extend(policy.clone(), of_all)));
    let mut policy = policy;
    let (places, secrets) = (Arc::clone(&policy.places), Arc::clone(&policy.secrets));
    let is_pattern = |path: &PathBuf| paths::name(path.as_os_str().as_encoded_bytes()).contains(&b'*');
    for one in &granted {
        for (from, trees, patterns) in
            [(&one.read, &mut policy.read, &mut policy.patterns.read), (&one.write, &mut policy.write, &mut policy.patterns.write)]
        {
            let (starred, plain): (Vec<_>, Vec<_>) = from.iter().cloned().partition(is_pattern);
            trees.extend(plain);
            patterns.extend(starred);
        }
        let runs = kernel_exec(&one.exec, &places, || &secrets);
        // What may be run the kernel lets be read: cargo's fingerprints are not for reading.
        let overlaps = |tree: &PathBuf| places.results().any(|results| results.starts_with(tree) || tree.starts_with(results));
        policy.exact &= !runs.iter().any(overlaps);
        policy.kernel.exec.extend(runs);
        policy.exec.extend(one.exec.iter().cloned());
        policy.connect.extend(one.connect.iter().cloned());
        policy.unix.extend(one.unix.iter().cloned());
    }
    policy.granted = granted;
    policy.without = Some(without);
    policy.for_all = for_all;
    policy
}
