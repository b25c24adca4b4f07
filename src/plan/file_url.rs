//! `file:` URLs, as cargo's manifests and configuration files and git's command lines have them. In: the text of one. Out: the path it names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::model::hex_byte;

const SCHEME: &[u8] = b"file://";

/// The path that `file:///path` or `file://host/path` names, its percent-encoding taken away (RFC 8089, RFC 3986 section 2.1). Schemes know no
/// case. Nothing where the text is no such URL.
pub fn path_of(text: &[u8]) -> Option<PathBuf> {
    let rest = text.get(..SCHEME.len()).filter(|start| start.eq_ignore_ascii_case(SCHEME)).map(|_| &text[SCHEME.len()..])?;
    let path = &rest[rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())..];
    Some(PathBuf::from(OsStr::from_bytes(&decoded(path))))
}

pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match after.get(..2).filter(|_| *first == b'%').and_then(hex_byte) {
            Some(byte) => (out.push(byte), rest = &after[2..]).1,
            None => (out.push(*first), rest = after).1,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_file_urls_name() {
        for (text, path) in [
            ("file:///srv/x", Some("/srv/x")),
            ("FILE://host/srv/x", Some("/srv/x")),
            ("file:///a%20b/%7ec", Some("/a b/~c")),
            // Neither signs nor single letters are digits.
            ("file:///%+f%4", Some("/%+f%4")),
            ("file://", Some("")),
            ("https://host/srv/x", None),
            ("/srv/x", None),
        ] {
            assert_eq!(path_of(text.as_bytes()), path.map(PathBuf::from), "{text}");
        }
    }
}
