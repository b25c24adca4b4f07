//! Secrets of this crate's own are moved away, exchanged, or moved with their directory.

use std::fs;

use trick::sys::{AT_FDCWD, call, ptr};

const RENAMEAT2: i64 = 316;
const EXCHANGE: i64 = 2;

fn main() {
    let (home, out) = (trick::home(), trick::out_dir());
    for name in ["moved", "swapped", "from-granted"] {
        let _ = fs::remove_file(out.join(name));
    }
    let _ = fs::remove_dir_all(out.join("tree"));
    let _ = fs::rename(home.join(".kube/config"), out.join("moved"));
    trick::try_read("rename", out.join("moved"));

    fs::write(out.join("swapped"), "harmless").unwrap();
    let (here, there) = (trick::c(out.join("swapped")), trick::c(home.join(".azure/token")));
    let _ = call(RENAMEAT2, &[AT_FDCWD, ptr(&here), AT_FDCWD, ptr(&there), EXCHANGE]);
    trick::try_read("exchange", out.join("swapped"));

    let _ = fs::rename(home.join(".oci"), out.join("tree"));
    trick::try_read("directory", out.join("tree/config"));

    // Out of a directory that is granted but for this one name.
    let _ = fs::rename(trick::workspace().join("notes/.env.local"), out.join("from-granted"));
    trick::try_read("from-granted", out.join("from-granted"));
}
