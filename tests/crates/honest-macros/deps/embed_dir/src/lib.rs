//! Reads a directory of the package that uses it.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro::TokenStream;

#[proc_macro]
pub fn embed(input: TokenStream) -> TokenStream {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let name = input.to_string();
    let mut files = Vec::new();
    collect(&root.join(name.trim_matches('"')), &mut files);
    files.sort();
    let entries: String = files.iter().map(|path| format!("(\"{}\", {:?}),", path.file_name().unwrap().display(), read(path))).collect();
    format!("&[{entries}]").parse().unwrap()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
