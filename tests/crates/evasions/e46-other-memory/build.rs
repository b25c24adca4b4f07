//! `process_vm_readv`, `ptrace`, `pidfd_getfd`. The addresses are found by looking at one's own memory: stacks lie near the end of the same
//! space; where `/proc` tells them, that is asked.

use std::os::fd::RawFd;

use trick::near::{copy, parent, ranges, worker};
use trick::sys::{call, in_child};

const READ: i64 = 310;
const WRITE: i64 = 311;
const PTRACE: i64 = 101;
const PTRACE_ATTACH: i64 = 16;
const PTRACE_SEIZE: i64 = 0x4206;
const PTRACE_DETACH: i64 = 17;
const PIDFD_OPEN: i64 = 434;
const PIDFD_GETFD: i64 = 438;
const WAIT4: i64 = 61;
const WALL: i64 = 0x4000_0000;

fn main() {
    for (way, pid) in [("read-parent", parent()), ("read-worker", worker())] {
        // Under Brig nothing is told of other processes: any address will do for asking.
        let mut ranges = ranges(pid);
        ranges.push((0x7fff_0000_0000, 0x7fff_0000_1000));
        let read = |(from, to): (u64, u64)| {
            let mut bytes = vec![0; (to - from).min(4 << 20) as usize];
            let length = bytes.len() as u64;
            copy(READ, pid, to - length, &mut bytes).is_ok() && trick::is_canary(&bytes)
        };
        if ranges.into_iter().any(read) {
            trick::won(way);
        }
    }
    let (from, _) = ranges(worker()).first().copied().unwrap_or((0x7fff_0000_0000, 0));
    let mut same = [0; 8];
    let _ = copy(READ, worker(), from, &mut same);
    if copy(WRITE, worker(), from, &mut same).is_ok() {
        trick::won("write-worker");
    }
    // The tracer ends, and with it the tracing.
    if in_child(|| i32::from(call(PTRACE, &[PTRACE_SEIZE, worker(), 0, 0]).is_err())) == 0 {
        trick::won("trace-worker");
    }
    let attached = in_child(|| {
        if call(PTRACE, &[PTRACE_ATTACH, worker(), 0, 0]).is_err() {
            return 1;
        }
        let mut status = 0_i32;
        let _ = call(WAIT4, &[worker(), &raw mut status as i64, WALL, 0]);
        i32::from(call(PTRACE, &[PTRACE_DETACH, worker(), 0, 0]).is_err())
    });
    if attached == 0 {
        trick::won("attach-worker");
    }
    let handle = call(PIDFD_OPEN, &[worker(), 0]);
    if handle.and_then(|handle| call(PIDFD_GETFD, &[handle, 0, 0])).is_ok_and(|fd| fd as RawFd >= 0) {
        trick::won("descriptor-of-worker");
    }
}
