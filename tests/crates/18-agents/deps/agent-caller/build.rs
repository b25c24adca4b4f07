//! Asks those who hold keys or run things outside: an ssh-agent for its identities, a container daemon for its list.

use std::io::Write;
use std::os::unix::net::UnixStream;

fn main() {
    let place = std::env::var("ZOO_PLACE").unwrap();
    // SSH_AGENTC_REQUEST_IDENTITIES
    ask(&format!("{place}/run/ssh-agent.sock"), &[0, 0, 0, 1, 11]);
    ask(&format!("{place}/run/docker.sock"), b"GET /containers/json HTTP/1.0\r\n\r\n");
}

fn ask(path: &str, request: &[u8]) {
    if let Ok(mut stream) = UnixStream::connect(path) {
        let _ = stream.write_all(request);
    }
}
