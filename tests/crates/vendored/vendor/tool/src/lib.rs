//! Linked into a build script, and so run by it.

pub fn acts() -> Vec<String> {
    std::env::var("ZOO_ACTS").unwrap_or_default().split(',').map(str::to_owned).collect()
}
