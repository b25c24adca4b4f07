//! The cases.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cargo_brig::gate::net::dns;
use cargo_brig::model::{Act, Endpoint, Mode, Status};

use cargo_brig::sys::socket;

use crate::stage::{Stage, unconfined};

pub const ALL: &[(&str, fn())] = &[
    ("one_actor_meets_itself", one_actor_meets_itself),
    ("two_actors_do_not_meet", two_actors_do_not_meet),
    ("tcp_to_the_host_is_refused", tcp_to_the_host_is_refused),
    ("loopback_is_the_actors_own", loopback_is_the_actors_own),
    ("tcp_allowed_and_observed_reaches_it", tcp_allowed_and_observed_reaches_it),
    ("udp_to_the_host_is_refused", udp_to_the_host_is_refused),
    ("udp_allowed_is_relayed", udp_allowed_is_relayed),
    ("fast_open_is_a_connect", fast_open_is_a_connect),
    ("an_ended_connection_cannot_be_turned", an_ended_connection_cannot_be_turned),
    ("a_race_wins_nothing", a_race_wins_nothing),
    ("families", families),
    ("names_are_seen_and_refused", names_are_seen_and_refused),
    ("names_allowed_are_looked_up", names_allowed_are_looked_up),
    ("unix_sockets_are_judged_by_path", unix_sockets_are_judged_by_path),
    ("rights_are_passed", rights_are_passed),
    ("a_slow_peer_is_waited_for_elsewhere", a_slow_peer_is_waited_for_elsewhere),
    ("without_duplicates", without_duplicates),
    ("loopback_device", loopback_device),
    ("messages_outside_a_private_network", messages_outside_a_private_network),
    ("no_sockets", no_sockets),
    ("a_dead_broker_is_a_refusal", a_dead_broker_is_a_refusal),
];

/// A server on the host's loopback that counts visitors and answers `hello` with `from outside`.
struct Sink {
    at: String,
    visits: Arc<AtomicUsize>,
}

impl Sink {
    fn tcp(local: &str) -> Sink {
        let listener = TcpListener::bind(local).unwrap();
        let (at, visits) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&visits);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut text = String::new();
                let _ = stream.and_then(|mut stream| {
                    stream.read_to_string(&mut text)?;
                    stream.write_all(b"from outside")
                });
            }
        });
        Sink { at, visits }
    }

    fn udp(local: &str) -> Sink {
        let socket = UdpSocket::bind(local).unwrap();
        let (at, visits) = (socket.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&visits);
        std::thread::spawn(move || {
            let mut buffer = [0; 100];
            while let Ok((_, from)) = socket.recv_from(&mut buffer) {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = socket.send_to(b"from outside", from);
            }
        });
        Sink { at, visits }
    }

    /// Visits since the last time it was asked. What was sent over loopback has arrived; its thread may need a moment.
    fn visits(&self) -> usize {
        std::thread::sleep(Duration::from_millis(50));
        self.visits.swap(0, Ordering::SeqCst)
    }
}

fn one_actor_meets_itself() {
    let stage = Stage::enforce(&[]);
    assert_eq!(stage.play(&["meet"]), "ok met");
    assert_eq!(stage.sockets.kind(), "private-network");
    assert!(stage.seen(Status::Refused).is_empty(), "{:?}", stage.seen(Status::Refused));
    assert_eq!(unconfined(&["meet"]), "ok met");
}

fn two_actors_do_not_meet() {
    let stage = Arc::new(Stage::enforce(&[]));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("at");
    let first: JoinHandle<String> = std::thread::spawn({
        let (stage, path) = (Arc::clone(&stage), path.to_str().unwrap().to_string());
        move || stage.play(&["wait-for", &path])
    });
    let at = loop {
        match std::fs::read_to_string(&path) {
            Ok(at) => break at,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!(stage.play(&["tcp", &at]), "EACCES");
    assert_eq!(unconfined(&["tcp", &at]), "ECONNREFUSED", "nor does the host see it");
    assert_eq!(first.join().unwrap(), "ok alone");
}

fn tcp_to_the_host_is_refused() {
    for (local, scene) in [("127.0.0.1:0", "tcp"), ("127.0.0.1:0", "tcp-nonblocking"), ("[::1]:0", "tcp"), ("127.0.0.1:0", "mapped")] {
        let sink = Sink::tcp(local);
        let stage = Stage::enforce(&[]);
        assert_eq!(stage.play(&[scene, &sink.at]), "EACCES", "{scene} {local}");
        assert_eq!(sink.visits(), 0);
        let to = Endpoint::Ip { protocol: "tcp".into(), address: sink.at.parse().unwrap(), host: None };
        assert_eq!(stage.seen(Status::Refused), [Act::Connect { to }]);
        assert_eq!(unconfined(&[scene, &sink.at]), "ok from outside");
        assert_eq!(sink.visits(), 1);
    }
    // Documentation addresses (RFC 5737, 3849): nothing is sent.
    for far in ["192.0.2.1:443", "[2001:db8::1]:443", "169.254.169.254:80"] {
        assert_eq!(Stage::enforce(&[]).play(&["tcp", far]), "EACCES");
    }
}

/// `connect = ["loopback"]`, which test programs have: their own servers, not the services of this machine.
fn loopback_is_the_actors_own() {
    let (sink, datagrams) = (Sink::tcp("127.0.0.1:0"), Sink::udp("127.0.0.1:0"));
    let port = sink.at.rsplit_once(':').unwrap().1.to_owned();
    let mut observed_visits = 0;
    for at in [sink.at.clone(), format!("0.0.0.0:{port}"), format!("127.9.9.9:{port}")] {
        for scene in ["tcp", "tcp-nonblocking", "fast-open-option"] {
            let stage = Stage::enforce(&["loopback"]);
            // Nobody is met at an address the service does not listen on.
            let elsewhere = at.starts_with("127.9");
            assert_eq!(stage.play(&[scene, &at]), if elsewhere { "ECONNREFUSED" } else { "EACCES" }, "{scene} {at}");
            assert_eq!(stage.seen(Status::Refused).len(), usize::from(!elsewhere), "{scene} {at}: a service of the host's is recorded");
            if !elsewhere {
                let observed = Stage::observing(&["loopback"]);
                assert_eq!(observed.play(&[scene, &at]), "ok from outside", "{scene} {at}");
                assert_eq!(observed.seen(Status::Observed).len(), 1, "{scene} {at}");
                observed_visits += 1;
            }
        }
    }
    for scene in ["udp-blind", "udp-connected"] {
        assert_ne!(Stage::enforce(&["loopback"]).play(&[scene, &datagrams.at]), "ok from outside", "{scene}");
    }
    assert_eq!((sink.visits(), datagrams.visits()), (observed_visits, 0));
    assert!(Stage::enforce(&["loopback"]).play(&["meet"]).starts_with("ok"));
    assert_eq!(unconfined(&["tcp", &sink.at]), "ok from outside");
    assert_eq!(sink.visits(), 1);
}

fn tcp_allowed_and_observed_reaches_it() {
    let sink = Sink::tcp("127.0.0.1:0");
    for scene in ["tcp", "tcp-nonblocking", "mapped", "fast-open-option"] {
        assert_eq!(Stage::enforce(&[&sink.at]).play(&[scene, &sink.at]), "ok from outside", "{scene}");
        let observed = Stage::observe();
        assert_eq!(observed.play(&[scene, &sink.at]), "ok from outside", "{scene}");
        assert_eq!(observed.seen(Status::Observed).len(), 1);
        assert_eq!(sink.visits(), 2);
    }
    let options = Stage::enforce(&[&sink.at]).play(&["tcp-options", &sink.at]);
    assert_eq!(options, "ok nodelay=1 cloexec-and-blocking=true peer=true");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(Stage::observe().play(&["tcp", &closed]), "ECONNREFUSED", "the real outcome is passed on");
}

fn udp_to_the_host_is_refused() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let sink = Sink::udp(local);
        for scene in ["udp", "udp-connected", "udp-blind"] {
            let stage = Stage::enforce(&[]);
            assert_eq!(stage.play(&[scene, &sink.at]), "EACCES", "{scene} {local}");
            assert_eq!(stage.seen(Status::Refused).len(), 1);
            assert_eq!(sink.visits(), 0);
            assert!(unconfined(&[scene, &sink.at]).starts_with("ok"));
            assert_eq!(sink.visits(), 1);
        }
    }
    assert_eq!(Stage::enforce(&[]).play(&["udp-blind", "192.0.2.1:9"]), "EACCES");
}

fn udp_allowed_is_relayed() {
    let sink = Sink::udp("127.0.0.1:0");
    for stage in [Stage::enforce(&[&sink.at]), Stage::observe()] {
        assert_eq!(stage.play(&["udp", &sink.at]), format!("ok from outside from {}", sink.at));
        assert_eq!(stage.play(&["udp-connected", &sink.at]), "ok from outside");
        assert_eq!(sink.visits(), 2);
        let status = if stage.mode == Mode::Observe { Status::Observed } else { Status::Allowed };
        let to = Endpoint::Ip { protocol: "udp".into(), address: sink.at.parse().unwrap(), host: None };
        let seen = stage.seen(status);
        assert!(seen.contains(&Act::Send { to: to.clone() }), "{seen:?}");
        assert!(seen.contains(&Act::Connect { to }), "{seen:?}");
    }
}

fn fast_open_is_a_connect() {
    let sink = Sink::tcp("127.0.0.1:0");
    for (scene, to) in [("fast-open", sink.at.as_str()), ("fast-open-option", &sink.at), ("fast-open", "192.0.2.1:443")] {
        let stage = Stage::enforce(&[]);
        assert_eq!(stage.play(&[scene, to]), "EACCES", "{scene} {to}");
        let to = Endpoint::Ip { protocol: "tcp".into(), address: to.parse().unwrap(), host: None };
        assert_eq!(stage.seen(Status::Refused), [Act::Connect { to }]);
    }
    // Where it may go, it is told to connect in the ordinary way.
    assert_eq!(Stage::enforce(&[&sink.at]).play(&["fast-open", &sink.at]), "EOPNOTSUPP");
    assert_eq!(sink.visits(), 0);
    assert!(unconfined(&["fast-open", &sink.at]).starts_with("ok"));
    assert_eq!(sink.visits(), 1);
}

fn an_ended_connection_cannot_be_turned() {
    let (allowed, other) = (Sink::tcp("127.0.0.1:0"), Sink::tcp("127.0.0.1:0"));
    assert_eq!(Stage::enforce(&[&allowed.at]).play(&["reconnect", &allowed.at, &other.at]), "EACCES");
    assert_eq!(other.visits(), 0);
    assert_eq!(unconfined(&["reconnect", &allowed.at, &other.at]), "ok from outside");
    assert_eq!(other.visits(), 1);
}

fn a_race_wins_nothing() {
    let sink = Sink::tcp("127.0.0.1:0");
    assert_eq!(Stage::enforce(&[]).play(&["race", "127.0.0.1:0", &sink.at]), "ok some=true");
    assert_eq!(sink.visits(), 0);
    assert_eq!(unconfined(&["race", "127.0.0.1:0", &sink.at]), "ok some=true");
    assert!(sink.visits() > 0, "the race is real");
}

fn families() {
    let stage = Stage::enforce(&[]);
    let said = stage.play(&["families"]);
    assert_eq!(
        said,
        "ok mptcp=EACCES sctp=EACCES icmp=EACCES raw=EACCES packet=EACCES vsock=EACCES alg=EACCES audit=EACCES unix=ok route=ok tcp6=ok"
    );
    assert_eq!(stage.seen(Status::Refused).len(), 8);
    assert!(unconfined(&["families"]).contains("mptcp=ok"), "MPTCP exists on this kernel: {}", unconfined(&["families"]));
}

fn lookups(stage: &Stage, status: Status) -> Vec<String> {
    let name = |act| match act {
        Act::Lookup { name, .. } => Some(name.to_json_text()),
        _ => None,
    };
    stage.seen(status).into_iter().filter_map(name).collect()
}

fn names_are_seen_and_refused() {
    for scene in ["dns", "dns-tcp"] {
        for server in ["192.0.2.53:53", "127.0.0.53:53", "[2001:db8::53]:53"] {
            let stage = Stage::enforce(&[]);
            assert_eq!(stage.play(&[scene, server, "canary-1234.example"]), "ok rcode=5", "{scene} {server}");
            let times = if scene == "dns" { 2 } else { 1 };
            assert_eq!(lookups(&stage, Status::Refused), vec!["canary-1234.example"; times]);
        }
    }
    // Through libc, with this machine's own resolv.conf: fails at once, and the name is in the record.
    if std::fs::read_to_string("/etc/resolv.conf").is_ok_and(|text| text.contains("nameserver")) {
        let stage = Stage::enforce(&[]);
        assert_eq!(stage.play(&["look-up", "canary-5678.example"]), "ok none quick=true");
        assert!(lookups(&stage, Status::Refused).contains(&"canary-5678.example".to_string()), "{:?}", stage.seen(Status::Refused));
    }
}

/// A name server of the host that knows one address for every name. Port 53 takes root.
fn name_server(at: &str) -> Option<Arc<AtomicUsize>> {
    let socket = UdpSocket::bind(at).ok()?;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut answer = dns::bare(&buffer[..length]).unwrap();
            answer[2] |= 0x80;
            answer[7] = 1;
            answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01");
            let _ = socket.send_to(&answer, from);
        }
    });
    Some(asked)
}

fn names_allowed_are_looked_up() {
    let server = "127.0.0.77:53";
    let Some(asked) = name_server(server) else {
        println!("  (skipped: port 53 takes root)");
        return;
    };
    let sink = Sink::tcp("127.0.0.1:0");
    let port = sink.at.parse::<SocketAddr>().unwrap().port().to_string();
    let by_name = format!("good.example:{port}");
    let stage = Stage::enforce(&[&by_name]);
    assert_eq!(stage.play(&["dns", server, "evil.example"]), "ok rcode=5");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a refused name never reaches the name server");
    assert_eq!(stage.play(&["tcp", &sink.at]), "EACCES", "the address alone is not allowed");
    assert_eq!(stage.play(&["look-up-and-connect", server, "good.example", &port]), "ok from outside");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let observed = Stage::observe();
    assert_eq!(observed.play(&["dns", server, "any.example"]), "ok rcode=0 127.0.0.1");
    assert_eq!(lookups(&observed, Status::Observed).len(), 2);
}

fn unix_sockets_are_judged_by_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.sock");
    let text = path.to_str().unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.and_then(|mut stream| {
                stream.read_exact(&mut [0; 5])?;
                stream.write_all(b"agent")
            });
        }
    });
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let stage = Stage::enforce(&[]);
    for way in [text, link.to_str().unwrap()] {
        assert_eq!(stage.play(&["unix", way]), "EACCES");
        assert_eq!(unconfined(&["unix", way]), "ok agent");
    }
    assert_eq!(visits.load(Ordering::SeqCst), 2, "only the controls came through");
    let to = Endpoint::UnixPath { path: path.as_path().into() };
    assert_eq!(stage.seen(Status::Refused), vec![Act::Connect { to }; 2], "the real path is what is recorded");
    let mut allowing = Stage::enforce(&[]);
    allowing.unix = vec![directory.path().to_owned()];
    assert_eq!(allowing.play(&["unix", link.to_str().unwrap()]), "ok agent");
    allowing.write = vec![directory.path().to_owned()];
    assert_eq!(allowing.play(&["unix-own", directory.path().to_str().unwrap()]), "ok own");
    assert_eq!(Stage::enforce(&[]).play(&["unix", "/nonexistent/socket"]), "ENOENT");

    let datagrams = directory.path().join("log.sock");
    let receiver = UnixDatagram::bind(&datagrams).unwrap();
    receiver.set_nonblocking(true).unwrap();
    let text = datagrams.to_str().unwrap();
    assert_eq!(Stage::enforce(&[]).play(&["unix-datagram", text]), "EACCES");
    assert!(receiver.recv(&mut [0; 8]).is_err());
    assert_eq!(allowing.play(&["unix-datagram", text]), "ok");
    assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 5);
}

fn rights_are_passed() {
    assert_eq!(Stage::enforce(&[]).play(&["rights"]), "ok true");
}

/// A listener whose queue is full answers only after it was emptied: the gate must go on serving meanwhile.
fn a_slow_peer_is_waited_for_elsewhere() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    socket::listen(listener.as_fd(), 0).unwrap();
    let at = listener.local_addr().unwrap();
    let filler = TcpStream::connect(at).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(filler);
        for stream in listener.incoming() {
            let mut text = String::new();
            let _ = stream.and_then(|mut stream| {
                stream.read_to_string(&mut text)?;
                stream.write_all(b"from outside")
            });
        }
    });
    assert_eq!(Stage::enforce(&[&at.to_string()]).play(&["tcp", &at.to_string()]), "ok from outside");
}

/// Everything below runs with the means lowered by the environment; tests run one after another in this binary.
fn lowered(to: &str, test: impl FnOnce() + std::panic::UnwindSafe) {
    // SAFETY: the only other threads of this process are sinks, which never look at the environment.
    unsafe { std::env::set_var("BRIG_TEST_SOCKETS", to) };
    let outcome = std::panic::catch_unwind(test);
    // SAFETY: as above.
    unsafe { std::env::remove_var("BRIG_TEST_SOCKETS") };
    outcome.unwrap();
}

fn loopback_device() {
    lowered("loopback-device", || {
        let stage = Stage::enforce(&[]);
        assert_eq!(stage.play(&["meet"]), "ok met");
        assert_eq!(stage.sockets.kind(), "loopback-device");
        let (tcp, udp) = (Sink::tcp("127.0.0.1:0"), Sink::udp("127.0.0.1:0"));
        assert_eq!(stage.play(&["tcp", &tcp.at]), "EACCES");
        assert_eq!(stage.play(&["udp", &udp.at]), "EACCES");
        assert_eq!(stage.play(&["udp-connected", &udp.at]), "EACCES");
        assert_eq!((tcp.visits(), udp.visits()), (0, 0));
        let allowing = Stage::enforce(&[&tcp.at, &udp.at]);
        assert_eq!(allowing.play(&["tcp", &tcp.at]), "ok from outside");
        assert_eq!(allowing.play(&["udp", &udp.at]), format!("ok from outside from {}", udp.at));
        let undone = stage.play(&["bind-device", "192.0.2.1:9"]);
        let expected = if nix::unistd::geteuid().is_root() { "ok undone EACCES" } else { "ok EPERM EACCES" };
        assert_eq!(undone, expected, "a user cannot undo the binding; root can, and the connect is judged all the same");
        let observed = Stage::observe();
        assert_eq!(observed.play(&["tcp", &tcp.at]), "ok from outside");
        assert_eq!(observed.play(&["udp", &udp.at]), format!("ok from outside from {}", udp.at));
        assert_eq!(observed.seen(Status::Observed).len(), 2);
    });
}

/// What a message itself says cannot take it past the device its socket is bound to, nor to another of the host's services.
fn messages_outside_a_private_network() {
    let whole = "ok 5 named 5 named 5 named 6 one two 9 connected 5 7 first second!";
    assert_eq!(unconfined(&["messages"]), whole);
    // Routes are for whoever may make raw packets (net/ipv4/ip_options.c), devices are for everybody.
    let routes = if nix::unistd::geteuid().is_root() { 0 } else { 2 };
    assert_eq!(unconfined(&["steered"]).matches("EPERM").count(), routes);
    assert_eq!(Stage::enforce(&[]).play(&["messages"]), whole, "in a private network");
    let sink = Sink::udp("127.0.0.1:0");
    let wins = |_| unconfined(&["message-race", &sink.at]) == "ok some=true" && sink.visits() > 0;
    assert!((0..20).any(wins), "the race is one that can be won");
    lowered("loopback-device", || {
        assert_eq!(Stage::enforce(&[]).play(&["messages"]), whole);
        let stage = Stage::enforce(&[]);
        assert_eq!(stage.play(&["steered"]), "ok EPERM EPERM EPERM EPERM");
        let told = |act: &Act| matches!(act, Act::Tamper { call, .. } if call == "sendmsg");
        assert_eq!(stage.seen(Status::Refused).iter().filter(|act| told(act)).count(), 4);
        assert_eq!(Stage::enforce(&[]).play(&["message-race", &sink.at]), "ok some=true");
        assert_eq!(sink.visits(), 0);
    });
}

fn without_duplicates() {
    lowered("no-duplicates", || {
        assert_eq!(Stage::enforce(&[]).play(&["meet"]), "ok met");
        let (tcp, udp) = (Sink::tcp("127.0.0.1:0"), Sink::udp("127.0.0.1:0"));
        for scene in ["tcp", "tcp-nonblocking", "mapped"] {
            assert_eq!(Stage::enforce(&[]).play(&[scene, &tcp.at]), "EACCES", "{scene}");
            assert_eq!(Stage::enforce(&[&tcp.at]).play(&[scene, &tcp.at]), "ok from outside", "{scene}");
        }
        assert_eq!(tcp.visits(), 3);
        assert_eq!(Stage::enforce(&[]).play(&["udp-connected", &udp.at]), "EACCES");
        assert_eq!(Stage::enforce(&[&udp.at]).play(&["udp-connected", &udp.at]), "ok from outside");
        assert_eq!(Stage::enforce(&[]).play(&["race", "127.0.0.1:0", &tcp.at]), "ok some=true");
        assert_eq!(tcp.visits(), 0);
        let directory = tempfile::tempdir().unwrap();
        let mut allowing = Stage::enforce(&[]);
        allowing.unix = vec![directory.path().to_owned()];
        allowing.write = vec![directory.path().to_owned()];
        assert_eq!(allowing.play(&["unix-own", directory.path().to_str().unwrap()]), "ok own");
    });
}

fn no_sockets() {
    lowered("no-sockets", || {
        let stage = Stage::enforce(&["*"]);
        assert_eq!(stage.play(&["tcp", "127.0.0.1:9"]), "EACCES");
        assert_eq!(stage.sockets.kind(), "no-sockets");
        assert!(matches!(stage.seen(Status::Refused)[..], [Act::Socket { .. }]));
        assert_eq!(stage.play(&["rights"]), "ok true");
    });
}

/// The broker is our only child at that moment; it is found by its argument and killed by its number.
fn a_dead_broker_is_a_refusal() {
    let stage = Stage::enforce(&["*"]);
    assert_eq!(stage.play(&["meet"]), "ok met");
    let mut brokers: Vec<i32> = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let parent = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = parent.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().nth(1)?.parse::<u32>().ok());
        let cmdline = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if parent == Some(std::process::id()) && cmdline.windows(14).any(|part| part == b"__brig-sockets") {
            brokers.push(pid);
        }
    }
    assert!(!brokers.is_empty());
    for pid in brokers {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    }
    let sink = Sink::tcp("127.0.0.1:0");
    assert_eq!(stage.play(&["tcp", &sink.at]), "EPERM");
    assert_eq!(sink.visits(), 0);
}
