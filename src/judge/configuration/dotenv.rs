//! `.env` files as dotenvy, sqlx and shells read them. In: the text, and the names of variables that may be known. Out: a copy in which every other
//! variable is there and empty, and no comment is left; nothing for what cannot be understood to its end.

/// Variables that are named keep their values, letter for letter.
pub fn copy(text: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim_start_matches('\u{feff}');
    let mut out = String::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(out.into_bytes());
        }
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let (name, export, after) = name(rest)?;
        let (value, after) = value(after)?;
        rest = after;
        let known = names.contains(&name);
        out.push_str(&format!("{}{name}={}\n", if export { "export " } else { "" }, if known { value } else { "" }));
    }
}

/// `NAME =`, perhaps behind `export`. What else may stand at the front of a line is nothing we know.
fn name(line: &str) -> Option<(&str, bool, &str)> {
    let (bare, export) = match line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])) {
        Some(rest) => (rest.trim_start_matches([' ', '\t']), true),
        None => (line, false),
    };
    let end = bare.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))?;
    let (name, after) = bare.split_at(end);
    let after = after.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, export, after))
}

/// A value as written, quotes included, and what follows its line. A quoted one may go over several lines; behind it nothing stands but a comment,
/// for whoever forgot a quote would else hand out whatever comes before the next one.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let Some(quote) = quote else {
        let end = text.find('\n').unwrap_or(text.len());
        let (line, after) = text.split_at(end);
        // Elsewhere a sign is part of the value, for some readers.
        let bare = line.find(" #").map_or(line, |at| &line[..at]).trim_end();
        let closed = !bare.contains(['"', '\'', '`']) && !bare.ends_with('\\');
        return closed.then_some((bare, after));
    };
    let mut escaped = false;
    let close = text.char_indices().skip(1).find(|(_, c)| {
        let is_it = *c == quote && !escaped;
        escaped = quote == '"' && *c == '\\' && !escaped;
        is_it
    });
    let (value, after) = text.split_at(close?.0 + 1);
    let (tail, after) = after.split_once('\n').unwrap_or((after, ""));
    let tail = tail.trim();
    (tail.is_empty() || tail.starts_with('#')).then_some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        copy(text.as_bytes(), &["DATABASE_URL"]).map(|copy| String::from_utf8(copy).unwrap())
    }

    #[test]
    fn what_is_named_and_nothing_else() {
        for (text, copy) in [
            ("DATABASE_URL=postgres://u:p@h/db\nTOKEN=hush\n", "DATABASE_URL=postgres://u:p@h/db\nTOKEN=\n"),
            ("# TOKEN=hush\nexport DATABASE_URL = \"a b\" # hush\n", "export DATABASE_URL=\"a b\"\n"),
            ("TOKEN=\"hush\nDATABASE_URL=hush\"\nDATABASE_URL=x", "TOKEN=\nDATABASE_URL=x\n"),
            ("TOKEN='hush\\'\nDATABASE_URL='x'\n", "TOKEN=\nDATABASE_URL='x'\n"),
            ("TOKEN=\"a\\\"\nDATABASE_URL=hush\"\n", "TOKEN=\n"),
            ("DATABASE_URL=x #hush\r\nMY_DATABASE_URL=hush\r\n", "DATABASE_URL=x\nMY_DATABASE_URL=\n"),
            ("DATABASE_URL=\nTOKEN=hush", "DATABASE_URL=\nTOKEN=\n"),
            ("", ""),
        ] {
            assert_eq!(of(text).as_deref(), Some(copy), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_handed_over() {
        for text in [
            "DATABASE_URL=\"x\nTOKEN=\"hush\"\n",
            "DATABASE_URL=\"x",
            "DATABASE_URL=a'b\nTOKEN=hush'\n",
            "DATABASE_URL=x\\\nhush\n",
            "DATABASE_URL: x\nTOKEN: hush\n",
            "DATABASE_URL\n",
            "hush\n",
            "{\"DATABASE_URL\": \"x\"}",
            "1=x",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(copy(b"DATABASE_URL=\xff\n", &["DATABASE_URL"]), None);
    }
}
