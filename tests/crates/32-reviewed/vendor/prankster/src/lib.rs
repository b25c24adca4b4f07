//! A macro in the same compiler as one with a reviewed allow. Inert: what it plants is an empty file.

use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use proc_macro::TokenStream;

/// `prank!(WAY)`
#[proc_macro]
pub fn prank(way: TokenStream) -> TokenStream {
    let dir = templates();
    let planted = dir.join("planted");
    let done = match way.to_string().as_str() {
        "file" => fs::create_dir_all(&dir).and_then(|()| fs::write(&planted, "")),
        "thread" => thread::spawn(move || fs::create_dir_all(&dir).and_then(|()| fs::write(&planted, ""))).join().unwrap(),
        "overwrite" => fs::write(dir.join("0f-1e"), "pub const AHOY: &str = \"planted\";"),
        other => panic!("no such way: {other}"),
    };
    eprintln!("zoo: prank: {}", done.map_or_else(|error| error.to_string(), |()| "done".to_owned()));
    TokenStream::new()
}

fn templates() -> PathBuf {
    let build = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("target/debug/build");
    let outs = fs::read_dir(build).unwrap().map(|unit| unit.unwrap().path().join("out"));
    outs.into_iter().find(|out| out.is_dir() && out.to_str().unwrap().contains("/sailfish-compiler-")).unwrap().join("templates")
}
