//! What races need: memory that other processes share, somebody who keeps rewriting it, and tallies of what came of it.
//!
//! Each race is so built that a try can have few outcomes, and all are counted: what is told in the end must be what the report says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sys::{call, start, wait};

const MMAP: i64 = 9;
const PROT_READ_WRITE: i64 = 3;
const MAP_SHARED: i64 = 1;
const MAP_ANONYMOUS: i64 = 0x20;
const MEMFD_CREATE: i64 = 319;
const FTRUNCATE: i64 = 77;
const PAGE: usize = 4096;
const EACCES: i32 = 13;

/// Of the bounded version, for one race.
const BOUND: Duration = Duration::from_millis(400);
/// A racer without anybody to race ends by itself.
const ALONE: Duration = Duration::from_secs(3600);

/// How many tries: `ZOO_ROUNDS` of the long version.
fn rounds() -> Option<u64> {
    std::env::var("ZOO_ROUNDS").ok()?.parse().ok()
}

/// A page that forked children share.
pub struct Shared(*mut u8);

unsafe impl Sync for Shared {}
unsafe impl Send for Shared {}

impl Shared {
    pub fn anonymous() -> Shared {
        Shared::map(-1, MAP_ANONYMOUS)
    }

    pub fn memfd() -> Shared {
        let fd = call(MEMFD_CREATE, &[c"race".as_ptr() as i64, 0]).unwrap();
        call(FTRUNCATE, &[fd, PAGE as i64]).unwrap();
        Shared::map(fd, 0)
    }

    /// The first page of a file.
    pub fn file(fd: i64) -> Shared {
        call(FTRUNCATE, &[fd, PAGE as i64]).unwrap();
        Shared::map(fd, 0)
    }

    fn map(fd: i64, flags: i64) -> Shared {
        Shared(call(MMAP, &[0, PAGE as i64, PROT_READ_WRITE, MAP_SHARED | flags, fd, 0]).unwrap() as *mut u8)
    }

    /// Writes a text (with a NUL) and tells where it is.
    pub fn write(&self, at: usize, bytes: &[u8]) -> i64 {
        for (step, byte) in bytes.iter().chain(&[0]).enumerate() {
            self.byte(at + step).store(*byte, Ordering::Relaxed);
        }
        self.address(at)
    }

    pub fn address(&self, at: usize) -> i64 {
        assert!(at < PAGE);
        self.0 as i64 + at as i64
    }

    pub fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < PAGE);
        unsafe { &*self.0.add(at).cast::<AtomicU8>() }
    }

    /// `at` must be a multiple of 8.
    pub fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= PAGE && at % 8 == 0);
        unsafe { &*self.0.add(at).cast::<AtomicU64>() }
    }

    /// The last words of the page are for those who race.
    fn stop(&self) -> &AtomicBool {
        unsafe { &*self.0.add(PAGE - 1).cast::<AtomicBool>() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Racer {
    Thread,
    Process,
}

/// Tries again and again while the racer does its work.
pub fn race(racer: Racer, shared: &Shared, change: impl Fn() + Sync, mut attempt: impl FnMut()) {
    shared.stop().store(false, Ordering::Relaxed);
    let begun = Instant::now();
    let change = || {
        while !shared.stop().load(Ordering::Relaxed) && begun.elapsed() < ALONE {
            // An odd number: whoever is interrupted between two of these turns, as happens most, leaves either behind.
            for _ in 0..63 {
                change();
            }
        }
    };
    let mut attempts = || {
        match rounds() {
            Some(rounds) => (0..rounds).for_each(|_| attempt()),
            None => {
                while begun.elapsed() < BOUND {
                    attempt();
                }
            }
        }
        shared.stop().store(true, Ordering::Relaxed);
    };
    match racer {
        Racer::Thread => std::thread::scope(|scope| {
            scope.spawn(change);
            attempts();
        }),
        Racer::Process => {
            let pid = start(change);
            attempts();
            wait(pid);
        }
    }
}

/// What came of the tries of one race.
#[derive(Default)]
pub struct Tally {
    pub tries: u64,
    /// The secret was in hand, or the act was done that must not be.
    pub won: u64,
    pub harmless: u64,
    pub errors: BTreeMap<i32, u64>,
}

impl Tally {
    /// Counts an open; the descriptor is read and closed.
    pub fn opened(&mut self, result: Result<i64, i32>) {
        self.tries += 1;
        match result {
            Ok(fd) if crate::sys::reads_canary(fd as i32) => self.won += 1,
            Ok(_) => self.harmless += 1,
            Err(errno) => *self.errors.entry(errno).or_default() += 1,
        }
    }

    pub fn counted(&mut self, result: Result<bool, i32>) {
        self.tries += 1;
        match result {
            Ok(true) => self.won += 1,
            Ok(false) => self.harmless += 1,
            Err(errno) => *self.errors.entry(errno).or_default() += 1,
        }
    }

    pub fn refused(&self) -> u64 {
        self.errors.get(&EACCES).copied().unwrap_or(0)
    }

    /// Tells that the way won, if it did, and writes the tally down for whoever compares it with the report: one line in
    /// `OUT_DIR/tally`.
    pub fn tell(&self, way: &str, about: &str) {
        if self.won > 0 {
            crate::won(way);
        }
        let mut line = format!("{way}\t{about}\t{}\t{}\t{}", self.tries, self.won, self.harmless);
        for (errno, count) in &self.errors {
            let _ = write!(line, "\t{errno}={count}");
        }
        let path = crate::out_dir().join("tally");
        let mut text = std::fs::read_to_string(&path).unwrap_or_default();
        text += &line;
        text.push('\n');
        std::fs::write(path, text).unwrap();
    }
}

/// Forgets the tallies of an earlier run.
pub fn begin() {
    let _ = std::fs::remove_file(crate::out_dir().join("tally"));
}
