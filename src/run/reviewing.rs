//! Which reviewed allows a tracee has. In: compilers as they come in. Out: the entries of `profiles/reviewed.toml` whose macro, as cargo's
//! own graph has it, the compiled package needs.
//!
//! A build whose lock file names none of those crates pays for one look into that file. What cargo said of its graph before the build is read
//! when the first compiler of a build that does name one comes in; where it said nothing, it is asked then.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::asked::{ask, graph, graph_text};
use crate::attribute::registered::Registered;
use crate::attribute::source::read_text;
use crate::attribute::{Graph, Identity};
use crate::judge::Places;
use crate::judge::reviewed::Allow;
use crate::model::{ActorKind, Package};
use crate::plan::reviewed::{self, Review};
use crate::plan::steering::Steering;

const MAX_LOCK: u64 = 64 << 20;

/// By default nothing is wanted.
#[derive(Default)]
pub struct Reviewing {
    /// Does the profile want them?
    wanted: bool,
    steering: Steering,
    /// What cargo may read: so may it when we ask it.
    pub trees: Vec<PathBuf>,
    /// Once the first compiler has come: what is in this build.
    found: Option<Vec<(Review, Registered)>>,
    /// As it was read for that: the report needs it as well.
    pub graph: Option<Graph>,
    /// It was asked for, with an answer or without.
    asked: bool,
    /// What cargo said of the graph before the build, and has not been read yet.
    said: Option<String>,
}

impl Reviewing {
    pub fn new(wanted: bool, steering: Steering) -> Self {
        Reviewing { wanted, steering, ..Reviewing::default() }
    }

    /// The build graph, for the platform that `rustc -vV` tells.
    pub fn read(&self, cargo: &Path, rustc: Option<&str>, places: &Places) -> Option<Graph> {
        graph(cargo, (&self.steering, &self.trees), rustc, places)
    }

    /// Cargo said this of the graph.
    pub fn said(&mut self, metadata: Option<String>) {
        self.said = metadata.or(self.said.take());
    }

    /// What cargo said of the graph, as it said it, while nobody has read it.
    pub fn told(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// The graph, if it is known already.
    pub fn known(&mut self, places: &Places) -> Option<Graph> {
        let read = |text: String| match Graph::parse(&text) {
            Ok(graph) => Some(graph.with_cargo_home(&places.cargo_home)),
            Err(error) => {
                tracing::debug!("no build graph: {error:#}");
                None
            }
        };
        self.graph.take().or_else(|| self.said.take().and_then(read))
    }

    /// The graph as cargo said it before the build; where it said nothing, it is asked, once.
    pub fn read_graph(&mut self, places: &Places, cargo: &Path) {
        if !std::mem::replace(&mut self.asked, true) {
            self.graph = self.known(places).or_else(|| {
                let rustc = ask(&places.toolchain.join("bin/rustc"), "-vV");
                self.read(cargo, rustc.as_deref(), places)
            });
        }
    }

    /// What cargo says of the graph now.
    pub fn ask_text(&self, places: &Places, cargo: &Path) -> Option<String> {
        places.workspace.as_ref()?;
        let rustc = ask(&places.toolchain.join("bin/rustc"), "-vV");
        graph_text(cargo, (&self.steering, &self.trees), rustc.as_deref())
    }

    /// What a tracee has. `artifacts` are the compilations seen in this run.
    pub fn of(
        &mut self,
        identity: &Identity,
        argv: &[OsString],
        places: &Places,
        cargo: &Path,
        artifacts: &HashMap<String, Package>,
    ) -> Vec<Allow> {
        let compiles = matches!(identity.kind, ActorKind::Rustc | ActorKind::Rustdoc);
        let Some(package) = identity.package.as_ref().filter(|_| self.wanted && compiles) else { return Vec::new() };
        let Some(manifest_dir) = &package.manifest_dir else { return Vec::new() };
        if self.found.is_none() {
            self.found = Some(self.look(places, cargo));
        }
        let allows = self.found.iter().flatten().filter_map(|(review, registered)| {
            let objects = needed(registered, manifest_dir, argv, artifacts)?;
            tracing::debug!(package = package.name, review = review.name, ?objects, "reviewed");
            Some(review.resolve(&registered.package.version, &package.name, places, objects))
        });
        allows.collect()
    }

    fn look(&mut self, places: &Places, cargo: &Path) -> Vec<(Review, Registered)> {
        let mut reviews = reviewed::shipped();
        let lock = places.workspace.as_ref().and_then(|root| read_text(&root.join("Cargo.lock"), MAX_LOCK)).unwrap_or_default();
        reviews.retain(|review| lock.contains(&format!("name = \"{}\"", review.name)));
        if reviews.is_empty() {
            return Vec::new();
        }
        self.read_graph(places, cargo);
        let Some(graph) = &self.graph else { return Vec::new() };
        reviews.into_iter().flat_map(|review| in_graph(&review, graph).into_iter().map(move |found| (review.clone(), found))).collect()
    }
}

/// The libraries of the macro that the compiler of this package may load; nothing where the package has no need of it. Of the macro's own package
/// tests and examples need it, which are given it by name.
pub(super) fn needed(
    registered: &Registered,
    compiled: &Path,
    argv: &[OsString],
    artifacts: &HashMap<String, Package>,
) -> Option<Vec<PathBuf>> {
    if registered.is_needed_by(compiled) {
        return Some(objects(registered, argv, artifacts));
    }
    let given = || {
        argv.iter().any(|word| word.to_str().and_then(|word| word.split_once('=')).is_some_and(|(name, _)| name == registered.crate_name))
    };
    (registered.lies_in(Some(compiled)) && given()).then(|| objects(registered, argv, artifacts))
}

/// The libraries of the macro that this compiler may load: those whose compilation was seen, else those that say of themselves what they
/// were made from.
fn objects(registered: &Registered, argv: &[OsString], artifacts: &HashMap<String, Package>) -> Vec<PathBuf> {
    let stem = |path: &Path| path.file_name().and_then(|name| Some(name.to_str()?.strip_prefix("lib")?.strip_suffix(".so")?.to_owned()));
    let compiled = |path: &Path| stem(path).and_then(|stem| artifacts.get(&stem));
    let is_it = |package: &Package| registered.lies_in(package.manifest_dir.as_deref());
    let seen = reviewed::libraries(argv, &registered.crate_name, |path| compiled(path).is_some_and(is_it));
    // What was compiled of the package may have been its tests, or its build script: the library is of an earlier run then.
    if !seen.is_empty() {
        return seen;
    }
    reviewed::libraries(argv, &registered.crate_name, |path| compiled(path).is_none() && registered.was_built_as(path))
}

/// The packages an entry counts for.
fn in_graph(review: &Review, graph: &Graph) -> Vec<Registered> {
    if !review.needs.iter().all(|(name, _)| graph.are_all(name, |version| review.bears(name, version))) {
        return Vec::new();
    }
    let looked_at = |name: &str, version: &str| if name == review.name { review.covers(version) } else { review.bears(name, version) };
    graph.registered(&review.name, looked_at)
}
