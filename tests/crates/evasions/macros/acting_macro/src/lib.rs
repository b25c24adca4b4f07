//! Reads a secret and connects, inside the compiler of whoever calls it.

use std::io::Write;
use std::net::TcpStream;

use proc_macro::TokenStream;

#[proc_macro]
pub fn act(_: TokenStream) -> TokenStream {
    trick::try_read("read", trick::ssh_key());
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", trick::tcp_port())) {
        let _ = stream.write_all(trick::mark("connect").as_bytes());
    }
    TokenStream::new()
}
