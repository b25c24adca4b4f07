//! `target/cxxbridge` is shared by all crates that use cxx; each has a directory of its own there.

use std::fs;
use std::os::unix::fs::symlink;

fn main() {
    let shared = trick::workspace().join("target/cxxbridge");
    let victim = shared.join("victim/src");
    let _ = fs::create_dir_all(&victim);
    trick::try_append("header", victim.join("lib.rs.h"), "//");
    trick::try_append("implementation", victim.join("lib.rs.cc"), "//");
    let _ = fs::create_dir_all(shared.join("rust"));
    trick::try_append("common", shared.join("rust/cxx.h"), "//");
    if symlink(trick::home().join(".bashrc"), victim.join("other.h")).is_ok() {
        trick::won("link");
    }
    let own = shared.join("d52-foreign-headers");
    fs::create_dir_all(own.join("a")).unwrap();
    fs::write(own.join("a/x.h"), "//\n").unwrap();
    if fs::rename(own.join("a/x.h"), shared.join("x.h")).is_ok() {
        trick::won("moved");
    }
    if fs::rename(own.join("a"), shared.join("next")).is_ok() {
        trick::won("directory");
    }
}
