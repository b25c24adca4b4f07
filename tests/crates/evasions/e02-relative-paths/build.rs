//! The same file by paths that only resolving makes plain.

use std::path::PathBuf;

fn main() {
    let key = trick::ssh_key();
    let text = key.to_str().unwrap();
    let up = "../".repeat(40);
    trick::try_read("up", format!("{up}{}", &text[1..]));
    trick::try_read("absolute-up", format!("{}/{up}{}", trick::out_dir().display(), &text[1..]));
    trick::try_read("slashes", text.replace('/', "//"));
    trick::try_read("dots", text.replace('/', "/././"));
    trick::try_read("there-and-back", trick::home().join(".ssh/../.aws/../.ssh/./id_ed25519"));
    // From a directory of its own, and from the home directory itself.
    std::env::set_current_dir(trick::out_dir()).unwrap();
    trick::try_read("from-below", PathBuf::from(&up).join(&text[1..]));
    if std::env::set_current_dir(trick::home()).is_ok() {
        trick::try_read("from-home", ".ssh/id_ed25519");
    }
}
