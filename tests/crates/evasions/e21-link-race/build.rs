//! The path stays the same; what it leads to does not.

use std::fs;
use std::os::unix::fs::symlink;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::{AT_FDCWD, call, nr, ptr};

const RENAMEAT2: i64 = 316;
const EXCHANGE: i64 = 2;

fn main() {
    begin();
    let (home, out) = (trick::home(), trick::out_dir());
    // Three ways, each by a thread and by a process.
    let shared = Shared::anonymous().among(6);
    let run = |way: &str, secret: &str, one: &str, other: &str, path: &str| {
        let (one, other) = (trick::c(out.join(one)), trick::c(out.join(other)));
        let path = trick::c(out.join(path));
        let change = || drop(call(RENAMEAT2, &[AT_FDCWD, ptr(&one), AT_FDCWD, ptr(&other), EXCHANGE]));
        for (racer, name) in [(Racer::Thread, "thread"), (Racer::Process, "process")] {
            let mut tally = Tally::default();
            tally.rewritten += race(racer, &shared, change, || tally.opened(call(nr::OPEN, &[ptr(&path), 0])));
            tally.tell(&format!("{way}-{name}"), secret);
        }
    };
    let clear = |name: &str| {
        let path = out.join(name);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
        path
    };
    // A link to a directory.
    let good = clear("good");
    fs::create_dir_all(&good).unwrap();
    fs::write(good.join("id_ed25519"), "harmless").unwrap();
    symlink(&good, clear("way")).unwrap();
    symlink(home.join(".ssh"), clear("way-bad")).unwrap();
    run("directory-link", ".ssh/id_ed25519", "way", "way-bad", "way/id_ed25519");
    // A real directory, and one with a link in it.
    let (one, other) = (clear("real"), clear("real-bad"));
    fs::create_dir_all(&one).unwrap();
    fs::create_dir_all(&other).unwrap();
    fs::write(one.join("file"), "harmless").unwrap();
    symlink(home.join(".aws/credentials"), other.join("file")).unwrap();
    run("directory", ".aws/credentials", "real", "real-bad", "real/file");
    // The last component.
    fs::write(clear("last"), "harmless").unwrap();
    symlink(home.join(".netrc"), clear("last-bad")).unwrap();
    run("file", ".netrc", "last", "last-bad", "last");
}
