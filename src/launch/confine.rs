//! One program, stopped at the exit of its `execve`: its environment is edited, the Landlock domain and the seccomp listener are put
//! on it from inside, and it is let go. If a step fails the caller kills it: nothing runs half confined.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use crate::launch::channel::Channel;
use crate::launch::initial_stack::{Edit, InitialStack};
use crate::launch::inject::{Borrowed, Request, table_bytes};
use crate::sys::memory;
use crate::wall::filter::Pass;

/// What a tracee is put behind.
pub struct Walls {
    /// `None` in observe mode.
    pub ruleset: Option<OwnedFd>,
    pub filter: Vec<libc::sock_filter>,
    /// The filter lets our own `sendmsg` through by these words.
    pub pass: Pass,
    /// One per variable, in order.
    pub edits: Vec<Edit>,
    /// Descriptors it gets, and their numbers there.
    pub given: Vec<(OwnedFd, RawFd)>,
    /// It has no vDSO to read the clock from, and asks the kernel, where its filter is.
    pub asks_for_time: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("it is a 32-bit program: its system calls cannot be watched")]
    Foreign,
    #[error("{step}: {source}")]
    Step { step: &'static str, source: io::Error },
    #[error("another supervisor already listens to its system calls (seccomp allows one listener per chain)")]
    Listened,
}

const MESSAGE: u64 = 0;
const VECTOR: u64 = 64;
const BYTE: u64 = 80;
const CONTROL: u64 = 96;
/// For the calls themselves.
const TABLE: u64 = 128;
const PROGRAM: u64 = TABLE + table_bytes(MOST) as u64;
const INSTRUCTIONS: u64 = PROGRAM + 16;
/// Most calls made in one go.
const MOST: usize = 7;
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` (5.0 and 5.19; seccomp(2)).
const LISTEN: u64 = 1 << 3 | 1 << 5;

/// Confines `pid` and lets it run. Returns the listener.
///
/// # Errors
/// [`Failure`]; the process is then still stopped, and must be killed.
pub fn confine(pid: i32, mut borrowed: Borrowed, initial: &mut InitialStack, walls: &Walls, channel: &Channel) -> Result<OwnedFd, Failure> {
    let step = |step| move |source| Failure::Step { step, source };
    channel.drain();
    if walls.asks_for_time {
        initial.hide_vdso(pid).map_err(step("hide the clock from it"))?;
    }
    initial.edit(pid, &walls.edits).map_err(step("edit its environment"))?;
    let lent = Lent::take(pid, borrowed.stack_pointer(), INSTRUCTIONS as usize + size_of_val(&walls.filter[..]))
        .map_err(step("find scratch space on its stack"))?;
    let scratch = lent.at;
    let number = channel.number() as u64;
    let mut run = |requests: &[Request]| -> Result<Vec<u64>, Failure> {
        let outcome = borrowed.run(requests, scratch + TABLE).map_err(step("make it confine itself"))?;
        outcome.map_err(|failed| match failed {
            (INSTALL, libc::EBUSY) => Failure::Listened,
            (step, errno) => Failure::Step { step, source: io::Error::from_raw_os_error(errno) },
        })
    };

    for (given, at) in &walls.given {
        channel.offer(given.as_fd()).map_err(step("offer a descriptor"))?;
        memory::write(pid as u32, scratch, &message(scratch, None)).map_err(step("prepare the message"))?;
        let flags = libc::MSG_DONTWAIT as u64;
        run(&[request("receive a descriptor", libc::SYS_recvmsg, [number, scratch + MESSAGE, flags, 0, 0, 0])])?;
        let fd = received(pid, scratch).map_err(step("receive a descriptor"))?;
        let at = *at as u64;
        if fd != at {
            let places = request("place a descriptor", libc::SYS_dup3, [fd, at, 0, 0, 0, 0]);
            run(&[places, request("close a descriptor", libc::SYS_close, [fd, 0, 0, 0, 0, 0])])?;
        }
    }

    let mut requests = Vec::new();
    let mut listener = None;
    if let Some(ruleset) = &walls.ruleset {
        channel.offer(ruleset.as_fd()).map_err(step("offer the ruleset"))?;
        memory::write(pid as u32, scratch, &message(scratch, None)).map_err(step("prepare the message"))?;
        let flags = (libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) as u64;
        run(&[request("receive the ruleset", libc::SYS_recvmsg, [number, scratch + MESSAGE, flags, 0, 0, 0])])?;
        let fd = received(pid, scratch).map_err(step("receive the ruleset"))?;
        requests.push(request("enter the Landlock domain", libc::SYS_landlock_restrict_self, [fd, 0, 0, 0, 0, 0]));
        requests.push(request("close the ruleset", libc::SYS_close, [fd, 0, 0, 0, 0, 0]));
        // A new descriptor gets the lowest free number: the one just closed. Were it another, sending this one would fail.
        listener = Some(fd);
    }
    // Cargo dies with us (EXITKILL); its children, whom nobody traces, die with cargo's thread that started them.
    let deathsig = [libc::PR_SET_PDEATHSIG as u64, libc::SIGKILL as u64, 0, 0, 0, 0];
    requests.push(request("tie its life to cargo's", libc::SYS_prctl, deathsig));
    memory::write(pid as u32, scratch + PROGRAM, &program(scratch, &walls.filter)).map_err(step("write the filter"))?;
    let install = [libc::SECCOMP_SET_MODE_FILTER as u64, LISTEN, scratch + PROGRAM, 0, 0, 0];
    requests.push(request(INSTALL, libc::SYS_seccomp, install));

    let listener = match listener {
        Some(listener) => listener,
        None => run(&std::mem::take(&mut requests))?.last().copied().unwrap_or(u64::MAX),
    };
    let [a, b, c] = walls.pass.words;
    requests.push(request("send the listener", libc::SYS_sendmsg, [number, scratch + MESSAGE, libc::MSG_DONTWAIT as u64, a, b, c]));
    requests.push(request("close the listener", libc::SYS_close, [listener, 0, 0, 0, 0, 0]));
    requests.push(request("close the channel", libc::SYS_close, [number, 0, 0, 0, 0, 0]));
    memory::write(pid as u32, scratch, &message(scratch, Some(listener))).map_err(step("prepare the message"))?;
    run(&requests)?;
    let taken = channel.take().map_err(step("take the listener"))?;
    // With what was there before, the pass, the messages and the filter are gone.
    memory::write(pid as u32, lent.at, &lent.before).map_err(step("give the scratch space back"))?;
    borrowed.let_go().map_err(step("let it go"))?;
    Ok(taken)
}

/// A piece of the new program's stack, with what was in it.
struct Lent {
    at: u64,
    before: Vec<u8>,
}

impl Lent {
    /// Below the stack pointer, where nothing lies yet, if that is mapped. execve maps 128 KiB below the strings (setup_arg_pages,
    /// fs/exec.c) and then lays a pointer to each of them there: where those alone fill it, the piece is lent from them.
    fn take(pid: i32, stack_pointer: u64, length: usize) -> io::Result<Lent> {
        let below = stack_pointer.saturating_sub(length as u64) & !63;
        for at in [below, stack_pointer.next_multiple_of(64)] {
            let mut before = vec![0; length];
            if memory::read(pid as u32, at, &mut before).is_ok_and(|count| count == length) {
                return Ok(Lent { at, before });
            }
        }
        Err(io::Error::from_raw_os_error(libc::EFAULT))
    }
}

const INSTALL: &str = "install the filter";

fn request(name: &'static str, number: i64, args: [u64; 6]) -> Request {
    Request { name, number, args }
}

/// `msghdr`, one `iovec` of one byte, and room for (or a message with) one descriptor, laid out for address `at`.
fn message(at: u64, send: Option<u64>) -> Vec<u8> {
    let mut bytes = vec![0; TABLE as usize];
    let mut put = |offset: u64, value: &[u8]| bytes[offset as usize..offset as usize + value.len()].copy_from_slice(value);
    // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags (bits/socket.h, 64-bit).
    put(MESSAGE + 16, &(at + VECTOR).to_ne_bytes());
    put(MESSAGE + 24, &1u64.to_ne_bytes());
    put(MESSAGE + 32, &(at + CONTROL).to_ne_bytes());
    // cmsghdr (16 bytes) and one int, padded.
    put(MESSAGE + 40, &24u64.to_ne_bytes());
    put(VECTOR, &(at + BYTE).to_ne_bytes());
    put(VECTOR + 8, &1u64.to_ne_bytes());
    if let Some(fd) = send {
        put(CONTROL, &20u64.to_ne_bytes());
        put(CONTROL + 8, &libc::SOL_SOCKET.to_ne_bytes());
        put(CONTROL + 12, &libc::SCM_RIGHTS.to_ne_bytes());
        put(CONTROL + 16, &(fd as i32).to_ne_bytes());
    }
    bytes
}

/// The number under which the ruleset arrived.
fn received(pid: i32, scratch: u64) -> io::Result<u64> {
    let mut control = [0; 20];
    if memory::read(pid as u32, scratch + CONTROL, &mut control)? != control.len() {
        return Err(io::Error::from_raw_os_error(libc::EFAULT));
    }
    let word = |at: usize| i32::from_ne_bytes(control[at..at + 4].try_into().expect("four bytes"));
    if word(8) != libc::SOL_SOCKET || word(12) != libc::SCM_RIGHTS {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no descriptor arrived"));
    }
    u64::try_from(word(16)).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))
}

/// `sock_fprog` and the instructions behind it.
fn program(scratch: u64, filter: &[libc::sock_filter]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((INSTRUCTIONS - PROGRAM) as usize + size_of_val(filter));
    bytes.extend_from_slice(&(filter.len() as u64).to_ne_bytes());
    bytes.extend_from_slice(&(scratch + INSTRUCTIONS).to_ne_bytes());
    for instruction in filter {
        bytes.extend_from_slice(&instruction.code.to_ne_bytes());
        bytes.extend_from_slice(&[instruction.jt, instruction.jf]);
        bytes.extend_from_slice(&instruction.k.to_ne_bytes());
    }
    bytes
}
