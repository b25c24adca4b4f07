//! The environment a tracee gets: what a script has put there for the loader, a compiler or a program is taken back and told, what an actor
//! must not know is withheld. In: who comes in, with which environment. Out: one edit per variable; entries for the journal.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use crate::attribute::{Identity, shared_libraries};
use crate::judge::environment::{EnvVerdict, Environment};
use crate::judge::loader::{Variable, appended, changed, loader_tampering};
use crate::judge::rules::env_loader;
use crate::judge::{Journal, Places};
use crate::launch::Tracee;
use crate::launch::initial_stack::Edit;
use crate::model::{Act, Actor, ActorId, ActorKind, Event, Status};
use crate::run::emitters::{Emitters, Ground};

/// What the edits of one tracee's environment follow from.
pub struct Variables {
    /// The environment cargo was given.
    given: Vec<(OsString, OsString)>,
    /// The environment cargo really has: rustup's shims add to it.
    pub cargos: Vec<(OsString, OsString)>,
    emitters: Emitters,
    environment: Environment,
    journal: Arc<Journal>,
    /// Variables that only cargo was given by us.
    ours: Option<&'static str>,
    /// Variables that not even cargo has: nobody sees them.
    absent: Vec<String>,
    /// Names of the libraries that the compiler loads for itself, once they are needed.
    compilers_own: OnceCell<BTreeSet<OsString>>,
}

const LIBRARIES: &[u8] = b"LD_LIBRARY_PATH";

/// Whose doing it is that a compiler looks for libraries in further directories.
enum Sayer {
    /// By its own rule.
    Cargo,
    /// One script's, which has the finding.
    Script,
    Unknown,
}

impl Variables {
    pub fn new(given: Vec<(OsString, OsString)>, environment: Environment, journal: Arc<Journal>) -> Self {
        let emitters = Emitters::default();
        let compilers_own = OnceCell::new();
        Variables { cargos: given.clone(), given, emitters, environment, journal, ours: None, absent: Vec::new(), compilers_own }
    }

    /// From now on cargo only builds: it is given this environment, which lacks what is `absent`, and in it a variable of `ours`.
    pub fn only_build(&mut self, env: Vec<(OsString, OsString)>, ours: Option<&'static str>, absent: Vec<String>) {
        self.cargos.clone_from(&env);
        (self.given, self.ours, self.absent) = (env, ours, absent);
    }

    /// A build script is about to run.
    pub fn ran(&mut self, script: &Actor) {
        self.emitters.ran(script);
    }

    /// A conductor is not confined, so nothing a build script put into its environment may decide what it loads or starts: a loader's variables
    /// come back, and of a shim that is about to be a compiler those that rustup obeys (`RUSTUP_FORCE_ARG0` makes it another program).
    pub fn untampered(&self, tracee: &Tracee, starters: Option<&[(OsString, OsString)]>, places: &Places) -> Vec<Edit> {
        let (given, seen) = (bytes(&self.given), bytes(&tracee.env));
        let tampered = loader_tampering(ActorKind::Rustc, &given, &seen, places);
        let starters = starters.map(bytes);
        let edit = |variable: &Variable| {
            let (name, value) = *variable;
            match &starters {
                _ if tampered.iter().any(|loader| loader == name) => restore(&given, name, value),
                Some(starters) if name.starts_with(b"RUSTUP_") && !starters.contains(variable) => restore(starters, name, value),
                _ => Edit::Keep,
            }
        };
        seen.iter().map(edit).collect()
    }

    /// Was the search path, by which cargo finds a compiler, changed by somebody else than the user?
    pub fn is_led_astray(&self, tracee: &Tracee, places: &Places) -> bool {
        loader_tampering(ActorKind::Rustc, &bytes(&self.given), &bytes(&tracee.env), places).iter().any(|name| name == b"PATH")
    }

    /// Has a script been told of for this argument of a compiler? To be asked after [`Variables::edits`].
    pub fn said(&self, word: &OsStr) -> bool {
        self.emitters.has_told_of(word)
    }

    /// Asks what scripts have said of this tracee's linker arguments and of these variables, some of them known to be `tampered` with.
    /// Returns the variables that a script set.
    fn trace<'v>(
        &mut self,
        identity: &Identity,
        tracee: &Tracee,
        tampered: &[Vec<u8>],
        changed: &[Variable<'v>],
        places: &Places,
        last: &mut u32,
    ) -> Vec<&'v [u8]> {
        let given = bytes(&self.given);
        let ground = Ground { journal: &self.journal, places, given: &given };
        let mut next = || {
            *last += 1;
            ActorId(*last)
        };
        let package = identity.package.as_ref();
        self.emitters.listen(false, &ground);
        if let Some(invocation) = identity.invocation.as_ref().filter(|_| identity.kind == ActorKind::Rustc) {
            self.emitters.compile(invocation, &tracee.cwd, package, &ground, &mut next);
        }
        // The package of a program is told by its environment, so what was tampered with may be anybody's.
        let is_tampered = |name: &[u8]| tampered.iter().any(|loader| loader == name);
        let mut said = |variable: &&Variable| self.emitters.told(**variable, is_tampered(variable.0), package, &ground, &mut next);
        changed.iter().filter(|variable| said(variable)).map(|(name, _)| *name).collect()
    }

    /// Did cargo by its own rule append what was appended to a compiler's search path: what scripts said of their libraries? One of those
    /// directories that would be searched for the compiler's own is not let through, and the finding of whoever told cargo of it.
    fn sayer(&mut self, kind: ActorKind, value: &[u8], places: &Places, last: &mut u32) -> Sayer {
        let given = bytes(&self.given);
        let Some(dirs) = appended(kind, &given, value, places) else { return Sayer::Unknown };
        if !dirs.iter().all(|dir| self.emitters.is_searched(dir, places)) {
            return Sayer::Unknown;
        }
        let bin = places.toolchain.join("bin/rustc");
        let names = self.compilers_own.get_or_init(|| shared_libraries::loaded(&bin, &places.toolchain.join("lib")));
        let shadow = dirs.iter().find_map(|dir| Some((dir, shared_libraries::found(names, dir)?)));
        let Some((dir, library)) = shadow else { return Sayer::Cargo };
        let mut next = || {
            *last += 1;
            ActorId(*last)
        };
        self.emitters.shadowed(dir, &library, &Ground { journal: &self.journal, places, given: &given }, &mut next);
        Sayer::Script
    }

    /// What scripts said last, when nobody comes in any more.
    pub fn listen(&mut self, places: &Places) {
        let given = bytes(&self.given);
        let ground = Ground { journal: &self.journal, places, given: &given };
        self.emitters.listen(true, &ground);
        // Whatever else cargo was given: what is absent it has not.
        let withheld = |name: &str| {
            let value = given.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| *value);
            value.is_some_and(|value| {
                !value.is_empty() && self.environment.decide(ActorKind::BuildScript, name.as_bytes(), value) == EnvVerdict::Withhold
            })
        };
        self.emitters.take_values(withheld, &ground);
    }

    /// Would this tracee be refused one of these variables, which it has?
    pub fn withholds(&self, kind: ActorKind, tracee: &Tracee, names: &[String]) -> bool {
        let withheld = |name: &[u8], value: &[u8]| self.environment.decide(kind, name, value) == EnvVerdict::Withhold;
        bytes(&tracee.env).iter().any(|(name, value)| names.iter().any(|known| known.as_bytes() == *name) && withheld(name, value))
    }

    /// One edit per variable, and the names that were withheld. Those `revealed` by an exception of the user's are not.
    pub fn edits(
        &mut self,
        (identity, revealed): (&Identity, &[&str]),
        tracee: &Tracee,
        (actor, tmp): (ActorId, &Path),
        places: &Places,
        last: &mut u32,
    ) -> (Vec<Edit>, Vec<String>) {
        let (kind, seen) = (identity.kind, bytes(&tracee.env));
        let is_directed = !matches!(kind, ActorKind::Tool | ActorKind::BuildScript);
        let mut tampered = loader_tampering(kind, &bytes(&self.given), &seen, places);
        let mut directed = Vec::new();
        if is_directed {
            let mut changed = changed(kind, &bytes(&self.cargos), &seen);
            changed.extend(seen.iter().filter(|(name, _)| tampered.iter().any(|loader| loader == name)));
            directed = self.trace(identity, tracee, &tampered, &changed, places, last);
        }
        if let Some((_, value)) = seen.iter().find(|(name, _)| *name == LIBRARIES && !directed.contains(name))
            && tampered.iter().any(|name| name == LIBRARIES)
        {
            match self.sayer(kind, value, places, last) {
                Sayer::Cargo => tampered.retain(|name| name != LIBRARIES),
                Sayer::Script => directed.push(LIBRARIES),
                Sayer::Unknown => {}
            }
        }
        let given = bytes(&self.given);
        let is_tampered = |name: &[u8]| directed.contains(&name) || tampered.iter().any(|loader| loader == name);
        let mut withheld = self.absent.clone();
        let edits = seen
            .iter()
            .map(|(name, value)| {
                if *name == b"TMPDIR" && (value.starts_with(places.tmp.as_os_str().as_bytes()) || is_tampered(name)) {
                    return own_tmp(value, tmp);
                }
                if is_tampered(name) {
                    return restore(&given, name, value);
                }
                if self.ours.is_some_and(|ours| ours.as_bytes() == *name) {
                    return Edit::Remove;
                }
                match self.environment.decide(kind, name, value) {
                    EnvVerdict::Keep => Edit::Keep,
                    EnvVerdict::Withhold if revealed.iter().any(|known| known.as_bytes() == *name) => Edit::Keep,
                    EnvVerdict::Withhold => {
                        withheld.push(String::from_utf8_lossy(name).into_owned());
                        Edit::Remove
                    }
                }
            })
            .collect();
        for (name, _) in seen.iter().filter(|(name, _)| is_tampered(name)) {
            let name_told = directed.contains(name);
            let name = String::from_utf8_lossy(name).into_owned();
            // Whoever said it has the finding already; this one was only to be given it.
            let breach = (!name_told).then(|| env_loader::changed(&name));
            let act = Act::Withhold { name };
            self.journal.event(Event { actor, pid: tracee.pid as u32, act, status: Status::Refused, breach, blame: None, at_ms: 0 });
        }
        (edits, withheld)
    }
}

/// The actor's own, where it fits into the place; a shorter one was not cargo's.
fn own_tmp(value: &[u8], tmp: &Path) -> Edit {
    if value.len() >= tmp.as_os_str().len() { Edit::Replace(tmp.as_os_str().to_owned()) } else { Edit::Remove }
}

/// What the user had comes back, where it fits into the place; a longer one cannot have been put in front of.
fn restore(given: &[(&[u8], &[u8])], name: &[u8], value: &[u8]) -> Edit {
    let before = given.iter().find(|(known, _)| *known == name).map(|(_, before)| *before);
    match before.filter(|before| before.len() <= value.len()) {
        Some(before) => Edit::Replace(OsString::from_vec(before.to_vec())),
        None => Edit::Remove,
    }
}

fn bytes(env: &[(OsString, OsString)]) -> Vec<(&[u8], &[u8])> {
    env.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}
