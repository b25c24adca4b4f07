//! Also an honest habit, which a profile of one's own can allow.

use std::fs;

fn main() {
    let (package, workspace) = (trick::package(), trick::workspace());
    trick::try_append("generated", package.join("src/generated.rs"), "//");
    trick::try_append("own-source", package.join("src/lib.rs"), "//");
    trick::try_append("neighbour", workspace.join("others/victim/src/lib.rs"), "//");
    trick::try_append("manifest", package.join("Cargo.toml"), "#");
    trick::try_append("lock", workspace.join("Cargo.lock"), "#");
    if fs::remove_file(package.join("src/superfluous.rs")).is_ok() {
        trick::won("removed");
    }
}
