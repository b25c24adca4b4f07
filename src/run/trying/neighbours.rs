//! Which crates a suspect's code, and that of what it needs, may name: asked of cargo before any of it runs. In: the workspace that depends on it. Out: for each
//! package the directories of those that are linked into it, by the names that code calls them.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, PackageId};

use crate::attribute::Graph;
use crate::plan::{own_calls, phases};
use crate::run::stage::{Env, variable};
use crate::suspect::harness::{Names, Neighbours};

/// Nothing where cargo does not say. `env`: with `CARGO`, that of a toolchain.
pub fn of(env: &Env, app: &Path) -> Option<Neighbours> {
    let cargo = PathBuf::from(variable(env, "CARGO")?);
    let platform = cargo.parent().and_then(Path::parent).and_then(phases::host_of);
    let mut command = own_calls::command(&cargo, env, &["/".into()]).ok()?;
    command.current_dir(app);
    let text = Graph::ask(command, &[], platform.as_deref());
    let text = text.inspect_err(|error| tracing::debug!("no neighbours: {error:#}")).ok()?;
    let metadata = MetadataCommand::parse(text).ok()?;
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
    let root = resolve.nodes.iter().find(|node| Some(&node.id) == resolve.root.as_ref())?;
    let suspect = &root.deps.first()?.pkg;
    neighbours.own = names(suspect);
    neighbours.of = resolve.nodes.iter().filter_map(|node| Some((dir(&node.id)?, names(&node.id)))).collect();
    Some(neighbours)
}
