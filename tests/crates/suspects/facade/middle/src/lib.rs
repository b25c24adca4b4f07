//! Between a front and what lies behind it.

#[cfg(feature = "derive")]
pub use quick_derive::Quick as Swift;
