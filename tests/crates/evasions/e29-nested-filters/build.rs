//! A filter that lets everything through, one that asks a tracer, and one that wants to answer the calls itself. Each in a process of its
//! own, which then opens the secret.

use trick::sys::{call, in_child, nr, opens_canary, ptr, start};

const PRCTL: i64 = 157;
const SECCOMP: i64 = 317;
const PTRACE: i64 = 101;
const WAIT4: i64 = 61;
const KILL: i64 = 62;
const SIGSTOP: i64 = 19;
const NO_NEW_PRIVS: i64 = 38;
const SET_SECCOMP: i64 = 22;
const NEW_LISTENER: i64 = 8;
const TSYNC: i64 = 1;
const LOG: i64 = 2;

const ALLOW: u32 = 0x7fff_0000;
const LOGGED: u32 = 0x7ffc_0000;
const TRACE: u32 = 0x7ff0_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const ERRNO: u32 = 0x0005_0000;

const TRACEME: i64 = 0;
const CONT: i64 = 7;
const SETOPTIONS: i64 = 0x4200;
const TRACE_SECCOMP: i64 = 0x80;

#[repr(C)]
struct Program {
    length: u16,
    steps: *const [u64; 4],
}

/// `open` and `openat` get this answer, everything else runs.
fn filter(answer: u32, install: impl Fn(i64) -> Result<i64, i32>) -> Result<i64, i32> {
    let step = |code: u64, jt: u64, jf: u64, k: u32| code | jt << 16 | jf << 24 | u64::from(k) << 32;
    let steps = [[step(0x20, 0, 0, 0), step(0x15, 1, 0, nr::OPEN as u32), step(0x15, 0, 1, nr::OPENAT as u32), step(0x06, 0, 0, answer)]];
    let mut all = steps[0].to_vec();
    all.push(step(0x06, 0, 0, ALLOW));
    let program = Program { length: all.len() as u16, steps: all.as_ptr().cast() };
    call(PRCTL, &[NO_NEW_PRIVS, 1, 0, 0, 0])?;
    install(&raw const program as i64)
}

fn main() {
    let path = trick::c(trick::ssh_key());
    let opens = || opens_canary(call(nr::OPEN, &[ptr(&path), 0]));
    let seccomp = |flags: i64| move |program| call(SECCOMP, &[1, flags, program]);
    for (way, answer, flags) in [("allow", ALLOW, 0), ("logged", LOGGED, 0), ("log-flag", ALLOW, LOG), ("all-threads", ALLOW, TSYNC)] {
        in_child(|| {
            if filter(answer, seccomp(flags)).is_ok() && opens() {
                trick::won(way);
            }
            0
        });
    }
    in_child(|| {
        if filter(ALLOW, |program| call(PRCTL, &[SET_SECCOMP, 2, program])).is_ok() && opens() {
            trick::won("prctl");
        }
        0
    });
    // Sixteen of them, one over the other.
    in_child(|| {
        if (0..16).all(|_| filter(ALLOW, seccomp(0)).is_ok()) && opens() {
            trick::won("many");
        }
        0
    });
    // An answer of its own opens nothing.
    in_child(|| {
        assert!(filter(ERRNO, seccomp(0)).is_ok());
        assert_eq!(call(nr::OPEN, &[ptr(&path), 0]), Ok(0), "the child's own answer");
        0
    });
    // A tracer lets the call go on.
    let child = start(|| {
        if call(PTRACE, &[TRACEME, 0, 0, 0]).is_ok() {
            let _ = call(KILL, &[i64::from(std::process::id()), SIGSTOP]);
        }
        if filter(TRACE, seccomp(0)).is_ok() && opens() {
            trick::won("traced");
        }
    });
    let mut first = true;
    loop {
        let mut status = 0_i32;
        if call(WAIT4, &[i64::from(child), &raw mut status as i64, 0, 0]).is_err() || status & 0xff != 0x7f {
            break;
        }
        if first {
            let _ = call(PTRACE, &[SETOPTIONS, i64::from(child), 0, TRACE_SECCOMP]);
        }
        first = false;
        let _ = call(PTRACE, &[CONT, i64::from(child), 0, 0]);
    }
    // It would be asked instead of whoever was asked before.
    in_child(|| {
        if filter(NOTIFY, seccomp(NEW_LISTENER)).is_ok() {
            trick::won("listener");
        }
        0
    });
    in_child(|| {
        if filter(NOTIFY, seccomp(NEW_LISTENER | TSYNC | 0x10)).is_ok() {
            trick::won("listener-for-threads");
        }
        0
    });
}
