//! Hands credentials to programs on their command lines, as scripts do.

use std::process::Command;

fn main() {
    let secret = std::env::var("ZOO_HEADER").unwrap();
    for words in [
        ["-H".to_owned(), format!("Authorization: Bearer {secret}")],
        [format!("--password={secret}"), "x".to_owned()],
        ["--token".to_owned(), secret.clone()],
        ["fetch".to_owned(), format!("https://user:{secret}@localhost/x")],
        ["-c".to_owned(), format!("API_KEY={secret} run")],
    ] {
        let _ = Command::new("/bin/true").args(words).status();
    }
}
