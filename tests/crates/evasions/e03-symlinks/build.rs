//! Links of its own making that lead to a secret.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

fn main() {
    let out = trick::out_dir();
    let link = |name: &str, to: PathBuf| {
        let path = out.join(name);
        let _ = fs::remove_file(&path);
        symlink(to, &path).unwrap();
        path
    };
    trick::try_read("file", link("file", trick::ssh_key()));
    trick::try_read("directory", link("directory", trick::home().join(".ssh")).join("id_ed25519"));
    // The harmless place is named, and `..` of where the link leads is somewhere else.
    link("target", trick::home().join(".aws"));
    trick::try_read("dots-behind-link", out.join("target/../.ssh/id_ed25519"));
    let mut end = trick::ssh_key();
    for step in 0..30 {
        end = link(&format!("chain-{step}"), end);
    }
    trick::try_read("chain", &end);
    let (one, other) = (out.join("loop-a"), out.join("loop-b"));
    link("loop-a", other.clone());
    link("loop-b", one.clone());
    // Nobody gets anywhere here, nor may anybody be kept busy.
    assert_eq!(fs::read(one).unwrap_err().raw_os_error(), Some(40), "ELOOP");
    // A link that is there already, made to lead elsewhere.
    fs::write(out.join("harmless"), "harmless").unwrap();
    let moved = link("moved", out.join("harmless"));
    assert!(fs::read(&moved).is_ok());
    fs::remove_file(&moved).unwrap();
    symlink(trick::dotenv(), &moved).unwrap();
    trick::try_read("moved", moved);
}
