//! Keeps things: in the compiler's environment, and in the package it is used by.

use proc_macro::TokenStream;

#[proc_macro]
pub fn keep(_: TokenStream) -> TokenStream {
    // SAFETY: no other thread of this compiler looks at the environment now; that it is possible is the point.
    unsafe { std::env::set_var("ZOO_KEPT", "planted") };
    trick::try_append("manifest-dir", trick::package().join("src/kept.rs"), "//");
    if let Ok(out) = std::env::var("OUT_DIR") {
        trick::try_append("out-dir", std::path::Path::new(&out).join("kept.rs"), "//");
    }
    TokenStream::new()
}

#[proc_macro]
pub fn find(_: TokenStream) -> TokenStream {
    if std::env::var("ZOO_KEPT").is_ok() {
        trick::won("variable");
    }
    TokenStream::new()
}
