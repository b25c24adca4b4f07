//! The line that is offered for a service of this machine is enough: put into `brig.toml`, what was refused passes, and nothing is found.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::thread;

use toml::Table;

use crate::finding::{expect_silence, violations};
use crate::honest::calm;
use crate::place::Place;
use crate::run::{Run, cargo, guarded};
use crate::unnoticed::{lines, merge};
use crate::who::Who;

/// Says to everybody what it is told; ends with the test.
fn echo<S: Read + Write + Send + 'static>(mut accept: impl FnMut() -> std::io::Result<S> + Send + 'static) {
    thread::spawn(move || {
        while let Ok(mut stream) = accept() {
            let mut word = [0; 4];
            // Who only connects has nothing to hear.
            let _ = stream.read_exact(&mut word).and_then(|()| stream.write_all(&word));
        }
    });
}

fn tcp(at: &str) -> String {
    let listener = TcpListener::bind(at).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    echo(move || listener.accept().map(|(stream, _)| stream));
    address
}

fn udp(at: &str) -> String {
    let socket = UdpSocket::bind(at).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut word = [0; 4];
        while let Ok((length, from)) = socket.recv_from(&mut word) {
            let _ = socket.send_to(&word[..length], from);
        }
    });
    address
}

/// Everybody's to talk to.
fn open_to_all(path: PathBuf) -> String {
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    path.display().to_string()
}

fn unix(place: &Place, name: &str) -> String {
    let path = place.path(name);
    fs::remove_file(&path).ok();
    let listener = UnixListener::bind(&path).unwrap();
    echo(move || listener.accept().map(|(stream, _)| stream));
    open_to_all(path)
}

fn datagrams(place: &Place, name: &str) -> String {
    let path = place.path(name);
    let socket = UnixDatagram::bind(&path).unwrap();
    thread::spawn(move || while socket.recv(&mut [0; 4]).is_ok() {});
    open_to_all(path)
}

/// What is offered for who does this; the rule it broke.
fn is_enough(place: &Place, (by, case, at): (&str, &str, &str), rule: &str) {
    // A script that has run before runs again for another time; nothing else is built again.
    let time = |name: &str| if by == "build-script" { format!("{name} {case} {at}") } else { String::new() };
    let run = |run: Run, name: &str| run.env("ZOO_WHO", by).env("ZOO_CASE", case).env("ZOO_AT", at).env("ZOO_TIME", time(name)).go();
    let args = ["test", "--offline", "--lib"];
    let what = format!("{case} {at} by {by}, as {:?}", place.who);
    run(cargo(place, &args), "plain").exits(0);
    let refused = run(guarded(place, &[], &args), "refused");
    refused.exits(100);
    assert!(violations(refused.report()).all(|finding| finding["rule"] == rule), "{what}\n{refused}");
    let mut file: Table = "version = 1\npolicy = \"mine\"\n".parse().unwrap();
    let offered = lines(&refused);
    for line in &offered {
        assert!(line.contains(&format!("{by}.extend-")), "{what}: {line}");
        merge(&mut file, line.parse().unwrap_or_else(|error| panic!("{line}: {error}")));
    }
    let config = place.workspace().join("brig.toml");
    place.write(&config, &file.to_string());
    let allowed = run(guarded(place, &[], &args), "allowed");
    assert_eq!(allowed.code, 0, "{what} with {offered:?}\n{allowed}");
    expect_silence(&allowed);
    fs::remove_file(config).unwrap();
}

fn place(who: Who) -> Place {
    let place = calm("reaches", OsStr::new("code"), who);
    fs::create_dir_all(place.path("services")).unwrap();
    place.hand_over();
    place
}

#[test]
fn for_connections_and_datagrams() {
    for who in Who::all() {
        let place = place(who);
        let tcp4 = tcp("127.0.0.1:0");
        let by_name = format!("localhost:{}", tcp4.rsplit_once(':').unwrap().1);
        let cases = [("tcp", tcp4), ("tcp", by_name), ("tcp", tcp("[::1]:0")), ("udp", udp("127.0.0.1:0"))];
        for by in ["build-script", "program"] {
            cases.iter().for_each(|(case, at)| is_enough(&place, (by, case, at), "net/connect"));
        }
    }
}

#[test]
fn for_sockets_with_a_path() {
    for who in Who::all() {
        let place = place(who);
        let cases = [
            ("unix", unix(&place, "services/zoo.sock")),
            ("datagram", datagrams(&place, "services/log.sock")),
            ("connected datagram", datagrams(&place, "services/log-4711.sock")),
            // What stands in SSH_AUTH_SOCK.
            ("unix", unix(&place, "run/ssh-agent.sock")),
        ];
        for by in ["build-script", "program"] {
            cases.iter().for_each(|(case, at)| is_enough(&place, (by, case, at), "ipc/agent"));
        }
    }
}
