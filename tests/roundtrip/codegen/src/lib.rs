//! What was generated is there, whole: it names tauri's own types, which are not built here.

#[test]
fn the_pages_are_in_it() {
    let made = include_str!(concat!(env!("OUT_DIR"), "/tauri-build-context.rs"));
    assert!(made.contains("index.html"));
}
