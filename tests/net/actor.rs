//! What an actor does, scene by scene. Each prints one line: `ok …`, or the errno it got.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use cargo_brig::gate::net::endpoint;
use cargo_brig::sys::socket;

use crate::messages;
use crate::stage;

pub const PATIENCE: Duration = Duration::from_secs(3);

pub fn main(args: &[String]) -> ! {
    if args[0] == "filtered" {
        let listener = stage::filter();
        // As a file: write(2) is not filtered, the send(2) of a stream type would wait for a gate that waits for us.
        let mut channel = File::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
        channel.write_all(&listener.to_ne_bytes()).unwrap();
        channel.read_exact(&mut [0]).unwrap();
        stage::close(listener);
    }
    let args: Vec<&str> = args[1..].iter().map(String::as_str).collect();
    match play(&args) {
        Ok(text) => println!("ok {text}"),
        Err(error) => println!("{}", error.raw_os_error().map_or(format!("{:?}", error.kind()), name)),
    }
    std::process::exit(0);
}

pub fn name(errno: i32) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno))
}

fn play(args: &[&str]) -> io::Result<String> {
    match args {
        ["tcp", to] => hello(TcpStream::connect(to)?),
        ["tcp-nonblocking", to] => hello(TcpStream::connect_timeout(&to.parse().unwrap(), PATIENCE)?),
        ["tcp-options", to] => options(to.parse().unwrap()),
        ["udp", to] => {
            let socket = UdpSocket::bind(any(to))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.send_to(b"hello", to)?;
            let mut buffer = [0; 100];
            let (length, from) = socket.recv_from(&mut buffer)?;
            Ok(format!("{} from {from}", String::from_utf8_lossy(&buffer[..length])))
        }
        ["udp-blind", to] => UdpSocket::bind(any(to))?.send_to(b"hello", to).map(|_| String::new()),
        ["udp-connected", to] => {
            let socket = UdpSocket::bind(any(to))?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.connect(to)?;
            socket.send(b"hello")?;
            let mut buffer = [0; 100];
            let length = socket.recv(&mut buffer)?;
            Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
        }
        ["fast-open", to] => {
            let to: SocketAddr = to.parse().unwrap();
            let socket = socket::create(endpoint::family_of(to.ip()), libc::SOCK_STREAM, 0)?;
            let address = endpoint::encode(to, endpoint::family_of(to.ip()));
            socket::send_to(socket.as_fd(), b"hello", libc::MSG_FASTOPEN, &address).map(|_| String::new())
        }
        ["fast-open-option", to] => {
            let to: SocketAddr = to.parse().unwrap();
            let socket = socket::create(libc::AF_INET, libc::SOCK_STREAM, 0)?;
            socket::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, &1i32.to_ne_bytes())?;
            socket::connect(socket.as_fd(), &endpoint::encode(to, libc::AF_INET))?;
            hello(TcpStream::from(socket))
        }
        ["mapped", to] => {
            let socket = socket::create(libc::AF_INET6, libc::SOCK_STREAM, 0)?;
            socket::connect(socket.as_fd(), &endpoint::encode(to.parse().unwrap(), libc::AF_INET6))?;
            hello(TcpStream::from(socket))
        }
        ["reconnect", first, second] => reconnect(first.parse().unwrap(), second.parse().unwrap()),
        ["meet"] => meet(),
        ["wait-for", path] => wait_for(path),
        ["families"] => Ok(families()),
        ["bind-device", to] => bind_device(to),
        ["dns", server, host] => dns(server, host),
        ["dns-tcp", server, host] => dns_tcp(server, host),
        ["look-up", host] => {
            let start = Instant::now();
            let found = (*host, 80).to_socket_addrs();
            let quick = start.elapsed() < Duration::from_secs(4);
            Ok(format!("{} quick={quick}", if found.is_ok() { "found" } else { "none" }))
        }
        ["look-up-and-connect", server, host, port] => {
            let answer = dns(server, host)?;
            let ip = answer.rsplit(' ').next().unwrap_or_default().to_string();
            hello(TcpStream::connect(format!("{ip}:{port}"))?)
        }
        ["unix", path] => {
            let mut stream = UnixStream::connect(path)?;
            stream.write_all(b"hello")?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        }
        ["unix-datagram", path] => UnixDatagram::unbound()?.send_to(b"hello", path).map(|_| String::new()),
        ["unix-own", directory] => {
            std::env::set_current_dir(directory)?;
            let listener = std::os::unix::net::UnixListener::bind("own.sock")?;
            let served = std::thread::spawn(move || listener.accept().map(|(mut stream, _)| stream.write_all(b"own")));
            let mut text = String::new();
            UnixStream::connect("own.sock")?.read_to_string(&mut text)?;
            served.join().unwrap()??;
            Ok(text)
        }
        ["cost"] => cost(),
        ["rights"] => {
            let (a, b) = socket::pair(libc::SOCK_STREAM)?;
            socket::send_with_fd(a.as_fd(), b"x", Some(a.as_fd()))?;
            let (_, fd) = socket::receive_with_fd(b.as_fd(), &mut [0; 8])?;
            Ok(format!("{}", fd.is_some()))
        }
        ["messages"] => messages::messages(),
        ["steered"] => messages::steered(),
        ["message-race", wanted] => messages::race(wanted.parse().unwrap()),
        ["race", harmless, wanted] => race(harmless.parse().unwrap(), wanted.parse().unwrap()),
        other => panic!("no such scene: {other:?}"),
    }
}

/// Microseconds for the first and for later sockets, and for meeting one's own server.
fn cost() -> io::Result<String> {
    const TIMES: u32 = 500;
    let start = Instant::now();
    drop(socket::create(libc::AF_INET, libc::SOCK_STREAM, 0)?);
    let first = start.elapsed();
    let start = Instant::now();
    for _ in 0..TIMES {
        drop(socket::create(libc::AF_INET, libc::SOCK_STREAM, 0)?);
    }
    let later = start.elapsed() / TIMES;
    let start = Instant::now();
    for _ in 0..TIMES {
        drop(socket::create(libc::AF_UNIX, libc::SOCK_STREAM, 0)?);
    }
    let unix = start.elapsed() / TIMES;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let start = Instant::now();
    for _ in 0..TIMES {
        drop(TcpStream::connect(at)?);
        drop(listener.accept()?);
    }
    let meeting = start.elapsed() / TIMES;
    Ok(format!("first {first:?}, later {later:?}, unix {unix:?}, socket and connect to an own server {meeting:?}"))
}

fn any(to: &str) -> &'static str {
    if to.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" }
}

fn hello(mut stream: TcpStream) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"hello")?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn options(to: SocketAddr) -> io::Result<String> {
    let socket = socket::create(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)?;
    socket::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, &1i32.to_ne_bytes())?;
    let before = std::os::fd::AsRawFd::as_raw_fd(&socket);
    socket::connect(socket.as_fd(), &endpoint::encode(to, libc::AF_INET))?;
    let nodelay = socket::int_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY)?;
    let cloexec = std::fs::read_to_string(format!("/proc/self/fdinfo/{before}"))?.contains("flags:\t02000002");
    Ok(format!("nodelay={nodelay} cloexec-and-blocking={cloexec} peer={}", TcpStream::from(socket).peer_addr()? == to))
}

/// Connects, ends that by AF_UNSPEC, connects again.
fn reconnect(first: SocketAddr, second: SocketAddr) -> io::Result<String> {
    let socket = socket::create(libc::AF_INET, libc::SOCK_STREAM, 0)?;
    socket::connect(socket.as_fd(), &endpoint::encode(first, libc::AF_INET))?;
    socket::connect(socket.as_fd(), &[0; 16])?;
    socket::connect(socket.as_fd(), &endpoint::encode(second, libc::AF_INET))?;
    hello(TcpStream::from(socket))
}

/// A server and its clients, all within one actor.
fn meet() -> io::Result<String> {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(local)?;
        let at = listener.local_addr()?;
        let served = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept()?;
                let mut text = String::new();
                stream.read_to_string(&mut text)?;
                stream.write_all(text.to_uppercase().as_bytes())?;
            }
            io::Result::Ok(())
        });
        assert_eq!(hello(TcpStream::connect(at)?)?, "HELLO");
        assert_eq!(hello(TcpStream::connect_timeout(&at, PATIENCE)?)?, "HELLO");
        served.join().unwrap()?;
        let (a, b) = (UdpSocket::bind(local)?, UdpSocket::bind(local)?);
        let mut buffer = [0; 16];
        a.send_to(b"unconnected", b.local_addr()?)?;
        let (length, from) = b.recv_from(&mut buffer)?;
        assert_eq!((&buffer[..length], from), (&b"unconnected"[..], a.local_addr()?));
        b.connect(a.local_addr()?)?;
        b.send(b"connected")?;
        let (length, from) = a.recv_from(&mut buffer)?;
        assert_eq!((&buffer[..length], from), (&b"connected"[..], b.local_addr()?), "the bound address survives connect");
    }
    Ok("met".into())
}

/// Listens, tells where in a file, and waits for a visitor from another actor.
fn wait_for(path: &str) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    std::fs::write(format!("{path}.new"), listener.local_addr()?.to_string())?;
    std::fs::rename(format!("{path}.new"), path)?;
    let end = Instant::now() + Duration::from_millis(700);
    while Instant::now() < end {
        if listener.accept().is_ok() {
            return Ok("visited".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok("alone".into())
}

fn families() -> String {
    let tries = [
        ("mptcp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP),
        ("sctp", libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP),
        ("icmp", libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP),
        ("raw", libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW),
        ("packet", libc::AF_PACKET, libc::SOCK_RAW, 0),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        ("alg", libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
        ("audit", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_AUDIT),
        ("unix", libc::AF_UNIX, libc::SOCK_SEQPACKET, 0),
        ("route", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE),
        ("tcp6", libc::AF_INET6, libc::SOCK_STREAM, libc::IPPROTO_TCP),
    ];
    let said = tries.map(|(text, family, kind, protocol)| match socket::create(family, kind, protocol) {
        Ok(_) => format!("{text}=ok"),
        Err(error) => format!("{text}={}", name(error.raw_os_error().unwrap_or(0))),
    });
    said.join(" ")
}

/// Loopback-device sockets: tries to undo the binding, then to leave.
fn bind_device(to: &str) -> io::Result<String> {
    let socket = socket::create(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let undone = socket::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, &[]);
    let undone = undone.map_or_else(|error| name(error.raw_os_error().unwrap_or(0)), |()| "undone".into());
    let left = socket::connect(socket.as_fd(), &endpoint::encode(to.parse().unwrap(), libc::AF_INET));
    Ok(format!("{undone} {}", left.map_or_else(|error| name(error.raw_os_error().unwrap_or(0)), |()| "left".into())))
}

fn query(host: &str) -> Vec<u8> {
    let mut out = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.extend([0, 0, 1, 0, 1]);
    out
}

fn told(answer: &[u8]) -> String {
    let tail = &answer[answer.len() - 4..];
    let ip = if answer[7] > 0 { format!(" {}.{}.{}.{}", tail[0], tail[1], tail[2], tail[3]) } else { String::new() };
    format!("rcode={}{ip}", answer[3] & 0xf)
}

fn dns(server: &str, host: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(any(server))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = [0; 512];
    // Unconnected first, then connected: both ways resolvers use.
    socket.send_to(&query(host), server)?;
    let (length, from) = socket.recv_from(&mut buffer)?;
    assert_eq!(from.to_string(), server, "the answer comes from the address that was asked");
    let unconnected = told(&buffer[..length]);
    socket.connect(server)?;
    socket.send(&query(host))?;
    let length = socket.recv(&mut buffer)?;
    assert_eq!(unconnected, told(&buffer[..length]));
    Ok(unconnected)
}

fn dns_tcp(server: &str, host: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let query = query(host);
    stream.write_all(&[&(query.len() as u16).to_be_bytes(), query.as_slice()].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer)?;
    Ok(told(&answer))
}

/// One thread flips the address in memory between the actor's own server and a wanted one, while another connects over and over.
fn race(harmless: SocketAddr, wanted: SocketAddr) -> io::Result<String> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    // The sockaddr lives in atomics: the flipper rewrites address and port while calls are under way.
    let own = TcpListener::bind(harmless)?;
    let harmless = own.local_addr()?;
    let words = |at: SocketAddr| {
        let bytes = endpoint::encode(at, libc::AF_INET);
        [0, 4].map(|from| u32::from_ne_bytes(bytes[from..from + 4].try_into().unwrap()))
    };
    let (good, bad) = (words(harmless), words(wanted));
    let memory: Arc<[AtomicU32; 4]> = Arc::new([good[0], good[1], 0, 0].map(AtomicU32::new));
    let stop = Arc::new(AtomicBool::new(false));
    let flipper = std::thread::spawn({
        let (memory, stop) = (Arc::clone(&memory), Arc::clone(&stop));
        move || {
            while !stop.load(Ordering::Relaxed) {
                for [first, second] in [bad, good] {
                    memory[0].store(first, Ordering::Relaxed);
                    memory[1].store(second, Ordering::Relaxed);
                }
            }
        }
    });
    let mut done = 0;
    for _ in 0..1500 {
        let socket: OwnedFd = socket::create(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0)?;
        // SAFETY: the memory is 16 bytes of atomics that outlive the call; the kernel copies them while another thread stores.
        let result = unsafe { libc::connect(std::os::fd::AsRawFd::as_raw_fd(&socket), memory.as_ptr().cast(), 16) };
        done += i32::from(result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EINPROGRESS));
        if result == 0 {
            let _ = socket::send_to(socket.as_fd(), b"hello", libc::MSG_DONTWAIT, &[]);
        }
        while own.set_nonblocking(true).is_ok() && own.accept().is_ok() {}
    }
    stop.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    Ok(format!("some={}", done > 0))
}
