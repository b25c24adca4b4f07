//! What cargo and rustc say when they are asked: the build graph, and what they are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::stage::{self, Env};
use crate::attribute::Graph;
use crate::judge::Places;
use crate::plan::own_calls;
use crate::plan::phases::{self, Phases, Within};
use crate::plan::steering::Steering;
use crate::sys::walled;

/// The build graph, for the platform that `rustc -vV` tells; cargo reads no more than `trees` for it.
pub fn graph(cargo: &Path, (steering, trees): (&Steering, &[PathBuf]), rustc: Option<&str>, places: &Places) -> Option<Graph> {
    places.workspace.as_ref()?;
    let platform = rustc.and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    let env: Vec<_> = std::env::vars_os().collect();
    let read = own_calls::command(cargo, &env, trees).and_then(|command| Graph::read(command, &steering.question(), platform));
    match read {
        Ok(graph) => Some(graph.with_cargo_home(&places.cargo_home)),
        Err(error) => {
            tracing::debug!("no build graph: {error:#}");
            None
        }
    }
}

/// The same as cargo says it.
pub fn graph_text(cargo: &Path, (steering, trees): (&Steering, &[PathBuf]), rustc: Option<&str>) -> Option<String> {
    let platform = rustc.and_then(|text| text.lines().find_map(|line| line.strip_prefix("host: ")));
    let env: Vec<_> = std::env::vars_os().collect();
    let command = own_calls::command(cargo, &env, trees);
    command.and_then(|command| Graph::ask(command, &steering.question(), platform)).ok()
}

/// What a program prints when it is asked about itself.
pub fn ask(program: &Path, argument: &str) -> Option<String> {
    let env: Vec<_> = std::env::vars_os().collect();
    let mut command = own_calls::command(program, &env, &["/".into()]).ok()?;
    let output = walled::output(command.arg(argument)).ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Of the packages of which platforms cargo is to be asked before it builds; nothing where it is not to be.
pub fn platforms(toolchain: Option<&Path>, steering: &Steering, env: &Env) -> Option<Vec<OsString>> {
    if !Phases::asks(steering) {
        return None;
    }
    let asked = || ask(&toolchain?.join("bin/rustc"), "-vV");
    let host =
        toolchain.and_then(phases::host_of).or_else(|| Some(asked()?.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned()))?;
    let cargo_home = stage::variable(env, "CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(Path::new(stage::variable(env, "HOME")?).join(".cargo"))).unwrap_or_default();
    let within = Within { dir: std::env::current_dir().unwrap_or_default(), cargo_home };
    Some(phases::platforms(&host, steering, env, &within))
}
