//! A profile resolved for one actor: what it may read, write, run and reach. Both walls are built from this one value: the kernel's
//! ruleset from `kernel`, the gate's answers from `judge`.
//!
//! Convention: an actor's own entries of `/proc` are judged as `/proc/self/…`; a number there is always another process.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::made::Made;
use crate::judge::paths::{below, deepest, is_clean, within};
use crate::judge::records::Records;
use crate::judge::reviewed::{self, Allow, Lift};
use crate::judge::rules::{self, Ruling, fs_write_source};
use crate::judge::scratch;
use crate::judge::script::Script;
use crate::judge::secrets::Secrets;
use crate::model::{Act, ActorKind, Breach, Endpoint, Judgement, Mode, Object, Rule, Severity, Verdict};

/// Everything the walls and the gate need to know about one actor.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name of the profile, for reasons and reports.
    pub profile: String,
    pub mode: Mode,
    pub kind: ActorKind,
    /// Trees whose files may be read or listed (secrets excepted). A plain file counts as a tree of one.
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
    /// What Landlock grants. Narrower than the above for reading: only trees that hold no secret, so that nothing the kernel lets
    /// through can be one; the gate hands the rest over as descriptors.
    pub kernel: KernelGrants,
    /// The kernel grants no file for reading that `judge` would not: then a read of a published tree may be left to it.
    pub exact: bool,
    /// `host:port` or `address:port`; `*` for any port, `*:*` for everything, `loopback` for the actor's private loopback.
    pub connect: Vec<String>,
    /// Path-named unix sockets that may be connected to: trees.
    pub unix: Vec<PathBuf>,
    /// What a program may leave in its own package.
    pub records: Arc<Records>,
    pub secrets: Arc<Secrets>,
    pub places: Arc<Places>,
    pub own: Own,
    pub made: Made,
    /// What was reviewed for macros of this compiler; nothing for anybody else.
    pub reviewed: Vec<Allow>,
    /// Scripts among the linkers. Their interpreters are granted by the kernel, and for nothing else by the gate.
    pub scripts: Vec<Script>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelGrants {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
}

/// What belongs to this actor alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub package: Option<PathBuf>,
    /// Of the package.
    pub name: Option<String>,
    pub outputs: Vec<PathBuf>,
    pub tmp: PathBuf,
    /// `-C extra-filename` of a compiler: what tells its artifacts from its neighbours' in the shared `deps`.
    pub extra_filename: Option<String>,
    /// `--crate-name` of a compiler.
    pub crate_name: Option<String>,
}

/// The directories this run is about, resolved to real paths once. Placeholders in profiles and normalised paths in reports come from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// What cargo calls a place, where a link leads to it, and its real path: the narrower places first.
    pub names: Vec<(PathBuf, PathBuf)>,
    pub workspace: Option<PathBuf>,
    pub target: PathBuf,
    /// Where intermediate results go: the target directory, unless `build.build-dir` says otherwise.
    pub build: PathBuf,
    pub toolchain: PathBuf,
    pub cargo_home: PathBuf,
    pub rustup_home: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// The run's private temporary directory; each actor has its own below it.
    pub tmp: PathBuf,
    /// Where reports go; never writable from inside.
    pub report_dir: PathBuf,
    /// Path packages outside the workspace.
    pub packages: Vec<PathBuf>,
    /// Files through which a step of a CI job commands the next ones (`GITHUB_ENV` …), from cargo's environment.
    pub ci_files: Vec<PathBuf>,
    /// Directories of the user's `PATH` (see `plan::placeholders::path_dirs`).
    pub path_dirs: Vec<PathBuf>,
    /// Programs and directories a link needs to run (see `plan::placeholders::linkers`).
    pub linkers: Vec<PathBuf>,
    /// Sockets of agents, as cargo's environment names them (`SSH_AUTH_SOCK` …).
    pub agents: Vec<PathBuf>,
}

impl Places {
    /// Where cargo leaves results: the target directory, and the build directory where it is another one.
    pub fn results(&self) -> impl Iterator<Item = &PathBuf> {
        let apart = self.build != self.target && self.build.is_absolute();
        std::iter::once(&self.target).chain(apart.then_some(&self.build))
    }

    /// What is left of `path` below the directory of results it lies in.
    pub fn result<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        // The build directory may lie in the target directory, or the other way round: no rest matters that much.
        self.results().find_map(|tree| below(path, tree))
    }

    /// Cargo names paths as they were typed, and a link may lead to a place: the same path by the place's real name. Links inside the place are not
    /// followed, as somebody in the build may have put them there.
    pub fn by_real_name(&self, path: &Path) -> PathBuf {
        let found = self.names.iter().find_map(|(name, real)| Some((real, path.strip_prefix(name).ok()?)));
        found.map_or_else(|| path.to_owned(), |(real, rest)| if rest.as_os_str().is_empty() { real.clone() } else { real.join(rest) })
    }

    /// The trees a build works on (not home, not the registry).
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        let trees = self.workspace.iter().chain(self.results()).chain([&self.toolchain, &self.tmp]).chain(&self.packages);
        trees.filter(|place| place.is_absolute())
    }
}

/// Where a connection may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The profile names the destination: the host's network.
    Host,
    /// Allowed, but only inside the actor's private network.
    Private,
    /// A name server: refused, unless the gate wants to learn the name by letting the question be asked inside the private network.
    Resolver,
    Nowhere,
}

impl Policy {
    /// Judges an act on its resolved object. `object` is `None` where nothing exists yet or the act has no file.
    pub fn judge(&self, act: &Act, object: Option<Object>) -> Judgement {
        let always = act.is_hostile();
        self.answer(rules::rule(self, act, object), always)
    }

    /// The reviewed allow that lifts this judgement of the act, if there is one. Nothing is lifted before it is asked.
    pub fn lift(&self, act: &Act, object: Option<Object>, judgement: &Judgement) -> Option<Lift<'_>> {
        if self.reviewed.is_empty() { None } else { reviewed::lift(&self.reviewed, &self.places, act, object, judgement) }
    }

    /// May a plain read of this absolute, lexically clean text pass without a closer look? Only in enforce mode, and only below a tree
    /// that the kernel grants whole (DESIGN §2.5).
    pub fn may_pass(&self, text: &Path) -> bool {
        let bytes = text.as_os_str().as_bytes();
        self.exact && self.mode == Mode::Enforce && is_clean(bytes) && within(bytes, &self.kernel.read) && !self.secrets.looks_secret(bytes)
    }

    /// Where a connection to `to` may lead; the same decision as in `judge`.
    pub fn reach(&self, to: &Endpoint) -> Reach {
        rules::net_connect::reach(self, to)
    }

    /// Judges a connection to a service of this machine where only those of the actor's own network are allowed.
    pub fn judge_outside(&self) -> Judgement {
        self.answer(rules::net_connect::neighbour(self), false)
    }

    /// An act was done: what this actor made where all compilers make things is its own from now on, and what it took away no more.
    pub fn done(&self, act: &Act) {
        rules::fs_foreign_artifact::done(self, act);
        scratch::done(self, act);
        fs_write_source::done(self, act);
    }

    fn answer(&self, ruling: Ruling, always: bool) -> Judgement {
        let refuse = |errno| if always || self.mode == Mode::Enforce { Verdict::Refuse(errno) } else { Verdict::Allow };
        match ruling {
            Ruling::Allow => Judgement::allow(),
            Ruling::Redact => Judgement { verdict: Verdict::Redact, breach: None, noted: false },
            Ruling::Note(breach) => Judgement { verdict: Verdict::Allow, breach: Some(breach), noted: true },
            Ruling::Quiet(errno) => Judgement { verdict: refuse(errno), breach: None, noted: false },
            Ruling::Alarm(errno, breach) => Judgement { verdict: refuse(errno), breach: Some(breach), noted: false },
        }
    }

    pub(crate) fn breach(&self, rule: Rule, severity: Severity, why: &str) -> Breach {
        Breach { rule, severity, reason: format!("profile `{}`: {why}", self.profile) }
    }

    pub(crate) fn may_read(&self, path: &[u8]) -> bool {
        within(path, &self.read) || within(path, &self.write)
    }

    /// The most specific write grant.
    pub(crate) fn write_depth(&self, path: &[u8]) -> Option<usize> {
        deepest(path, &self.write)
    }

    /// As trusted as cargo itself: a tool cargo chose, in a profile that says so by granting it the root.
    pub(crate) fn is_trusted(&self) -> bool {
        self.kind == ActorKind::Tool && self.read.iter().any(|tree| tree == Path::new("/"))
    }

    /// Is this in a place where the actor leaves things of its own, in the build's output or its temporary directory?
    pub fn is_scratch(&self, path: &[u8]) -> bool {
        let own = self.own.outputs.iter().chain([&self.own.tmp]).filter(|tree| tree.is_absolute());
        let granted = || self.places.results().chain([&self.places.tmp]).any(|tree| below(path, tree).is_some());
        own.into_iter().any(|tree| below(path, tree).is_some()) || self.write_depth(path).is_some() && granted()
    }

    /// Runs third-party code during a build, as opposed to a program the user asked for.
    pub fn is_build_time(&self) -> bool {
        !matches!(self.kind, ActorKind::Program | ActorKind::Tool)
    }
}
