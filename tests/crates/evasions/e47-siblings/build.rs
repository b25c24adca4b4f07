//! Whoever else is a child of cargo at this moment: each way is tried on all of them until it wins, or time is up.

use std::time::{Duration, Instant};

use trick::near::{copy, meet, memory_has_canary, ranges, siblings};
use trick::sys::call;

const READ: i64 = 310;
const PIDFD_OPEN: i64 = 434;
const PIDFD_GETFD: i64 = 438;

fn main() {
    let environ = |pid: i64| std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|bytes| trick::is_canary(&bytes));
    let read = |pid: i64| {
        let mut ranges = ranges(pid);
        ranges.push((0x7fff_0000_0000, 0x7fff_0000_1000));
        ranges.into_iter().any(|(from, to)| copy(READ, pid, from.max(to.saturating_sub(4096)), &mut [0; 64]).is_ok())
    };
    let descriptor = |pid: i64| {
        let handle = call(PIDFD_OPEN, &[pid, 0]);
        handle.and_then(|handle| call(PIDFD_GETFD, &[handle, 2, 0])).is_ok()
    };
    let mut ways: Vec<(&str, &dyn Fn(i64) -> bool)> =
        vec![("environ", &environ), ("memory", &memory_has_canary), ("read", &read), ("descriptor", &descriptor)];
    meet("patient", Duration::from_secs(10));
    let begun = Instant::now();
    while !ways.is_empty() && begun.elapsed() < Duration::from_secs(3) {
        for pid in siblings() {
            ways.retain(|(way, works)| {
                let won = works(pid);
                if won {
                    trick::won(way);
                }
                !won
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
