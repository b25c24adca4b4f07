//! A wrapper, a runner, a linker, an alias or a variable in there acts in every later build. A comment is enough to show it.

use std::fs;

fn main() {
    for (way, dir) in [
        ("home", trick::home().join(".cargo")),
        ("project", trick::workspace().join(".cargo")),
        ("parent", trick::home().join("code/../.cargo")),
        ("own-package", trick::package().join(".cargo")),
    ] {
        let _ = fs::create_dir_all(&dir);
        trick::try_append(way, dir.join("config.toml"), "#");
    }
    trick::try_append("old-name", trick::home().join(".cargo/config"), "#");
}
