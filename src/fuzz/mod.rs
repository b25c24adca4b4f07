//! Fuzzing without any tool but cargo, compiled for tests only: one file per target, each with its generator and with what must always
//! hold. In: a seed. Out: silence, or the seed and the input that broke a promise.
//!
//! In the suite every target runs a fixed number of rounds from a fixed seed. `scripts/fuzz TARGET SECONDS SEED` runs one for as long as
//! wanted (`BRIG_FUZZ_SECONDS`, `BRIG_FUZZ_SEED`). Each round has a seed of its own: given as `SEED` it makes that very round the first
//! one, so whatever was found comes back at once. Inputs are printed as Rust literals, to become tests beside the code they broke.

mod cargo_config;
mod channels;
mod command_line;
mod compiler;
mod directives;
mod dotenv;
mod elf;
mod filter;
mod git_config;
mod initial_stack;
mod lock;
mod memory;
mod mutate;
mod network;
mod normaliser;
mod paths;
mod profile;
mod redaction;
mod rendered;
mod report;
mod reports;
mod secrets;
pub(crate) mod source;

use std::fmt::Debug;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::sync::{Arc, mpsc::RecvTimeoutError};
use std::time::{Duration, Instant};

use source::Source;

/// The seed of the suite.
const SEED: u64 = 0x6272_6967;
/// A round that takes longer is taken for an endless one. Rounds take far less than a second, on any machine.
const HANGS: Duration = Duration::from_secs(120);

/// Bytes that print as the literal they can be pasted as.
#[derive(Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Makes an input and checks it, again and again. What `check` says, or panics with, is printed with the seed and the input, and stored.
fn fuzz<I: Debug>(target: &str, rounds: u64, make: impl Fn(&mut Source) -> I, check: impl Fn(&I) -> Result<(), String>) {
    let seconds = number("BRIG_FUZZ_SECONDS").map(Duration::from_secs);
    let first = number("BRIG_FUZZ_SEED").unwrap_or(SEED);
    let shelf = shelf();
    // What a stack overflow leaves behind: its seed.
    let running = shelf.join(format!("{target}-{}.running", std::process::id()));
    let trace = File::create(&running).expect("file for the running seed");
    let current = Arc::new(AtomicU64::new(first));
    let done = watch(target.to_owned(), Arc::clone(&current));
    let began = Instant::now();
    let mut round = 0u64;
    while seconds.map_or(round < rounds, |seconds| began.elapsed() < seconds) {
        let seed = if round == 0 { first } else { Source::new(first ^ round.rotate_left(32)).next() };
        current.store(seed, Relaxed);
        let _ = done.send(());
        trace.write_all_at(format!("{seed:#018x}\n").as_bytes(), 0).expect("running seed written");
        let mut made = None;
        let outcome = catch_unwind(AssertUnwindSafe(|| check(made.insert(make(&mut Source::new(seed))))));
        let broken = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(promise)) => Some(promise),
            Err(panic) => Some(format!("panic: {}", words(&*panic))),
        };
        if let Some(broken) = broken {
            let input = made.map_or_else(|| "none: the generator itself panicked".to_owned(), |input| format!("{input:?}"));
            let kept = shelf.join(format!("{target}-{seed:016x}.txt"));
            fs::write(&kept, format!("{broken}\n{input}\n")).expect("input stored");
            fs::remove_file(&running).expect("running seed removed");
            let shown: String = input.chars().take(6000).collect();
            panic!("{target}, seed {seed:#018x}, round {round}: {broken}\n  input: {shown}\n  stored in {}", kept.display());
        }
        round += 1;
    }
    drop(done);
    fs::remove_file(running).expect("running seed removed");
    if seconds.is_some() {
        println!("{target}: {round} rounds in {:?} from seed {first:#x}: nothing found", began.elapsed());
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

/// Ends the whole process when a round does not end: nothing else stops a loop.
fn watch(target: String, current: Arc<AtomicU64>) -> mpsc::Sender<()> {
    let (beat, beats) = mpsc::channel();
    std::thread::spawn(move || {
        loop {
            match beats.recv_timeout(HANGS) {
                Ok(()) => while beats.try_recv().is_ok() {},
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("{target}, seed {:#018x}: this round does not end", current.load(Relaxed));
                    std::process::abort();
                }
            }
        }
    });
    beat
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    Some(parsed.unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Where inputs are kept: beside the build's results.
fn shelf() -> PathBuf {
    let program = std::env::current_exe().expect("path of the tests");
    let shelf = program.parent().and_then(std::path::Path::parent).expect("directory of the profile").join("fuzz");
    fs::create_dir_all(&shelf).expect("directory for inputs");
    shelf
}

/// `Err` with the sentence unless it holds.
fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

#[test]
fn a_broken_promise_is_told_with_seed_and_input() {
    let said = catch_unwind(|| fuzz("self-test", 9, |source| Bytes(source.bytes(9)), |_| Err("no".into()))).unwrap_err();
    let said = words(&*said);
    assert!(said.contains("seed 0x0000000062726967, round 0: no") && said.contains("input: b\""), "{said}");
    let said = catch_unwind(|| fuzz("self-test", 9, |source| source.next(), |_| panic!("at the disco"))).unwrap_err();
    assert!(words(&*said).contains("panic: at the disco"));
}
