//! Does what `ZOO_ACTS` says, and goes on when it may not.

use std::io::Write;

pub fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_ACTS");
    let name = std::env::var("CARGO_PKG_NAME").unwrap();
    let workspace = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    let say = |text: String| println!("cargo::warning=zoo: {name} {text}");
    for act in std::env::var("ZOO_ACTS").unwrap_or_default().split(',') {
        match act {
            "write" => say(format!("writes {:?}", std::fs::write(workspace.join("generated").join(&name), "generated").is_ok())),
            "connect" => {
                let port = std::env::var("ZOO_TCP").unwrap().parse().unwrap();
                let sent =
                    std::net::TcpStream::connect(("127.0.0.1", port)).and_then(|mut to| to.write_all(format!("zoo: {name}.").as_bytes()));
                say(format!("connects {:?}", sent.is_ok()));
            }
            "exec" => {
                let ran = std::process::Command::new(std::env::var("ZOO_HELPER").unwrap()).arg("done").output();
                say(format!("runs {:?}", ran.ok().and_then(|ran| String::from_utf8(ran.stdout).ok())));
            }
            "read" => say(format!("reads {:?}", std::fs::read_to_string(workspace.join(".env")).ok())),
            "wait" => {
                let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
                std::fs::write(out.join("ready"), "").unwrap();
                while !out.join("go").exists() {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            }
            "env" => say(format!("knows {:?}", std::env::var("DATABASE_URL").ok())),
            _ => {}
        }
    }
}
