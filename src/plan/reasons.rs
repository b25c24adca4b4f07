//! Why a line of a profile is there: the remark behind it, as its author wrote it. In: where a line comes from (`profiles/default.toml:31`, `/w/brig.toml:7`). Out: the
//! remark; and where that is, in words for somebody who has the program and not its sources.

use crate::plan::profile::embedded;

/// `profiles/default.toml:31` is of no file of the user's: `default, line 31`.
pub fn shown(origin: &str) -> String {
    match shipped(origin) {
        Some((name, line)) => format!("{name}, line {line}"),
        None => origin.to_owned(),
    }
}

/// The remark on that line. A list's first line has the remark of the list.
pub fn of(origin: &str) -> Option<String> {
    let (name, line) = match shipped(origin) {
        Some((name, line)) => (Text::Shipped(embedded(name)?), line),
        None => {
            let (file, line) = origin.rsplit_once(':')?;
            (Text::Own(std::fs::read_to_string(file).ok()?), line)
        }
    };
    let text = match &name {
        Text::Shipped(text) => text,
        Text::Own(text) => text.as_str(),
    };
    let line = text.lines().nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
    remark(line).filter(|remark| !remark.is_empty()).map(str::to_owned)
}

enum Text {
    Shipped(&'static str),
    Own(String),
}

fn shipped(origin: &str) -> Option<(&str, &str)> {
    let (name, line) = origin.strip_prefix("profiles/")?.split_once(".toml:")?;
    Some((name, line))
}

/// Behind the first `#` that stands in no string.
fn remark(line: &str) -> Option<&str> {
    let mut inside: Option<char> = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match (inside, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(quote), c) if c == quote => inside = None,
            (None, '"' | '\'') => inside = Some(c),
            (None, '#') => return Some(line[at + 1..].trim()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remark_behind_a_line() {
        for (line, expected) in [
            ("  \"{outside}\",   # path packages", Some("path packages")),
            ("read = ['a#b', \"c\\\"#d\"] # e # f", Some("e # f")),
            ("  \"x\",", None),
            ("# all of it", Some("all of it")),
        ] {
            assert_eq!(remark(line), expected, "{line}");
        }
        let text = embedded("default").unwrap();
        let line = text.lines().position(|line| line.contains("\"{outside}\",")).unwrap() + 1;
        let origin = format!("profiles/default.toml:{line}");
        assert_eq!(of(&origin).as_deref(), Some("path packages, overrides, vendored sources"));
        assert_eq!(shown(&origin), format!("default, line {line}"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "version = 1\nread = [\"/x\"] # ours\n").unwrap();
        let origin = format!("{}:2", file.path().display());
        assert_eq!((of(&origin).as_deref(), shown(&origin)), (Some("ours"), origin.clone()));
        assert_eq!((of("nowhere:1"), of("profiles/none.toml:1"), of("profiles/default.toml:99999")), (None, None, None));
    }
}
