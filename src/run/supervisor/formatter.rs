//! rustfmt, which the user's own command started (`cargo fmt`, `new`, `init`): it follows every `mod` and `#[path]`, reads configuration the
//! repository brought along, and quotes what it cannot parse. So it is confined like a program, and writes what cargo itself might. In: the policy
//! of a program, cargo's own wall. Out: the policy with what formatting needs.

use std::path::{Path, PathBuf};

use crate::judge::{Places, Policy};
use crate::plan::cargo_wall::CargoWall;

pub const ATTRIBUTED_BY: &str = "the formatter, started for the user's command: confined like a program";

/// Where rustfmt looks for its configuration (its `CONFIG_FILE_NAMES`), in directories above the sources and in the user's.
const CONFIGURATION: [&str; 2] = ["rustfmt.toml", ".rustfmt.toml"];

/// Grants the sources and the configuration. Nothing of what was built, and nothing of cargo's own.
pub fn permit(policy: &mut Policy, wall: &CargoWall, places: &Places) {
    let is_cargos = |path: &Path| places.results().chain([&places.cargo_home, &places.tmp]).any(|tree| path.starts_with(tree));
    policy.write.extend(wall.grants.write.iter().filter(|path| !is_cargos(path)).cloned());
    let above = places.workspace.iter().flat_map(|root| root.ancestors()).map(Path::to_owned);
    let homes = places.home.iter().flat_map(|home| [home.clone(), home.join(".config/rustfmt")]);
    let dirs: Vec<PathBuf> = above.chain(homes).collect();
    policy.read.extend(dirs.iter().flat_map(|dir| CONFIGURATION.map(|name| dir.join(name))));
}
