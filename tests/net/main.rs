//! The network side of the gate on a real kernel: actors behind a user-notification filter, sinks on the host's loopback, every refusal
//! next to the same act unconfined. This binary is the tests, the actor and the broker; as root it runs everything once more as nobody.

mod actor;
mod bench;
mod cases;
mod messages;
mod stage;

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

/// uid and gid of nobody.
const NOBODY: u32 = 65534;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some(cargo_brig::gate::net::BROKER_ARGUMENT) => cargo_brig::gate::net::broker_main(),
        Some("actor") => actor::main(&args[1..]),
        Some("bench") => bench::main(),
        _ => {}
    }
    let wanted = args.iter().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
    let who = if nix::unistd::geteuid().is_root() { "root" } else { "user" };
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases::ALL.iter().filter(|(name, _)| name.contains(wanted)) {
        let begun = Instant::now();
        let fine = std::panic::catch_unwind(case).is_ok();
        *if fine { &mut passed } else { &mut failed } += 1;
        println!("test {who}::{name} ... {} <{:.3}s>", word(fine), begun.elapsed().as_secs_f32());
    }
    println!("\ntest result: {}. {passed} passed; {failed} failed; 0 ignored", word(failed == 0));
    if who == "root" {
        let again = Command::new("/proc/self/exe").args(&args).uid(NOBODY).gid(NOBODY).current_dir("/").status();
        failed += i32::from(!again.is_ok_and(|status| status.success()));
    }
    std::process::exit(i32::from(failed > 0));
}

fn word(fine: bool) -> &'static str {
    if fine { "ok" } else { "FAILED" }
}
