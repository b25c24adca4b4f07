//! Works, or reads what it is told to.

fn main() {
    match std::env::args_os().nth(1) {
        Some(path) => assert!(std::fs::read(path).is_ok() || std::env::var_os("ZOO_MUST").is_none()),
        None => started_programs::work(),
    }
}
