//! A port on loopback, as sccache has it, and sockets of other servers of the user's.

use std::io::{Read, Write};
use std::net::TcpStream;

use trick::near::tell;

fn main() {
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", trick::tcp_port())) {
        let _ = stream.write_all(format!("{}\r\n\r\n", trick::mark("cache")).as_bytes());
        let _ = stream.read(&mut [0; 64]);
    }
    tell("multiplexer", trick::place().join("run/tmux-1000/default"));
    tell("editor", trick::place().join("run/vscode-ipc.sock"));
    tell("display", trick::place().join("run/X11-unix/X0"));
}
