//! Starts a thread and returns; the thread acts when nobody thinks of the macro any more.

use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proc_macro::TokenStream;

static THREAD: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

#[proc_macro]
pub fn start(_: TokenStream) -> TokenStream {
    *THREAD.lock().unwrap() = Some(thread::spawn(|| {
        thread::sleep(Duration::from_millis(30));
        trick::try_read("thread", trick::ssh_key());
    }));
    TokenStream::new()
}

/// Waits for the thread, so that it acts every time.
#[proc_macro]
pub fn settle(_: TokenStream) -> TokenStream {
    if let Some(thread) = THREAD.lock().unwrap().take() {
        let _ = thread.join();
    }
    TokenStream::new()
}
