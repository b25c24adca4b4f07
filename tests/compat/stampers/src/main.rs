//! Shows the stamps, so that they are compiled in.

mod built {
    include!(concat!(env!("OUT_DIR"), "/built.rs"));
}
shadow_rs::shadow!(shadow);

fn main() {
    println!("{} {} {} {}", built::PKG_VERSION, shadow::COMMIT_HASH, env!("VERGEN_GIT_DESCRIBE"), env!("VERGEN_SYSINFO_NAME"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_compiler_is_the_one_that_was_asked() {
        assert_eq!(env!("ASKED"), rustc_version_runtime::version().to_string());
        assert!(super::built::RUSTC_VERSION.contains(env!("ASKED")));
        assert!(!env!("VERGEN_GIT_SHA").is_empty());
    }
}
