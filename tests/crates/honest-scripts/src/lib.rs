//! Uses crates with every honest habit of build scripts that needs no registry.

pub fn answer() -> i32 {
    c_library::answer()
}

pub const DESCRIBED: &str = git_describer::DESCRIBED;
