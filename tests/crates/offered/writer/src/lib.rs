//! Does it while it is expanded.

#[proc_macro]
pub fn write(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    deed::deed("proc-macro", std::path::Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()));
    Default::default()
}
