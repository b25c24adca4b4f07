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

#[cfg(test)]
mod tests {
    use askama::Template;
    use pest::Parser;

    #[test]
    fn what_was_read_is_compiled_in() {
        assert_eq!(super::Hello { name: "you".into() }.render().unwrap(), "Hello you");
        assert_eq!(super::Assets::iter().count(), 2);
        assert!(super::Assets::get("deep/two.txt").is_some());
        assert!(super::TREE.get_file("deep/two.txt").is_some());
        assert_eq!(super::MAP.get("one"), Some(&1));
        assert_eq!(super::page().into_string(), "<p>text</p>");
    }

    #[test]
    fn grammars_parse() {
        assert!(super::Number::parse(super::Rule::number, "42").is_ok());
        assert_eq!(super::sum::SumParser::new().parse("1+2").unwrap(), 3);
    }
}
