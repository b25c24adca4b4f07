//! What it would look at before it decides whether this build is worth it.

fn main() {
    let code = trick::workspace();
    let looks = |way: &str, path: &str, word: &str| {
        if std::fs::read_to_string(code.join(path)).is_ok_and(|text| text.contains(word)) {
            trick::won(way);
        }
    };
    looks("manifest", "Cargo.toml", "[workspace]");
    looks("lock-file", "Cargo.lock", "name = \"trick\"");
    looks("git", ".git/config", "[http]");
    looks("sources", "trick/src/lib.rs", "CANARY");
}
