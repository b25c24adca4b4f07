//! Leaves things in the `OUT_DIR` of a crate that was built before.

use std::fs;

fn main() {
    let Some(out) = trick::built("victim").map(|dir| dir.join("out")) else { return };
    if fs::write(out.join("planted.rs"), trick::mark("create")).is_ok() {
        trick::won("create");
    }
    if fs::OpenOptions::new().append(true).open(out.join("generated.rs")).is_ok() {
        trick::won("replace");
    }
    if fs::create_dir(out.join("planted")).is_ok() {
        trick::won("directory");
    }
}
