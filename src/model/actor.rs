//! Who acts: one process tree started by cargo, or a finer identity found inside one (a proc-macro inside rustc, the linker under it).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::hostile::Hostile;

/// Number of an actor within one run; 1 is the first process cargo started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActorId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    BuildScript,
    /// Code of a proc-macro running inside a compiler; derived from the stack, shares the compiler's wall.
    ProcMacro,
    Rustc,
    /// What rustc starts to link; shares the compiler's wall.
    Linker,
    Rustdoc,
    /// A test, bench, example or `run` program.
    Program,
    /// Anything else cargo starts: git, credential providers, runners.
    Tool,
}

impl ActorKind {
    /// The kebab-case name used in profiles, reports and texts.
    pub fn name(self) -> &'static str {
        match self {
            ActorKind::BuildScript => "build-script",
            ActorKind::ProcMacro => "proc-macro",
            ActorKind::Rustc => "rustc",
            ActorKind::Linker => "linker",
            ActorKind::Rustdoc => "rustdoc",
            ActorKind::Program => "program",
            ActorKind::Tool => "tool",
        }
    }
}

/// The package an actor belongs to, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// Cargo's source string; `None` for path and workspace packages, or before the graph was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Directory of its `Cargo.toml`; not part of the report.
    #[serde(skip)]
    pub manifest_dir: Option<PathBuf>,
}

/// One actor as the launcher (or attribution) established it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: ActorId,
    pub kind: ActorKind,
    pub package: Option<Package>,
    /// For derived actors (proc-macro, linker): the compiler they ran in.
    pub host: Option<ActorId>,
    /// Thread-group id of the process cargo started.
    pub pid: u32,
    pub exe: PathBuf,
    pub argv: Vec<Hostile>,
    pub cwd: PathBuf,
    /// `--crate-name` of a compiler, or the target's name of a build script or program.
    pub crate_name: Option<String>,
    /// How the identity was established, in one short phrase for the report.
    pub attributed_by: &'static str,
    /// Where this actor may leave results: `OUT_DIR` of a build script, `--out-dir` and the incremental dir of a compiler.
    pub outputs: Vec<PathBuf>,
    /// Its private temporary directory.
    pub tmp: PathBuf,
    /// Names of environment variables that were withheld from it.
    pub withheld: Vec<String>,
}

/// Is it a proc-macro that a compiler started with these words compiles?
pub fn compiles_a_macro<'w>(argv: impl IntoIterator<Item = &'w [u8]>) -> bool {
    let mut before: &[u8] = b"";
    argv.into_iter().any(|word| std::mem::replace(&mut before, word) == b"--crate-type" && word == b"proc-macro")
}

impl Actor {
    /// What stands for a crate where the repository's configuration is to blame. No crate is called so.
    pub const CONFIGURATION: &str = ".cargo/config.toml";

    /// How a build script is known that did not run.
    pub const ABSENT: &str = "its words, which cargo kept from an earlier build: it did not run in this one";

    /// What stands for a crate where cargo itself followed a link: the package is that of the link, and `exe` is the link.
    pub const CARGO: &str = "cargo itself";
    /// The same where `cargo fix` did what a compiler suggested: the package is what was compiled.
    pub const FIX: &str = "cargo fix";

    /// Is this cargo, and not something that it started?
    pub fn is_cargo(&self) -> bool {
        self.kind == ActorKind::Tool && matches!(self.crate_name.as_deref(), Some(Actor::CARGO | Actor::FIX))
    }
}
