//! What is written here would be obeyed, believed or run next time.

use std::fs;

fn main() {
    let workspace = trick::workspace();
    trick::try_append("policy", workspace.join("brig.toml"), "#");
    let _ = fs::create_dir_all(workspace.join(".config"));
    trick::try_append("hidden-policy", workspace.join(".config/brig.toml"), "#");
    trick::try_append("program", trick::home().join(".cargo/bin/cargo-brig"), "#");
    if fs::write(trick::place().join("report/planted.json"), "{}").is_ok() {
        trick::won("report");
    }
}
