//! Where stolen goods would arrive: listeners on loopback and on unix sockets that write down every byte.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};

/// Everything that arrived at one listener.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }

    /// The first bytes of a message or connection. They begin a line, so that nothing said before runs on into them.
    fn begin(&self, bytes: &[u8]) {
        let mut all = self.0.lock().unwrap();
        if !all.is_empty() {
            all.push(b'\n');
        }
        all.extend_from_slice(bytes);
    }
}

/// The six doors a theft can leave through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Tcp,
    Udp,
    /// Looks like an ssh-agent's socket.
    Agent,
    /// Looks like a container daemon's socket.
    Docker,
    /// A unix socket with an abstract name.
    Abstract,
    /// Unix datagrams, to a path and to an abstract name, and a sequenced-packet socket.
    Datagram,
}

impl Door {
    pub const ALL: [Door; 6] = [Door::Tcp, Door::Udp, Door::Agent, Door::Docker, Door::Abstract, Door::Datagram];
}

pub struct Sinks {
    pub tcp_port: u16,
    pub udp_port: u16,
    heard: [Heard; 6],
    /// Closed with the place: then its listener ends, too. Hundreds of idle threads make every `fork` of the test program slow.
    _ends: PipeWriter,
}

/// What a door stands open with.
enum Open {
    Tcp(TcpListener),
    Udp(UdpSocket),
    Unix(UnixListener),
    Datagram(UnixDatagram),
}

impl Open {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Open::Tcp(listener) => listener.as_fd(),
            Open::Udp(socket) => socket.as_fd(),
            Open::Unix(listener) => listener.as_fd(),
            Open::Datagram(socket) => socket.as_fd(),
        }
    }

    /// Takes what has come.
    fn hear(&self, heard: &Heard) {
        let mut buffer = [0; 4096];
        match self {
            Open::Tcp(listener) => drop(listener.accept().map(|(stream, _)| take(stream, heard))),
            Open::Unix(listener) => drop(listener.accept().map(|(stream, _)| take(stream, heard))),
            Open::Udp(socket) => drop(socket.recv(&mut buffer).map(|length| heard.begin(&buffer[..length]))),
            Open::Datagram(socket) => drop(socket.recv(&mut buffer).map(|length| heard.begin(&buffer[..length]))),
        }
    }
}

impl Sinks {
    /// Starts listening; the unix sockets are made in `dir`. Ends when it is dropped.
    pub fn start(dir: &Path) -> Sinks {
        let heard: [Heard; 6] = Default::default();
        let tcp = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("bind a loopback port");
        let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
        let named = |name| SocketAddr::from_abstract_name(dir.join(name).as_os_str().as_bytes()).expect("a short name");
        let unix = |name| Open::Unix(UnixListener::bind(dir.join(name)).expect("bind a unix socket"));
        let datagrams = [UnixDatagram::bind(dir.join("log.sock")), UnixDatagram::bind_addr(&named("abstract-log"))];
        let mut open = vec![
            (Door::Tcp, Open::Tcp(tcp)),
            (Door::Udp, Open::Udp(udp)),
            (Door::Agent, unix("ssh-agent.sock")),
            (Door::Docker, unix("docker.sock")),
            (Door::Abstract, Open::Unix(UnixListener::bind_addr(&named("abstract")).expect("bind an abstract name"))),
            (Door::Datagram, Open::Unix(sequenced(&dir.join("sequenced.sock")))),
        ];
        open.extend(datagrams.map(|bound| (Door::Datagram, Open::Datagram(bound.expect("bind a datagram socket")))));
        let (ended, ends) = std::io::pipe().expect("make a pipe");
        let logs = heard.clone();
        thread::spawn(move || listen_to(&open, &logs, &ended));
        Sinks { tcp_port, udp_port, heard, _ends: ends }
    }

    pub fn heard(&self, door: Door) -> Vec<u8> {
        self.heard[door as usize].bytes()
    }
}

/// Hears whoever comes through a door, until the other end of `ended` is closed.
fn listen_to(open: &[(Door, Open)], heard: &[Heard; 6], ended: &PipeReader) {
    let fds = open.iter().map(|(_, open)| open.fd()).chain([ended.as_fd()]);
    let mut polled: Vec<PollFd> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    loop {
        if poll(&mut polled, PollTimeout::NONE).is_err() {
            continue;
        }
        let come = |polled: &PollFd| polled.any().unwrap_or(true);
        for ((door, open), _) in open.iter().zip(&polled).filter(|(_, polled)| come(polled)) {
            open.hear(&heard[*door as usize]);
        }
        if polled.last().is_some_and(come) {
            return;
        }
    }
}

/// A listener for sequenced packets, which reads like one for streams.
fn sequenced(path: &Path) -> UnixListener {
    let made = socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).expect("make a socket");
    bind(made.as_raw_fd(), &UnixAddr::new(path).expect("a short path")).expect("bind a unix socket");
    listen(&made, Backlog::new(16).expect("a small number")).expect("listen");
    made.into()
}

/// One connection: read a request to its end, answer it like a web server, hang up.
fn take<S: Read + Write + Send + Timed + 'static>(mut stream: S, heard: &Heard) {
    let heard = heard.clone();
    thread::spawn(move || {
        stream.set_patience(Duration::from_secs(2));
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        while !complete(&request) {
            match stream.read(&mut buffer) {
                Ok(length @ 1..) => {
                    if request.is_empty() {
                        heard.begin(&buffer[..length])
                    } else {
                        heard.add(&buffer[..length])
                    }
                    request.extend_from_slice(&buffer[..length]);
                }
                _ => break,
            }
        }
        // The client may be gone already; nobody waits for this answer but curl.
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
    });
}

trait Timed {
    fn set_patience(&self, patience: Duration);
}

impl Timed for std::net::TcpStream {
    fn set_patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }
}

impl Timed for std::os::unix::net::UnixStream {
    fn set_patience(&self, patience: Duration) {
        self.set_read_timeout(Some(patience)).unwrap();
    }
}

/// Is this a whole HTTP request, body included?
fn complete(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    request.len() >= head + 4 + length.unwrap_or(0)
}
