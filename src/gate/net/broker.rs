//! The broker: a process of ours in a user namespace of its own that makes one empty network namespace per actor and hands out sockets
//! born there. This side asks; `serve` is the other. In: (actor, family, type, protocol). Out: a descriptor, or an error that the caller
//! must turn into a refusal: never a socket of the host's namespace.
//!
//! The broker is started at the run's first inet socket. It ends when the channel does, that is with us however we end. It has no
//! `PR_SET_PDEATHSIG`: that would fire when the *thread* that started it ends, and gate threads end with their actors.

mod serve;
pub(crate) mod wire;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

pub use serve::{broker_main, rehearse};
pub use wire::ARGUMENT;

use crate::sys::socket;

/// A running broker, shared by all gate threads; requests take turns.
pub struct Broker {
    line: Mutex<Option<Line>>,
}

struct Line {
    channel: OwnedFd,
    child: Child,
}

impl Broker {
    /// Starts it and lets it prove that it can make namespaces.
    ///
    /// # Errors
    /// When it cannot be started, or the kernel forbids the namespaces.
    pub fn start() -> io::Result<Broker> {
        let (ours, theirs) = socket::pair(libc::SOCK_SEQPACKET)?;
        // A broker that hangs must not hang a gate thread.
        let patience = timeval(Duration::from_secs(5));
        socket::set_option(ours.as_fd(), libc::SOL_SOCKET, libc::SO_RCVTIMEO, &patience)?;
        socket::set_option(ours.as_fd(), libc::SOL_SOCKET, libc::SO_SNDTIMEO, &patience)?;
        let child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .env_clear()
            .current_dir("/")
            // A ^C at the terminal is for cargo and for us, who still have a report to write.
            .process_group(0)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let broker = Broker { line: Mutex::new(Some(Line { channel: ours, child })) };
        broker.ask(wire::Request::Hello)?;
        Ok(broker)
    }

    /// A socket born in the namespace with this number, which is made when it is first named. `kind` may carry `SOCK_NONBLOCK`.
    ///
    /// # Errors
    /// What `socket(2)` said in there, or `EPERM` when the broker is gone.
    pub fn socket(&self, namespace: u32, family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
        self.ask(wire::Request::Socket { namespace, family, kind, protocol })?.ok_or_else(gone)
    }

    /// Forgets a namespace; it lives on until its last socket is closed.
    pub fn close(&self, namespace: u32) {
        let _ = self.ask(wire::Request::Close { namespace });
    }

    /// Its process, while it is there.
    pub fn pid(&self) -> Option<i32> {
        let line = self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        line.as_ref().map(|line| line.child.id() as i32)
    }

    fn ask(&self, request: wire::Request) -> io::Result<Option<OwnedFd>> {
        let mut line = self.line.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let open = line.as_ref().ok_or_else(gone)?;
        match wire::exchange(open.channel.as_fd(), &request) {
            Ok(answer) => answer,
            Err(_) => {
                // Out of step or dead: whatever it would say from now on cannot be matched to a question.
                if let Some(mut dead) = line.take() {
                    let _ = dead.child.kill();
                    let _ = dead.child.try_wait();
                }
                Err(gone())
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let line = self.line.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(Line { channel, mut child }) = line.take() {
            drop(channel);
            // It ends at once. Someone who reaps every child of this process may have been faster; that error is of no interest.
            let _ = child.wait();
        }
    }
}

fn gone() -> io::Error {
    io::Error::from_raw_os_error(libc::EPERM)
}

/// A `struct timeval` for socket options.
pub(super) fn timeval(duration: Duration) -> [u8; 16] {
    let mut out = [0; 16];
    out[..8].copy_from_slice(&(duration.as_secs() as i64).to_ne_bytes());
    out[8..].copy_from_slice(&i64::from(duration.subsec_micros()).to_ne_bytes());
    out
}
