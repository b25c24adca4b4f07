//! What cargo and rustc say when they are asked: the build graph, and what they are.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::attribute::Graph;
use crate::judge::Places;
use crate::plan::steering::Steering;

/// The build graph, for the platform that `rustc -vV` tells.
pub fn graph(cargo: &Path, steering: &Steering, rustc: Option<&str>, places: &Places) -> Option<Graph> {
    places.workspace.as_ref()?;
    let platform = rustc.and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    match Graph::read(cargo, &steering.graph(), platform) {
        Ok(graph) => Some(graph.with_cargo_home(&places.cargo_home)),
        Err(error) => {
            tracing::debug!("no build graph: {error:#}");
            None
        }
    }
}

/// What a program prints when it is asked about itself.
pub fn ask(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
