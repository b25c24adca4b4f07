//! Shows the stamps, so that they are compiled in.

mod built {
    include!(concat!(env!("OUT_DIR"), "/built.rs"));
}
shadow_rs::shadow!(shadow);

fn main() {
    println!("{} {} {} {}", built::PKG_VERSION, shadow::COMMIT_HASH, env!("VERGEN_GIT_DESCRIBE"), env!("VERGEN_SYSINFO_NAME"));
}
