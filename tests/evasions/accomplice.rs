//! Accomplices outside the build: one who knocks at doors that are opened inside and keeps what he is given, one who reads a FIFO. They
//! write down every byte, and end with the scene.

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cargo_brig::gate::net::endpoint::encode;
use cargo_brig::sys::socket;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::place::Place;

const BETWEEN: Duration = Duration::from_millis(100);

pub struct Accomplice {
    /// A port nobody has, until somebody inside listens there.
    pub knocked: u16,
    /// A port of a service that would share it (`SO_REUSEPORT`) with anybody of its user.
    pub shared: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Accomplice {
    pub fn start(place: &Place) -> Accomplice {
        let pipe = place.path("run/pipe");
        mkfifo(&pipe, Mode::from_bits_truncate(0o600)).expect("make a FIFO");
        // Both ends, so that it never looks closed.
        let pipe = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&pipe).expect("open the FIFO");
        let (free, _) = listener(false);
        let (shared, service) = listener(true);
        let (heard, done) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let around = Around {
            knocked: free,
            shared,
            service,
            builds: place.target().join("debug/build"),
            name: place.path("run/knocked"),
            pipe,
            heard: Arc::clone(&heard),
        };
        let thread = thread::spawn({
            let done = Arc::clone(&done);
            move || {
                while !done.load(Ordering::Relaxed) {
                    around.once();
                    thread::sleep(BETWEEN);
                }
            }
        });
        Accomplice { knocked: free, shared, heard, done, thread: Some(thread) }
    }

    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Accomplice {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// A listening port of 127.0.0.1.
fn listener(shared: bool) -> (u16, OwnedFd) {
    let made = socket::create(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0).expect("make a socket");
    if shared {
        socket::set_option(made.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEPORT, &1i32.to_ne_bytes()).expect("share a port");
    }
    socket::bind(made.as_fd(), &encode(([127, 0, 0, 1], 0).into(), libc::AF_INET)).expect("bind a loopback port");
    socket::listen(made.as_fd(), 64).expect("listen");
    let name = socket::local_name(made.as_fd()).expect("ask for the port");
    (u16::from_be_bytes([name[2], name[3]]), made)
}

struct Around {
    knocked: u16,
    shared: u16,
    service: OwnedFd,
    builds: PathBuf,
    name: PathBuf,
    pipe: File,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Around {
    fn once(&self) {
        let mut buffer = [0; 4096];
        if let Ok(length) = (&self.pipe).read(&mut buffer) {
            self.keep(&buffer[..length]);
        }
        self.visit(TcpStream::connect(("127.0.0.1", self.knocked)).ok().map(OwnedFd::from));
        // The kernel spreads visitors over those who share the port.
        for _ in 0..4 {
            self.visit(TcpStream::connect(("127.0.0.1", self.shared)).ok().map(OwnedFd::from));
        }
        // The service itself has nothing to say; a queue that nobody empties would make the next visitor wait.
        while socket::accept(self.service.as_fd()).is_ok() {}
        let name = SocketAddr::from_abstract_name(self.name.as_os_str().as_bytes()).expect("a short name");
        self.visit(UnixStream::connect_addr(&name).ok().map(OwnedFd::from));
        for built in std::fs::read_dir(&self.builds).into_iter().flatten().flatten() {
            self.visit(UnixStream::connect(built.path().join("out/door")).ok().map(OwnedFd::from));
        }
    }

    /// What a host gives at once.
    fn visit(&self, host: Option<OwnedFd>) {
        let Some(host) = host else { return };
        let mut buffer = [0; 4096];
        while socket::wait(host.as_fd(), libc::POLLIN, 50).unwrap_or(false) {
            match socket::receive_from(host.as_fd(), &mut buffer, libc::MSG_DONTWAIT) {
                Ok((length @ 1.., _)) => self.keep(&buffer[..length]),
                _ => break,
            }
        }
    }

    fn keep(&self, bytes: &[u8]) {
        self.heard.lock().unwrap().extend_from_slice(bytes);
    }
}
