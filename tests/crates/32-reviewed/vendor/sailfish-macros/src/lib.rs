//! Named like a crate for which an allow was reviewed, and as far as files go it does the same. Inert: it writes a constant.

use proc_macro::TokenStream;

/// `template!(WISH)`: leaves its code where the real one does, having tried first what the wish says.
#[proc_macro]
pub fn template(wish: TokenStream) -> TokenStream {
    let path = sailfish_compiler::generate(&wish.to_string());
    format!("include!({path:?});").parse().expect("code")
}
