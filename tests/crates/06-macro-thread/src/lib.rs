//! Derives something nice.

#[derive(nice_derive::Nice)]
pub struct Thing;

nice_derive::settle!();
