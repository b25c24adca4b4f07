//! Persistence in the home of whoever builds.

use std::fs;

fn main() {
    for (way, path) in [
        ("bashrc", ".bashrc"),
        ("profile", ".profile"),
        ("zshenv", ".zshenv"),
        ("fish", ".config/fish/config.fish"),
        ("service", ".config/systemd/user/zoo.service"),
        ("autostart", ".config/autostart/zoo.desktop"),
        ("authorized-keys", ".ssh/authorized_keys"),
        ("ssh-config", ".ssh/config"),
        ("ssh-rc", ".ssh/rc"),
    ] {
        let path = trick::home().join(path);
        let _ = fs::create_dir_all(path.parent().unwrap());
        trick::try_append(way, path, "#");
    }
}
