//! An address is data: whoever fetches from it later tells what was written into it.

use std::io::Write;
use std::path::PathBuf;

fn main() {
    let (home, code) = (trick::home(), trick::workspace());
    let address = |way: &str| format!("http://127.0.0.1:{}/{}/", trick::tcp_port(), trick::mark(way));
    let registry = |way: &str| format!("\n[registries.{way}]\nindex = \"sparse+{}\"\n", address(way));
    let rewrite = |way: &str| format!("\n[url \"{}\"]\n\tinsteadOf = https://nobody.example.test/\n", address(way));
    let _ = std::fs::create_dir_all(code.join(".cargo"));
    append("registry-home", home.join(".cargo/config.toml"), &registry("registry-home"));
    append("registry-project", code.join(".cargo/config.toml"), &registry("registry-project"));
    append("rewrite-home", home.join(".gitconfig"), &rewrite("rewrite-home"));
    append("rewrite-repository", code.join(".git/config"), &rewrite("rewrite-repository"));
    // A comment shows that it can be done, and changes nothing for the others.
    append("manifest", code.join("Cargo.toml"), &format!("# {}\n", address("manifest")));
    append("lock-file", code.join("Cargo.lock"), &format!("# {}\n", address("lock-file")));
}

fn append(way: &str, path: PathBuf, text: &str) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if file.and_then(|mut file| file.write_all(text.as_bytes())).is_ok() {
        trick::won(way);
    }
}
