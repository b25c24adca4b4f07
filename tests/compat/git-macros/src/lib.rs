//! What only a macro with hands can do.
#![allow(dead_code)]

git_testament::git_testament!(TESTAMENT);

const DESCRIBED: &str = git_version::git_version!(fallback = "unknown");
