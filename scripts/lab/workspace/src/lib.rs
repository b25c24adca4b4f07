//! What honest tests do with a kernel: sockets of every kind, children, files, memory files, terminals, signals.

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::FromRawFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
    use std::process::Command;
    use std::sync::atomic::{AtomicU32, Ordering};

    extern "C" {
        fn memfd_create(name: *const std::ffi::c_char, flags: u32) -> i32;
        fn posix_openpt(flags: i32) -> i32;
        fn grantpt(fd: i32) -> i32;
        fn unlockpt(fd: i32) -> i32;
        fn ptsname_r(fd: i32, name: *mut std::ffi::c_char, length: usize) -> i32;
        fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
        fn raise(number: i32) -> i32;
    }

    /// A directory of this run's own.
    fn place() -> std::path::PathBuf {
        let place = std::env::temp_dir().join(format!("ground-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        place
    }

    #[test]
    fn tcp() {
        for host in ["127.0.0.1", "localhost"] {
            let listener = TcpListener::bind((host, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let other = std::thread::spawn(move || TcpStream::connect((host, port)).unwrap().write_all(b"hi").unwrap());
            let mut heard = String::new();
            listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
            other.join().unwrap();
            assert_eq!(heard, "hi");
        }
    }

    #[test]
    fn udp() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        a.send_to(b"x", b.local_addr().unwrap()).unwrap();
        let mut message = [0; 4];
        assert_eq!(b.recv(&mut message).unwrap(), 1);
        a.connect(b.local_addr().unwrap()).unwrap();
        a.send(b"yy").unwrap();
        assert_eq!(b.recv(&mut message).unwrap(), 2);
    }

    #[test]
    fn unix_stream() {
        let path = place().join("t.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let other = std::thread::spawn(move || UnixStream::connect(path).unwrap().write_all(b"hi").unwrap());
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        other.join().unwrap();
        assert_eq!(heard, "hi");
    }

    #[test]
    fn unix_datagram() {
        let path = place().join("t.dgram");
        let socket = UnixDatagram::bind(&path).unwrap();
        UnixDatagram::unbound().unwrap().send_to(b"x", &path).unwrap();
        assert_eq!(socket.recv(&mut [0; 4]).unwrap(), 1);
    }

    #[test]
    fn unix_abstract() {
        let name = SocketAddr::from_abstract_name(format!("ground-{}", std::process::id())).unwrap();
        let listener = UnixListener::bind_addr(&name).unwrap();
        UnixStream::connect_addr(&name).unwrap().write_all(b"x").unwrap();
        let mut heard = String::new();
        listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "x");
    }

    #[test]
    fn children() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(Command::new("sh").args(["-c", "echo from a child"]).output().unwrap().stdout, b"from a child\n");
    }

    #[test]
    fn files() {
        let path = place().join("f");
        fs::write(&path, "12345").unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"12");
        fs::create_dir_all(place().join("d/e")).unwrap();
        fs::rename(&path, place().join("d/e/f")).unwrap();
        fs::set_permissions(place().join("d/e/f"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    #[test]
    fn memory_files() {
        // MFD_CLOEXEC; the same that may be sealed.
        for flags in [1, 3] {
            let fd = unsafe { memfd_create(c"ground".as_ptr(), flags) };
            assert!(fd >= 0, "memfd_create({flags}): {}", std::io::Error::last_os_error());
            unsafe { File::from_raw_fd(fd) }.write_all(b"some").unwrap();
        }
    }

    #[test]
    fn terminals() {
        // O_RDWR | O_NOCTTY
        let fd = unsafe { posix_openpt(0o402) };
        assert!(fd >= 0, "posix_openpt: {}", std::io::Error::last_os_error());
        let mut name = [0u8; 64];
        unsafe {
            assert_eq!((grantpt(fd), unlockpt(fd)), (0, 0));
            assert_eq!(ptsname_r(fd, name.as_mut_ptr().cast(), name.len()), 0);
        }
        let name = std::ffi::CStr::from_bytes_until_nul(&name).unwrap().to_str().unwrap();
        let mut other = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut master = unsafe { File::from_raw_fd(fd) };
        other.write_all(b"x").unwrap();
        let mut heard = [0];
        master.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"x");
    }

    static CAUGHT: AtomicU32 = AtomicU32::new(0);
    extern "C" fn caught(_: i32) {
        CAUGHT.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn signals() {
        // SIGUSR1
        unsafe { signal(10, caught) };
        for _ in 0..100 {
            unsafe { raise(10) };
        }
        assert_eq!(CAUGHT.load(Ordering::SeqCst), 100);
        assert!(fs::read("Cargo.toml").is_ok());
    }
}
