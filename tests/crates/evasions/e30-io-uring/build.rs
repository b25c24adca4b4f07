//! A ring of its own, with requests for a file and for a connection. The kernel carries them out; no system call names them.

use std::net::Ipv4Addr;

use trick::sys::{AT_FDCWD, call, ptr, reads_canary};

const SETUP: i64 = 425;
const ENTER: i64 = 426;
const MMAP: i64 = 9;
const SOCKET: i64 = 41;
const GETEVENTS: i64 = 1;
const OPENAT: u8 = 18;
const CONNECT: u8 = 16;
const SEND: u8 = 26;

struct Ring {
    fd: i64,
    submissions: *mut u8,
    completions: *mut u8,
    entries: *mut u8,
    /// struct io_uring_params.
    params: [u32; 30],
}

impl Ring {
    fn new() -> Option<Ring> {
        let mut params = [0_u32; 30];
        let fd = call(SETUP, &[4, params.as_mut_ptr() as i64]).ok()?;
        let map = |offset: i64| call(MMAP, &[0, 4096, 3, 1, fd, offset]).ok().map(|at| at as *mut u8);
        Some(Ring { fd, submissions: map(0)?, completions: map(0x800_0000)?, entries: map(0x1000_0000)?, params })
    }

    /// One request, carried out; its result.
    fn ask(&self, code: u8, fd: i64, address: i64, length: u32, offset: u64) -> i32 {
        let word = |base: *mut u8, index: usize| unsafe { base.add(self.params[index] as usize).cast::<u32>() };
        let mut entry = [0_u8; 64];
        entry[0] = code;
        entry[4..8].copy_from_slice(&(fd as i32).to_ne_bytes());
        entry[8..16].copy_from_slice(&offset.to_ne_bytes());
        entry[16..24].copy_from_slice(&address.to_ne_bytes());
        entry[24..28].copy_from_slice(&length.to_ne_bytes());
        unsafe {
            // sq_off: head, tail, mask, entries, flags, dropped, array; cq_off the same up to cqes.
            let tail = word(self.submissions, 11).read_volatile();
            let slot = tail & word(self.submissions, 12).read();
            self.entries.add(64 * slot as usize).copy_from(entry.as_ptr(), 64);
            word(self.submissions, 16).add(slot as usize).write(slot);
            word(self.submissions, 11).write_volatile(tail + 1);
            let head = word(self.completions, 20).read_volatile();
            let mut told = call(ENTER, &[self.fd, 1, 1, GETEVENTS, 0, 0]);
            // A wait may end early.
            for _ in 0..100 {
                if word(self.completions, 21).read_volatile() != head {
                    break;
                }
                told = call(ENTER, &[self.fd, 0, 1, GETEVENTS, 0, 0]);
            }
            if word(self.completions, 21).read_volatile() == head {
                trick::say(&format!("no completion: {told:?}"));
                return -1;
            }
            let at = head & word(self.completions, 22).read();
            let result = self.completions.add(self.params[25] as usize + 16 * at as usize + 8).cast::<i32>().read_volatile();
            word(self.completions, 20).write_volatile(head + 1);
            result
        }
    }
}

fn main() {
    let Some(ring) = Ring::new() else { return };
    let fd = ring.ask(OPENAT, AT_FDCWD, ptr(&trick::c(trick::ssh_key())), 0, 0);
    if fd >= 0 && reads_canary(fd) {
        trick::won("open");
    }
    let mut address = [0_u8; 16];
    address[0] = 2;
    address[2..4].copy_from_slice(&trick::tcp_port().to_be_bytes());
    address[4..8].copy_from_slice(&Ipv4Addr::LOCALHOST.octets());
    let mark = format!("{}\n", trick::mark("connect"));
    // On a loaded machine a connection may fail; one that stands is enough.
    for _ in 0..5 {
        let Ok(socket) = call(SOCKET, &[2, 1, 0]) else { return };
        let connected = ring.ask(CONNECT, socket, address.as_ptr() as i64, 0, 16);
        if connected == 0 && ring.ask(SEND, socket, mark.as_ptr() as i64, mark.len() as u32, 0) == mark.len() as i32 {
            return;
        }
        trick::say(&format!("connect: {connected}"));
    }
}
