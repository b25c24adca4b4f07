//! The compiler driver is what rustc links with, too.

use std::process::Command;

use proc_macro::TokenStream;

/// How many lines `cc` made of the workspace's secrets.
#[proc_macro]
pub fn preprocessed(_: TokenStream) -> TokenStream {
    let output = Command::new("cc").args(["-E", "-P", "-x", "c", "-include", ".env", "/dev/null"]).output().unwrap();
    let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    format!("\"lines: {lines}\"").parse().unwrap()
}
