//! How a report writes paths of this run. In: the places of a run, the build graph. Out: placeholders; where packages lie that are not the workspace's own.

use crate::attribute::Graph;
use crate::baseline::Dirs;
use crate::judge::Places as Real;
use crate::model::{Hostile, Package};
use crate::plan::places::real;
use crate::report::Places;

/// Where packages lie that are not the workspace's own, as reports write paths.
pub fn dirs(graph: &Graph, places: &Places) -> Dirs {
    let of = |package: &Package| {
        let dir = real(package.manifest_dir.clone()?);
        Some((places.path(&Hostile::from(&*dir)), package.name.clone(), package.version.clone()))
    };
    Dirs::new(graph.foreign().filter_map(of))
}

/// The placeholders of the report.
pub fn named(places: &Real) -> Places {
    let mut pairs: Vec<_> = places.results().cloned().map(|path| (path, "{target}")).collect();
    pairs.extend(places.workspace.clone().map(|path| (path, "{workspace}")));
    pairs.push((places.toolchain.clone(), "{toolchain}"));
    pairs.push((places.cargo_home.clone(), "{cargo-home}"));
    pairs.extend(places.rustup_home.clone().map(|path| (path, "{rustup-home}")));
    pairs.push((places.tmp.clone(), "{tmp}"));
    pairs.extend(places.home.clone().map(|path| (path, "{home}")));
    Places::new(pairs)
}
