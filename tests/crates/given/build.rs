include!("peek_macro/src/seen.rs");

fn main() {
    println!("cargo::rustc-env=SCRIPT_SEES={}", seen());
}
