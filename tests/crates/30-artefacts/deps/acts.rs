// Everything that can be done to a file without opening it for reading, done to what the crate `victim` and its compiler left in a
// directory of results. Nothing is spoilt: lengths, modes and contents stay what they were. Each act that succeeds says so.

use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

unsafe extern "C" {
    fn renameat2(from_dir: i32, from: *const i8, to_dir: i32, to: *const i8, flags: u32) -> i32;
    fn mknod(path: *const i8, mode: u32, dev: u64) -> i32;
}

const AT_FDCWD: i32 = -100;
const RENAME_EXCHANGE: u32 = 2;
const O_TRUNC: i32 = 0o1000;

pub fn all(who: &str, profile: &Path) {
    let tmp = std::env::temp_dir();
    let deps = profile.join("deps");
    let say = |act: &str, result: io::Result<()>| {
        if result.is_ok() {
            let line = format!("zoo: {who}: {act} done");
            if who == "macro" { eprintln!("{line}") } else { println!("{line}") }
        }
    };
    let Some(library) = find(&deps, "libvictim-", ".rmeta") else { return };
    let Some(note) = find(&deps, "victim-", ".d") else { return };
    let content = fs::read(&library).unwrap_or_default();
    let length = content.len() as u64;
    let copy = tmp.join(format!("zoo-{who}-copy"));
    let _ = fs::write(&copy, &content);

    say("open to write", OpenOptions::new().write(true).open(&library).map(drop));
    say("open to read and write", OpenOptions::new().read(true).write(true).open(&library).map(drop));
    say("append", OpenOptions::new().append(true).open(&library).map(drop));
    say("truncate on opening", OpenOptions::new().read(true).custom_flags(O_TRUNC).open(&note).map(drop));
    say("truncate", OpenOptions::new().write(true).open(&library).and_then(|file| file.set_len(length)));
    say("change the mode", fs::metadata(&library).and_then(|facts| fs::set_permissions(&library, facts.permissions())));
    say("change the time", set_time(&library));
    say("link", fs::hard_link(&library, tmp.join(format!("zoo-{who}-link"))));
    let pointer = tmp.join(format!("zoo-{who}-pointer"));
    say("write through a link", symlink(&library, &pointer).and_then(|()| OpenOptions::new().write(true).open(&pointer).map(drop)));
    say("exchange", exchange(&copy, &library));
    say("move over it", fs::rename(&copy, &library));
    let aside = tmp.join(format!("zoo-{who}-aside"));
    say("move away", fs::rename(&library, &aside).and_then(|()| fs::rename(&aside, &library)));
    say("put a link in its place", fs::rename(&note, &aside).and_then(|()| symlink(&aside, &note)));
    say("remove", fs::remove_file(&note).and_then(|()| fs::write(&note, "")));
    say("plant a pipe", make_pipe(&deps.join(format!("libzoo_{who}.so.1"))));
    say("move the directory", fs::rename(&deps, profile.join("deps-zoo")).and_then(|()| fs::rename(profile.join("deps-zoo"), &deps)));
    // What another compiler keeps for a moment while it works.
    let passing = deps.join("rmetaZooZoo");
    say("write into a passing directory", OpenOptions::new().write(true).open(passing.join("full.rmeta")).map(drop));
    say("create in a passing directory", fs::write(passing.join(format!("zoo-{who}")), ""));
    say("remove from a passing directory", fs::remove_file(passing.join(format!("other-{who}"))));
    say("open a passing file", OpenOptions::new().write(true).open(deps.join("stZooZoo")).map(drop));

    let build = profile.join("build");
    if let Some(unit) = entries(&build).into_iter().find(|unit| named(unit, "victim-") && unit.join("output").exists()) {
        say("write into another OUT_DIR", fs::write(unit.join("out/generated.rs"), ""));
        say("forge words to cargo", OpenOptions::new().append(true).open(unit.join("output")).map(drop));
    }
    if let Some(unit) = entries(&build).into_iter().find(|unit| named(unit, "victim-") && unit.join("build-script-build").exists()) {
        say("open another build script", OpenOptions::new().append(true).open(unit.join("build-script-build")).map(drop));
    }
    if let Some(unit) = entries(&profile.join(".fingerprint")).into_iter().find(|unit| named(unit, "victim-")) {
        say("forge freshness", fs::write(unit.join(format!("zoo-{who}")), ""));
    }
    if let Some(session) = entries(&profile.join("incremental")).into_iter().find(|session| named(session, "victim-")) {
        say("write into another session", fs::write(session.join(format!("zoo-{who}")), ""));
    }
    // Another crate's session under the same crate name: every build script is called `build_script_build`.
    let session = profile.join("incremental").join(if who == "macro" { "app-zoo" } else { "build_script_build-zoo" });
    say("write into a session of the same name", fs::write(session.join(format!("zoo-{who}")), ""));
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn named(path: &Path, front: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(front))
}

fn find(dir: &Path, front: &str, end: &str) -> Option<PathBuf> {
    entries(dir).into_iter().find(|path| named(path, front) && path.to_string_lossy().ends_with(end))
}

fn set_time(path: &Path) -> io::Result<()> {
    unsafe extern "C" {
        fn utimensat(dir: i32, path: *const i8, times: *const [i64; 4], flags: i32) -> i32;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    let text = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the string ends with a zero, and two `timespec`s are four numbers.
    result(unsafe { utimensat(AT_FDCWD, text.as_ptr().cast(), &[now, 0, now, 0], 0) })
}

fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    let [one, other] = [one, other].map(|path| CString::new(path.as_os_str().as_bytes()).unwrap());
    // SAFETY: both strings end with a zero.
    result(unsafe { renameat2(AT_FDCWD, one.as_ptr().cast(), AT_FDCWD, other.as_ptr().cast(), RENAME_EXCHANGE) })
}

fn make_pipe(path: &Path) -> io::Result<()> {
    let text = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the string ends with a zero.
    result(unsafe { mknod(text.as_ptr().cast(), 0o010600, 0) })
}

fn result(returned: i32) -> io::Result<()> {
    if returned == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
