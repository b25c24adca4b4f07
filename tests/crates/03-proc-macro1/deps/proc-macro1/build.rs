//! The shape of `proc-macro1` (2026-08): a raw connection to an address, a program dropped into the temporary directory, made
//! executable, started with the address of its master, and forgotten. The "program" is a copy of `/bin/true`.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

fn main() {
    let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let _ = stream.write_all(b"GET /rust-setup HTTP/1.0\r\n\r\n");
    }
    if drop_and_start(&format!("127.0.0.1:{port}")).is_ok() {
        println!("zoo: second stage runs");
    }
}

fn drop_and_start(master: &str) -> std::io::Result<()> {
    let path = std::env::temp_dir().join("rust-setup");
    fs::write(&path, fs::read("/bin/true")?)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    let child = Command::new(&path).arg(master).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    std::mem::forget(child);
    Ok(())
}
