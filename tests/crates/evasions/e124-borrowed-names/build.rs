//! A copy of `/bin/true` under names that a reader of reports would pass over.

use std::process::Command;

fn main() {
    for (way, name) in [("cc", "cc"), ("spaces", "rustc --version"), ("hidden", ".../cc")] {
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::create_dir_all(path.parent().unwrap());
        std::fs::copy("/bin/true", &path).unwrap();
        if Command::new(&path).status().is_ok_and(|status| status.success()) {
            trick::won(way);
        }
    }
}
