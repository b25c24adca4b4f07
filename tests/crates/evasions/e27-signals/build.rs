//! A signal every millisecond while a harmless file and a secret are opened in turn. Nothing may be done twice, or be lost.

use std::time::{Duration, Instant};

use trick::race::{Tally, begin, rounds};
use trick::sys::{call, nr, ptr, reads_canary};

const RT_SIGACTION: i64 = 13;
const SETITIMER: i64 = 38;
const SIGALRM: i64 = 14;
const SA_RESTART: u64 = 0x1000_0000;
const SA_RESTORER: u64 = 0x0400_0000;
const EINTR: i32 = 4;

extern "C" fn nothing(_: i32) {}

core::arch::global_asm!(".globl zoo_restorer", "zoo_restorer:", "mov $15, %eax", "syscall", options(att_syntax));

unsafe extern "C" {
    fn zoo_restorer();
}

fn main() {
    begin();
    let own = trick::out_dir().join("own");
    std::fs::write(&own, "harmless").unwrap();
    let (own, secret) = (trick::c(own), trick::c(trick::ssh_key()));
    for (way, flags) in [("restarted", SA_RESTART), ("interrupted", 0)] {
        let action = [nothing as *const () as u64, flags | SA_RESTORER, zoo_restorer as *const () as u64, 0];
        call(RT_SIGACTION, &[SIGALRM, action.as_ptr() as i64, 0, 8]).unwrap();
        timer(1000);
        let before = descriptors();
        let begun = Instant::now();
        let (mut tally, mut interrupted) = (Tally::default(), 0_u64);
        // Either is tried until it has an answer, as every library does.
        let mut open = |path| loop {
            match call(nr::OPEN, &[ptr(path), 0]) {
                Err(EINTR) => interrupted += 1,
                result => break result,
            }
        };
        let (mut harmless, mut tries) = (0_u64, 0_u64);
        // A hundred times as long in the long version.
        while begun.elapsed() < Duration::from_millis(if rounds().is_some() { 80_000 } else { 800 }) {
            tries += 1;
            if open(&own).is_ok_and(|fd| !reads_canary(fd as i32)) {
                harmless += 1;
            }
            tally.opened(open(&secret));
        }
        timer(0);
        assert_eq!(harmless, tries, "{way}: the harmless file was not always opened");
        assert_eq!(descriptors(), before, "{way}: descriptors are left");
        assert!(flags == 0 || interrupted == 0, "calls that are to be restarted were interrupted {interrupted} times");
        tally.tell(way, ".ssh/id_ed25519");
    }
}

fn timer(micros: i64) {
    let value = [0, micros, 0, micros];
    call(SETITIMER, &[0, value.as_ptr() as i64, 0]).unwrap();
}

/// How many are open, where that may be looked up.
fn descriptors() -> usize {
    for _ in 0..100 {
        match std::fs::read_dir("/proc/self/fd") {
            Ok(entries) => return entries.count(),
            Err(error) if error.raw_os_error() == Some(EINTR) => {}
            Err(_) => break,
        }
    }
    0
}
