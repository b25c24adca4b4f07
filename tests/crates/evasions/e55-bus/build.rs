//! A transient unit is a request on a socket.

use std::os::unix::net::UnixDatagram;

use trick::near::tell;

fn main() {
    tell("bus", trick::place().join("run/bus"));
    tell("manager", trick::place().join("run/systemd/private"));
    let socket = UnixDatagram::unbound().unwrap();
    let _ = socket.send_to(trick::mark("notify").as_bytes(), trick::place().join("run/notify.sock"));
}
