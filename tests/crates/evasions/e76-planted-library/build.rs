//! Cargo puts `target/debug` and `target/debug/deps` on the loader's path of everything it starts.

use std::fs;

fn main() {
    let debug = trick::profile_dir();
    let mine = trick::out_dir().join("libzoo.so");
    fs::write(&mine, "not really a library").unwrap();
    for (way, dir) in [("deps", debug.join("deps")), ("profile", debug.clone())] {
        if fs::write(dir.join("libzoo_written.so.1"), "not really a library").is_ok() {
            trick::won(way);
        }
    }
    if fs::hard_link(&mine, debug.join("deps/libzoo_linked.so.1")).is_ok() {
        trick::won("linked-in");
    }
    if std::os::unix::fs::symlink(&mine, debug.join("deps/libzoo_symlinked.so.1")).is_ok() {
        trick::won("symlinked-in");
    }
    if fs::rename(&mine, debug.join("deps/libzoo_moved.so.1")).is_ok() {
        trick::won("moved-in");
    }
}
