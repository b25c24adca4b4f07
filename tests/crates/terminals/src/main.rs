//! A program that the user runs: it has the terminal it was started with. `ZOO_MESS` says whether it leaves that in a mess.

use std::fs::OpenOptions;
use std::io::Write;

fn main() {
    let own = OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok();
    let started = std::env::var("ZOO_TERMINAL").is_ok_and(|path| OpenOptions::new().read(true).write(true).open(path).is_ok());
    // One of its own making, by name and as somebody's controlling terminal.
    let made = made();
    let other = std::env::var("ZOO_OTHER").ok().map(|path| {
        let reads = OpenOptions::new().read(true).open(&path).is_ok();
        let writes = OpenOptions::new().write(true).open(&path).is_ok_and(|mut tty| tty.write_all(b"HEARD-OF-PROGRAM\r\n").is_ok());
        let mode = std::fs::metadata(&path).is_ok_and(|facts| std::fs::set_permissions(&path, facts.permissions()).is_ok());
        reads || writes || mode
    });
    eprintln!("program: own {own} started {started} made {made} other {}", other.unwrap_or(false));
    if std::env::var_os("ZOO_MESS").is_some() {
        let _ = std::process::Command::new("stty").args(["-echo", "-opost"]).status();
        // Red on red, invisible, another screen, a line of the screen's middle, the verdict forged, and a title that never ends.
        let _ = std::io::stderr().write_all(b"\x1b[?1049h\x1b[5;6r\x1b[31;41;8m\x1b[?25l       Clean 9 actors stayed inside\x1b]0;");
    }
}

fn made() -> bool {
    let Ok(end) = OpenOptions::new().read(true).write(true).open("/dev/ptmx") else { return false };
    let script = "import os, sys\nm, s = os.openpty()\nn = os.ttyname(s)\nos.close(s)\nf = os.open(n, os.O_RDWR | os.O_NOCTTY)\nos.close(m)\nsys.exit(0)\n";
    drop(end);
    std::process::Command::new("python3").args(["-c", script]).status().is_ok_and(|status| status.success())
}
