//! The look-alike host of the demo: a listener on loopback that keeps whatever arrives.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Longer than any of the demo's clients needs for one request.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Sink {
    pub port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Sink {
    /// Starts to listen. The thread ends with the program.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub fn start() -> io::Result<Sink> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || take(stream, &log));
            }
        });
        Ok(Sink { port, heard })
    }

    /// Every byte that has arrived so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the canary arrived?
    pub fn was_told(&self) -> bool {
        let canary = super::workspace::CANARY.as_bytes();
        self.heard().windows(canary.len()).any(|window| window == canary)
    }
}

/// Reads one request, answers it so that curl is content, and hangs up.
fn take(mut stream: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    let mut request = Vec::new();
    if stream.set_read_timeout(Some(PATIENCE)).is_err() {
        return;
    }
    while !complete(&request) {
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => {
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
                request.extend_from_slice(&buffer[..length]);
            }
            _ => break,
        }
    }
    // Whoever hung up first needs no answer.
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Is this a whole HTTP request, body included?
fn complete(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    request.len() >= head.saturating_add(4).saturating_add(length.unwrap_or(0))
}
