//! A copy of a git configuration without its credentials. Build scripts that ask git for a version must be able to read it; what CI
//! systems leave in it (`http.*.extraheader`) they need not have.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use super::found::Found;
use super::wanted::Wanted;
use crate::gate::Answer;
use crate::gate::errno::fail;
use crate::gate::own::own;
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
    Ok(Answer::AddFd { fd, cloexec: wanted.cloexec() })
}

/// Parts of keys (the last part of their name) whose values are credentials.
const KEYS: [&str; 8] = ["extraheader", "pass", "token", "oauth", "secret", "cookie", "sslkey", "apikey"];

/// Blanks credentials, and nothing else: lines keep their number and order.
pub fn redact(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (entry, after) = rest.split_at(length(rest));
        rest = after;
        let (joined, end) = joined(entry);
        let told = told(&joined);
        if told == joined {
            out.extend_from_slice(entry);
        } else {
            // What it went on in becomes empty lines.
            out.extend(told);
            out.extend(std::iter::repeat_n(b'\n', entry.iter().filter(|byte| **byte == b'\n').count().saturating_sub(end.len())));
            out.extend_from_slice(end);
        }
    }
    out
}

/// How far an entry goes: to the end of its line, or further where its value ends in a backslash. Comments do not go on (git's config.c).
fn length(text: &[u8]) -> usize {
    let (mut in_value, mut quoted, mut at) = (false, false, 0);
    let start = sections(text);
    let comment = |byte: u8| matches!(byte, b'#' | b';');
    while at < text.len() {
        match text[at] {
            b'\n' => return at + 1,
            byte if at >= start && !quoted && comment(byte) => break,
            b'=' if at >= start => in_value = true,
            b'"' if in_value => quoted = !quoted,
            b'\\' if in_value => at += if text[at + 1..].starts_with(b"\r\n") { 2 } else { 1 },
            _ => {}
        }
        at += 1;
    }
    let at = at.min(text.len());
    text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1)
}

/// The entry in one line, and its line end.
fn joined(entry: &[u8]) -> (Vec<u8>, &[u8]) {
    let (body, end) = entry.split_at(entry.len() - usize::from(entry.ends_with(b"\n")));
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let front = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n"));
        out.extend_from_slice(front.map_or(line, |front| front.strip_suffix(b"\\").unwrap_or(front)));
    }
    (out, end)
}

/// What an actor is told of an entry.
fn told(entry: &[u8]) -> Vec<u8> {
    let (front, rest) = entry.split_at(sections(entry));
    let mut out = without_userinfo(front);
    let Some(equals) = rest.iter().position(|byte| *byte == b'=').filter(|_| !matches!(rest.first(), Some(b'#' | b';'))) else {
        out.extend(without_credential(rest));
        return out;
    };
    let key = String::from_utf8_lossy(&rest[..equals]).trim().to_ascii_lowercase();
    let (value, comment) = rest[equals + 1..].split_at(value_end(&rest[equals + 1..]));
    // A helper that is a shell command has the password in its text.
    let inline_helper = key.ends_with("helper") && value.trim_ascii_start().iter().find(|byte| **byte != b'"') == Some(&b'!');
    out.extend_from_slice(&rest[..=equals]);
    if !inline_helper && !KEYS.iter().any(|name| key.contains(name)) {
        out.extend(without_userinfo(value));
        out.extend(without_credential(comment));
    }
    out
}

/// Where the blanks and section headers an entry may begin with end.
fn sections(entry: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += entry[at..].iter().take_while(|byte| byte.is_ascii_whitespace() && **byte != b'\n').count();
        let line = entry[at..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        match section_end(line).filter(|_| line.first() == Some(&b'[')) {
            Some(end) => at += end,
            None => return at,
        }
    }
}

/// Where a section header ends, past its bracket; brackets within quotes do not count.
fn section_end(text: &[u8]) -> Option<usize> {
    outside_quotes(text, b"]").map(|at| at + 1)
}

/// Where a value ends: at a comment outside of quotes.
fn value_end(text: &[u8]) -> usize {
    outside_quotes(text, b"#;").unwrap_or(text.len())
}

/// Where the first of these stands that is neither quoted nor escaped.
fn outside_quotes(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ => return !quoted && wanted.contains(byte),
        }
        false
    })
}

/// A comment, or what is no entry at all, up to the first word that announces a credential: it may hold an old value.
fn without_credential(text: &[u8]) -> Vec<u8> {
    let lower = text.to_ascii_lowercase();
    let found = |name: &&str| lower.windows(name.len()).position(|window| window == name.as_bytes()).map(|at| at + name.len());
    let Some(after) = KEYS.iter().filter_map(found).min() else { return without_userinfo(text) };
    let word = after + text[after..].iter().take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b':')).count();
    let sign = text[word..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let end = if matches!(text.get(word + sign), Some(b'=' | b':')) { word + sign + 1 } else { word };
    without_userinfo(&text[..end])
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
        check("[sendemail]\n\tsmtpPass = CANARY\n[imap]\n\tpass = CANARY\n", "[sendemail]\n\tsmtpPass =\n[imap]\n\tpass =\n");
        check("name = x ; password: CANARY\n", "name = x ; password:\n");
        check("name = \"x ; y\" # https://u:CANARY@h/\n", "name = \"x ; y\" # https://h/\n");
        check("[a][b \"x=y\"] token = CANARY\n", "[a][b \"x=y\"] token =\n");
    }

    #[test]
    fn a_value_that_goes_on_goes_entirely() {
        check("extraheader = CAN\\\nARY\\\nCANARY\nname = x\n", "extraheader =\n\n\nname = x\n");
        check("url = https:\\\n//h/\nname = y\n", "url = https:\\\n//h/\nname = y\n");
        check("url = https://me:CAN\\\nARY@h/\nname = y\n", "url = https://h/\n\nname = y\n");
        check("name = x # goes on? \\\npassword = CANARY\n", "name = x # goes on? \\\npassword =\n");
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        let text = "[core]\n\trepositoryformatversion = 0\n\tbare = false ; really\n[credential]\n\thelper = store\n[user]\n\temail = a@b.example\n\
                    [branch \"main\"]\n\tremote = git@git.example:x/y.git\n[alias]\n\tl = log --oneline\n";
        check(text, text);
        check("", "");
    }
}
