//! Generators that are libraries of a build script.

use std::{env, fs, path::Path};

fn main() {
    lalrpop::process_src().unwrap();
    minijinja_embed::embed_templates!("templates");
    let map = phf_codegen::Map::<&str>::new().entry("one", "1").build().to_string();
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap()).join("map.rs"), format!("static MAP: phf::Map<&'static str, u32> = {map};")).unwrap();
}
