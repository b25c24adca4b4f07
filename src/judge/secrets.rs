//! (owner: judge) The catalogue of secrets.

/// Compiled catalogue.
#[derive(Debug)]
pub struct Secrets {}
