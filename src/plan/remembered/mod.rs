//! Cargo's answer about the graph, remembered from one run to the next: cargo takes longer to give it than to find that there is nothing to build.
//! In: the question, as the command that asks it. Out: the answer it had, while all that it depends on is as it was; else nothing, and cargo is asked.
//!
//! Whoever could write here could say who is in a build. So it lies in no place a build writes to, and a run that may write there all the same
//! (`is_apart`) leaves nothing behind.

mod depends;
mod facts;
mod store;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::judge::{KernelGrants, Places};
use crate::model::digest;
use crate::plan::steering::Steering;
use depends::Ground;
pub use depends::Package;
use facts::Facts;
use store::Store;
pub use store::place;

/// The first bytes of a file of this form.
const FORM: &str = concat!("brig.graph/1 ", env!("CARGO_PKG_VERSION"), "\n");
/// Variables that cargo, the compiler, the loader or git's library read begin like this, or are called so. No credential is among those of an own call.
const BEGIN: [&str; 6] = ["CARGO", "RUST", "__CARGO", "LD_", "GIT_", "XDG_"];
const CALLED: [&str; 2] = ["HOME", "PATH"];

/// A question to cargo that has been asked before, perhaps.
pub struct Question {
    /// All it consists of.
    text: Vec<u8>,
    here: PathBuf,
    start: PathBuf,
    cargo_home: PathBuf,
    programs: Vec<PathBuf>,
    env: Vec<(OsString, OsString)>,
}

/// The answer: what of it is needed at once, and all of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    pub head: String,
    pub graph: String,
}

/// A question that cargo is being asked, as things stood before.
pub struct Asking {
    question: Question,
    before: Facts,
    named: Vec<PathBuf>,
    began: SystemTime,
}

impl Question {
    /// What `command` asks, if what the answer depends on is known. `env` is ours; `toolchain` is where the compiler that cargo will ask lies.
    pub fn of(command: &Command, steering: &Steering, toolchain: &Path, env: &[(OsString, OsString)]) -> Option<Question> {
        let odd = |word: &OsString| ["--config", "-Z", "--lockfile-path"].iter().any(|odd| word == odd);
        // A specification is a file of its own.
        let specified = command.get_args().any(|word| word.as_bytes().ends_with(b".json"));
        if specified || steering.places.iter().any(odd) {
            return None;
        }
        let here = command.get_current_dir().map_or_else(|| std::env::current_dir().ok(), |dir| Some(dir.to_owned()))?;
        let variables: Vec<_> = command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value));
        let cargo_home = variable("CARGO_HOME").or_else(|| Some(variable("HOME")?.join(".cargo"))).filter(|home| home.is_absolute())?;
        let program = Path::new(command.get_program());
        let mut text = Vec::new();
        let mut word = |word: &[u8]| {
            text.extend_from_slice(word);
            text.push(0);
        };
        word(here.as_os_str().as_bytes());
        word(toolchain.as_os_str().as_bytes());
        word(program.as_os_str().as_bytes());
        command.get_args().for_each(|argument| word(argument.as_bytes()));
        for (name, value) in &variables {
            let bytes = name.as_bytes();
            if BEGIN.iter().any(|begin| bytes.starts_with(begin.as_bytes())) || CALLED.iter().any(|called| *name == *called) {
                word(&[bytes, b"=", value.as_bytes()].concat());
            }
        }
        let mut programs: Vec<PathBuf> = ["bin/cargo", "bin/rustc", "lib", "lib/rustlib"].map(|path| toolchain.join(path)).into();
        programs.push(program.to_owned());
        let start = steering.start().map_or_else(|| here.clone(), |start| crate::attribute::source::clean(&here.join(start)));
        Some(Question { text, here, start, cargo_home, programs, env: env.to_vec() })
    }

    fn ground(&self) -> Ground<'_> {
        Ground { here: &self.here, start: &self.start, cargo_home: &self.cargo_home, programs: &self.programs }
    }

    fn name(&self) -> String {
        digest::hex(&self.text)
    }

    /// What cargo said last time, if it would say the same again.
    pub fn recall(&self) -> Option<Known> {
        let (facts, known) = parse(&Store::open(&self.env)?.read(&self.name())?, &self.text)?;
        facts.hold().then_some(known)
    }

    /// To be called before cargo is asked. Nothing, where the answer could not be kept.
    pub fn asking(self) -> Option<Asking> {
        let began = SystemTime::now();
        let (before, named) = depends::before(&self.ground())?;
        Some(Asking { question: self, before, named, began })
    }
}

impl Asking {
    /// Keeps what cargo said, unless anything it depends on changed meanwhile, or just before.
    pub fn keep(self, known: &Known, workspace: &Path, packages: &[Package]) -> Option<()> {
        let ground = self.question.ground();
        let (again, _) = depends::before(&ground)?;
        let mut facts = depends::after(&ground, workspace, packages, self.named)?;
        if again != self.before || !facts.agree(again) || !facts.were_settled(self.began) {
            return None;
        }
        let (question, facts) = (&self.question.text, facts.write());
        let sizes = [question.len(), facts.len(), known.head.len(), known.graph.len()].map(|size| size.to_string()).join(" ");
        let parts = [FORM.as_bytes(), sizes.as_bytes(), b"\n", question, &facts, known.head.as_bytes(), known.graph.as_bytes()];
        Store::make(&self.question.env)?.write(&self.question.name(), &parts)
    }
}

/// The facts and the answer in a file, if it is whole and of that question: two questions may have one name.
fn parse(bytes: &[u8], question: &[u8]) -> Option<(Facts, Known)> {
    let rest = bytes.strip_prefix(FORM.as_bytes())?;
    let end = rest.iter().take(100).position(|byte| *byte == b'\n')?;
    let sizes: Vec<usize> = std::str::from_utf8(&rest[..end]).ok()?.split(' ').map(|size| size.parse().ok()).collect::<Option<_>>()?;
    let mut rest = &rest[end + 1..];
    let mut parts = Vec::new();
    for size in sizes {
        let (part, after) = rest.split_at_checked(size)?;
        parts.push(part);
        rest = after;
    }
    let [asked, facts, head, graph] = parts.try_into().ok()?;
    let text = |part: &[u8]| String::from_utf8(part.to_vec()).ok();
    if asked != question || !rest.is_empty() {
        return None;
    }
    Some((Facts::read(facts)?, Known { head: text(head)?, graph: text(graph)? }))
}

/// May nothing of this run write where answers are kept? `cargo` is what the kernel grants cargo and whatever it starts; beyond that, the gate writes
/// for actors in the trees of the build.
pub fn is_apart(env: &[(OsString, OsString)], places: &Places, cargo: &KernelGrants) -> bool {
    let Some(place) = store::place(env) else { return true };
    let trees = places.workspace.iter().chain(&places.members).chain(&places.packages).chain(places.results()).chain([&places.tmp]);
    let written = trees.chain(&cargo.write).filter(|tree| tree.is_absolute());
    !written.into_iter().any(|tree| place.starts_with(tree) || tree.starts_with(&place))
}

/// Forgets everything: whoever could write there may have.
pub fn forget(env: &[(OsString, OsString)]) {
    if let Some(store) = Store::open(env) {
        store.empty();
    }
}

#[cfg(test)]
mod tests;
