//! Two thousand processes open the secret and are killed, some before, some while and some after somebody looks at them. In the long version
//! so many that their numbers come round (32768 where nobody has set `kernel.pid_max`).

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use trick::race::{Shared, begin, rounds};
use trick::sys::{call, nr, ptr, reads_canary, start, wait};

const KILL: i64 = 62;
const SIGKILL: i64 = 9;
const PROCESSES: u64 = 2_000;
const BOUND: Duration = Duration::from_millis(2_500);
const WON: usize = 0;
const REFUSED: usize = 8;
const HARMLESS: usize = 16;
const OTHER: usize = 24;

fn main() {
    begin();
    let shared = Shared::anonymous();
    let secret = trick::c(trick::ssh_key());
    let own = trick::c(trick::out_dir().join("own"));
    std::fs::write(trick::out_dir().join("own"), "harmless").unwrap();
    let begun = Instant::now();
    let (processes, bound) = rounds().map_or((PROCESSES, BOUND), |rounds| (rounds / 20, Duration::MAX));
    let mut made = 0;
    while made < processes && begun.elapsed() < bound {
        let batch: Vec<i32> = (0..8)
            .map(|number| {
                start(|| {
                    // Half of them only keep others' numbers in use.
                    let path = if number % 2 == 0 { &secret } else { &own };
                    let counter = match call(nr::OPEN, &[ptr(path), 0]) {
                        Ok(fd) if reads_canary(fd as i32) => WON,
                        Ok(_) => HARMLESS,
                        Err(13) => REFUSED,
                        Err(_) => OTHER,
                    };
                    shared.word(counter).fetch_add(1, Relaxed);
                })
            })
            .collect();
        made += batch.len() as u64;
        for (at, pid) in batch.iter().enumerate() {
            if at % 4 < 2 {
                std::thread::sleep(Duration::from_micros(20 * at as u64));
                let _ = call(KILL, &[i64::from(*pid), SIGKILL]);
            }
        }
        for pid in batch {
            wait(pid);
        }
    }
    let count = |at: usize| shared.word(at).load(Relaxed);
    if count(WON) > 0 {
        trick::won("opened");
    }
    // Those that were killed say nothing.
    let killed = made - [WON, HARMLESS, REFUSED, OTHER].map(count).iter().sum::<u64>();
    let line = format!(
        "opened\t.ssh/id_ed25519\t{made}\t{}\t{}\t0\t13={}\t-1={}\t137={killed}\n",
        count(WON),
        count(HARMLESS),
        count(REFUSED),
        count(OTHER)
    );
    std::fs::write(trick::out_dir().join("tally"), line).unwrap();
}
