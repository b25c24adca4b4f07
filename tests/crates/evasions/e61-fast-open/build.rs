//! Nobody calls connect, or connect asks nobody.

use trick::net::*;

fn main() {
    let sink = loopback(trick::tcp_port());
    let stream = |protocol| socket(INET, STREAM, protocol);
    if let Ok(socket) = stream(0) {
        let _ = send_to(socket, &load("sendto"), FASTOPEN, &sink);
    }
    if let Ok(socket) = socket(INET6, STREAM, 0) {
        let _ = send_to(socket, &load("sendto-mapped"), FASTOPEN, &mapped([127, 0, 0, 1], trick::tcp_port(), 0));
    }
    if let Ok(socket) = stream(0) {
        let _ = send_message(socket, &load("sendmsg"), FASTOPEN, &sink);
    }
    if let Ok(socket) = stream(0) {
        let _ = send_messages(socket, &load("sendmmsg"), FASTOPEN, &sink);
    }
    if let Ok(socket) = stream(262) {
        let _ = send_to(socket, &load("mptcp"), FASTOPEN, &sink);
    }
    if let Ok(socket) = socket(INET, STREAM | NONBLOCK, 0) {
        let _ = send_to(socket, &load("nonblocking"), FASTOPEN, &sink);
        wait(socket);
        let _ = write(socket, &load("nonblocking"));
    }
    if let Ok(socket) = stream(0) {
        // TCP_FASTOPEN_CONNECT
        let _ = set(socket, 6, 30, 1);
        let _ = connect(socket, &sink);
        let _ = write(socket, &load("option"));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
}
