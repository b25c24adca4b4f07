//! Whoever drops what is too much drops what matters.

use std::fs::File;

use trick::net::*;

fn main() {
    let harmless = trick::package().join("Cargo.toml");
    let amid = |count: usize, each: &dyn Fn(usize), theft: &dyn Fn()| {
        for at in 0..count {
            each(at);
            if at == count / 2 {
                theft();
            }
        }
    };
    amid(60_000, &|_| drop(File::open(&harmless)), &|| trick::try_read("among-opens", trick::ssh_key()));
    let misses = trick::out_dir();
    amid(40_000, &|at| drop(File::open(misses.join(format!("none-{at}")))), &|| trick::try_read("among-misses", trick::dotenv()));
    let outside = trick::home().join("diary");
    amid(1_000, &|at| drop(File::open(outside.join(format!("page-{at}")))), &|| {
        trick::try_read("among-refusals", trick::home().join(".netrc"));
    });
    let Ok(socket) = socket(INET, DATAGRAM, 0) else { return };
    amid(3_000, &|at| drop(send_to(socket, b"", 0, &loopback(40_000 + at as u16))), &|| {
        let _ = send_to(socket, &load("among-sends"), 0, &loopback(trick::udp_port()));
    });
}
