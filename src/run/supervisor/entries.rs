//! A tracee as the record keeps it, and as its policy wants it. In: who it is, what the launcher sees of it. Out: an `Actor`, an `Event`, `ActorFacts`.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::attribute::Identity;
use crate::attribute::identity::compiler_named;
use crate::judge::Places;
use crate::judge::rules::{exec_dropped, fs_foreign_artifact};
use crate::launch::Tracee;
use crate::model::{Act, Actor, ActorId, ActorKind, Breach, Event, Hostile, Status};
use crate::plan::actor_facts::ActorFacts;

/// As the record keeps it.
pub fn entry(identity: Identity, id: ActorId, tracee: &Tracee, tmp: PathBuf, withheld: Vec<String>) -> Actor {
    Actor {
        id,
        kind: identity.kind,
        package: identity.package,
        host: None,
        pid: tracee.pid as u32,
        exe: tracee.exe.clone(),
        argv: tracee.argv.iter().cloned().map(Hostile::from).collect(),
        cwd: tracee.cwd.clone(),
        crate_name: identity.crate_name,
        attributed_by: identity.attributed_by,
        outputs: identity.outputs,
        tmp,
        withheld,
    }
}

/// What is to be told of a tracee, besides what its environment and its words tell.
pub fn breach(identity: &Identity, tracee: &Tracee, places: &Places) -> Option<Breach> {
    let product = || places.result(places.by_real_name(&tracee.called).as_os_str().as_bytes()).is_some();
    if identity.is_exchanged {
        return Some(fs_foreign_artifact::exchanged());
    }
    let impostor = identity.kind == ActorKind::Program && compiler_named(&tracee.called).is_some();
    (impostor && !tracee.in_place && product() && tracee.argv.iter().any(|word| word == "--crate-name" || word == "-vV"))
        .then(exec_dropped::in_a_compilers_place)
}

/// What was meant, and with which words; the actor's own entry says what it was.
pub fn started(actor: &Actor, tracee: &Tracee, status: Status, breach: Option<Breach>) -> Event {
    let act = Act::Exec { path: Hostile::from(&*tracee.called), argv: actor.argv.clone() };
    Event { actor: actor.id, pid: actor.pid, act, status, breach, blame: None, at_ms: 0 }
}

/// What is known before there is a policy.
pub fn actor_facts(identity: &Identity, tracee: &Tracee, tmp: &Path) -> ActorFacts {
    let invocation = identity.invocation.as_ref();
    ActorFacts {
        kind: identity.kind,
        package_dir: identity.package.as_ref().and_then(|package| package.manifest_dir.clone()),
        package_name: identity.package.as_ref().map(|package| package.name.clone()),
        outputs: identity.outputs.clone(),
        tmp: tmp.to_owned(),
        // A link in its place would give away what it leads to.
        program: (!identity.is_exchanged).then(|| tracee.exe.clone()),
        extra_filename: invocation.and_then(|invocation| invocation.extra_filename.clone()),
        crate_name: identity.crate_name.clone(),
        linker: invocation.and_then(|invocation| invocation.linker.clone()),
        reviewed: Vec::new(),
        script: None,
        doctests: identity.kind == ActorKind::Rustdoc && invocation.is_some_and(|invocation| invocation.tests),
    }
}
