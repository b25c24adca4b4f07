//! Names and values that stand somewhere in a word: `password=…`, `"token": "…"`. In: a word. Out: the same without values of credentials.

use super::mask::{end_of_quoted, mask};

/// The name before an equals sign or colon, and whether that of a credential.
#[derive(Clone, Copy, Default)]
struct Key {
    sign: usize,
    start: usize,
    end: usize,
    sensitive: bool,
}

impl Key {
    /// What is named at `sign`. `last`: the key of a sign before it; where nothing but blanks and quotes lie in between, it is still that one.
    fn at(bytes: &[u8], sign: usize, last: Option<Key>) -> Key {
        let mut end = sign;
        while end > 0 && b"\"'\\ :".contains(&bytes[end - 1]) {
            end -= 1;
            if let Some(last) = last.filter(|last| last.sign == end) {
                return Key { sign, ..last };
            }
        }
        let start = end - bytes[..end].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
        Key { sign, start, end, sensitive: sensitive(&bytes[start..end]) || bytes[sign] == b'=' && is_header(&bytes[start..end]) }
    }
}

/// `password=…`, `"token": "…"`, `AWS_SECRET_ACCESS_KEY=…`, wherever they stand in the word.
pub fn pairs(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let (mut at, mut last) = (0, None);
    while at < out.len() {
        let colon = out[at] == b':';
        // `std::token::x` and `token://h` are no pairs.
        let other = colon && (out[at + 1..].starts_with(b":") || out[at + 1..].starts_with(b"//") || (at > 0 && out[at - 1] == b':'));
        if !(out[at] == b'=' || colon) || other {
            at += 1;
            continue;
        }
        let key = Key::at(&out, at, last);
        last = Some(key);
        let spaced = at > 0 && out[at - 1] != b'"' && b" :".contains(&out[at - 1]);
        // `'--token=a b'`: the whole word is in quotes.
        let around = out[..key.start].last().copied().filter(|b| b"'\"".contains(b) && key.end == at);
        at += 1;
        if let Some(quote) = around.filter(|_| key.sensitive) {
            let end = at + end_of_quoted(&out[at..], quote);
            out = mask(&out, at, end);
        } else if key.sensitive {
            at += out[at..].iter().take_while(|b| b"=>".contains(b)).count();
            if colon || spaced || b"=>".contains(&out[at - 1]) && out[at - 2] == b'=' {
                at += out[at..].iter().take_while(|b| **b == b' ').count();
            }
            let (start, end) = value(&out, at, !colon && !spaced);
            out = mask(&out, start, end);
            at = start;
        } else if matches!(&out[key.start..key.end], b"--user" | b"--proxy-user") {
            let (start, end) = value(&out, at, !colon && !spaced);
            if let Some(sign) = out[start..end].iter().position(|b| *b == b':') {
                out = mask(&out, start + sign + 1, end);
            }
        }
    }
    out
}

/// `token%3D…`: a pair that is itself the value of another.
pub fn escaped_pairs(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut from) = (bytes.to_vec(), 0);
    let is_sign = |bytes: &[u8], sign: &[u8]| bytes.len() >= 3 && bytes[..3].eq_ignore_ascii_case(sign);
    while let Some(at) = (from..out.len()).find(|at| is_sign(&out[*at..], b"%3D") || is_sign(&out[*at..], b"%3A")) {
        from = at + 3;
        // Within quotes that were escaped, too.
        let at = if at >= 3 && is_sign(&out[at - 3..], b"%22") { at - 3 } else { at };
        let name = out[..at].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
        // What was escaped before the name ends in two digits: they say nothing, and hide nothing.
        if sensitive(&out[at - name..at]) {
            let ends = |at: &usize| b" \t\n&;,'\")}".contains(&out[*at]) || is_sign(&out[*at..], b"%26") || is_sign(&out[*at..], b"%22");
            // A quote that was escaped may stand before the value.
            let start = from + 3 * usize::from(is_sign(&out[from..], b"%22"));
            let end = (start..out.len()).find(ends).unwrap_or(out.len());
            out = mask(&out, start, end);
        }
    }
    out
}

/// The value that begins at `at`: within quotes, however often their backslashes were doubled, or up to what ends a word of a shell, a
/// form or a list. The word for how to authorise is no value yet. To what a shell `assigns`, quotes may be joined.
fn value(bytes: &[u8], at: usize, assigns: bool) -> (usize, usize) {
    let slashes = bytes[at..].iter().take_while(|b| **b == b'\\').count();
    let Some(quote) = bytes.get(at + slashes).copied().filter(|b| b"'\"".contains(b)) else {
        let ends = |from: usize| bytes[from..].iter().position(|b| b" \t\n&;,'\")}".contains(b)).map_or(bytes.len(), |end| from + end);
        let end = ends(at);
        let scheme =
            [&b"bearer"[..], b"basic", b"token", b"digest", b"apikey"].iter().any(|word| bytes[at..end].eq_ignore_ascii_case(word));
        return (at, if scheme && bytes.get(end) == Some(&b' ') { ends(end + 1) } else { end });
    };
    let start = at + slashes + 1;
    // `'\''…`: how a quoted text holds a quote of its own kind, once or twice over.
    let signs = bytes[start..].iter().take_while(|b| b"'\"\\".contains(b)).count();
    if signs > 1 {
        let start = start + signs;
        let length = bytes[start..].iter().position(|b| b"'\" \t\n".contains(b)).unwrap_or(bytes.len() - start);
        return (start, start + length);
    }
    // As many backslashes before the closing quote as before the opening one: another number belongs to the value.
    let mut run = 0;
    for (offset, byte) in bytes[start..].iter().enumerate() {
        if *byte == quote && run == slashes {
            let end = start + offset;
            let joined = assigns && slashes == 0 && bytes.get(end + 1).is_some_and(|next| b"'\"\\".contains(next));
            return (start, if joined { start + end_of_quoted(&bytes[start..], quote) } else { end - slashes });
        }
        run = if *byte == b'\\' { run + 1 } else { 0 };
    }
    (start, bytes.len())
}

/// The header that is given as a variable or a field of a form; with its colon it is known as what it is.
pub fn is_header(name: &[u8]) -> bool {
    name.len() >= 13 && name[name.len() - 13..].eq_ignore_ascii_case(b"authorization")
}

/// Does a key or flag of this name hold a credential?
pub fn sensitive(key: &[u8]) -> bool {
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
