//! Compiles C whose headers lie here and there, or nowhere. What came of each is kept for `src/lib.rs`; whether the compiler had the library
//! that asks first is told to the user.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let file = format!("{out}/no-directory");
    let dangling = format!("{out}/dangling");
    fs::write(&file, "").unwrap();
    fs::create_dir_all(&dangling).unwrap();
    let _ = std::os::unix::fs::symlink("nowhere", format!("{dangling}/found.h"));
    let mut said = String::new();
    let searched = ["-Ifirst", "-Isecond", "-I", &file, "-I", &dangling, "-Ithird"];
    for source in [
        "#include <found.h>\nFOUND\n",
        "#include <stddef.h>\n#include \"found.h\"\nFOUND\n",
        "#if __has_include(<nowhere.h>) || !__has_include(<found.h>)\n#error wrong\n#endif\nright\n",
        "#include <nowhere.h>\n",
        "#include <found.h/below.h>\n",
        "#include <third>\n",
    ] {
        let mut compiler = gcc(&searched);
        compiler.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
        let output = compiler.wait_with_output().unwrap();
        let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
        writeln!(said, "{} {last} {}", output.status, String::from_utf8_lossy(&output.stderr)).unwrap();
    }
    fs::write(format!("{out}/said"), said).unwrap();
    // While it waits for its source.
    let mut waiting = gcc(&searched);
    let children = format!("/proc/{0}/task/{0}/children", waiting.id());
    let mut asks = false;
    for _ in 0..1000 {
        let child = fs::read_to_string(&children).unwrap_or_default();
        let maps = fs::read_to_string(format!("/proc/{}/maps", child.trim())).unwrap_or_default();
        let variable = fs::read(format!("/proc/{}/environ", child.trim())).unwrap_or_default();
        assert!(!variable.windows(10).any(|part| part == b"LD_PRELOAD"), "its variables are what they were");
        // Not gcc's own image, which its child has until it executes another.
        if maps.contains("/cc1\n") && maps.contains("libc.so") {
            asks = maps.contains("brig-ask-first");
            break;
        }
        sleep(Duration::from_millis(5));
    }
    drop(waiting.stdin.take());
    waiting.wait().unwrap();
    println!("cargo::warning=asks first: {asks}");
}

fn gcc(searched: &[&str]) -> std::process::Child {
    let mut command = Command::new("gcc");
    command.args(["-E", "-P", "-x", "c"]).args(searched).arg("-").env("LC_ALL", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
