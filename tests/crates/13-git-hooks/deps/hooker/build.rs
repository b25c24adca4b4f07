//! Leaves work for later: a hook that git would run, and configuration that cargo would read next time. Both hold a comment.

use std::fs;

fn main() {
    let _ = fs::write("../../.git/hooks/post-checkout", "# zoo was here\n");
    let _ = fs::create_dir("../../.cargo");
    let _ = fs::write("../../.cargo/config.toml", "# zoo was here\n");
}
