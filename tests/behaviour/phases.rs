//! Fetch and build are two phases: in the first cargo has the network and the user's credentials, in the second neither. A registry on loopback
//! that wants a token, and a sink to which a second fetch would carry something (row D20).

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::effect::spilled;
use crate::habits::registries::pack;
use crate::habits::{configure, depend, done, place};
use crate::place::{Place, toolchain};
use crate::run::{Outcome, bare, cargo, guarded};
use crate::sink::Door;
use crate::who::Who;

/// A sparse registry with one crate, for those who have the token.
struct Registry {
    port: u16,
    /// What was asked for, and whether with the token.
    asked: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Registry {
    fn open(place: &Place, token: &str) -> Registry {
        let dir = place.path("home/registry");
        let line = pack(place, &dir);
        let package = fs::read(dir.join("given-0.1.0.crate")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let port = listener.local_addr().unwrap().port();
        let registry = Registry { port, asked: Arc::default() };
        let (asked, token) = (Arc::clone(&registry.asked), token.to_owned());
        thread::spawn(move || {
            for mut guest in listener.incoming().flatten() {
                let request = request(&mut guest);
                let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
                let known = request.lines().any(|line| {
                    line.split_once(": ").is_some_and(|(name, value)| name.eq_ignore_ascii_case("authorization") && value == token)
                });
                let config = format!("{{\"dl\":\"http://127.0.0.1:{port}/dl\",\"auth-required\":true}}");
                let (status, body) = match path.as_str() {
                    _ if !known => ("401 Unauthorized", Vec::new()),
                    "/config.json" => ("200 OK", config.into_bytes()),
                    "/gi/ve/given" => ("200 OK", line.clone().into_bytes()),
                    "/dl/given/0.1.0/download" => ("200 OK", package.clone()),
                    _ => ("404 Not Found", Vec::new()),
                };
                asked.lock().unwrap().push((path, known));
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                guest.write_all(&[head.as_bytes(), &body].concat()).ok();
            }
        });
        registry
    }

    fn asked(&self) -> Vec<(String, bool)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn request(guest: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while !text.ends_with(b"\r\n\r\n") {
        match guest.read(&mut buffer) {
            Ok(length @ 1..) => text.extend_from_slice(&buffer[..length]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn phases(outcome: &Outcome) -> (bool, bool, u64) {
    let phases = &outcome.report()["run"]["phases"];
    let is = |name: &str| phases[name].as_bool().unwrap_or_else(|| panic!("no {name}: {phases}"));
    (is("fetched"), is("offline"), phases["wanted"].as_u64().unwrap())
}

#[test]
fn the_registry_is_asked_in_the_first_phase_only() {
    for who in Who::all() {
        let place = place(who);
        let token = format!("{}-registry", place.canary);
        // It keeps what it sees of its environment.
        let script = place.workspace().join("given/build.rs");
        let text = fs::read_to_string(&script).unwrap();
        let body = text.find("fn main() {").unwrap() + "fn main() {".len();
        let keeps = "\n    std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/seen\", format!(\"{:?}\", std::env::vars())).unwrap();";
        fs::write(&script, [&text[..body], keeps, &text[body..]].concat()).unwrap();
        let registry = Registry::open(&place, &token);
        configure(&place, &format!("[registries.zoo]\nindex = \"sparse+http://127.0.0.1:{}/\"\n", registry.port));
        place.write(&place.path("home/.cargo/config.toml"), "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n");
        depend(&place, "given = { version = \"0.1\", registry = \"zoo\" }");
        let run = |brig: bool, args: &[&str]| {
            let run = if brig { guarded(&place, &[], args) } else { cargo(&place, args) };
            run.env("CARGO_REGISTRIES_ZOO_TOKEN", &token).go()
        };
        let forget = || {
            for path in ["home/.cargo/registry", "home/code/target", "home/code/Cargo.lock"] {
                let path = place.path(path);
                fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).ok();
            }
            fs::create_dir(place.path("home/.cargo/registry")).unwrap();
        };
        let plain = run(false, &["run"]);
        plain.exits(0);
        let asked = registry.asked();
        assert!(asked.contains(&("/dl/given/0.1.0/download".into(), true)), "{asked:?}\n{plain}");
        assert!(!spilled(&place, &plain).is_empty(), "plain cargo hands its environment on");

        forget();
        let brig = run(true, &["run"]);
        brig.exits(0);
        let asked = registry.asked();
        assert!(asked.contains(&("/dl/given/0.1.0/download".into(), true)), "{asked:?}\n{brig}");
        assert_eq!(phases(&brig), (true, true, 0), "{brig}");
        // Only the repository says where that is.
        const TOLD: &str = "your token CARGO_REGISTRIES_ZOO_TOKEN goes where this repository says";
        assert!(brig.stderr_text().contains(TOLD) && brig.report()["enforcement"].to_string().contains(TOLD), "{brig}");
        assert_eq!(spilled(&place, &brig), Vec::<String>::new(), "{brig}");
        let withheld = brig.report()["actors"].as_array().unwrap().iter().filter(|actor| actor["kind"] == "build-script");
        for actor in withheld {
            assert!(actor["withheld"].as_array().unwrap().contains(&Value::from("CARGO_REGISTRIES_ZOO_TOKEN")), "{actor}");
        }
        // All is there: nobody is asked, and cargo knows no token. The same with a lock file that has to be written anew.
        place.clean();
        let brig = run(true, &["test"]);
        brig.exits(0);
        assert_eq!((phases(&brig), registry.asked()), ((false, true, 0), Vec::new()), "{brig}");
        assert!(!brig.stderr_text().contains(TOLD), "{brig}");
        // Typed: nothing is fetched, and cargo says what is missing, once.
        forget();
        let brig = run(true, &["build", "--offline"]);
        brig.exits(101);
        assert_eq!((phases(&brig), registry.asked()), ((false, true, 0), Vec::new()), "{brig}");
        assert_eq!(brig.stderr_text().matches("error: ").count(), 1, "{brig}");
        // What cannot be fetched fails as cargo fails, and nothing is built.
        let brig = guarded(&place, &[], &["build"]).env("CARGO_REGISTRIES_ZOO_TOKEN", "another").env("CARGO_NET_RETRY", "0").go();
        brig.exits(101);
        assert_eq!(brig.stderr_text().matches("error: ").count(), 1, "{brig}");
        assert_eq!(brig.report()["outcome"]["verdict"], "not-run", "{brig}");
        // A profile may leave it all to cargo, which is told.
        place.write(
            &place.workspace().join("brig.toml"),
            "version = 1\n[profile.mine]\ninherits = \"default\"\ncargo = { network = \"always\" }\n",
        );
        let brig = guarded(&place, &["--policy", "mine"], &["run"]).env("CARGO_REGISTRIES_ZOO_TOKEN", &token).go();
        brig.exits(0);
        assert_eq!(phases(&brig), (false, false, 0), "{brig}");
        assert!(brig.stderr_text().contains("cargo has the network while it builds"), "{brig}");
        assert!(brig.stderr_text().contains("cargo network always"), "{brig}");
        // The user says the same.
        forget();
        let index = format!("[registries.zoo]\nindex = \"sparse+http://127.0.0.1:{}/\"\n", registry.port);
        place.write(&place.path("home/.cargo/config.toml"), &format!("{index}credential-provider = \"cargo:token\"\n"));
        let brig = run(true, &["run"]);
        assert!(phases(brig.exits(0)) == (true, true, 0) && !brig.stderr_text().contains(TOLD), "{brig}");
    }
}

/// A registry the user knows by its name, at another address or by a proxy of the repository's: cargo sends the user's token there.
#[test]
fn the_repository_does_not_say_where_credentials_go() {
    for who in Who::all() {
        let place = place(who);
        let token = format!("{}-registry", place.canary);
        let registry = Registry::open(&place, &token);
        depend(&place, "given = { version = \"0.1\", registry = \"zoo\" }");
        let users = "[registries.zoo]\nindex = \"sparse+http://zoo.invalid/\"\ncredential-provider = \"cargo:token\"\n";
        place.write(&place.path("home/.cargo/config.toml"), users);
        let proxy = format!("http://127.0.0.1:{}", registry.port);
        for (configuration, key, variable, value) in [
            (
                format!("[registries.zoo]\nindex = \"sparse+{proxy}/\"\n"),
                "registries.zoo.index",
                "CARGO_REGISTRIES_ZOO_INDEX",
                format!("sparse+{proxy}/"),
            ),
            (format!("[http]\nproxy = {proxy:?}\n"), "http.proxy", "CARGO_HTTP_PROXY", proxy.clone()),
        ] {
            let fetch = |brig: bool, args: &[&str]| {
                fs::remove_dir_all(place.path("home/.cargo/registry")).ok();
                fs::remove_file(place.workspace().join("Cargo.lock")).ok();
                let run = if brig { guarded(&place, &[], args) } else { cargo(&place, args) };
                run.env("CARGO_REGISTRIES_ZOO_TOKEN", &token).env("CARGO_NET_RETRY", "0").compared()
            };
            let told = || registry.asked().iter().any(|(_, known)| *known);
            configure(&place, "include = [\"more.toml\"]\n");
            place.write(&place.workspace().join(".cargo/more.toml"), &configuration);
            let plain = fetch(false, &["fetch"]).go();
            assert!(told(), "plain cargo tells the token: {plain}");
            for args in [&["fetch"][..], &["build"]] {
                let brig = fetch(true, args).go();
                brig.exits(96);
                let said = brig.stderr_text();
                assert!(said.contains(&format!("`{key}`")) && said.contains("more.toml") && said.contains(variable), "{brig}");
                assert!(registry.asked().is_empty(), "{brig}");
            }
            // Where nothing is fetched there is no credential; and what the user says is obeyed.
            fetch(true, &["build", "--offline"]).go().exits(101);
            let brig = fetch(true, &["fetch"]).env(variable, value).go();
            assert!(brig.code == plain.code && told(), "{brig}");
        }
    }
}

/// The harm: a test leaves a package where tests may write, and a cargo that comes by later fetches what its address says.
#[test]
fn a_second_fetch_reaches_nobody() {
    for who in Who::all() {
        let place = Place::new("33-second-fetch", who);
        let program = place.path("home/.cargo/bin/cargo-again");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let (rustc, source) = (toolchain().join("bin/rustc"), place.workspace().join("driver.rs"));
        let command = [rustc.to_str().unwrap(), "--edition=2024", "-o", program.to_str().unwrap(), source.to_str().unwrap()];
        done(&place, &place.path("run"), &command);
        let carried = || String::from_utf8_lossy(&place.sinks.heard(Door::Tcp)).matches("what-was-seen").count();

        let again = |brig: bool, words: &[&str]| {
            let args = [&["again"], words].concat();
            let run = if brig { guarded(&place, &[], &args) } else { cargo(&place, &args) };
            run.env("CARGO_NET_RETRY", "0").go()
        };
        let plain = again(false, &[]);
        let heard = carried();
        assert!(heard > 0 && plain.stdout_text().contains("tested: true"), "{plain}");
        assert!(plain.stdout_text().contains("CARGO_REGISTRY_TOKEN"), "{plain}");

        let brig = again(true, &[]);
        let says = |brig: &Outcome, words: &str| assert!(brig.stdout_text().contains(words), "not {words:?}\n{brig}");
        for words in ["credentials: []", "tested: true", "again: false"] {
            says(&brig, words);
        }
        assert_eq!((carried(), phases(&brig)), (heard, (false, true, 0)), "{brig}");
        // A cargo that was not told meets the kernel's word, and the user is told why it failed.
        let brig = again(true, &["unsaid", "listens"]);
        for words in ["itself: true", "another: false", "datagrams: false", "agent: false", "tested: true", "again: false"] {
            says(&brig, words);
        }
        let (fetched, offline, wanted) = phases(&brig);
        assert!(carried() == heard && !fetched && offline && wanted > 3, "{brig}");
        assert!(brig.stderr_text().contains("while it had none"), "{brig}");
    }
}

/// `cargo fix` talks to the compilers it starts, over loopback.
#[test]
fn cargo_fix_talks_to_itself() {
    for who in Who::all() {
        let place = place(who);
        depend(&place, "");
        let lib = place.workspace().join("app/src/lib.rs");
        let text = fs::read_to_string(&lib).unwrap();
        fs::write(&lib, format!("{text}\npub fn needless() {{\n    let mut x = 1;\n    let _ = x;\n}}\n")).unwrap();
        // It is there to change sources, so nobody looks whether any have changed.
        let report = place.path("report");
        let brig = bare(&place, &["--report-dir", report.to_str().unwrap(), "fix", "--lib", "-p", "app", "--allow-no-vcs"]).go();
        brig.exits(0);
        assert_eq!(phases(&brig).2, 0, "{brig}");
        assert!(fs::read_to_string(&lib).unwrap().contains("let x = 1;"), "{brig}");
    }
}
