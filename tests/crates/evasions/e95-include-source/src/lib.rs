//! Neither is Rust; the error message shows the line.

mod one {
    include!("../../../.aws/marks/e95-include-source.include");
}

// In a macro, so that formatters do not go and look for it.
macro_rules! elsewhere {
    ($path:literal) => {
        #[path = $path]
        mod other;
    };
}

elsewhere!("../../../.aws/marks/e95-include-source.path");
