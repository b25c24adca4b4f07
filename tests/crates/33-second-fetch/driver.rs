//! `cargo again`: an honest subcommand that tests, and then has cargo look at whatever packages lie below the target directory. With `unsaid` it
//! does not tell that cargo what it was told itself; with `listens` it talks to itself, as `cargo fix` does.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let has = |word: &str| words.iter().any(|known| known == word);
    let mut hidden: Vec<String> =
        std::env::vars().map(|(name, _)| name).filter(|name| name.contains("TOKEN") || name.contains("AUTH_SOCK")).collect();
    hidden.sort();
    println!("credentials: {hidden:?}");
    if has("listens") {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let address = listener.local_addr().unwrap();
        println!("itself: {}", TcpStream::connect(address).is_ok());
        let port: u16 = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
        println!("another: {}", TcpStream::connect(("127.0.0.1", port)).is_ok());
        println!("datagrams: {}", UdpSocket::bind("127.0.0.1:0").is_ok());
        println!("agent: {}", std::os::unix::net::UnixStream::connect(std::env::var("ZOO_PLACE").unwrap() + "/run/ssh-agent.sock").is_ok());
    }
    let cargo = std::env::var("CARGO").unwrap();
    let tested = Command::new(&cargo).arg("test").status().unwrap();
    println!("tested: {}", tested.success());
    let mut again = Command::new(&cargo);
    again.args(["fetch", "--manifest-path", "target/tmp/left/Cargo.toml"]);
    if has("unsaid") {
        again.env_remove("CARGO_NET_OFFLINE");
    }
    println!("again: {}", again.status().unwrap().success());
}
