//! Names that a careless comparison takes for something else, and one path as long as paths can be.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// `PATH_MAX` without its NUL.
const LONGEST: usize = 4095;

fn main() {
    let odd = trick::workspace().join("notes/odd");
    for (way, name) in [
        ("upper-case", &b".ENV"[..]),
        ("mixed-case", b".Env.LOCAL"),
        ("not-utf8", b"\xff\xfe.env"),
        ("newline", b"harmless.txt\n.env"),
        ("control", b"\x1b[2K\r.env"),
        ("blank", b".env "),
        ("long", &[&[b'x'; 250][..], b".env"].concat()),
    ] {
        trick::try_read(way, odd.join(OsStr::from_bytes(name)));
    }
    let key = trick::ssh_key();
    let tail = key.as_os_str().as_bytes();
    let mut path = vec![b'/'; LONGEST - tail.len()];
    path.chunks_exact_mut(2).for_each(|step| step[1] = b'.');
    path.extend_from_slice(tail);
    if path[LONGEST - tail.len() - 1] == b'.' && (LONGEST - tail.len()) % 2 == 1 {
        path[LONGEST - tail.len() - 1] = b'/';
    }
    assert_eq!(path.len(), LONGEST);
    trick::try_read("longest-path", OsStr::from_bytes(&path));
    // One byte more is nobody's path.
    path.insert(0, b'/');
    assert_eq!(std::fs::read(OsStr::from_bytes(&path)).unwrap_err().raw_os_error(), Some(36), "ENAMETOOLONG");
}
