//! Looks for the one open port among its neighbours.

use trick::net::*;

fn main() {
    let open = trick::tcp_port();
    let near = open.saturating_sub(4)..=open.saturating_add(4);
    let connects = |port: &u16| socket(INET, STREAM, 0).is_ok_and(|socket| connect(socket, &loopback(*port)).is_ok());
    if near.clone().filter(connects).any(|port| port == open) {
        trick::won("by-connect");
    }
    let in_use = |port: &u16| socket(INET, STREAM, 0).is_ok_and(|socket| bind(socket, &loopback(*port)) == Err(98));
    if near.clone().filter(in_use).any(|port| port == open) {
        trick::won("by-bind");
    }
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    if table.contains(&format!("0100007F:{open:04X} 00000000:0000 0A")) {
        trick::won("proc-net");
    }
}
