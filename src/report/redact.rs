//! Keeps credentials out of recorded command lines. In: an argv as it was read. Out: the same words with `[redacted]` where a value
//! stood. Pure, idempotent, and used by the gate before anything is written down, and once more by the report.
//!
//! It errs towards redacting: a report that hides one harmless word is better than one that publishes a token.

mod mask;
mod pairs;

use self::mask::{MARK, end_of_quoted, mask};
use self::pairs::{escaped_pairs, is_header, pairs, sensitive};
use crate::model::Hostile;

/// Headers whose value is a credential.
const HEADERS: [&[u8]; 9] = [
    b"authorization:",
    b"x-api-key:",
    b"x-auth-token:",
    b"private-token:",
    b"job-token:",
    b"cookie:",
    b"x-vault-token:",
    b"x-amz-security-token:",
    b"x-goog-api-key:",
];

/// Beginnings of tokens that name their issuer.
const ISSUERS: [&[u8]; 19] = [
    b"ghp_",
    b"gho_",
    b"ghs_",
    b"ghu_",
    b"ghr_",
    b"github_pat_",
    b"glpat-",
    b"xoxb-",
    b"xoxp-",
    b"npm_",
    b"pypi-",
    b"hf_",
    b"cio",
    b"sk-",
    b"sk_live_",
    b"AKIA",
    b"ASIA",
    b"AIza",
    b"eyJ",
];

/// Programs with a short flag for a password; the first of them take it without a blank.
const PROGRAMS: [&[u8]; 17] = [
    b"sshpass",
    b"mysql",
    b"mysqldump",
    b"mysqladmin",
    b"mariadb",
    b"mariadb-dump",
    b"7z",
    b"7za",
    b"twine",
    b"cargo",
    b"curl",
    b"redis-cli",
    b"ldapsearch",
    b"ldapmodify",
    b"ldapadd",
    b"zip",
    b"unzip",
];
const GLUED: usize = 8;

/// Words of a command line with the values of credentials replaced.
pub fn argv(all: &[Hostile]) -> Vec<Hostile> {
    words(all).collect()
}

/// The same one after the other, for whoever does not need them all.
pub fn words(words: &[Hostile]) -> impl Iterator<Item = Hostile> {
    let program = words.first().map_or(&b""[..], |word| word.as_bytes().rsplit(|b| *b == b'/').next().unwrap_or_default());
    // Where a password may follow `-p`: behind this word.
    let login = words.iter().skip(1).position(|word| word.as_bytes() == b"login").map(|at| at + 1);
    words.iter().enumerate().map(move |(at, current)| {
        let before = if at == 0 { &b""[..] } else { words[at - 1].as_bytes() };
        let bytes = current.as_bytes();
        // `docker login … -p password`; elsewhere `-p` of these publishes a port.
        let logs_in = before == b"-p" && login.is_some_and(|login| login + 1 < at);
        Hostile::new(if at > 1 && (whole_value(program, before, bytes) || logs_in) {
            MARK.to_vec()
        } else if before == b"--extern" {
            // A crate may well be named `token`: what follows is a path.
            bytes.to_vec()
        } else if bytes.contains(&b':') && ((at > 1 && user_flag(before)) || (program == b"curl" && bytes.starts_with(b"-u"))) {
            after_colon(bytes)
        } else if let Some(flag) = glued_password(program, bytes) {
            [flag, MARK].concat()
        } else if let Some(front) = assigned(bytes).filter(|_| !is_script_flag(before)) {
            // A word of its own: the value is all the rest, blanks and quotes included.
            [front, MARK].concat()
        } else {
            word(bytes, carries_data(before))
        })
    })
}

/// Is the whole of `value` a credential, because of the word before it?
fn whole_value(program: &[u8], before: &[u8], value: &[u8]) -> bool {
    let by_program = matches!(
        (program, before),
        (b"sshpass" | b"twine", b"-p")
            | (b"cargo", b"login")
            | (b"curl", b"-b" | b"--cookie")
            | (b"redis-cli", b"-a")
            | (b"ldapsearch" | b"ldapmodify" | b"ldapadd", b"-w")
            | (b"zip" | b"unzip", b"-P")
    );
    by_program || (secret_flag(before) && !value.starts_with(b"-"))
}

/// `-pPASSWORD`, for the programs that have no other way; the flag.
fn glued_password<'a>(program: &[u8], word: &'a [u8]) -> Option<&'a [u8]> {
    (PROGRAMS[..GLUED].contains(&program) && word.starts_with(b"-p") && word.len() > 2).then(|| &word[..2])
}

/// `--password=` and `AWS_SECRET_ACCESS_KEY=` of a word that begins so.
fn assigned(word: &[u8]) -> Option<&[u8]> {
    let equals = word.iter().position(|b| *b == b'=')?;
    let name = &word[..equals];
    let is_name = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b));
    // `a=1&token=…` is the payload of a form: its parts end.
    let is_form = word[equals..].contains(&b'&') && !name.starts_with(b"-");
    (is_name && (sensitive(name) || is_header(name)) && !is_form && equals + 1 < word.len()).then(|| &word[..=equals])
}

/// `-c`, `-ec`, `-e`: what follows is a program's text, not a word.
fn is_script_flag(flag: &[u8]) -> bool {
    flag.len() <= 4 && flag.starts_with(b"-") && matches!(flag.last(), Some(b'c' | b'e'))
}

/// `--password`, `--auth-token` …, without a value of its own.
fn secret_flag(flag: &[u8]) -> bool {
    flag.len() > 3 && flag.starts_with(b"-") && !flag.contains(&b'=') && sensitive(flag)
}

/// `-u`, also at the end of a cluster (`-su`).
fn user_flag(flag: &[u8]) -> bool {
    let cluster = flag.len() <= 5 && flag.starts_with(b"-") && matches!(flag.last(), Some(b'u' | b'U'));
    matches!(flag, b"--user" | b"--proxy-user") || (cluster && flag[1..].iter().all(u8::is_ascii_alphabetic))
}

/// Flags whose value is payload, in which a long random word is likelier a key than prose.
fn carries_data(flag: &[u8]) -> bool {
    matches!(flag, b"-d" | b"-F" | b"--form" | b"-H" | b"--header" | b"--key" | b"--post-data" | b"--body-data")
        || flag.starts_with(b"--data")
}

fn after_colon(bytes: &[u8]) -> Vec<u8> {
    let colon = bytes.iter().position(|b| *b == b':').map_or(bytes.len(), |at| at + 1);
    [&bytes[..colon], MARK].concat()
}

fn word(bytes: &[u8], payload: bool) -> Vec<u8> {
    // Most words have none of the signs that all but the first go by: a key and its value, a URL, another word.
    let (colon, equals) = (bytes.contains(&b':'), bytes.contains(&b'='));
    let out = issuers(&if colon { headers(bytes) } else { bytes.to_vec() });
    let out = if bytes.contains(&b'@') { userinfo(&out) } else { out };
    let out = if colon || equals { pairs(&out) } else { out };
    let out = if out.contains(&b'%') { escaped_pairs(&out) } else { out };
    let out = if out.contains(&b',') { listed_flags(&out) } else { out };
    let out = if colon || out.iter().any(u8::is_ascii_whitespace) { spaced_flags(&out) } else { out };
    if colon || payload { random_words(&out, payload) } else { out }
}

/// `Authorization: …` up to the quote that was opened before it, or to the end of the line. From the last one on: what looks like a header within
/// the value of another may have a value of its own behind that.
fn headers(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut to = out.len();
    while let Some(colon) = out[..to].iter().rposition(|b| *b == b':') {
        to = colon;
        let Some(header) = HEADERS.iter().find(|header| ends_ignoring_case(&out[..=colon], header)) else { continue };
        let at = colon + 1 - header.len();
        let quote = out[..at].iter().rev().find(|b| !b.is_ascii_alphanumeric() && **b != b'-').copied().filter(|b| b"'\"".contains(b));
        let start = colon + 1 + out[colon + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let line = out[start..].iter().position(|b| *b == b'\n').unwrap_or(out.len() - start);
        let length = quote.map_or(line, |quote| end_of_quoted(&out[start..start + line], quote));
        out = mask(&out, start, start + length);
    }
    out
}

fn ends_ignoring_case(bytes: &[u8], end: &[u8]) -> bool {
    bytes.len() >= end.len() && bytes[bytes.len() - end.len()..].eq_ignore_ascii_case(end)
}

/// `scheme://user:password@host`, `scheme://token@host`, and `//user:password@host` where the scheme is left to whoever reads it; the bare `git@` of
/// ssh addresses stays.
fn userinfo(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut from = 0;
    while let Some(at) = find_ignoring_case(&out, b"//", from) {
        let start = at + 2;
        let length = out[start..].iter().position(|b| b"/?# \t\n'\"".contains(b)).unwrap_or(out.len() - start);
        let has_scheme = at > 0 && out[at - 1] == b':';
        if let Some(sign) = out[start..start + length].iter().rposition(|b| *b == b'@')
            && &out[start..start + sign] != b"git"
            && (has_scheme || out[start..start + sign].contains(&b':'))
        {
            out = mask(&out, start, start + sign);
        }
        from = start;
    }
    out
}

/// `--token abc`, `-u name:password`, `sshpass -p abc` inside the text given to `sh -c`, in quotes or not.
fn spaced_flags(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut program, mut before, mut logs_in): (&[u8], &[u8], bool) = (b"", b"", false);
    for piece in bytes.split_inclusive(u8::is_ascii_whitespace) {
        let blanks = piece.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        let (part, blank) = piece.split_at(piece.len() - blanks);
        let bare = unquoted(part);
        let password = whole_value(program, before, bare) || (logs_in && before == b"-p") || matches!(before, b"password" | b"passwd");
        if !bare.is_empty() && !bare.starts_with(b"-") && password {
            out.extend_from_slice(MARK);
        } else if bare.contains(&b':') && (user_flag(before) || (bare.starts_with(b"-u") && find_ignoring_case(bare, b"://", 0).is_none()))
        {
            out.extend_from_slice(&after_colon(part));
        } else if let Some(flag) = glued_password(program, bare) {
            out.extend_from_slice(&[flag, MARK].concat());
        } else {
            out.extend_from_slice(&random_words(part, carries_data(before)));
        }
        out.extend_from_slice(blank);
        if bare.is_empty() {
            continue;
        }
        // Whatever shells allow before a program's name: one of ours is known wherever it stands.
        let name = bare.rsplit(|b| *b == b'/').next().unwrap_or_default();
        if PROGRAMS.contains(&name) {
            program = name;
        }
        logs_in |= bare == b"login";
        before = bare;
    }
    out
}

/// `["--token", "abc"]`: a flag and its value in a list of texts, as in JSON.
fn listed_flags(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut from) = (bytes.to_vec(), 0);
    let quote = |out: &[u8], from: usize| out[from..].iter().position(|b| b"'\"".contains(b)).map(|at| from + at);
    while let Some(open) = quote(&out, from) {
        let sign = out[open];
        let close = open + 1 + end_of_quoted(&out[open + 1..], sign);
        from = open + 1;
        if !secret_flag(out.get(open + 1..close).unwrap_or_default()) {
            continue;
        }
        let next = close + 1 + out.get(close + 1..).unwrap_or_default().iter().take_while(|b| b", \t\n".contains(b)).count();
        let between = out.get(close + 1..next).unwrap_or_default();
        if between.contains(&b',') && out.get(next) == Some(&sign) && out.get(next + 1) != Some(&b'-') {
            let end = next + 1 + end_of_quoted(&out[next + 1..], sign);
            out = mask(&out, next + 1, end);
            from = next + 1;
        }
    }
    out
}

/// A shell's word without the quotes around it; a lone backslash, which joins lines, is nothing.
fn unquoted(part: &[u8]) -> &[u8] {
    let signs = |b: &&u8| b"'\"\\".contains(b);
    let start = part.iter().take_while(signs).count();
    let end = part.len() - part[start..].iter().rev().take_while(signs).count();
    &part[start..end]
}

/// Tokens known by their first letters, and private keys given in full.
fn issuers(bytes: &[u8]) -> Vec<u8> {
    const REST: usize = 16;
    let key = if bytes.contains(&b'-') { find_ignoring_case(bytes, b"-----BEGIN", 0) } else { None };
    if let Some(at) = key {
        return mask(bytes, at, bytes.len());
    }
    let in_token = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    runs(bytes, in_token, |run| {
        // A token has a digit somewhere.
        let Some(digit) = run.iter().rposition(u8::is_ascii_digit).filter(|_| run.len() > REST) else { return false };
        (0..=digit.min(run.len() - REST))
            .filter(|at| *at == 0 || !run[at - 1].is_ascii_alphanumeric())
            .map(|at| &run[at..])
            .any(|token| ISSUERS.iter().any(|issuer| token.len() >= issuer.len() + REST && token.starts_with(issuer)))
    })
}

/// Long words of mixed letters and digits: in payload everywhere, elsewhere in the query of a URL.
fn random_words(bytes: &[u8], payload: bool) -> Vec<u8> {
    let from = match find_ignoring_case(bytes, b"://", 0) {
        _ if payload => 0,
        Some(scheme) => bytes[scheme..].iter().position(|b| *b == b'?').map_or(bytes.len(), |at| scheme + at),
        None => bytes.len(),
    };
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || b"+_-=".contains(b);
    let random = |run: &[u8]| {
        let has = |class: fn(&u8) -> bool| run.iter().any(class);
        run.len() >= 24 && has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
    };
    [&bytes[..from], &runs(&bytes[from..], in_word, random)].concat()
}

/// Replaces every longest run of `belongs` bytes that `matches`.
fn runs(bytes: &[u8], belongs: impl Fn(&u8) -> bool, matches: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|b| belongs(b)).count();
        let run = &bytes[at..at + length];
        out.extend_from_slice(if length > 0 && matches(run) { MARK } else { run });
        at += length;
        if let Some(separator) = bytes.get(at) {
            out.push(*separator);
            at += 1;
        }
    }
    out
}

fn find_ignoring_case(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle)).map(|at| from + at)
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
