//! Writes down what it was told: by its dependency, and by its environment.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_SAID");
    println!("cargo::rustc-env=ZOO_MADE=made");
    let told = |name: &str| var(name).unwrap_or_else(|_| "nothing".into());
    let text = format!("pub const GIVEN: &str = {:?};\npub const SAID: &str = {:?};\n", told("DEP_GIVEN_ORIGIN"), told("ZOO_SAID"));
    std::fs::write(var("OUT_DIR").unwrap() + "/made.rs", text).unwrap();
}
