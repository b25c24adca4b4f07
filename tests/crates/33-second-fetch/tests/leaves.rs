//! Writes where tests may write.

use std::path::Path;

#[test]
fn leaves_a_package() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("left");
    let port = std::env::var("ZOO_TCP").unwrap();
    std::fs::create_dir_all(dir.join("src")).unwrap();
    let package = "[package]\nname = \"left\"\nversion = \"0.1.0\"\n\n[workspace]\n\n[dependencies]\n";
    let dependency = format!("carried = {{ git = \"http://127.0.0.1:{port}/what-was-seen\" }}\n");
    std::fs::write(dir.join("Cargo.toml"), format!("{package}{dependency}")).unwrap();
    std::fs::write(dir.join("src/lib.rs"), "").unwrap();
}
