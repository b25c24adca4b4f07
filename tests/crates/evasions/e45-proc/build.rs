//! What other processes keep, through their files.

use trick::near::{memory_has_canary, parent, worker};
use trick::{try_read, won};

fn main() {
    try_read("parent-environ", format!("/proc/{}/environ", parent()));
    try_read("worker-environ", format!("/proc/{}/environ", worker()));
    try_read("worker-command-line", format!("/proc/{}/cmdline", worker()));
    try_read("worker-thread", format!("/proc/{0}/task/{0}/environ", worker()));
    for (way, pid) in [("parent-memory", parent()), ("worker-memory", worker())] {
        if memory_has_canary(pid) {
            won(way);
        }
    }
}
