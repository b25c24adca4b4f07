//! A copy of a git configuration without its credentials. Build scripts that ask git for a version must be able to read it; what CI
//! systems leave in it (`http.*.extraheader`) they need not have.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use super::Answer;
use super::open::Wanted;
use super::own::own;
use super::resolve::{Found, fail};
use crate::sys::files;

/// No honest git configuration is longer.
const LONGEST: u64 = 1 << 20;
/// `MFD_NOEXEC_SEAL`, Linux 6.3.
const NOEXEC_SEAL: u32 = 8;

/// Hands over a sealed copy of what was found.
///
/// # Errors
/// `EACCES` where it cannot be copied: then it is not to be read at all.
pub fn hand_over(found: &Found, wanted: &Wanted) -> io::Result<Answer> {
    if !found.is(libc::S_IFREG) || found.facts.size > LONGEST {
        return fail(libc::EACCES);
    }
    let own = own()?;
    let mut text = Vec::new();
    File::from(own.reopen(found.handle.as_fd(), libc::O_RDONLY, 0)?).take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return fail(libc::EACCES);
    }
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let copy = files::memfd(c"redacted", flags | NOEXEC_SEAL).or_else(|_| files::memfd(c"redacted", flags))?;
    let mut copy = File::from(copy);
    copy.write_all(&redact(&text))?;
    files::seal(copy.as_fd(), libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL)?;
    // Opened anew: read-only, and at the beginning.
    let fd = own.reopen(copy.as_fd(), libc::O_RDONLY, 0)?;
    Ok(Answer::Descriptor { fd, cloexec: wanted.cloexec() })
}

/// Keys (the last part of their name) whose values are credentials.
const KEYS: [&str; 9] = ["extraheader", "password", "passwd", "token", "oauth", "secret", "cookie", "sslkey", "apikey"];

/// Blanks credentials, and nothing else: lines keep their number and order.
pub fn redact(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut blank = false;
    let mut continued = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let body_ends = line.len() - usize::from(line.ends_with(b"\n"));
        let (body, end) = line.split_at(body_ends);
        let body_ended = body.strip_suffix(b"\r").unwrap_or(body);
        let goes_on = body_ended.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        if continued && blank {
            // The rest of a value that was blanked.
        } else if continued {
            out.extend(without_userinfo(body));
        } else {
            blank = entry(body, &mut out);
        }
        if !(blank && goes_on) {
            out.extend_from_slice(end);
        } else {
            // The backslash is gone with the value, so the line ends here; the ones it went on in become empty.
            out.push(b'\n');
        }
        continued = goes_on;
        if !goes_on && blank {
            blank = false;
        }
    }
    out
}

/// Writes one line that is no continuation; tells whether its value was blanked.
fn entry(line: &[u8], out: &mut Vec<u8>) -> bool {
    let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let trimmed = &line[indent..];
    if matches!(trimmed.first(), Some(b'#' | b';')) {
        // A comment may hold an old value.
        out.extend_from_slice(&line[..=indent]);
        return entry_after_comment(&trimmed[1..], out);
    }
    if trimmed.first() == Some(&b'[') {
        let Some(close) = section_end(trimmed) else {
            out.extend(without_userinfo(line));
            return false;
        };
        out.extend(without_userinfo(&line[..indent + close]));
        return key_value(&line[indent + close..], out);
    }
    key_value(line, out)
}

fn entry_after_comment(rest: &[u8], out: &mut Vec<u8>) -> bool {
    key_value(rest, out);
    // A comment is never continued.
    false
}

/// Where a section header ends, past its bracket; brackets within quotes do not count.
fn section_end(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn key_value(text: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(equals) = text.iter().position(|byte| *byte == b'=') else {
        out.extend(without_userinfo(text));
        return false;
    };
    let key = String::from_utf8_lossy(&text[..equals]).trim().to_ascii_lowercase();
    let value = text[equals + 1..].trim_ascii_start();
    // A helper that is a shell command has the password in its text.
    let inline_helper = key == "helper" && value.trim_ascii_start().iter().find(|byte| **byte != b'"') == Some(&b'!');
    if inline_helper || KEYS.iter().any(|name| key.contains(name)) {
        out.extend_from_slice(&text[..=equals]);
        return true;
    }
    out.extend_from_slice(&text[..=equals]);
    out.extend(without_userinfo(&text[equals + 1..]));
    false
}

/// Removes `user:password@` from every URL in the text.
fn without_userinfo(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(3).position(|part| part == b"://") {
        let (front, authority) = rest.split_at(at + 3);
        out.extend_from_slice(front);
        let end = authority.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'"' | b' ' | b'\t')).unwrap_or(authority.len());
        let host = authority[..end].iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
        rest = &authority[host..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(String::from_utf8(redact(text.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn credentials_go() {
        check(
            "[http \"https://git.example/\"]\n\textraheader = AUTHORIZATION: basic CANARY\n",
            "[http \"https://git.example/\"]\n\textraheader =\n",
        );
        check(
            "[remote \"origin\"]\r\n\turl = https://me:CANARY@git.example/x.git\r\n",
            "[remote \"origin\"]\r\n\turl = https://git.example/x.git\r\n",
        );
        check("pushurl = https://CANARY@h/x\n", "pushurl = https://h/x\n");
        check("[url \"https://oauth2:CANARY@h/\"]\n\tinsteadOf = https://h/\n", "[url \"https://h/\"]\n\tinsteadOf = https://h/\n");
        check("[url \"https://a]b:CANARY@h/\"] password = CANARY", "[url \"https://h/\"] password =");
        check("[http] ExtraHeader=CANARY\n", "[http] ExtraHeader=\n");
        check("helper = \"!f() { echo password=CANARY; }; f\"\n", "helper =\n");
        check("# token = CANARY\n", "# token =\n");
        check("[github]\n\toauth-token = CANARY", "[github]\n\toauth-token =");
    }

    #[test]
    fn a_value_that_goes_on_goes_entirely() {
        check("extraheader = CAN\\\nARY\\\nCANARY\nname = x\n", "extraheader =\n\n\nname = x\n");
        check("url = https:\\\n//h/\nname = y\n", "url = https:\\\n//h/\nname = y\n");
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        let text = "[core]\n\trepositoryformatversion = 0\n\tbare = false ; really\n[credential]\n\thelper = store\n[user]\n\temail = a@b.example\n\
                    [branch \"main\"]\n\tremote = git@git.example:x/y.git\n[alias]\n\tl = log --oneline\n";
        check(text, text);
        check("", "");
    }
}
