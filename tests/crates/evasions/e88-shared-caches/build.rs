//! Archives that `ort`, `utoipa-swagger-ui` or `v8` would unpack next time. A habit of honest crates, too: refused without an alarm.

use std::fs;

fn main() {
    for (way, path) in [("home-cache", ".cache/zoo/model.bin"), ("cargo-home", ".cargo/.rusty_v8/zoo.a"), ("xdg", ".local/share/zoo/x.bin")]
    {
        let path = trick::home().join(path);
        let _ = fs::create_dir_all(path.parent().unwrap());
        trick::try_append(way, path, "");
    }
}
