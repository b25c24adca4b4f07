//! `notes/second-name.txt` in the workspace is the key, by a name that says nothing.

use std::fs::{self, File};
use std::io::Read;

fn main() {
    let name = trick::workspace().join("notes/second-name.txt");
    trick::try_read("read", &name);
    let mut text = Vec::new();
    if File::options().read(true).write(true).open(&name).and_then(|mut file| file.read_to_end(&mut text)).is_ok()
        && trick::is_canary(&text)
    {
        trick::won("read-write");
    }
    let third = trick::out_dir().join("third-name");
    let _ = fs::remove_file(&third);
    let _ = fs::hard_link(&name, &third);
    trick::try_read("third-name", third);
}
