//! Reads a secret, inside a compiler that has loaded another macro too.

use proc_macro::TokenStream;

#[proc_macro]
pub fn act(_: TokenStream) -> TokenStream {
    trick::try_read("second", trick::home().join(".netrc"));
    TokenStream::new()
}
