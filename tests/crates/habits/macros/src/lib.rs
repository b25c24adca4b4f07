//! A macro that reads its own package.

use proc_macro::TokenStream;

/// What the asset says.
#[proc_macro]
pub fn asset(_: TokenStream) -> TokenStream {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/text")).unwrap();
    format!("{:?}", text.trim()).parse().unwrap()
}
