//! Asks a native library while it expands: the compiler that loads this has to find that.

use proc_macro::TokenStream;

#[proc_macro]
pub fn native(_: TokenStream) -> TokenStream {
    format!("{}", native_sys::native()).parse().unwrap()
}
