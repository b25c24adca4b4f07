//! A macro that reads the `.env` of whoever uses it, as sqlx's do.

use proc_macro::{Literal, TokenStream, TokenTree};

#[proc_macro]
pub fn seen(_: TokenStream) -> TokenStream {
    let path = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(".env");
    let text = if std::env::var_os("ZOO_MACROS").is_some() { std::fs::read_to_string(path).ok() } else { None };
    eprintln!("zoo: {} reads {text:?}", env!("CARGO_PKG_NAME"));
    TokenTree::Literal(Literal::string("")).into()
}
