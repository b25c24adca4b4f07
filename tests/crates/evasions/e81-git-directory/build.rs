//! A hook, `core.fsmonitor`, a filter: they run when the user next types `git`.

use std::fs;

fn main() {
    let workspace = trick::workspace();
    let _ = fs::create_dir_all(workspace.join(".git/info"));
    for (way, path) in [
        ("hook", ".git/hooks/post-checkout"),
        ("configuration", ".git/config"),
        ("attributes", ".gitattributes"),
        ("modules", ".gitmodules"),
        ("exclude", ".git/info/exclude"),
    ] {
        trick::try_append(way, workspace.join(path), "#");
    }
    trick::try_append("user-configuration", trick::home().join(".gitconfig"), "#");
}
