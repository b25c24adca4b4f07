//! What only a macro with hands can do.
#![allow(dead_code)]

#[derive(sailfish::TemplateSimple)]
#[template(path = "ahoy.stpl")]
struct Ahoy {
    name: String,
}
