// Written by `cargo brig try`. Calls what the crate under suspicion offers, with several sets of arguments, each call on a thread of its own.
// A process that is ended by a call is followed by another, which goes on with the next one.
#![allow(unused, deprecated, clippy::all, non_snake_case, unreachable_code, dropping_references, dropping_copy_types, unconditional_recursion)]

use std::io::{BufRead, Write as _};
use std::time::{Duration, Instant};

/// What one call may take, and all of them; how long threads that calls left behind are waited for.
const CALL: Duration = Duration::from_secs(3);
const ALL: Duration = Duration::from_secs(90);
const LINGER: Duration = Duration::from_secs(5);
const SETS: usize = 4;

fn text(set: usize) -> &'static str {
    ["", "example", "2026-01-01T00:00:00Z", "1"][set % 4]
}

fn number(set: usize) -> i64 {
    [0, 1, 42, 2026][set % 4]
}

#[derive(Clone, Debug, Default)]
struct Out(Vec<u8>);

impl std::io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

struct Up<T>(std::cell::RefCell<Option<T>>);

trait Future_ {
    fn up(&self);
}
trait Iterator_ {
    fn up(&self);
}
trait Anything {
    fn up(&self);
}
impl<T: std::future::Future> Future_ for &&Up<T> {
    fn up(&self) {
        let Some(future) = self.0.take() else { return };
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..4 {
            if future.as_mut().poll(&mut context).is_ready() {
                break;
            }
        }
    }
}
impl<T: Iterator> Iterator_ for &Up<T> {
    fn up(&self) {
        let Some(mut all) = self.0.take() else { return };
        for _ in 0..4 {
            if all.next().is_none() {
                break;
            }
        }
    }
}
impl<T> Anything for Up<T> {
    fn up(&self) {
        drop(self.0.take());
    }
}

/// Uses a result up: a future is polled, an iterator asked, anything else dropped.
macro_rules! up {
    ($value:expr) => {
        (&&&Up(std::cell::RefCell::new(Some($value)))).up()
    };
}

fn main() {
    let from = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok());
    match from {
        Some(from) => call_from(from),
        None => watch(),
    }
}

/// Makes the calls, and says when each begins and ends.
fn call_from(from: usize) {
    std::panic::set_hook(Box::new(|_| {}));
    for (at, (_, call)) in CALLS.iter().enumerate().skip(from) {
        say(&format!("\u{1} {at}"));
        let (done, ended) = std::sync::mpsc::channel();
        let call = *call;
        let thread = std::thread::Builder::new().stack_size(4 << 20).spawn(move || {
            let mut panics = 0;
            for set in 0..SETS {
                panics += usize::from(std::panic::catch_unwind(move || call(set)).is_err());
            }
            let _ = done.send(panics);
        });
        match thread.map(|_| ended.recv_timeout(CALL)) {
            Ok(Ok(panics)) if panics == SETS => say(&format!("\u{2} {at} panicked")),
            Ok(Ok(_)) => say(&format!("\u{2} {at} returned")),
            _ => say(&format!("\u{2} {at} hung")),
        }
    }
    // What a call left behind may be what it is about.
    let until = Instant::now() + LINGER;
    while Instant::now() < until && std::fs::read_dir("/proc/self/task").map_or(false, |tasks| tasks.count() > 1) {
        std::thread::sleep(Duration::from_millis(50));
    }
    say("\u{3}");
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{line}").and_then(|()| out.flush());
}

fn watch() {
    let until = Instant::now() + ALL;
    let mut count = std::collections::BTreeMap::new();
    let mut from = 0;
    while from < CALLS.len() {
        let program = std::env::current_exe().unwrap_or_else(|_| std::env::args_os().next().unwrap_or_default().into());
        let mut command = std::process::Command::new(program);
        command.arg(from.to_string()).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        let Ok(mut child) = command.spawn() else { return };
        let (send, lines) = std::sync::mpsc::sync_channel(1024);
        let out = child.stdout.take();
        std::thread::spawn(move || {
            for line in out.into_iter().flat_map(|out| std::io::BufReader::new(out).split(b'\n')).map_while(Result::ok) {
                let _ = send.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let (mut begun, mut ended, mut finished) = (from, false, false);
        while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now()).min(CALL + LINGER + CALL)) {
            if let Some(at) = line.strip_prefix("\u{1} ") {
                (begun, ended) = (at.trim().parse().unwrap_or(begun), false);
            } else if let Some((_, how)) = line.strip_prefix("\u{2} ").and_then(|rest| rest.split_once(' ')) {
                *count.entry(how.to_owned()).or_insert(0) += 1;
                ended = true;
            } else if line == "\u{3}" {
                finished = true;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        if !ended && begun < CALLS.len() {
            println!("ended the process: {}", CALLS[begun].0);
            *count.entry("ended the process".to_owned()).or_insert(0) += 1;
        }
        if finished || Instant::now() >= until {
            break;
        }
        from = begun + 1;
    }
    for (how, number) in count {
        println!("{how}: {number}");
    }
}

