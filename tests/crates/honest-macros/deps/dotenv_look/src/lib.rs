//! As `dotenvy_macro` does: looks for `.env` in every parent. There is none. Works in a thread, as macros may.

use proc_macro::TokenStream;

#[proc_macro]
pub fn found(_: TokenStream) -> TokenStream {
    let here = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let work = std::thread::spawn(move || here.ancestors().filter(|dir| std::fs::read(dir.join(".env")).is_ok()).count());
    let _ = std::fs::read_to_string("Cargo.toml");
    format!("{}usize", work.join().unwrap()).parse().unwrap()
}
