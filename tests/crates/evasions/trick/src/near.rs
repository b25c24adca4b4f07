//! What is near a build and not part of it: other processes, what they offer on sockets, what they keep in memory.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::sys::{call, in_child};

/// Cargo.
pub fn parent() -> i64 {
    std::os::unix::process::parent_id().into()
}

/// A process of the user's, outside the build, which holds a secret: in its environment, and in memory.
pub fn worker() -> i64 {
    std::env::var("ZOO_WORKER").unwrap().parse().unwrap()
}

/// Other children of cargo that run at this moment.
pub fn siblings() -> Vec<i64> {
    let (own, parent) = (i64::from(std::process::id()), parent());
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| *pid != own && parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: i64) -> Option<i64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Waits until another package's build script runs as well, if that waits for this one, but no longer than that.
pub fn meet(package: &str, longest: Duration) {
    let here = |directory: &Path| directory.join("here");
    let _ = fs::write(here(&crate::out_dir()), "");
    let begun = Instant::now();
    while !crate::built(package).is_some_and(|built| here(&built.join("out")).exists()) && begun.elapsed() < longest {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where a process keeps things: its stack and its heap.
pub fn ranges(pid: i64) -> Vec<(u64, u64)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let private = maps.lines().filter(|line| line.ends_with("[stack]") || line.ends_with("[heap]"));
    let range = |line: &str| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
    };
    private.filter_map(range).collect()
}

/// Is there a secret in the memory of a process, read through its file?
pub fn memory_has_canary(pid: i64) -> bool {
    let Ok(mut memory) = fs::File::open(format!("/proc/{pid}/mem")) else { return false };
    ranges(pid).into_iter().any(|(from, to)| {
        let mut bytes = vec![0; (to - from).min(8 << 20) as usize];
        memory.seek(SeekFrom::Start(from)).is_ok() && memory.read(&mut bytes).is_ok() && crate::is_canary(&bytes)
    })
}

/// `process_vm_readv` or `process_vm_writev` of `bytes` at an address of another process.
pub fn copy(number: i64, pid: i64, address: u64, bytes: &mut [u8]) -> Result<i64, i32> {
    let (local, remote) = ([bytes.as_mut_ptr() as u64, bytes.len() as u64], [address, bytes.len() as u64]);
    call(number, &[pid, local.as_ptr() as i64, 1, remote.as_ptr() as i64, 1, 0])
}

/// Connects to a socket with a path and leaves a mark there.
pub fn tell(way: &str, path: impl AsRef<Path>) {
    if let Ok(mut stream) = UnixStream::connect(path) {
        let _ = stream.write_all(crate::mark(way).as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        // It is heard before we are gone.
        let _ = stream.read(&mut [0; 64]);
    }
}

/// The first descriptor that comes through a socket (`SCM_RIGHTS`).
pub fn receive(socket: RawFd) -> Option<RawFd> {
    const RECVMSG: i64 = 47;
    let mut byte = [0_u8; 8];
    let part = [byte.as_mut_ptr() as u64, byte.len() as u64];
    let mut control = [0_u64; 8];
    let mut header = [0, 0, part.as_ptr() as u64, 1, control.as_mut_ptr() as u64, 64, 0];
    call(RECVMSG, &[socket.into(), header.as_mut_ptr() as i64, 0]).ok()?;
    // struct cmsghdr: its length, SOL_SOCKET and SCM_RIGHTS; then the descriptors.
    (header[5] >= 20 && control[1] == 1 << 32 | 1).then_some(control[2] as RawFd)
}

/// Runs a program in a child by a raw call. It is to end with 0, as `/bin/true` does.
pub fn runs(number: i64, args: &[i64]) -> bool {
    in_child(|| {
        let _ = call(number, args);
        77
    }) == 0
}
