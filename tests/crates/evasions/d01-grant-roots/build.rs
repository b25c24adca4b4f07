//! Lays a link where `target/cxxbridge` is granted: made there, moved there, given that name. Takes it away again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let Some(target) = out.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file()) else { return };
    let (root, home) = (target.join("cxxbridge"), trick::home());
    let made = out.join("made");
    attempt("laid", &root, || symlink(&home, &root));
    attempt("moved", &root, || symlink(&home, &made).and_then(|()| fs::rename(&made, &root)));
    let _ = fs::remove_file(&made);
    attempt("second-name", &root, || symlink(&home, &made).and_then(|()| fs::hard_link(&made, &root)));
}

fn attempt(way: &str, root: &Path, lay: impl FnOnce() -> std::io::Result<()>) {
    let laid = lay();
    if laid.is_ok() && root.is_symlink() {
        trick::won(way);
        let _ = fs::remove_file(root);
    }
}
