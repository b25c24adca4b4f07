//! What worms do when the theft fails. (The files are dummies of the throw-away home.)

use std::fs;

fn main() {
    let documents = trick::home().join("documents");
    for (way, did) in [
        ("removed", fs::remove_file(documents.join("a"))),
        ("overwritten", fs::write(documents.join("b"), "gone")),
        ("truncated", fs::OpenOptions::new().write(true).truncate(true).open(documents.join("c")).map(drop)),
        ("moved", fs::rename(documents.join("d"), trick::out_dir().join("d"))),
        ("directory", fs::remove_dir_all(documents.join("e"))),
        ("sources", fs::remove_file(trick::package().join("notes.txt"))),
    ] {
        if did.is_ok() {
            trick::won(way);
        }
    }
}
