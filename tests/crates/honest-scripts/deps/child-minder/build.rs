//! Sends signals as honest tools do, all of them to its own children: a time limit, jobs of a shell, parallel make, a server that is stopped, and
//! lock files that ask whether a process is still there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    // timeout(1) makes a process group of its own and signals all of it.
    let in_time = status("timeout", &["30", "sh", "-c", "exit 3"]);
    let late = status("timeout", &["0.2", "sh", "-c", "sleep 60 & wait"]);
    let jobs = status("sh", &["-c", "sleep 60 & kill -0 $! && kill $! && wait $!"]);
    let own_group = status("setsid", &["-w", "sh", "-c", "sleep 60 & trap '' TERM; kill 0; wait $!"]);
    let mut server = Command::new("sleep").arg("60").spawn().unwrap();
    let there = status("sh", &["-c", "kill -0 $0", &server.id().to_string()]);
    server.kill().unwrap();
    let stopped = server.wait().unwrap().success();
    // Whose lock is this? A process that is not there, and one that is somebody else's.
    let stale = status("sh", &["-c", "kill -0 4194303 2>/dev/null"]);
    status("sh", &["-c", "kill -0 1 2>/dev/null"]);

    fs::write(out.join("Makefile"), "all: one two three\none two three:\n\techo $@ > $@\n").unwrap();
    let made = Command::new("make").args(["-s", "-j2"]).current_dir(&out).env_remove("MAKEFLAGS").env_remove("CARGO_MAKEFLAGS").status();
    println!("cargo:warning={in_time} {late} {jobs} {own_group} {there} {stopped} {stale} {}", made.unwrap());
}

fn status(program: &str, args: &[&str]) -> i32 {
    Command::new(program).args(args).status().unwrap().code().unwrap_or(-1)
}
