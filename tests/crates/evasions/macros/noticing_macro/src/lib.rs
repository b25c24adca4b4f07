//! Looks whether `<target>/<package>.<way>` is there for each way it is given, and says so.

use proc_macro::{TokenStream, TokenTree};

#[proc_macro]
pub fn notice(ways: TokenStream) -> TokenStream {
    let package = std::env::var("CARGO_PKG_NAME").unwrap();
    let target = trick::workspace().join("target");
    for way in ways.into_iter().filter(|word| matches!(word, TokenTree::Literal(_))) {
        let way = way.to_string();
        let way = way.trim_matches('"');
        if target.join(format!("{package}.{way}")).exists() {
            trick::won(way);
        }
    }
    TokenStream::new()
}
