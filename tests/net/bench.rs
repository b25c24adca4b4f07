//! `net bench`: what the first and the later sockets cost. Not a test; prints microseconds.

use std::time::Instant;

use cargo_brig::gate::net::broker::Broker;

use crate::stage::{self, Stage};

pub fn main() -> ! {
    let start = Instant::now();
    let broker = Broker::start().unwrap();
    println!("broker start            {:>8.1} us", start.elapsed().as_secs_f64() * 1e6);
    for actor in 1..=4 {
        let start = Instant::now();
        drop(broker.socket(actor, libc::AF_INET, libc::SOCK_STREAM, 0).unwrap());
        println!("first socket, actor {actor}   {:>8.1} us", start.elapsed().as_secs_f64() * 1e6);
    }
    let count = 2000;
    let start = Instant::now();
    for _ in 0..count {
        drop(broker.socket(1, libc::AF_INET, libc::SOCK_STREAM, 0).unwrap());
    }
    println!("later socket, one actor {:>8.1} us", start.elapsed().as_secs_f64() * 1e6 / f64::from(count));
    let start = Instant::now();
    for index in 0..count {
        drop(broker.socket(1 + (index % 2) as u32, libc::AF_INET, libc::SOCK_STREAM, 0).unwrap());
    }
    println!("later socket, two taking turns {:>8.1} us", start.elapsed().as_secs_f64() * 1e6 / f64::from(count));
    println!("unconfined: {}", stage::unconfined(&["cost"]));
    let behind = Stage::enforce(&[]);
    println!("behind the gate, first actor of the run: {}", behind.play(&["cost"]));
    println!("behind the gate, second actor: {}", behind.play(&["cost"]));
    std::process::exit(0);
}
