//! Bytes that come from the build: paths, arguments, host names. They may hold terminal escapes, bidi controls, Markdown or
//! anything else, so this type has no `Display`: every renderer picks the escaper of its own medium.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Untrusted bytes. In JSON they are a string in which an invalid UTF-8 byte is `\xNN` and a backslash is `\\`: nothing is lost.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hostile(Vec<u8>);

impl Hostile {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Hostile(bytes.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes as a path. Judging needs this; printing does not.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lossless, printable-in-JSON form: see the type's own text.
    pub fn to_json_text(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c == '\\' {
                    out.push_str("\\\\");
                } else {
                    out.push(c);
                }
            }
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        }
        out
    }

    /// The inverse of [`Hostile::to_json_text`]. A malformed escape is kept as the characters it is made of.
    pub fn from_json_text(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\\\\") {
                out.push(b'\\');
                at += 2;
            } else if let Some(byte) = hex_escape(&bytes[at..]) {
                out.push(byte);
                at += 4;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        Hostile(out)
    }
}

fn hex_escape(bytes: &[u8]) -> Option<u8> {
    hex_byte(bytes.strip_prefix(b"\\x")?.get(..2)?)
}

/// The byte that hexadecimal digits stand for; nothing where they are no digits, or too many.
pub fn hex_byte(digits: &[u8]) -> Option<u8> {
    // Not `from_str_radix` alone: it takes a sign for a digit.
    let digits = Some(digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

impl std::fmt::Debug for Hostile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl From<PathBuf> for Hostile {
    fn from(path: PathBuf) -> Self {
        Hostile(path.into_os_string().into_vec())
    }
}

impl From<&Path> for Hostile {
    fn from(path: &Path) -> Self {
        Hostile(path.as_os_str().as_bytes().to_vec())
    }
}

impl From<OsString> for Hostile {
    fn from(text: OsString) -> Self {
        Hostile(text.into_vec())
    }
}

impl From<&[u8]> for Hostile {
    fn from(bytes: &[u8]) -> Self {
        Hostile::new(bytes)
    }
}

impl From<&str> for Hostile {
    fn from(text: &str) -> Self {
        Hostile(text.as_bytes().to_vec())
    }
}

impl Serialize for Hostile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_json_text())
    }
}

impl<'de> Deserialize<'de> for Hostile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Hostile::from_json_text(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text_loses_nothing() {
        for bytes in [&b"plain"[..], b"back\\slash", b"\\x41 literally", b"bad \xff\xfe byte", "\u{202e}bidi\n".as_bytes()] {
            let hostile = Hostile::new(bytes);
            assert_eq!(Hostile::from_json_text(&hostile.to_json_text()), hostile);
        }
        assert_eq!(Hostile::new(&b"a\xff"[..]).to_json_text(), "a\\xff");
    }

    #[test]
    fn a_malformed_escape_is_what_it_is_made_of() {
        for text in ["\\x+f", "\\x4", "\\x", "\\xg0", "\\"] {
            assert_eq!(Hostile::from_json_text(text).as_bytes(), text.as_bytes());
        }
    }
}
