//! Somebody outside the build reads `run/pipe` and would do what it is told. (`systemd-run` and `at` are E55.)

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

fn main() {
    let pipe = trick::place().join("run/pipe");
    let tell = |way: &str, options: &mut OpenOptions, path: &std::path::Path| {
        if let Ok(mut pipe) = options.open(path) {
            let _ = pipe.write_all(&trick::net::load(way));
        }
    };
    tell("fifo", OpenOptions::new().write(true), &pipe);
    tell("fifo-nonblocking", OpenOptions::new().write(true).custom_flags(0x800), &pipe);
    tell("fifo-both-ends", OpenOptions::new().read(true).write(true), &pipe);
    let link = trick::out_dir().join("link");
    let _ = std::fs::remove_file(&link);
    let _ = std::os::unix::fs::symlink(&pipe, &link);
    tell("fifo-symlink", OpenOptions::new().append(true), &link);
}
