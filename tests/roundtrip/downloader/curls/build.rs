//! Has curl download something, as `utoipa-swagger-ui` does.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let from = format!("http://127.0.0.1:{}/data.bin", std::env::var("SERVES").expect("a server"));
    let to = std::path::Path::new(&std::env::var_os("OUT_DIR").unwrap()).join("data");
    assert!(Command::new("curl").args(["-sSf", "-o"]).arg(to).arg(from).status().expect("curl").success());
}
