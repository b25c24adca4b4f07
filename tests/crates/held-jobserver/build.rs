//! Takes every token of cargo's jobserver and sits on them. `ZOO_HOLD` is how many seconds, a minute at most.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static TOKENS: AtomicU32 = AtomicU32::new(0);

fn main() {
    println!("cargo:rerun-if-env-changed=ZOO_HOLD");
    let hold: u64 = std::env::var("ZOO_HOLD").unwrap_or_default().parse().unwrap_or(0);
    let flags = std::env::var("CARGO_MAKEFLAGS").unwrap_or_default();
    let pair = flags.split_whitespace().find_map(|word| word.strip_prefix("--jobserver-auth="));
    let read = pair.and_then(|pair| pair.split_once(',')).and_then(|(read, _)| read.parse().ok());
    if let Some(read) = read {
        // Waits in the end: a thread of its own.
        std::thread::spawn(move || {
            let mut pipe = unsafe { File::from_raw_fd(read) };
            while pipe.read(&mut [0]).is_ok_and(|count| count == 1) {
                TOKENS.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    std::thread::sleep(Duration::from_secs(hold.min(60)));
    println!("zoo: holds tokens: {}", TOKENS.load(Ordering::Relaxed) > 0);
}
