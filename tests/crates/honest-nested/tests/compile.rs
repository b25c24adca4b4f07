//! What compiles and what must not, tried the way `trybuild` does it: a project of its own below `target/tests` that depends on the package under
//! test, its lock file copied, built by the cargo that runs the test; what compiles is run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn cargo(project: &Path, arguments: &[&str]) -> Output {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests/trybuild");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap());
    command.args(arguments).arg("--offline").arg("--manifest-path").arg(project.join("Cargo.toml"));
    command.arg("--target-dir").arg(target).env("RUSTFLAGS", "--cfg trybuild").env("CARGO_INCREMENTAL", "0");
    command.output().unwrap()
}

#[test]
fn compiles() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = here.join("target/tests/trybuild/app");
    fs::create_dir_all(project.join("src/bin")).unwrap();
    let manifest = format!(
        "[workspace]\n[package]\nname = \"app-tests\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\napp = {{ path = {here:?} }}\n"
    );
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::write(project.join("src/lib.rs"), "").unwrap();
    fs::copy(here.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let metadata = Command::new(std::env::var_os("CARGO").unwrap())
        .args(["metadata", "--no-deps", "--format-version=1"])
        .current_dir(here)
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{metadata:?}");
    for name in ["right", "wrong"] {
        fs::copy(here.join(format!("ui/{name}.txt")), project.join(format!("src/bin/{name}.rs"))).unwrap();
    }
    let wrong = cargo(&project, &["check", "--quiet", "--bin", "wrong"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("E0308"), "{wrong:?}");
    let right = cargo(&project, &["build", "--bin", "right"]);
    assert!(right.status.success(), "{right:?}");
    let ran = cargo(&project, &["run", "--quiet", "--bin", "right"]);
    assert!(ran.status.success() && ran.stdout == b"helped\n", "{ran:?}");
}
