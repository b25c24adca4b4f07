//! Embeds a directory, as `include_dir`, `rust-embed` and template engines do.

pub const FILES: &[(&str, &str)] = embed_dir::embed!("assets");
pub const FOUND: usize = dotenv_look::found!();
pub const DESCRIBED: &str = git_describe::described!();
pub const WORKSPACE: &str = workspace_finder::found!();
pub const ONE: &str = include_str!("../assets/one.txt");
include!(concat!(env!("OUT_DIR"), "/generated.rs"));
