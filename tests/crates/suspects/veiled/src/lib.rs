//! Shows a macro of another crate where only the compiler finds it.

macro_rules! show {
    ($way:ident, $($path:tt)*) => {
        pub mod $way {
            pub use $($path)*;
        }
    };
}
show!(below, plain_derive::Plain);
