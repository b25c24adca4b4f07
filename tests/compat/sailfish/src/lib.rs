//! What only a macro with hands can do.
#![cfg_attr(not(test), allow(dead_code))]

#[derive(sailfish::TemplateSimple)]
#[template(path = "ahoy.stpl")]
struct Ahoy {
    name: String,
}

#[cfg(test)]
mod tests {
    use sailfish::TemplateSimple;

    #[test]
    fn it_is_compiled_in() {
        assert!(super::Ahoy { name: "captain".into() }.render_once().unwrap().contains("captain"));
    }
}
