//! Answers on standard output what it hears on standard input, and ends with the code it was given.

use std::io::{Read, Write};

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    std::io::stdout().write_all(text.to_uppercase().as_bytes()).unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("abort") => std::process::abort(),
        code => std::process::exit(code.and_then(|code| code.parse().ok()).unwrap_or(0)),
    }
}
