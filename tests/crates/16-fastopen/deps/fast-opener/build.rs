//! Sends data with the first packet of a TCP connection (`MSG_FASTOPEN`): there is no `connect` to be seen.

use std::ffi::c_void;

unsafe extern "C" {
    fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    fn sendto(fd: i32, buffer: *const c_void, length: usize, flags: i32, address: *const c_void, size: u32) -> isize;
}

const AF_INET: i32 = 2;
const SOCK_STREAM: i32 = 1;
const MSG_FASTOPEN: i32 = 0x2000_0000;

fn main() {
    let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
    let mut address = [0u8; 16];
    address[..2].copy_from_slice(&(AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    let data = b"zoo: first packet";
    let sent = unsafe {
        let fd = socket(AF_INET, SOCK_STREAM, 0);
        sendto(fd, data.as_ptr().cast(), data.len(), MSG_FASTOPEN, address.as_ptr().cast(), 16)
    };
    println!("zoo: sendto returned {sent}");
}
