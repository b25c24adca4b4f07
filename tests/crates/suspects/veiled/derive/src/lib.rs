//! A derive that makes nothing.

use proc_macro::TokenStream;

/// Derives nothing.
#[proc_macro_derive(Plain)]
pub fn plain(_item: TokenStream) -> TokenStream {
    TokenStream::new()
}
