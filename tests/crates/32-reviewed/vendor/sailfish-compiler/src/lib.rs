//! Writes what it generates into its own OUT_DIR, although it runs in another crate's compiler by then.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Result, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub fn generate(wish: &str) -> String {
    let out = Path::new(env!("OUT_DIR"));
    let dir = out.join("templates");
    fs::create_dir_all(&dir).unwrap();
    let (code, lock, deps) = (dir.join("0f-1e"), dir.join("0f-1e.lock"), dir.join("0f-1e.deps"));
    OpenOptions::new().write(true).create_new(true).open(&lock).unwrap_or_else(|error| panic!("{lock:?}: {error}"));
    let mut file = File::create(&code).unwrap();
    writeln!(file, "pub const AHOY: &str = \"ahoy\";").unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    File::create(&deps).unwrap();
    if wish != "honest" {
        eprintln!("zoo: {wish}: {}", tried(wish, out, &code).map_or_else(|error| error.to_string(), |()| "done".to_owned()));
    }
    fs::remove_file(&lock).unwrap();
    code.to_str().unwrap().to_owned()
}

/// What an allow for the directory of templates is not for.
fn tried(wish: &str, out: &Path, code: &Path) -> Result<()> {
    match wish {
        "beside" => fs::write(out.join("planted"), ""),
        "above" => fs::write(out.parent().unwrap().join("output"), "cargo::rustc-env=PLANTED=1\n"),
        "neighbour" => fs::write(other(out).join("planted"), ""),
        "deeper" => {
            let dir = other(out).join("templates");
            fs::create_dir(&dir)?;
            fs::write(dir.join("planted"), "")
        }
        "link" => symlink("/etc/passwd", code.with_extension("planted")),
        "second_name" => fs::hard_link(code, code.with_extension("planted")),
        "moved" => {
            fs::copy(code, code.with_extension("x")).and_then(|_| fs::rename(code.with_extension("x"), code.with_extension("planted")))
        }
        "mode" => fs::set_permissions(code, Permissions::from_mode(0o777)),
        "gone" => fs::remove_dir_all(out),
        other => panic!("no such wish: {other}"),
    }
}

/// OUT_DIR of another package.
fn other(out: &Path) -> PathBuf {
    let units = fs::read_dir(out.ancestors().nth(2).unwrap()).unwrap().map(|unit| unit.unwrap().path().join("out"));
    units.into_iter().find(|out| out.is_dir() && out.to_str().unwrap().contains("/quiet-sys-")).unwrap()
}
