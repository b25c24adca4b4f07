//! A directory takes along what is in it: out of the package what is secret, into it what runs or is compiled.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use trick::sys::{AT_FDCWD, call, ptr};

const RENAMEAT2: i64 = 316;
const RENAMEAT: i64 = 264;
const EXCHANGE: i64 = 2;

fn exchange(one: &Path, other: &Path) -> Result<i64, i32> {
    let (one, other) = (trick::c(one), trick::c(other));
    call(RENAMEAT2, &[AT_FDCWD, ptr(&one), AT_FDCWD, ptr(&other), EXCHANGE])
}

/// A directory in the test's own place with one file in it.
fn made(at: PathBuf, file: &str, text: &str) -> PathBuf {
    let _ = fs::remove_dir_all(&at);
    fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
    fs::write(at.join(file), text).unwrap();
    at
}

#[test]
fn moves() {
    let (package, own) = (trick::package(), PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("d50"));
    let _ = fs::remove_dir_all(&own);
    fs::create_dir_all(&own).unwrap();

    let _ = fs::rename(package.join("out"), own.join("out"));
    trick::try_read("out", own.join("out/deep/.env"));

    fs::create_dir(own.join("swap")).unwrap();
    let _ = exchange(&own.join("swap"), &package.join("swap"));
    trick::try_read("exchange", own.join("swap/deep/.env"));

    let _ = fs::rename(package.join("steps"), package.join("tests/data/steps"));
    let _ = fs::rename(package.join("tests/data/steps/deep"), own.join("steps"));
    trick::try_read("steps", own.join("steps/.env"));

    let directory = fs::File::open(&package).unwrap();
    let from = trick::c(format!("/proc/self/fd/{}/handle", directory.as_raw_fd()));
    let (to, below) = (trick::c("handle"), fs::File::open(&own).unwrap());
    let _ = call(RENAMEAT, &[AT_FDCWD, ptr(&from), i64::from(below.as_raw_fd()), ptr(&to)]);
    trick::try_read("handle", own.join("handle/deep/.env"));

    let sources = made(own.join("a"), "planted.rs", "#[test] fn planted() {}\n");
    if fs::rename(&sources, package.join("benches")).is_ok() {
        trick::won("sources-in");
    }
    let configuration = made(own.join("b"), "deep/.cargo/config.toml", "# planted\n");
    if fs::rename(&configuration, package.join("member")).is_ok() {
        trick::won("configuration-in");
    }
    let with_link = made(own.join("c"), "a.txt", "harmless\n");
    let _ = std::os::unix::fs::symlink(trick::home().join(".bashrc"), with_link.join("b.txt"));
    if fs::rename(&with_link, package.join("data")).is_ok() {
        trick::won("link-in");
    }
    let makefile = made(own.join("d"), "GNUmakefile", "all:\n");
    if exchange(&makefile, &package.join("scratch")).is_ok() {
        trick::won("exchanged-in");
    }
}
