//! Each macro is called once: one that is only built has read nothing.
#![allow(dead_code)]

#[derive(askama::Template)]
#[template(path = "hello.html")]
struct Hello {
    name: String,
}

#[derive(rust_embed::RustEmbed)]
#[folder = "assets/"]
struct Assets;

static TREE: include_dir::Dir = include_dir::include_dir!("$CARGO_MANIFEST_DIR/assets");

#[derive(pest_derive::Parser)]
#[grammar = "number.pest"]
struct Number;

lalrpop_util::lalrpop_mod!(sum);

include!(concat!(env!("OUT_DIR"), "/map.rs"));

fn page() -> maud::Markup {
    maud::html! { p { "text" } }
}
