//! What only a macro with hands can do.
//!
//! ```
//! assert_eq!(git_macros::described(), git_macros::described());
//! ```

git_testament::git_testament!(TESTAMENT);

/// The commit, as the macro was told.
pub fn described() -> &'static str {
    git_version::git_version!(fallback = "unknown")
}

#[cfg(test)]
mod tests {
    #[test]
    fn git_has_answered() {
        assert_ne!(super::described(), "unknown");
        assert!(!super::TESTAMENT.to_string().is_empty());
    }
}
