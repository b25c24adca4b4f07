//! Tests as people write them: servers on loopback, temporary files, child processes, documentation that runs.

/// Doubles.
///
/// ```
/// let dir = std::env::temp_dir();
/// assert!(dir.is_dir());
/// assert_eq!(app::double(2), 4);
/// ```
pub fn double(x: u32) -> u32 {
    2 * x
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::process::Command;
    use std::thread;

    #[test]
    fn client_meets_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
        let mut text = String::new();
        TcpStream::connect(address).unwrap().read_to_string(&mut text).unwrap();
        server.join().unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn client_meets_server_by_name() {
        let listener = TcpListener::bind("localhost:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
        let mut stream = TcpStream::connect(("localhost", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        server.join().unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn datagrams_arrive() {
        let (one, two) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        one.send_to(b"ping", two.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(two.recv(&mut buffer).unwrap(), 4);
    }

    #[test]
    fn unix_sockets_in_a_temporary_directory() {
        let path = std::env::temp_dir().join(format!("zoo-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
        let mut text = String::new();
        UnixStream::connect(&path).unwrap().read_to_string(&mut text).unwrap();
        server.join().unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn children_run() {
        let output = Command::new("sh").args(["-c", "echo $0 | cat", "hello"]).output().unwrap();
        assert_eq!(output.stdout, b"hello\n");
        assert!(Command::new("zoo-no-such-program").status().is_err());
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn temporary_files() {
        let dir = std::env::temp_dir().join(format!("zoo-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("file"), "text").unwrap();
        assert_eq!(fs::read_to_string(dir.join("file")).unwrap(), "text");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn fixtures_are_read() {
        assert_eq!(fs::read_to_string("tests/data.txt").unwrap(), "data\n");
        assert!(fs::read_to_string("/proc/self/status").unwrap().contains("Pid:"));
    }
}
