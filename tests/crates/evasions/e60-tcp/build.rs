//! The sink listens on 127.0.0.1 alone; every address here means it, or (`127.0.0.2` for a socket that is bound to it) leads there.

use trick::net::*;
use trick::sys::in_child;

fn main() {
    let port = trick::tcp_port();
    let sink = loopback(port);
    try_stream("v4", INET, 0, &sink);
    try_stream("unspecified", INET, 0, &v4([0, 0, 0, 0], port));
    try_stream("mapped", INET6, 0, &mapped([127, 0, 0, 1], port, 0));
    try_stream("mapped-scoped", INET6, 6, &mapped([127, 0, 0, 1], port, 1));
    if let Ok(socket) = socket(INET6, STREAM, 0) {
        let _ = set(socket, 41, 26, 0);
        if connect(socket, &mapped([127, 0, 0, 1], port, 0)).is_ok() {
            let _ = write(socket, &load("ipv6-only-off"));
        }
    }
    if let Ok(socket) = socket(INET, STREAM, 0) {
        let _ = bind(socket, &v4([127, 0, 0, 2], 0));
        if connect(socket, &sink).is_ok() {
            let _ = write(socket, &load("other-loopback"));
        }
    }
    if let Ok(socket) = socket(INET, STREAM, 0) {
        let _ = bind(socket, &v4([0, 0, 0, 0], 0));
        if connect(socket, &sink).is_ok() {
            let _ = write(socket, &load("bound-first"));
        }
    }
    if let Ok(socket) = socket(INET, STREAM | NONBLOCK, 0) {
        let _ = connect(socket, &sink);
        wait(socket);
        let _ = write(socket, &load("nonblocking"));
    }
    // To a server of its own, apart again (AF_UNSPEC), and then to another.
    if let (Ok(server), Ok(socket)) = (std::net::TcpListener::bind("127.0.0.1:0"), socket(INET, STREAM, 0)) {
        let _ = connect(socket, &loopback(server.local_addr().unwrap().port()));
        let _ = connect(socket, &[0; 16]);
        if connect(socket, &sink).is_ok() {
            let _ = write(socket, &load("dissolved"));
        }
    }
    std::thread::spawn(move || try_stream("thread", INET, 0, &loopback(port))).join().unwrap();
    in_child(|| {
        try_stream("child", INET, 0, &sink);
        0
    });
}
