//! Escapers for the terminal: hostile bytes in, text out that is safe to print in the middle of one of our own lines. Whatever could
//! move the cursor, reorder the line, hide itself or speak to a CI runner is shown as an escape instead.

use crate::model::Hostile;

/// Longest piece of hostile text in one line, in characters; longer ones lose their middle.
const LONGEST: usize = 200;

/// A path or host name that will stand between backticks: those are escaped too, so that it cannot end its own quotation.
pub fn quoted(text: &Hostile) -> String {
    render(text.as_bytes(), LONGEST, true)
}

/// A command line or a symbol, which stands without quotes.
pub fn plain(text: &Hostile) -> String {
    render(text.as_bytes(), LONGEST, false)
}

/// A package name or version: from somebody's `Cargo.toml`, hence hostile as well.
pub fn name(text: &str) -> String {
    render(text.as_bytes(), 80, true)
}

/// Our own sentence that may embed names of others (a policy line, a reason). Backticks stay.
pub fn ours(text: &str) -> String {
    render(text.as_bytes(), 600, false)
}

fn render(bytes: &[u8], longest: usize, backticks: bool) -> String {
    if let Some(text) = as_it_is(bytes, longest, backticks) {
        return text.to_owned();
    }
    let mut pieces: Vec<String> = Vec::new();
    for chunk in bytes.utf8_chunks() {
        pieces.extend(chunk.valid().chars().map(|c| piece(c, backticks)));
        pieces.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    // A runner of GitHub Actions takes `##[` for a command anywhere in a line (`::` only at its start, where our own words stand).
    cut(&pieces, longest).replace("##[", "#\\u{23}[")
}

/// What needs no look at each of its characters: nearly every path there is.
fn as_it_is(bytes: &[u8], longest: usize, backticks: bool) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\' && !(backticks && *byte == b'`');
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= longest && text.bytes().all(|byte| is_plain(&byte)))?;
    (!text.contains("##[")).then_some(text)
}

fn piece(c: char, backticks: bool) -> String {
    match c {
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\\' => "\\\\".into(),
        '`' if backticks => "\\`".into(),
        c if deceptive(c) => format!("\\u{{{:x}}}", c as u32),
        c => c.into(),
    }
}

/// Keeps two thirds of the room for the start and one third for the end: of a path, the end says most.
fn cut(pieces: &[String], longest: usize) -> String {
    let width = |piece: &String| piece.chars().count();
    if pieces.iter().map(width).sum::<usize>() <= longest {
        return pieces.concat();
    }
    let fitting = |room: usize, pieces: &mut dyn Iterator<Item = &String>| {
        let mut used = 0;
        pieces.take_while(|piece| (used += width(piece), used <= room).1).count()
    };
    let head = fitting(longest * 2 / 3, &mut pieces.iter());
    let tail = fitting(longest / 3, &mut pieces.iter().rev());
    format!("{}…{}", pieces[..head].concat(), pieces[pieces.len() - tail..].concat())
}

/// Characters that change how the rest of a line looks, or that cannot be seen: controls (C0, DEL, C1), bidi marks and overrides,
/// zero-width and filler characters, line separators, variation selectors, tags.
pub fn deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_nothing_moving() {
        let table: &[(&[u8], &str)] = &[
            (b"plain/path.rs", "plain/path.rs"),
            ("grün/日本".as_bytes(), "grün/日本"),
            (b"a\nerror: fake", "a\\nerror: fake"),
            (b"a\r\x1b[2Kclean", "a\\r\\u{1b}[2Kclean"),
            (b"\x1b]8;;http://x\x07y", "\\u{1b}]8;;http://x\\u{7}y"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("\u{202e}gpj.exe\u{2066}\u{200f}".as_bytes(), "\\u{202e}gpj.exe\\u{2066}\\u{200f}"),
            ("zero\u{200b}width\u{feff}".as_bytes(), "zero\\u{200b}width\\u{feff}"),
            ("tag\u{e0041}".as_bytes(), "tag\\u{e0041}"),
            (b"bad\xff\n::error::pwned", "bad\\xff\\n::error::pwned"),
            (b"x##[error]pwned", "x#\\u{23}[error]pwned"),
            (b"`x` 1.0 is clean", "\\`x\\` 1.0 is clean"),
            (b"back\\slash \\x41", "back\\\\slash \\\\x41"),
        ];
        for (bytes, expected) in table {
            assert_eq!(quoted(&Hostile::new(*bytes)), *expected);
        }
        assert_eq!(ours("profile `default`: secrets\n"), "profile `default`: secrets\\n");
    }

    #[test]
    fn the_middle_of_long_text_goes() {
        let long = quoted(&Hostile::new(format!("/start{}/end.rs", "x".repeat(4096))));
        assert_eq!(long.chars().count(), 200, "133 + … + 66");
        assert!(long.starts_with("/startxxx") && long.ends_with("xxx/end.rs") && long.contains('…'));
        // An escape is never cut in two.
        let escapes = quoted(&Hostile::new("\u{202e}".repeat(300)));
        assert_eq!(escapes.replace("\\u{202e}", "").as_str(), "…");
    }
}
