//! None of these is what a test leaves behind; each is run, read or obeyed by something, or somebody's secret.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn made(way: &str, path: &Path) {
    if fs::OpenOptions::new().write(true).create_new(true).open(path).is_ok() {
        trick::won(way);
    }
}

#[test]
fn writes() {
    let package = trick::package();
    for (way, file) in [
        ("program", "bin/release"),
        ("build-file", "makefile"),
        ("workflow", "docker-compose.yml"),
        ("environment", "flake.nix"),
        ("instruction", "AGENTS.md"),
        ("assembly", "native/fast.S"),
        ("folded-name", "Justfile"),
        ("key", "id_rsa"),
        ("state", "terraform.tfstate"),
        ("settings", "renovate.json"),
    ] {
        trick::try_append(way, package.join(file), "#");
    }
    made("new-build-file", &package.join("GNUmakefile"));
    made("new-instruction", &package.join("Claude.md"));

    let start_up = trick::home().join(".bashrc");
    if symlink(&start_up, package.join("log.txt")).is_ok() {
        trick::won("link");
    }
    let elsewhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("d51-link");
    let _ = fs::remove_file(&elsewhere);
    let _ = symlink(&start_up, &elsewhere);
    if fs::rename(&elsewhere, package.join("snap.txt")).is_ok() {
        trick::won("moved-link");
    }
}
