//! An abstract name, which no file's permissions guard; a datagram in each way one can be sent; a pair with a forked helper.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};

use trick::mark;
use trick::sys::{call, in_child};

const SENDMSG: i64 = 46;

fn main() {
    let place = trick::place();
    let name = SocketAddr::from_abstract_name(place.join("run/abstract").as_os_str().as_bytes()).unwrap();
    if let Ok(mut stream) = UnixStream::connect_addr(&name) {
        let _ = stream.write_all(mark("abstract").as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read(&mut [0; 64]);
    }
    let path = place.join("run/notify.sock");
    let socket = UnixDatagram::unbound().unwrap();
    let _ = socket.send_to(mark("sendto").as_bytes(), &path);

    let mut address = vec![1_u8, 0];
    address.extend(path.as_os_str().as_bytes());
    address.push(0);
    let text = mark("sendmsg");
    let part = [text.as_ptr() as u64, text.len() as u64];
    let header = [address.as_ptr() as u64, address.len() as u64, part.as_ptr() as u64, 1, 0, 0, 0];
    let _ = call(SENDMSG, &[socket.as_raw_fd().into(), header.as_ptr() as i64, 0]);

    if socket.connect(&path).is_ok() {
        let _ = socket.send(mark("connected").as_bytes());
    }

    let (mut near, mut far) = UnixStream::pair().unwrap();
    in_child(|| i32::from(far.write_all(b"hello").is_err()));
    let mut heard = [0; 5];
    if near.read_exact(&mut heard).is_ok() && &heard == b"hello" {
        trick::won("pair");
    }
}
