//! A command line that was not understood.

/// A command line that was not understood: rendered by `main`, exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    pub message: String,
    /// `help:` lines.
    pub hints: Vec<String>,
}

impl Misuse {
    /// With one line of help.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Misuse { message: message.into(), hints: vec![hint.into()] }
    }
}
