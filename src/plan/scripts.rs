//! Scripts of the user's: who interprets them. In: a file, or the linker that cargo's configuration chose. Out: the words of its first line,
//! and the one thing its interpreter may do behind a compiler's wall.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::actor_facts::ActorFacts;
use super::kernel_grants::PUBLISHED;
use super::placeholders::{chosen_linker, is_builds_own, programs_named};
use crate::judge::rules::must_be_named;
use crate::judge::{Places, Script};
use crate::sys::script;

/// The words of `#!interpreter [argument]`. One that is a script itself is not followed.
pub fn interpreter(file: &Path) -> Option<Vec<OsString>> {
    let mut head = Vec::new();
    std::fs::File::open(file).ok()?.take(script::HEAD).read_to_end(&mut head).ok()?;
    Some(script::words(&head)?.into_iter().map(OsString::from_vec).collect())
}

/// What a linker that is a script needs: its interpreter, and behind `#!/usr/bin/env NAME` that of this name. Nothing for a script that lies in
/// the build: code of the build may have written it.
pub fn of_linker(facts: &ActorFacts, places: &Places) -> Vec<Script> {
    let own = |file: &PathBuf| file.parent().is_none_or(|dir| is_builds_own(dir, places));
    chosen_linker(facts, places).into_iter().filter(|file| !own(file)).flat_map(|file| scripts(file, places)).collect()
}

fn scripts(file: PathBuf, places: &Places) -> Vec<Script> {
    let Some(words) = interpreter(&file) else { return Vec::new() };
    let named = Path::new(&words[0]);
    let argument = words.get(1).cloned();
    let mut scripts = Vec::new();
    if named.file_name() == Some(OsStr::new("env"))
        && let Some(name) = argument.as_ref().and_then(|name| name.to_str()).filter(|name| !name.contains(['=', '-', ' ', '/']))
    {
        let found = programs_named(name, places).into_iter();
        scripts.extend(found.map(|interpreter| Script { interpreter, argument: None, file: file.clone() }));
    }
    scripts.extend(named.canonicalize().ok().map(|interpreter| Script { interpreter, argument, file }));
    scripts.retain(|script| is_the_systems(&script.interpreter));
    scripts
}

fn is_the_systems(program: &Path) -> bool {
    PUBLISHED.iter().any(|tree| program.starts_with(tree)) && !must_be_named(program.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::model::ActorKind;

    #[test]
    fn a_script_that_links_brings_its_interpreter() {
        // Below `target`: what lies in /tmp may be the build's.
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/scripts-test");
        std::fs::create_dir_all(&top).expect("makes a directory");
        let top = top.canonicalize().expect("is there");
        let places = Places { path_dirs: vec![top.clone()], ..Places::default() };
        let shell = Path::new("/bin/sh").canonicalize().expect("a shell");
        let env = Path::new("/usr/bin/env").canonicalize().expect("env");
        for (name, first, wanted) in [
            ("plain", "#!/bin/sh", vec![(&shell, None)]),
            ("option", "#! /bin/sh -e ", vec![(&shell, Some("-e"))]),
            ("by-env", "#!/usr/bin/env sh", vec![(&shell, None), (&env, Some("sh"))]),
            ("split", "#!/usr/bin/env -S sh -e", vec![(&env, Some("-S sh -e"))]),
            ("own", "#!./sh", vec![]),
            ("program", "\x7fELF", vec![]),
        ] {
            let file = top.join(name);
            std::fs::write(&file, format!("{first}\nexec cc \"$@\"\n")).expect("writes");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("is its owner's");
            let facts = ActorFacts { linker: Some(name.into()), ..ActorFacts::new(ActorKind::Rustc, "/tmp/x") };
            let wanted = wanted.into_iter().map(|(interpreter, argument)| Script {
                interpreter: interpreter.clone(),
                argument: argument.map(Into::into),
                file: file.clone(),
            });
            assert_eq!(of_linker(&facts, &places), wanted.collect::<Vec<_>>(), "{name}");
            let built = Places { workspace: Some(top.clone()), ..places.clone() };
            assert_eq!(of_linker(&facts, &built), [], "{name} in the workspace");
        }
    }
}
