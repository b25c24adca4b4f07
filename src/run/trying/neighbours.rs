//! Which crates a suspect's code, and that of what it needs, may name: asked of cargo before any of it runs. In: the workspace that depends on it. Out: for each
//! package the directories of those that are linked into it, by the names that code calls them.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

use crate::attribute::Graph;
use crate::plan::{own_calls, phases};
use crate::run::stage::{Env, variable};
use crate::suspect::harness::{Names, Neighbours};

/// What cargo says of the graph of that workspace. `env`: with `CARGO`, that of a toolchain.
fn graph(env: &Env, app: &Path) -> Option<Metadata> {
    let cargo = PathBuf::from(variable(env, "CARGO")?);
    let platform = cargo.parent().and_then(Path::parent).and_then(phases::host_of);
    let mut command = own_calls::command(&cargo, env, &["/".into()]).ok()?;
    command.current_dir(app);
    let text = Graph::ask(command, &[], platform.as_deref());
    let text = text.inspect_err(|error| tracing::debug!("no neighbours: {error:#}")).ok()?;
    MetadataCommand::parse(text).ok()
}

/// The one package that the workspace itself needs.
fn suspect(metadata: &Metadata) -> Option<&PackageId> {
    let resolve = metadata.resolve.as_ref()?;
    let root = resolve.nodes.iter().find(|node| Some(&node.id) == resolve.root.as_ref())?;
    root.deps.first().map(|dep| &dep.pkg)
}

/// Where the source lies of what the workspace depends on: the one that cargo builds, and no other that is called so.
pub fn source(env: &Env, app: &Path, name: &str) -> Option<PathBuf> {
    let metadata = graph(env, app)?;
    let id = suspect(&metadata)?;
    let package = metadata.packages.iter().find(|package| package.id == *id && *package.name == name)?;
    Some(package.manifest_path.parent()?.to_owned().into_std_path_buf())
}

/// Nothing where cargo does not say.
pub fn of(env: &Env, app: &Path) -> Option<Neighbours> {
    let metadata = graph(env, app)?;
    let dir = |id: &PackageId| {
        let package = metadata.packages.iter().find(|package| package.id == *id)?;
        Some(package.manifest_path.parent()?.to_owned().into_std_path_buf())
    };
    let resolve = metadata.resolve.as_ref()?;
    let mut neighbours = Neighbours::default();
    let names = |id: &PackageId| -> Names {
        let node = resolve.nodes.iter().find(|node| node.id == *id);
        let linked = node.into_iter().flat_map(|node| &node.deps).filter(|dep| {
            // What no kind is known of may be linked.
            dep.dep_kinds.is_empty() || dep.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal)
        });
        linked.filter_map(|dep| Some((dep.name.to_string(), dir(&dep.pkg)?))).collect()
    };
    neighbours.own = names(suspect(&metadata)?);
    neighbours.of = resolve.nodes.iter().filter_map(|node| Some((dir(&node.id)?, names(&node.id)))).collect();
    Some(neighbours)
}
