//! `target/cxxbridge` is shared by all crates that use cxx, and `target/doc` by all that are documented; each has a directory of its own there.

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
    pages();
}

fn pages() {
    let doc = trick::workspace().join("target/doc");
    let victim = doc.join("victim");
    let _ = fs::create_dir_all(&victim);
    let _ = fs::create_dir_all(doc.join("static.files"));
    trick::try_append("page", victim.join("index.html"), "<!--");
    trick::try_append("script", doc.join("static.files/main-0a1b2c3d.js"), "//");
    if symlink(trick::home().join(".bashrc"), victim.join("all.html")).is_ok() {
        trick::won("linked-page");
    }
    let made = trick::out_dir().join("made.html");
    fs::write(&made, "<!-- -->\n").unwrap();
    if fs::rename(made, victim.join("struct.Made.html")).is_ok() {
        trick::won("moved-page");
    }
}
