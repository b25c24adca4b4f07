//! Whose word was it: what build scripts told cargo, read as soon as cargo keeps it, and brought together with what compilers and
//! programs are then given. In: actors as they come in. Out: entries for the journal, about the script that said it, not about those who
//! had to listen.
//!
//! Most scripts of a build do not run: cargo repeats what they said before. Their kept words are searched only for what nobody who ran
//! said, and a script found so gets an actor of its own, without a process.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::absent::{absent, locked};
use crate::attribute::directives::{self, Directive, Of};
use crate::attribute::invocation::{Invocation, is_argument_file};
use crate::judge::linking::{self, Steer};
use crate::judge::loader::{self, Variable};
use crate::judge::rules::{env_loader, env_withheld, link_loader};
use crate::judge::{Journal, Places};
use crate::model::{Act, Actor, ActorId, Event, Hostile, Package, Severity, Status};

/// Of a response file.
const LONGEST: u64 = 4 << 20;

/// What directives are judged against.
pub struct Ground<'g> {
    pub journal: &'g Journal,
    pub places: &'g Places,
    pub given: &'g [Variable<'g>],
}

#[derive(Default)]
pub struct Emitters {
    scripts: Vec<Script>,
    /// Kept words of scripts that have not run. Each is read once, when somebody's words are searched for the first time.
    kept: Vec<Kept>,
    /// Which of them said a thing, by its key: cargo hands over tens of thousands of words, and each is asked for.
    sayers: HashMap<Vec<u8>, Vec<usize>>,
    searched: HashSet<PathBuf>,
}

/// What cargo kept of a script.
struct Kept {
    /// Of its package.
    name: String,
    out: PathBuf,
    /// Until it becomes a [`Script`].
    told: Vec<Directive>,
}

struct Script {
    actor: ActorId,
    pid: u32,
    package: Option<Package>,
    out: PathBuf,
    /// Not for scripts of earlier builds.
    began: Option<SystemTime>,
    /// `None` until cargo has it.
    told: Option<Vec<Directive>>,
    /// Where in them each thing was said first, by its key.
    said: HashMap<Vec<u8>, usize>,
    /// Directives that are in the journal as a breach.
    breaches: HashSet<usize>,
}

/// One thing that a program is given and a script may have said.
#[derive(Clone, Copy, Debug)]
enum Word<'w> {
    Variable(&'w [u8], &'w [u8]),
    LinkArg(&'w [u8]),
    Argument(&'w [u8]),
    /// A directory of `-L`, with its kind or without.
    Search(&'w [u8]),
}

impl Word<'_> {
    fn of(directive: &Directive) -> impl Iterator<Item = Word<'_>> {
        let variable = directive.variable().map(|(name, value)| Word::Variable(name.as_bytes(), value.as_bytes()));
        let one = variable.or_else(|| Some(Word::LinkArg(directive.link_arg()?.as_bytes())));
        let files = directive.arguments().filter(|word| is_argument_file(word.as_bytes()));
        let searches = directive.searches().chain(directive.searched()).map(|word| Word::Search(word.as_bytes()));
        one.into_iter().chain(files.map(|word| Word::Argument(word.as_bytes()))).chain(searches)
    }

    /// Two words have the same if they are the same; no name of a variable holds an equals sign.
    fn key(&self) -> Vec<u8> {
        match self {
            Word::Variable(name, value) => [b"env ", *name, b"=", value].concat(),
            Word::LinkArg(argument) => [b"arg ", *argument].concat(),
            Word::Argument(argument) => [b"word ", *argument].concat(),
            Word::Search(path) => [b"search ", *path].concat(),
        }
    }
}

impl Emitters {
    /// A build script is about to run.
    pub fn ran(&mut self, actor: &Actor) {
        let Some(out) = actor.outputs.first().cloned() else { return };
        let (package, began) = (actor.package.clone(), Some(SystemTime::now()));
        self.scripts.retain(|script| script.out != out);
        self.scripts.push(Script {
            actor: actor.id,
            pid: actor.pid,
            package,
            out,
            began,
            told: None,
            said: HashMap::new(),
            breaches: HashSet::new(),
        });
    }

    /// Reads what scripts have said since it was last asked. To be called before anyone who could have to listen comes in, and when cargo
    /// has `ended`.
    pub fn listen(&mut self, ended: bool, ground: &Ground) {
        for script in self.scripts.iter_mut().filter(|script| script.told.is_none()) {
            let of = script.began.map_or(Of::AnyBuild, if ended { Of::Ended } else { Of::Running });
            match directives::told(&script.out, of) {
                Ok(None) => {}
                Ok(Some(told)) => script.hear(told, ground),
                Err(error) => {
                    let name = script.package.as_ref().map_or("a package", |package| &package.name);
                    ground.journal.lost(&format!("what the build script of {name} told cargo cannot be read: {error}"));
                    script.told = Some(Vec::new());
                }
            }
        }
    }

    /// When cargo has ended: takes out of its fingerprints the values of variables that are not for actors, and tells whose scripts named them.
    /// Cargo reads that half only to say why it builds anew.
    pub fn take_values(&self, is_withheld: impl Fn(&str) -> bool, ground: &Ground) {
        for script in &self.scripts {
            let named = script.told.iter().flatten().filter_map(Directive::keeps).filter(|name| is_withheld(name));
            let named: std::collections::BTreeSet<&str> = named.collect();
            if named.is_empty() {
                continue;
            }
            if let Err(error) = directives::drop_values(&script.out) {
                ground.journal.lost(&format!("values of variables remain in cargo's fingerprints: {error}"));
            }
            let own = script.package.as_ref().and_then(|package| package.manifest_dir.as_ref());
            // Cargo unpacks there what it packs, to see that it builds.
            let packed = ground.places.target.join("package");
            let is_users = own.is_some_and(|dir| ground.places.members.contains(dir) || dir.starts_with(&packed));
            for name in named {
                let breach = env_withheld::kept(name, is_users);
                script.tell("rerun-if-env-changed", name.as_bytes(), Status::Refused, Some(breach), ground);
            }
        }
    }

    /// Did a script set this variable, to what it may not be? Those that ran are asked first, the package's own before others, then what
    /// cargo kept of earlier builds: of this package, or of `any`.
    pub fn told(
        &mut self,
        variable: Variable,
        any: bool,
        package: Option<&Package>,
        ground: &Ground,
        next: &mut dyn FnMut() -> ActorId,
    ) -> bool {
        let word = Word::Variable(variable.0, variable.1);
        let found = self.find(word, package).or_else(|| {
            self.search(ground.places);
            self.find_kept(word, any, package, ground, next)
        });
        found.is_some_and(|(at, index)| self.scripts[at].breaches.contains(&index))
    }

    /// Did a script say that native libraries are to be looked for here?
    pub fn is_searched(&mut self, dir: &Path, places: &Places) -> bool {
        let word = Word::Search(dir.as_os_str().as_bytes());
        self.find(word, None).is_some() || {
            self.search(places);
            self.sayers.contains_key(&word.key())
        }
    }

    /// In this directory, which a script told cargo of, lies a library that the compiler takes for one of its own.
    pub fn shadowed(&mut self, dir: &Path, library: &OsStr, ground: &Ground, next: &mut dyn FnMut() -> ActorId) {
        let word = Word::Search(dir.as_os_str().as_bytes());
        let Some((at, index)) = self.find(word, None).or_else(|| self.find_kept(word, true, None, ground, next)) else { return };
        let script = &mut self.scripts[at];
        let key = script.told.as_ref().and_then(|told| told.get(index)).map_or("rustc-link-search", |told| told.key);
        if script.breaches.insert(index) {
            script.tell(key, dir.as_os_str().as_bytes(), Status::Refused, Some(env_loader::shadowing(library)), ground);
        }
    }

    /// Has a script the finding for this argument of a compiler?
    pub fn has_told_of(&self, argument: &OsStr) -> bool {
        self.find(Word::Argument(argument.as_bytes()), None).is_some()
    }

    /// What a compiler is given: linker arguments, of which all scripts together may make more than what each said alone, and files of
    /// further arguments.
    pub fn compile(
        &mut self,
        invocation: &Invocation,
        cwd: &Path,
        package: Option<&Package>,
        ground: &Ground,
        next: &mut dyn FnMut() -> ActorId,
    ) {
        if !invocation.argument_files.is_empty() {
            self.search(ground.places);
        }
        for file in &invocation.argument_files {
            let word = Word::Argument(file.as_bytes());
            // Whoever is found has its breach with it.
            let _ = self.find(word, package).or_else(|| self.find_kept(word, true, package, ground, next));
        }
        self.searched_elsewhere(invocation, package, ground, next);
        let words: Vec<&[u8]> = invocation.link_args.iter().map(|word| word.as_bytes()).collect();
        if words.is_empty() {
            return;
        }
        let steers = linking::steers(words.iter().copied(), ground.places, &mut |name| response(name, &[cwd]));
        let steers: Vec<Steer> = steers.into_iter().filter(|steer| steer.severity > Severity::Info).collect();
        if !steers.is_empty() {
            self.search(ground.places);
        }
        for steer in steers {
            let involved = words.get(steer.words.0..=steer.words.1).unwrap_or_default();
            let mut sayer = None;
            for word in involved.iter().map(|word| Word::LinkArg(word)) {
                let found = self.find(word, package).or_else(|| self.find_kept(word, true, package, ground, next));
                let Some((at, index)) = found else { continue };
                if self.scripts[at].breaches.contains(&index) {
                    sayer = None;
                    break;
                }
                sayer = found;
            }
            // Nobody: the user's own `rustflags`.
            if let Some((at, index)) = sayer {
                self.scripts[at].breach_of_link(&[index], &involved.join(&b' '), &steer, ground);
            }
        }
    }

    /// Where a script of an earlier build has libraries looked for in a place that is nobody's business: it is told once more, for the report to
    /// know whose idea it was.
    fn searched_elsewhere(
        &mut self,
        invocation: &Invocation,
        package: Option<&Package>,
        ground: &Ground,
        next: &mut dyn FnMut() -> ActorId,
    ) {
        for path in invocation.searches.iter().map(|word| word.as_bytes()).filter(|path| linking::leads_elsewhere(path, ground.places)) {
            let word = Word::Search(path);
            if self.find(word, package).is_some() {
                continue;
            }
            self.search(ground.places);
            let Some((at, index)) = self.find_kept(word, true, package, ground, next) else { continue };
            let script = &self.scripts[at];
            let key = script.told.as_ref().and_then(|told| told.get(index)).map_or("rustc-link-search", |told| told.key);
            script.tell(key, path, Status::Allowed, None, ground);
        }
    }

    fn find(&self, word: Word, package: Option<&Package>) -> Option<(usize, usize)> {
        let (own, key) = (|script: &Script| same(script.package.as_ref(), package), word.key());
        let said = |(at, script): (usize, &Script)| Some((at, *script.said.get(&key)?));
        let all = || self.scripts.iter().enumerate();
        all().filter(|(_, script)| own(script)).find_map(said).or_else(|| all().find_map(said))
    }

    fn find_kept(
        &mut self,
        word: Word,
        any: bool,
        package: Option<&Package>,
        ground: &Ground,
        next: &mut dyn FnMut() -> ActorId,
    ) -> Option<(usize, usize)> {
        let (own, key) = (package.map(|package| package.name.as_str()), word.key());
        let is_own = |kept: &Kept| Some(kept.name.as_str()) == own;
        // A user's own `rustflags` and `[env]` come with every compiler: nobody has said them.
        let sayers = self.sayers.get(&key)?.iter().map(|at| (&self.kept[*at], *at)).filter(|(kept, _)| any || is_own(kept));
        let ran = |kept: &Kept| self.scripts.iter().any(|script| script.out == kept.out);
        let (_, at) = sayers.filter(|(kept, _)| !ran(kept)).min_by_key(|(kept, _)| (!is_own(kept), &kept.out))?;
        let Kept { name, out, told } = &mut self.kept[at];
        let (out, told) = (out.clone(), std::mem::take(told));
        let package = package.filter(|package| package.name == *name).cloned().unwrap_or_else(|| locked(name, ground.places));
        let actor = absent(next(), package, &out);
        let mut script = Script {
            actor: actor.id,
            pid: 0,
            package: actor.package.clone(),
            out,
            began: None,
            told: None,
            said: HashMap::new(),
            breaches: HashSet::new(),
        };
        ground.journal.actor(actor);
        script.hear(told, ground);
        let index = *script.said.get(&key)?;
        self.scripts.push(script);
        Some((self.scripts.len() - 1, index))
    }

    /// Where cargo keeps words: `<profile>/build/<package>-<hash>`, with a triple before it or not, or `build/<package>/<hash>`.
    fn search(&mut self, places: &Places) {
        // Cargo makes no links here, and we follow none.
        let inside = |dir: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink())).map(|entry| entry.path()).collect()
        };
        let profiles: Vec<PathBuf> = places.results().flat_map(|tree| inside(tree)).collect();
        let deeper: Vec<PathBuf> = profiles.iter().flat_map(|dir| inside(dir)).collect();
        for build in profiles.into_iter().chain(deeper).map(|dir| dir.join("build")).filter(|dir| dir.is_dir()) {
            if !self.searched.insert(build.clone()) {
                continue;
            }
            let mut found = Vec::new();
            for unit in inside(&build) {
                let name = unit.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
                found.extend(
                    inside(&unit).into_iter().filter(|hash| hash.join("run").is_dir()).map(|hash| (name.clone(), hash.join("out"))),
                );
                if let Some((name, _)) = name.rsplit_once('-').filter(|_| unit.join("output").exists()) {
                    found.push((name.to_owned(), unit.join("out")));
                }
            }
            for (name, out) in found {
                let Ok(Some(told)) = directives::told(&out, Of::AnyBuild) else { continue };
                for key in told.iter().flat_map(Word::of).map(|word| word.key()) {
                    let sayers = self.sayers.entry(key).or_default();
                    if sayers.last() != Some(&self.kept.len()) {
                        sayers.push(self.kept.len());
                    }
                }
                self.kept.push(Kept { name, out, told });
            }
        }
    }
}

impl Script {
    fn hear(&mut self, told: Vec<Directive>, ground: &Ground) {
        self.told = Some(told.clone());
        for (index, word) in told.iter().enumerate().flat_map(|(index, told)| Word::of(told).map(move |word| (index, word))) {
            self.said.entry(word.key()).or_insert(index);
        }
        for (index, directive) in told.iter().enumerate() {
            let Some((name, value)) = directive.variable() else { continue };
            if let Some(severity) = loader::directed((name.as_bytes(), value.as_bytes()), ground.given, ground.places) {
                self.breaches.insert(index);
                self.tell(directive.key, name.as_bytes(), Status::Refused, Some(env_loader::directed(name, severity)), ground);
            }
        }
        for (index, directive) in told.iter().enumerate() {
            if let Some(file) = directive.arguments().find(|word| is_argument_file(word.as_bytes())) {
                self.breaches.insert(index);
                self.tell(directive.key, file.as_bytes(), Status::Allowed, Some(link_loader::argument_file()), ground);
            }
        }
        let manifest = self.package.as_ref().and_then(|package| package.manifest_dir.as_deref());
        let directories: Vec<PathBuf> = manifest.into_iter().chain(ground.places.workspace.as_deref()).map(Path::to_owned).collect();
        let directories: Vec<&Path> = directories.iter().map(PathBuf::as_path).collect();
        for kind in kinds(&told) {
            // What is said about binaries goes only to binaries, and only together with what is said about all.
            let said = told.iter().enumerate().filter(|(_, told)| told.key == kind || told.key == "rustc-link-arg");
            let said: Vec<(usize, &[u8])> = said.filter_map(|(index, told)| Some((index, told.link_arg()?.as_bytes()))).collect();
            for steer in linking::steers(said.iter().map(|(_, word)| *word), ground.places, &mut |name| response(name, &directories)) {
                let involved = said.get(steer.words.0..=steer.words.1).unwrap_or_default();
                let indices: Vec<usize> = involved.iter().map(|(index, _)| *index).collect();
                if indices.iter().any(|index| !self.breaches.contains(index)) {
                    let text = involved.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(&b' ');
                    self.breach_of_link(&indices, &text, &steer, ground);
                }
            }
        }
        // Of an earlier build only what matters now.
        let all = told.iter().enumerate().filter(|(_, told)| self.began.is_some() && told.keeps().is_none());
        for (index, directive) in all {
            if !self.breaches.contains(&index) {
                self.tell(directive.key, directive.shown().as_bytes(), Status::Allowed, None, ground);
            }
        }
    }

    fn breach_of_link(&mut self, indices: &[usize], text: &[u8], steer: &Steer, ground: &Ground) {
        let key = indices.first().and_then(|index| self.told.as_ref()?.get(*index)).map_or("rustc-link-arg", |told| told.key);
        self.breaches.extend(indices);
        self.tell(key, text, Status::Allowed, Some(link_loader::directed(steer)), ground);
    }

    fn tell(&self, key: &str, value: &[u8], status: Status, breach: Option<crate::model::Breach>, ground: &Ground) {
        let act = Act::Tell { directive: key.to_owned(), value: Hostile::new(value) };
        ground.journal.event(Event { actor: self.actor, pid: self.pid, act, status, breach, blame: None, at_ms: 0 });
    }
}

/// Keys of linker arguments that were used, each once; what is said about all of them alone counts too.
fn kinds(told: &[Directive]) -> Vec<&'static str> {
    let mut kinds: Vec<_> = told.iter().filter(|told| told.link_arg().is_some()).map(|told| told.key).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn same(a: Option<&Package>, b: Option<&Package>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if (&a.name, &a.version) == (&b.name, &b.version))
}

/// A response file, looked for where a linker would look. Whatever else lies there is not opened: opening a device may do something.
fn response(name: &[u8], directories: &[&Path]) -> Option<Vec<u8>> {
    let open = |path: PathBuf, flags| std::fs::OpenOptions::new().read(true).custom_flags(flags | libc::O_CLOEXEC).open(path).ok();
    directories.iter().find_map(|directory| {
        let handle = open(directory.join(OsStr::from_bytes(name)), libc::O_PATH)?;
        let facts = handle.metadata().ok().filter(|facts| facts.is_file() && facts.len() <= LONGEST)?;
        let file = open(format!("/proc/self/fd/{}", handle.as_raw_fd()).into(), libc::O_NONBLOCK)?;
        let mut content = Vec::with_capacity(facts.len() as usize);
        file.take(LONGEST).read_to_end(&mut content).ok()?;
        Some(content)
    })
}

#[cfg(test)]
#[path = "emitters_tests.rs"]
mod tests;
