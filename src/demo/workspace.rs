//! The files of the demo's workspace, and how they come to lie in a directory.

use std::fs;
use std::io;
use std::path::Path;

/// What the crates are after: no secret, and shaped like none.
pub const CANARY: &str = "CANARY-brig-demo-nothing-secret";

macro_rules! files {
    ($($path:literal,)+) => { &[$(($path, include_str!(concat!("workspace/", $path))),)+] };
}

const FILES: &[(&str, &str)] = files![
    // So that cargo need not tell what it chose.
    "Cargo.lock",
    "Cargo.toml",
    "deps/arrayref/Cargo.toml",
    "deps/arrayref/src/lib.rs",
    "deps/build_consts/Cargo.toml",
    "deps/build_consts/src/lib.rs",
    "deps/chrono_anchor/Cargo.toml",
    "deps/chrono_anchor/src/lib.rs",
    "deps/dnp3times/Cargo.toml",
    "deps/dnp3times/src/lib.rs",
    "deps/fast_build/Cargo.toml",
    "deps/fast_build/src/lib.rs",
    "deps/gauge-sys/Cargo.toml",
    "deps/gauge-sys/build.rs",
    "deps/gauge-sys/src/lib.rs",
    "deps/proc-macro1/Cargo.toml",
    "deps/proc-macro1/build.rs",
    "deps/proc-macro1/src/lib.rs",
    "deps/quick_derive/Cargo.toml",
    "deps/quick_derive/src/lib.rs",
    "deps/time-sync/Cargo.toml",
    "deps/time-sync/src/lib.rs",
    "deps/time_calibrator/Cargo.toml",
    "deps/time_calibrator/src/lib.rs",
    "deps/time_calibrators/Cargo.toml",
    "deps/time_calibrators/src/lib.rs",
    "page/Cargo.toml",
    "page/src/lib.rs",
    "panel/Cargo.toml",
    "panel/src/lib.rs",
    "src/lib.rs",
];

/// Writes the workspace into `dir`, with a `.env` that holds the canary. `dir` itself may exist.
///
/// # Errors
/// With the path that could not be written.
pub fn write(dir: &Path) -> io::Result<()> {
    put(dir, ".env", &format!("API_PASSWORD={CANARY}\nAPI_URL=http://127.0.0.1\n"))?;
    FILES.iter().try_for_each(|(path, text)| put(dir, path, text))
}

fn put(dir: &Path, below: &str, text: &str) -> io::Result<()> {
    let path = dir.join(below);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("write {}: {error}", path.display()));
    fs::create_dir_all(path.parent().unwrap_or(dir)).map_err(named)?;
    fs::write(&path, text).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(dir: &Path, below: &str, files: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let name = format!("{below}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), files);
            } else {
                files.push(name);
            }
        }
    }

    #[test]
    fn every_file_is_embedded_and_written() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let (mut written, mut kept) = (Vec::new(), vec![".env".to_string()]);
        collect(dir.path(), "", &mut written);
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/workspace"), "", &mut kept);
        written.sort();
        kept.sort();
        assert_eq!(written, kept);
    }
}
