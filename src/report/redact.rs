//! Keeps credentials out of recorded command lines. In: an argv as it was read. Out: the same words with `[redacted]` where a value
//! stood. Pure, idempotent, and used by the gate before anything is written down, and once more by the report.
//!
//! It errs towards redacting: a report that hides one harmless word is better than one that publishes a token.

use crate::model::Hostile;

const MARK: &[u8] = b"[redacted]";

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

/// Words of a command line with the values of credentials replaced.
pub fn argv(words: &[Hostile]) -> Vec<Hostile> {
    let program = words.first().map_or(&b""[..], |word| word.as_bytes().rsplit(|b| *b == b'/').next().unwrap_or_default());
    let mut out: Vec<Hostile> = Vec::with_capacity(words.len());
    for (at, current) in words.iter().enumerate() {
        let before = if at == 0 { &b""[..] } else { words[at - 1].as_bytes() };
        let bytes = current.as_bytes();
        let redacted = if at > 1 && whole_value(program, before, bytes) {
            MARK.to_vec()
        } else if before == b"--extern" {
            // A crate may well be named `token`: what follows is a path.
            bytes.to_vec()
        } else if bytes.contains(&b':') && ((at > 1 && user_flag(before)) || (program == b"curl" && bytes.starts_with(b"-u"))) {
            after_colon(bytes)
        } else if program == b"sshpass" && bytes.starts_with(b"-p") && bytes.len() > 2 {
            [b"-p", MARK].concat()
        } else {
            word(bytes, carries_data(before))
        };
        out.push(Hostile::new(redacted));
    }
    out
}

/// Is the whole of `value` a credential, because of the word before it?
fn whole_value(program: &[u8], before: &[u8], value: &[u8]) -> bool {
    let by_program = matches!((program, before), (b"sshpass", b"-p") | (b"cargo", b"login") | (b"curl", b"-b" | b"--cookie"));
    by_program || (secret_flag(before) && !value.starts_with(b"-"))
}

/// `--password`, `--auth-token` …, without a value of its own.
fn secret_flag(flag: &[u8]) -> bool {
    flag.len() > 3 && flag.starts_with(b"-") && !flag.contains(&b'=') && sensitive(flag)
}

fn user_flag(flag: &[u8]) -> bool {
    matches!(flag, b"-u" | b"-U" | b"--user" | b"--proxy-user")
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
    let out = issuers(&headers(bytes));
    let out = pairs(&userinfo(&out));
    let out = spaced_flags(&out);
    random_words(&out, payload)
}

/// Replaces what lies between `from` and `to`, unless nothing does.
fn mask(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    if from >= to {
        return bytes.to_vec();
    }
    [&bytes[..from], MARK, &bytes[to..]].concat()
}

/// `Authorization: …` up to the quote that was opened before it, or to the end of the line.
fn headers(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for header in HEADERS {
        let mut from = 0;
        while let Some(at) = find_ignoring_case(&out, header, from) {
            let quote = out[..at].iter().rev().find(|b| !b.is_ascii_alphanumeric() && **b != b'-').copied().filter(|b| b"'\"".contains(b));
            let start = at + header.len();
            let start = start + out[start..].iter().take_while(|b| **b == b' ').count();
            let length = out[start..].iter().position(|b| *b == b'\n' || Some(*b) == quote).unwrap_or(out.len() - start);
            out = mask(&out, start, start + length);
            from = start + 1;
        }
    }
    out
}

/// `scheme://user:password@host` and `scheme://token@host`; the bare `git@` of ssh addresses stays.
fn userinfo(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut from = 0;
    while let Some(at) = find_ignoring_case(&out, b"://", from) {
        let start = at + 3;
        let length = out[start..].iter().position(|b| b"/?# \t\n'\"".contains(b)).unwrap_or(out.len() - start);
        if let Some(sign) = out[start..start + length].iter().rposition(|b| *b == b'@')
            && &out[start..start + sign] != b"git"
        {
            out = mask(&out, start, start + sign);
        }
        from = start;
    }
    out
}

/// `password=…`, `"token": "…"`, `AWS_SECRET_ACCESS_KEY=…`, wherever they stand in the word.
fn pairs(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < out.len() {
        let colon = out[at] == b':';
        let next = out.get(at + 1).copied();
        if !(out[at] == b'=' || (colon && !matches!(next, Some(b':' | b'/')) && (at == 0 || out[at - 1] != b':'))) {
            at += 1;
            continue;
        }
        let mut key_end = at;
        while key_end > 0 && b"\"'\\ ".contains(&out[key_end - 1]) {
            key_end -= 1;
        }
        let key_length = out[..key_end].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
        at += 1;
        if sensitive(&out[key_end - key_length..key_end]) {
            if colon {
                at += out[at..].iter().take_while(|b| **b == b' ').count();
            }
            let quote = out.get(at).copied().filter(|b| b"'\"".contains(b));
            let start = at + usize::from(quote.is_some());
            let ends = |b: &u8| quote.map_or(b" \t\n&;,'\")}".contains(b), |quote| *b == quote);
            let length = out[start..].iter().position(ends).unwrap_or(out.len() - start);
            out = mask(&out, start, start + length);
            at = start;
        }
    }
    out
}

/// Does a key or flag of this name hold a credential?
fn sensitive(key: &[u8]) -> bool {
    let lower = key.to_ascii_lowercase();
    let letters: Vec<u8> = lower.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let inside: [&[u8]; 10] = [
        b"password",
        b"passwd",
        b"passphrase",
        b"secret",
        b"token",
        b"apikey",
        b"accesskey",
        b"privatekey",
        b"credential",
        b"oauth2bearer",
    ];
    inside.iter().any(|part| letters.windows(part.len()).any(|window| window == *part))
        || lower
            .split(|b| !b.is_ascii_alphanumeric())
            .any(|part| matches!(part, b"auth" | b"pwd" | b"sig" | b"signature" | b"jwt" | b"pass" | b"key"))
}

/// `--token abc` and `-u name:password` inside the text given to `sh -c`.
fn spaced_flags(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut before: &[u8] = b"";
    for (index, part) in bytes.split(|b| *b == b' ').enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if !part.is_empty() && !part.starts_with(b"-") && secret_flag(before) {
            out.extend_from_slice(MARK);
        } else if user_flag(before) && part.contains(&b':') {
            out.extend_from_slice(&after_colon(part));
        } else {
            out.extend_from_slice(part);
        }
        if !part.is_empty() {
            before = part;
        }
    }
    out
}

/// Tokens known by their first letters, and private keys given in full.
fn issuers(bytes: &[u8]) -> Vec<u8> {
    if let Some(at) = find_ignoring_case(bytes, b"-----BEGIN", 0) {
        return mask(bytes, at, bytes.len());
    }
    let in_token = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    runs(bytes, in_token, |run| {
        ISSUERS.iter().any(|issuer| run.len() >= issuer.len() + 16 && run.starts_with(issuer) && run.iter().any(u8::is_ascii_digit))
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
