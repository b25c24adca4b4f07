//! Somebody outside knocks all the time at these doors and keeps what he is given.

use std::io::Write;
use std::net::TcpListener;
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use trick::net::*;

fn main() {
    let end = Instant::now() + Duration::from_secs(2);
    let port = |name: &str| -> u16 { std::env::var(name).unwrap().parse().unwrap() };
    let tcp = TcpListener::bind(("127.0.0.1", port("ZOO_KNOCKED")));
    // SO_REUSEPORT
    let shared = socket(INET, STREAM, 0).and_then(|socket| {
        set(socket, 1, 15, 1)?;
        bind(socket, &loopback(port("ZOO_SHARED")))?;
        listen(socket).map(|_| unsafe { TcpListener::from_raw_fd(socket as i32) })
    });
    let path = trick::out_dir().join("door");
    let _ = std::fs::remove_file(&path);
    let path_door = UnixListener::bind(&path);
    let abstract_door = socket(UNIX, STREAM, 0).and_then(|socket| {
        bind(socket, &unix_abstract(&trick::place().join("run/knocked")))?;
        listen(socket).map(|_| unsafe { UnixListener::from_raw_fd(socket as i32) })
    });
    tcp.iter().chain(&shared).for_each(|door| door.set_nonblocking(true).unwrap());
    path_door.iter().chain(&abstract_door).for_each(|door| door.set_nonblocking(true).unwrap());
    while Instant::now() < end {
        for (way, door) in [("tcp", tcp.iter()), ("shared-port", shared.iter())] {
            door.flat_map(|door| door.accept()).for_each(|(mut guest, _)| drop(guest.write_all(&load(way))));
        }
        for (way, door) in [("unix-path", path_door.iter()), ("unix-abstract", abstract_door.iter())] {
            door.flat_map(|door| door.accept()).for_each(|(mut guest, _)| drop(guest.write_all(&load(way))));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
