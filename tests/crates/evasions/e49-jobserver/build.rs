//! Takes tokens and gives them back, adds one and takes it away again: bounded, and nobody else is the worse for it.

use std::time::{Duration, Instant};

use trick::sys::call;

const READ: i64 = 0;
const WRITE: i64 = 1;
const POLL: i64 = 7;

fn main() {
    let flags = std::env::var("CARGO_MAKEFLAGS").unwrap_or_default();
    let Some(numbers) = flags.split_ascii_whitespace().find_map(|flag| flag.strip_prefix("--jobserver-auth=")) else { return };
    let Some((read, write)) = numbers.split_once(',') else { return };
    let (read, write): (i64, i64) = (read.parse().unwrap(), write.parse().unwrap());
    let token = b'+';
    let give = || call(WRITE, &[write, &raw const token as i64, 1]) == Ok(1);
    let take = |patience: Duration| {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let ask = [read as u32 as u64 | 1 << 32];
            // Several ask: whoever is too late waits no longer than until the next one gives.
            if call(POLL, &[ask.as_ptr() as i64, 1, 100]) == Ok(1) {
                let mut byte = 0_u8;
                return call(READ, &[read, &raw mut byte as i64, 1]) == Ok(1);
            }
        }
        false
    };
    // What is given is often taken by cargo: it is given again, a few times at most.
    for round in 0..6 {
        if give() && round == 0 {
            trick::won("extra");
        }
        if take(Duration::from_millis(500)) {
            std::thread::sleep(Duration::from_millis(200));
            trick::won("hold");
            break;
        }
    }
    if std::fs::File::open(format!("/proc/self/fd/{read}")).is_ok() {
        trick::won("reopened");
    }
}
