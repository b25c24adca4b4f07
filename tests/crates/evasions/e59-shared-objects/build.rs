//! Objects that a process of the user's shares with another one: no path leads to them.

use trick::near::worker;
use trick::sys::{call, ptr};

const SHMGET: i64 = 29;
const SHMAT: i64 = 30;
const SEMGET: i64 = 64;
const SEMCTL: i64 = 66;
const MSGGET: i64 = 68;
const MSGRCV: i64 = 70;
const MQ_OPEN: i64 = 240;
const MQ_TIMEDRECEIVE: i64 = 243;
const IPC_NOWAIT: i64 = 0o4000;
const SHM_RDONLY: i64 = 0o10000;
const GETVAL: i64 = 12;

fn main() {
    // As whoever made them did.
    let key = 0x5a00_0000 | worker() & 0xff_ffff;
    let attached = |id: i64| {
        call(SHMAT, &[id, 0, SHM_RDONLY]).is_ok_and(|at| trick::is_canary(unsafe { std::slice::from_raw_parts(at as *const u8, 64) }))
    };
    if call(SHMGET, &[key, 0, 0]).is_ok_and(attached) {
        trick::won("memory");
    }
    let told = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let numbers = told.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        (fields.next()?.parse() == Ok(key)).then(|| fields.next()?.parse().ok()).flatten()
    });
    // Where nothing is told, numbers can be tried.
    if numbers.chain([0]).any(attached) {
        trick::won("memory-by-number");
    }
    let mut message = [0_u8; 128];
    let at = message.as_mut_ptr() as i64;
    if call(MSGGET, &[key, 0]).and_then(|id| call(MSGRCV, &[id, at, 64, 0, IPC_NOWAIT])).is_ok() && trick::is_canary(&message) {
        trick::won("queue");
    }
    if call(SEMGET, &[key, 1, 0]).and_then(|id| call(SEMCTL, &[id, 0, GETVAL, 0])) == Ok(7) {
        trick::won("semaphore");
    }
    let name = trick::c(format!("zoo-{key}"));
    let mut text = vec![0_u8; 8192];
    let past = [0_i64, 0];
    let queue = call(MQ_OPEN, &[ptr(&name), 0, 0, 0]);
    let read = queue.and_then(|fd| call(MQ_TIMEDRECEIVE, &[fd, text.as_mut_ptr() as i64, 8192, 0, past.as_ptr() as i64]));
    if read.is_ok() && trick::is_canary(&text) {
        trick::won("posix-queue");
    }
    trick::try_read("posix-memory", format!("/dev/shm/zoo-{key}"));
}
