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

/// Between two of the racer's looks at the clock. An odd number: whoever is interrupted between two of these turns, as happens most, leaves
/// either behind.
const TURN: u64 = 63;
/// Of the long version: so many rewritings for one try.
const REWRITINGS: u64 = 50;

/// How often an object is rewritten: `ZOO_ROUNDS` of the long version.
pub fn rounds() -> Option<u64> {
    std::env::var("ZOO_ROUNDS").ok()?.parse().ok()
}

/// A page that forked children share.
pub struct Shared {
    page: *mut u8,
    /// How many races have an object's rewritings among them.
    races: u64,
}

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
        let page = call(MMAP, &[0, PAGE as i64, PROT_READ_WRITE, MAP_SHARED | flags, fd, 0]).unwrap() as *mut u8;
        Shared { page, races: 1 }
    }

    /// For an object in a file system, where rewriting takes long: so many races have its rewritings among them.
    pub fn among(self, races: u64) -> Shared {
        Shared { races, ..self }
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
        self.page as i64 + at as i64
    }

    pub fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < PAGE);
        unsafe { &*self.page.add(at).cast::<AtomicU8>() }
    }

    /// `at` must be a multiple of 8.
    pub fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= PAGE && at % 8 == 0);
        unsafe { &*self.page.add(at).cast::<AtomicU64>() }
    }

    /// How often the racer has rewritten what lies here. The last words of the page are for those who race.
    fn rewritten(&self) -> &AtomicU64 {
        self.word(PAGE - 16)
    }

    fn stop(&self) -> &AtomicBool {
        unsafe { &*self.page.add(PAGE - 1).cast::<AtomicBool>() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Racer {
    Thread,
    Process,
}

/// Tries again and again while the racer does its work, and tells how often that has rewritten the object.
pub fn race(racer: Racer, shared: &Shared, change: impl Fn() + Sync, mut attempt: impl FnMut()) -> u64 {
    shared.stop().store(false, Ordering::Relaxed);
    shared.rewritten().store(0, Ordering::Relaxed);
    let begun = Instant::now();
    let change = || {
        while !shared.stop().load(Ordering::Relaxed) && begun.elapsed() < ALONE {
            (0..TURN).for_each(|_| change());
            shared.rewritten().fetch_add(TURN, Ordering::Relaxed);
        }
    };
    let mut attempts = || {
        match rounds() {
            Some(rounds) => {
                let (rounds, mut tries) = (rounds.div_ceil(shared.races), 0);
                while tries < rounds / REWRITINGS || shared.rewritten().load(Ordering::Relaxed) < rounds {
                    attempt();
                    tries += 1;
                }
            }
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
    shared.rewritten().load(Ordering::Relaxed)
}

/// What came of the tries of one race.
#[derive(Default)]
pub struct Tally {
    pub tries: u64,
    /// The secret was in hand, or the act was done that must not be.
    pub won: u64,
    pub harmless: u64,
    /// How often the racer rewrote what the tries were about.
    pub rewritten: u64,
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
        let mut line = format!("{way}\t{about}\t{}\t{}\t{}\t{}", self.tries, self.won, self.harmless, self.rewritten);
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
