//! A member of a workspace that makes use of everything.

include!(concat!(env!("OUT_DIR"), "/made.rs"));

/// What was made of this package, in one line.
///
/// ```
/// assert!(app::line().contains("read by a macro"));
/// ```
pub fn line() -> String {
    let flag = if cfg!(zoo_flag) { "flag" } else { "no flag" };
    format!("given {GIVEN}, said {SAID}, {flag}, {}, {}", env!("ZOO_MADE"), macros::asset!())
}

#[test]
fn unit() {
    assert!(line().contains("made"));
}
