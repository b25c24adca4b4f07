//! The shape of `poisoning-rustc` (2022): replaces the compiler of a toolchain, here a text file in a throw-away home.

fn main() {
    let place = std::env::var("ZOO_PLACE").unwrap();
    let _ = std::fs::write(place + "/home/.rustup/toolchains/zoo/bin/rustc", "#!/bin/sh\n# zoo was here, in place of a compiler\n");
}
