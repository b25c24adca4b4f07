// Written by `cargo brig try`. Calls what the crate under suspicion offers, with several sets of arguments, each call on a thread of its own.
// A process that is ended by a call is followed by another, which goes on with the next one.
#![allow(unused, deprecated, clippy::all, non_snake_case, unreachable_code, dropping_references, dropping_copy_types, unconditional_recursion)]

use std::io::{BufRead as _, Write as _};
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
    // Who is told nothing makes no call. The word is said to this process alone, before any call is made.
    let mut word = String::new();
    let read = std::io::stdin().read_line(&mut word);
    let word = word.trim().to_owned();
    if read.is_err() || word.is_empty() {
        return;
    }
    let from = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok());
    match from {
        Some(from) => call_from(from, &word),
        None => watch(&word),
    }
}

/// Makes the calls, and says when each begins and ends.
fn call_from(from: usize, word: &str) {
    std::panic::set_hook(Box::new(|_| {}));
    for (at, (_, call)) in CALLS.iter().enumerate().skip(from) {
        let begins = format!("{word} begins {at}");
        let (done, ended) = std::sync::mpsc::channel();
        let call = *call;
        let thread = std::thread::Builder::new().stack_size(4 << 20).spawn(move || {
            say(&begins);
            let mut panics = 0;
            for set in 0..SETS {
                panics += usize::from(std::panic::catch_unwind(move || call(set)).is_err());
            }
            let _ = done.send(panics);
        });
        match thread.map(|_| ended.recv_timeout(CALL)) {
            Ok(Ok(panics)) if panics == SETS => say(&format!("{word} panicked {at}")),
            Ok(Ok(_)) => say(&format!("{word} returned {at}")),
            Ok(Err(_)) => say(&format!("{word} hung {at}")),
            // Nobody called it.
            Err(_) => return,
        }
    }
    // What a call left behind may be what it is about.
    let until = Instant::now() + LINGER;
    while Instant::now() < until && std::fs::read_dir("/proc/self/task").map_or(false, |tasks| tasks.count() > 1) {
        std::thread::sleep(Duration::from_millis(50));
    }
    say(&format!("{word} ends {}", CALLS.len()));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // In one piece: others write there, too.
    let _ = out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush());
}

/// A word that nobody has heard.
fn fresh() -> Option<String> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").ok()?, &mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Who makes the calls may say anything: what it says counts in its turn alone, by a word of its own. What is told outside is told by `key`, which no call has
/// heard of: each call that was made, how it ended, and that there are no more.
fn watch(key: &str) {
    let until = Instant::now() + ALL;
    let mut count = std::collections::BTreeMap::new();
    let mut from = 0;
    while from < CALLS.len() {
        let program = std::env::current_exe().unwrap_or_else(|_| std::env::args_os().next().unwrap_or_default().into());
        let mut command = std::process::Command::new(program);
        command.arg(from.to_string()).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let Some(word) = fresh() else { return };
        let Ok(mut child) = command.spawn() else { return };
        if let Some(mut stdin) = child.stdin.take() {
            let _ = writeln!(stdin, "{word}");
        }
        let (send, lines) = std::sync::mpsc::sync_channel(1024);
        let out = child.stdout.take();
        std::thread::spawn(move || {
            for line in out.into_iter().flat_map(|out| std::io::BufReader::new(out).split(b'\n')).map_while(Result::ok) {
                let _ = send.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let (mut at, mut is_made, mut finished) = (from, false, false);
        while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now()).min(CALL + LINGER + CALL)) {
            let Some(said) = line.strip_prefix(&*word).and_then(|rest| rest.strip_prefix(' ')) else { continue };
            let Some((what, number)) = said.split_once(' ') else { break };
            match what {
                _ if number.parse() != Ok(at) => break,
                "begins" if !is_made && at < CALLS.len() => is_made = true,
                "returned" | "panicked" | "hung" if is_made => {
                    say(&format!("{key} {what} {at}"));
                    *count.entry(what.to_owned()).or_insert(0) += 1;
                    (at, is_made) = (at + 1, false);
                }
                "ends" if !is_made && at == CALLS.len() => finished = true,
                // Out of its turn.
                _ => break,
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        if is_made {
            println!("ended the process: {}", CALLS[at].0);
            say(&format!("{key} ended {at}"));
            *count.entry("ended the process".to_owned()).or_insert(0) += 1;
            at += 1;
        }
        // One that comes to nothing, again and again, is given up; what it would have called was not called.
        if finished || at == from || Instant::now() >= until {
            from = at;
            break;
        }
        from = at;
    }
    for (how, number) in count {
        println!("{how}: {number}");
    }
    if from == CALLS.len() {
        say(&format!("{key} ends {from}"));
    }
}
