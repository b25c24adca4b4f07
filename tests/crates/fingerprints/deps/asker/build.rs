//! Says that it depends on a variable which it does not get: cargo, who has it, writes its value down.

fn main() {
    println!("cargo:rerun-if-env-changed=CARGO_REGISTRY_TOKEN");
}
