//! Who may do nothing but what was accepted of it: build scripts and compilers of packages from elsewhere, in a run that `brig.lock` must hold. In: actors as they
//! come in, cargo's graph. Out: what was accepted of one, for its policy.

use std::path::Path;
use std::sync::Arc;

use super::naming;
use crate::attribute::{Graph, Identity};
use crate::baseline::{Dirs, Lock};
use crate::judge::{Accepted, Places};
use crate::model::ActorKind;

#[derive(Default)]
pub struct Holding {
    /// Where the packages lie, once somebody has come.
    dirs: Option<Arc<Dirs>>,
}

impl Holding {
    /// Whom it is about at all.
    pub fn is_about(kind: ActorKind) -> bool {
        matches!(kind, ActorKind::BuildScript | ActorKind::Rustc | ActorKind::Rustdoc)
    }

    /// `tmp` is the actor's own.
    pub fn of(
        &mut self,
        lock: Arc<Lock>,
        (identity, tmp): (&Identity, &Path),
        graph: Option<&Graph>,
        places: &Places,
    ) -> Option<Arc<Accepted>> {
        let named = naming::named(places);
        if self.dirs.is_none() {
            self.dirs = graph.map(|graph| Arc::new(naming::dirs(graph, &named)));
        }
        let dirs = self.dirs.as_ref()?;
        let package = identity.package.as_ref().filter(|package| dirs.are_of(package))?;
        let named = named.with(tmp, "{tmp}");
        let places = match identity.outputs.first().filter(|_| identity.kind == ActorKind::BuildScript) {
            Some(out) => named.with(out, "{out}"),
            None => named,
        };
        Some(Arc::new(Accepted {
            lock,
            key: (package.name.clone(), identity.kind),
            version: package.version.clone(),
            dirs: Arc::clone(dirs),
            arch: std::env::consts::ARCH.to_owned(),
            places,
        }))
    }
}
