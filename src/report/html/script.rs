//! The one script of the page: a box that shows only what has a word in it. The page is whole without it, and nothing but these very bytes may run: the
//! policy names their hash.

use std::io::{self, Write};

use crate::model::base64::base64;
use crate::model::{hex_byte, sha256};

const SCRIPT: &str = include_str!("filter.js");

/// As a Content-Security-Policy names what may run (CSP 3, 2.3.1): between the tags there is nothing else.
pub fn source() -> String {
    let digits = sha256::hex(SCRIPT.as_bytes());
    let bytes: Vec<u8> = digits.as_bytes().chunks(2).filter_map(hex_byte).collect();
    format!("'sha256-{}'", base64(&bytes))
}

pub fn script(w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "<script>{SCRIPT}</script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_ends_where_its_tag_does_and_asks_for_nothing() {
        assert!(!SCRIPT.contains(['<', '>']), "a tag in it could end it");
        for word in ["fetch", "XMLHttp", "import", "eval", "innerHTML", "src", "http", "Function("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
