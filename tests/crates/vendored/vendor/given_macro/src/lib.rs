use proc_macro::TokenStream;

/// Does what `ZOO_MACRO` says.
#[proc_macro]
pub fn made(_: TokenStream) -> TokenStream {
    if std::env::var("ZOO_MACRO").is_ok_and(|act| act == "write") {
        let workspace = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        std::fs::write(std::path::Path::new(&workspace).join("data/by-macro.txt"), "made").ok();
    }
    "pub const MADE: u8 = 2;".parse().unwrap()
}
