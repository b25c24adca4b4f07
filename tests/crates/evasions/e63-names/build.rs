//! The first label of the name is what is carried out. The name server is the sink, whatever `/etc/resolv.conf` says: nothing here may
//! ever leave this machine. (getaddrinfo takes no colons in a name, and a mark has some: it is tried in a test of its own.)

use std::ffi::{CString, c_char, c_int};

use trick::net::*;

unsafe extern "C" {
    fn __res_ninit(state: *mut ResState) -> c_int;
    fn res_nquery(state: *mut ResState, name: *const c_char, class: c_int, kind: c_int, answer: *mut u8, length: c_int) -> c_int;
}

/// `struct __res_state` of glibc, as far as it is written here; the rest is larger than it ever was.
#[repr(C, align(8))]
struct ResState {
    retrans: c_int,
    retry: c_int,
    options: u64,
    servers: c_int,
    addresses: [[u8; 16]; 3],
    rest: [u64; 256],
}

/// Never looks at the configuration again (RES_NORELOAD).
const NO_RELOAD: u64 = 0x0200_0000;

fn main() {
    let query = |way: &str| {
        let mark = trick::mark(way);
        [&[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, mark.len() as u8][..], mark.as_bytes(), b"\x07example\x04test\0\0\x01\0\x01"].concat()
    };
    if let Ok(socket) = socket(INET, DATAGRAM, 0) {
        let _ = send_to(socket, &query("udp"), 0, &loopback(trick::udp_port()));
    }
    if let Ok(socket) = socket(INET, STREAM, 0) {
        let query = query("tcp");
        if connect(socket, &loopback(trick::tcp_port())).is_ok() {
            let _ = write(socket, &[&(query.len() as u16).to_be_bytes()[..], &query].concat());
        }
    }
    let name = |way: &str| CString::new(format!("{}.example.test.", trick::mark(way))).unwrap();
    let mut state: Box<ResState> = Box::new(unsafe { std::mem::zeroed() });
    if unsafe { __res_ninit(&mut *state) } == 0 {
        aim(&mut state);
        let mut answer = [0; 512];
        unsafe { res_nquery(&mut *state, name("res_nquery").as_ptr(), 1, 1, answer.as_mut_ptr(), 512) };
    }
}

/// The sink is the only name server, and is asked once.
fn aim(state: &mut ResState) {
    state.retrans = 1;
    state.retry = 1;
    state.options |= NO_RELOAD;
    state.servers = 1;
    state.addresses = [loopback(trick::udp_port()).try_into().unwrap(); 3];
}
