//! Which programs are rustup's proxies: whatever they are called, they are rustup, and become the program of a toolchain. In: a path. Out: whether
//! it is one. Links in the usual installation; hard links and copies where links could not be made; other names for rustup in some packages.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::plan::places::real;

/// What rustup itself is called: as an installer, too, which is what some packages install.
const NAMES: [&str; 2] = ["rustup", "rustup-init"];

/// Is this rustup, under whatever name? `exe` may be a link.
pub fn is_rustup(exe: &Path) -> bool {
    let program = real(exe.to_owned());
    let called = |name: Option<&OsStr>| NAMES.iter().any(|known| name == Some(OsStr::new(known)));
    if called(program.file_name()) {
        return true;
    }
    let Some(rustup) = program.parent().map(|dir| dir.join("rustup")) else { return false };
    let (Ok(one), Ok(other)) = (fs::metadata(&program), fs::metadata(&rustup)) else { return false };
    (one.dev(), one.ino()) == (other.dev(), other.ino()) || one.len() == other.len() && one.is_file() && is_copy(&program, &rustup, &one)
}

/// Have both the same content? Asked once of each file: programs are started by the hundred.
fn is_copy(program: &Path, rustup: &Path, found: &fs::Metadata) -> bool {
    type Known = HashMap<(PathBuf, u64, i64, i64), bool>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let key = (program.to_owned(), found.ino(), found.ctime(), found.ctime_nsec());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(key).or_insert_with(|| same_content(program, rustup).unwrap_or(false))
}

fn same_content(one: &Path, other: &Path) -> std::io::Result<bool> {
    let [mut one, mut other] = [BufReader::new(File::open(one)?), BufReader::new(File::open(other)?)];
    loop {
        let (here, there) = (one.fill_buf()?, other.fill_buf()?);
        let length = here.len().min(there.len());
        if length == 0 {
            return Ok(here.len() == there.len());
        }
        if here[..length] != there[..length] {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn proxies_are_rustup_by_link_by_hard_link_and_as_copies() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("rustup"), "rustup's own program").unwrap();
        symlink("rustup", at("by-link")).unwrap();
        fs::hard_link(at("rustup"), at("cargo")).unwrap();
        fs::copy(at("rustup"), at("rustc")).unwrap();
        fs::write(at("rustfmt"), "no program of rustup").unwrap();
        fs::create_dir(at("packaged")).unwrap();
        fs::write(at("packaged/rustup-init"), "x").unwrap();
        symlink("rustup-init", at("packaged/cargo")).unwrap();
        for (name, is) in [
            ("rustup", true),
            ("by-link", true),
            ("cargo", true),
            ("rustc", true),
            ("rustfmt", false),
            ("none", false),
            ("packaged/cargo", true),
        ] {
            assert_eq!(is_rustup(&at(name)), is, "{name}");
        }
        fs::write(at("rustfmt"), "rustup's own program").unwrap();
        assert!(is_rustup(&at("rustfmt")), "another file is looked at again");
    }
}
