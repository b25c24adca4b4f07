//! How the page says a word of others: escaped, as element content.

use super::super::escape;
use super::super::wording::Medium;

pub const MEDIUM: Medium = Medium { text: |text| code(&escape::quoted(text)), name: |name| code(&escape::name(name)) };

/// Rows of a table or list; the rest is counted, the JSON report has it.
pub const ROWS: usize = 500;

pub fn code(text: &str) -> String {
    format!("<code>{}</code>", content(text))
}

/// Text as element content.
pub fn content(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
