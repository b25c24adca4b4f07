//! One byte of the path, or of its flags, changes all the time: what was judged must be what is opened, and every refusal be written down.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::{AT_FDCWD, call, nr};

const O_PATH: u64 = 0o10_000_000;
const NO_LINKS: u64 = 0x04;
const HOW: usize = 3072;

fn main() {
    begin();
    let (home, out) = (trick::home(), trick::out_dir());
    // Links that differ in their last letter.
    let harmless = out.join("harmless");
    std::fs::write(&harmless, "harmless").unwrap();
    let pair = |name: &str, secret: &str| {
        for (number, to) in [(1, harmless.as_path()), (2, &home.join(secret))] {
            let link = out.join(format!("{name}{number}"));
            let _ = std::fs::remove_file(&link);
            symlink(to, link).unwrap();
        }
        out.join(format!("{name}1"))
    };
    flip("open", ".ssh/id_ed25519", &pair("open", ".ssh/id_ed25519"), b'1' ^ b'2', |path| call(nr::OPEN, &[path, 0]));
    flip("openat", ".aws/credentials", &pair("openat", ".aws/credentials"), b'1' ^ b'2', |path| call(nr::OPENAT, &[AT_FDCWD, path, 0]));
    flip("openat2", ".netrc", &pair("openat2", ".netrc"), b'1' ^ b'2', |path| {
        let how = [0_u64; 3];
        call(nr::OPENAT2, &[AT_FDCWD, path, how.as_ptr() as i64, 24])
    });
    // Not a link but a file: the harmless one is opened without a question to anybody, where that is how it is done.
    std::fs::write(out.join("file1"), "harmless").unwrap();
    let _ = std::fs::remove_file(out.join("file2"));
    symlink(home.join(".git-credentials"), out.join("file2")).unwrap();
    flip("open-file", ".git-credentials", &out.join("file1"), b'1' ^ b'2', |path| call(nr::OPEN, &[path, 0]));
    // A system file, and something beside it that nobody may read.
    let link = out.join("b");
    let _ = std::fs::remove_file(&link);
    symlink(home.join(".docker/config.json"), &link).unwrap();
    let _ = std::fs::remove_file(out.join("a"));
    symlink("/etc/hostname", out.join("a")).unwrap();
    flip("open-system", ".docker/config.json", &out.join("a"), b'a' ^ b'b', |path| call(nr::OPEN, &[path, 0]));
    // In a directory that is granted but for this name.
    flip("open-workspace", "code/.env", &trick::workspace().join(".env"), b'v' ^ b'x', |path| call(nr::OPEN, &[path, 0]));

    // The first eight letters: half of the time it is a path below a tree that everybody may read.
    let secret = home.join(".config/solana/id.json");
    let text = secret.as_os_str().as_encoded_bytes();
    let shared = Shared::anonymous();
    let at = shared.write(0, text);
    let bits = u64::from_ne_bytes(*b"/usr/lib") ^ u64::from_ne_bytes(text[..8].try_into().unwrap());
    let mut tally = Tally::default();
    tally.rewritten +=
        race(Racer::Thread, &shared, || drop(shared.word(0).fetch_xor(bits, Relaxed)), || tally.opened(call(nr::OPEN, &[at, 0])));
    tally.tell("open-published", ".config/solana/id.json");

    // The structure behind the third argument.
    let shared = Shared::anonymous();
    let path = shared.write(0, home.join(".gnupg/secring.gpg").to_str().unwrap().as_bytes());
    let mut tally = Tally::default();
    let change = || drop(shared.word(HOW).fetch_xor(O_PATH, Relaxed));
    tally.rewritten += race(Racer::Thread, &shared, change, || tally.opened(call(nr::OPENAT2, &[AT_FDCWD, path, shared.address(HOW), 24])));
    tally.tell("how-flags", ".gnupg/secring.gpg");

    let shared = Shared::anonymous();
    let path = shared.write(0, pair("resolve", ".config/gh/hosts.yml").to_str().unwrap().replace("resolve1", "resolve2").as_bytes());
    let mut tally = Tally::default();
    let change = || drop(shared.word(HOW + 16).fetch_xor(NO_LINKS, Relaxed));
    tally.rewritten += race(Racer::Thread, &shared, change, || tally.opened(call(nr::OPENAT2, &[AT_FDCWD, path, shared.address(HOW), 24])));
    tally.tell("how-resolve", ".config/gh/hosts.yml");
}

fn flip(way: &str, secret: &str, path: &Path, bits: u8, open: impl Fn(i64) -> Result<i64, i32>) {
    let shared = Shared::anonymous();
    let text = path.to_str().unwrap().as_bytes();
    let at = shared.write(0, text);
    let last = shared.byte(text.len() - 1);
    let mut tally = Tally::default();
    tally.rewritten += race(Racer::Thread, &shared, || drop(last.fetch_xor(bits, Relaxed)), || tally.opened(open(at)));
    tally.tell(way, secret);
}
