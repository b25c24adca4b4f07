//! Runs the program `$OUT_DIR/<way>` for each way it is given, inside the compiler of whoever calls it.

use proc_macro::{TokenStream, TokenTree};

#[proc_macro]
pub fn run(ways: TokenStream) -> TokenStream {
    for way in ways.into_iter().filter(|word| matches!(word, TokenTree::Literal(_))) {
        let way = way.to_string();
        let way = way.trim_matches('"');
        if std::process::Command::new(trick::out_dir().join(way)).output().is_ok_and(|output| output.status.success()) {
            trick::won(way);
        }
    }
    TokenStream::new()
}
