//! Git's configuration (git-config(1), config.c). In: a file's text. Out: the same lines with the harmless entries in them, and nothing in
//! the others. Build scripts ask git for a version and an origin; what CI systems leave there (`http.*.extraheader`), helpers with passwords
//! in their text, commands and aliases they need not have. What is included is not followed in the copy: each file is judged by itself.

use std::ops::Range;

use super::address;

/// A piece of the text that says something.
enum Piece<'t> {
    Header {
        at: Range<usize>,
        section: String,
        subsection: Option<Vec<u8>>,
    },
    /// `at` without a comment behind it; `value` as git reads it.
    Entry {
        at: Range<usize>,
        key: &'t [u8],
        value: Option<Vec<u8>>,
    },
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Kept, but for credentials in URLs.
    Text,
    Address,
    /// Kept where it is no command.
    Word,
}

/// Sections with a name behind them (`[remote "origin"]`) are marked with a dot.
fn kind(section: &str, named: bool, key: &str) -> Option<Kind> {
    use Kind::{Address, Text, Word};
    let section = if named { format!("{section}.") } else { section.to_owned() };
    Some(match (section.as_str(), key) {
        (
            "core",
            "repositoryformatversion"
            | "filemode"
            | "bare"
            | "logallrefupdates"
            | "symlinks"
            | "ignorecase"
            | "precomposeunicode"
            | "worktree"
            | "autocrlf"
            | "eol"
            | "safecrlf"
            | "quotepath"
            | "excludesfile"
            | "attributesfile"
            | "hookspath"
            | "abbrev"
            | "protecthfs"
            | "protectntfs"
            | "trustctime"
            | "checkstat"
            | "untrackedcache"
            | "preloadindex"
            | "commentchar"
            | "whitespace"
            | "longpaths"
            | "fscache"
            | "splitindex"
            | "sharedrepository"
            | "compression"
            | "loosecompression"
            | "bigfilethreshold"
            | "packedgitlimit"
            | "packedgitwindowsize"
            | "deltabasecachelimit"
            | "sparsecheckout"
            | "sparsecheckoutcone"
            | "hidedotfiles"
            | "multipackindex"
            | "commitgraph"
            | "checkroundtripencoding"
            | "warnambiguousrefs"
            | "fsync"
            | "fsyncmethod"
            | "notesref",
        )
        | (
            "extensions",
            "objectformat" | "compatobjectformat" | "refstorage" | "worktreeconfig" | "partialclone" | "noop" | "preciousobjects"
            | "relativeworktrees",
        )
        | (
            "remote.",
            "fetch" | "push" | "mirror" | "prune" | "prunetags" | "tagopt" | "promisor" | "partialclonefilter" | "skipfetchall"
            | "skipdefaultupdate",
        )
        | ("branch.", "remote" | "pushremote" | "merge" | "rebase")
        | ("branch", "autosetupmerge" | "autosetuprebase")
        | ("submodule.", "active" | "path" | "branch" | "ignore" | "shallow" | "fetchrecursesubmodules")
        | ("submodule", "active" | "recurse")
        | ("user" | "author" | "committer", "name" | "email")
        | ("user", "useconfigonly")
        | ("init", "defaultbranch" | "defaultobjectformat")
        | ("safe", "directory" | "barerepository")
        | ("http" | "http.", "sslverify" | "sslcainfo" | "sslcapath" | "version" | "postbuffer" | "lowspeedlimit" | "lowspeedtime")
        | ("feature", "manyfiles" | "experimental")
        | ("index", "version" | "threads" | "sparse")
        | ("pack", "threads" | "window" | "windowmemory" | "depth")
        | ("gc", "auto" | "autodetach")
        | ("pull", "rebase" | "ff")
        | ("push", "default" | "autosetupremote")
        | ("fetch", "prune" | "prunetags")
        | ("merge", "conflictstyle" | "ff")
        | ("diff", "renames" | "algorithm" | "mnemonicprefix")
        | ("color", _)
        | ("advice", _)
        | ("column", "ui") => Text,
        ("submodule.", "update") | ("core", "fsmonitor") => Word,
        ("remote.", "url" | "pushurl") | ("submodule.", "url") | ("url.", "insteadof" | "pushinsteadof") => Address,
        _ => return None,
    })
}

/// Sections that are kept as such; a header without entries says nothing.
fn is_known(section: &str) -> bool {
    const KNOWN: [&str; 24] = [
        "core",
        "extensions",
        "remote",
        "branch",
        "submodule",
        "user",
        "author",
        "committer",
        "init",
        "safe",
        "http",
        "feature",
        "index",
        "pack",
        "gc",
        "pull",
        "push",
        "fetch",
        "merge",
        "diff",
        "color",
        "advice",
        "column",
        "url",
    ];
    KNOWN.contains(&section)
}

/// The copy, line by line; `None` for what git itself would not read.
pub fn copy(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut done) = (Vec::with_capacity(text.len()), 0);
    // Before the first header nothing belongs anywhere.
    let mut current = (String::new(), false);
    for piece in pieces(text)? {
        let (at, kept) = match piece {
            Piece::Header { at, section, subsection } => {
                current = (section, subsection.is_some());
                let kept = is_known(&current.0).then(|| header(&text[at.clone()], &current.0, subsection.as_deref())).flatten();
                if kept.is_none() {
                    current = (String::new(), false);
                }
                (at, kept)
            }
            Piece::Entry { at, key, value } => {
                let key = String::from_utf8_lossy(key).to_ascii_lowercase();
                let kept = kind(&current.0, current.1, &key).and_then(|kind| entry(&text[at.clone()], &key, kind, value.as_deref()));
                (at, kept)
            }
        };
        blank(&text[done..at.start], &mut out);
        match kept {
            Some(kept) => {
                let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
                out.extend_from_slice(&kept);
                // What it went on in becomes empty lines.
                out.extend(std::iter::repeat_n(b'\n', lines(&text[at.clone()]) - lines(&kept)));
            }
            None => blank(&text[at.clone()], &mut out),
        }
        done = at.end;
    }
    blank(&text[done..], &mut out);
    Some(out)
}

/// Line ends, and of lines (or what is left of one) in which nothing else stands, the blanks.
fn blank(text: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end = line.len() - usize::from(line.ends_with(b"\n")) - usize::from(line.ends_with(b"\r\n"));
        let is_blank = line[..end].iter().all(|byte| matches!(byte, b' ' | b'\t'));
        out.extend_from_slice(if is_blank { line } else { &line[end..] });
    }
}

fn header(raw: &[u8], section: &str, subsection: Option<&[u8]>) -> Option<Vec<u8>> {
    let Some(subsection) = subsection else { return Some(raw.to_vec()) };
    let name = std::str::from_utf8(subsection).ok()?;
    let kept = if matches!(section, "url" | "http") { address::bare(name)? } else { address::without_credentials(name)? };
    if kept == name {
        return Some(raw.to_vec());
    }
    Some(format!("[{section} \"{}\"]", kept.replace('\\', "\\\\").replace('"', "\\\"")).into_bytes())
}

fn entry(raw: &[u8], key: &str, kind: Kind, value: Option<&[u8]>) -> Option<Vec<u8>> {
    // Without a value it says yes.
    let Some(value) = value else { return Some(raw.to_vec()) };
    let value = std::str::from_utf8(value).ok()?;
    let kept = match kind {
        Kind::Text => address::without_credentials(value)?,
        Kind::Address => address::bare(value)?,
        Kind::Word => Some(value.to_owned()).filter(|value| value.bytes().all(|byte| byte.is_ascii_alphanumeric()))?,
    };
    if kept == value {
        return Some(raw.to_vec());
    }
    let escape = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        '"' => "\\\"".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        c => c.to_string(),
    };
    let plain = kept.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-+@~%".contains(c));
    let kept = if plain { kept } else { format!("\"{}\"", kept.chars().map(escape).collect::<String>()) };
    Some(format!("{key} = {kept}").into_bytes())
}

/// What every `include.path` and `includeIf.*.path` names.
pub fn included(text: &[u8]) -> Vec<Vec<u8>> {
    let (mut found, mut within) = (Vec::new(), false);
    for piece in pieces(text).unwrap_or_default() {
        match piece {
            Piece::Header { section, .. } => within = matches!(section.as_str(), "include" | "includeif"),
            Piece::Entry { key, value: Some(value), .. } if within && key.eq_ignore_ascii_case(b"path") => found.push(value),
            Piece::Entry { .. } => {}
        }
    }
    found
}

/// Takes the text apart as `git_parse_source` does.
fn pieces(text: &[u8]) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while let Some(byte) = text.get(at) {
        match byte {
            b'#' | b';' => at += text[at..].iter().take_while(|byte| **byte != b'\n').count(),
            b'[' => {
                let (end, section, subsection) = section(text, at + 1)?;
                pieces.push(Piece::Header { at: at..end, section, subsection });
                at = end;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte if byte.is_ascii_alphabetic() => {
                let key = at + text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
                let sign = key + text[key..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                let (end, value) = match text.get(sign) {
                    Some(b'=') => value(text, sign + 1).map(|(end, value)| (end, Some(value)))?,
                    Some(b'\n') | None => (key, None),
                    Some(b'\r') if text.get(sign + 1) == Some(&b'\n') => (key, None),
                    Some(_) => return None,
                };
                pieces.push(Piece::Entry { at: at..end, key: &text[at..key], value });
                at = end;
                // What stands behind a value is a comment, up to the end of its line.
            }
            _ => return None,
        }
    }
    Some(pieces)
}

/// From behind the bracket: where the header ends, its section in lower case, its subsection.
fn section(text: &[u8], start: usize) -> Option<(usize, String, Option<Vec<u8>>)> {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let end = start + text[start..].iter().take_while(is_name).count();
    let name = String::from_utf8_lossy(&text[start..end]).to_ascii_lowercase();
    if text.get(end) == Some(&b']') {
        // The old way: `[remote.origin]`.
        return Some(match name.split_once('.') {
            Some((section, subsection)) => (end + 1, section.to_owned(), Some(subsection.as_bytes().to_vec())),
            None => (end + 1, name, None),
        });
    }
    let mut at = end + text[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if at == end || text.get(at) != Some(&b'"') {
        return None;
    }
    let mut subsection = Vec::new();
    loop {
        at += 1;
        match text.get(at)? {
            b'\n' => return None,
            b'"' => break,
            b'\\' => {
                at += 1;
                subsection.push(*text.get(at).filter(|byte| **byte != b'\n')?);
            }
            byte => subsection.push(*byte),
        }
    }
    (text.get(at + 1) == Some(&b']')).then_some((at + 2, name, Some(subsection)))
}

/// From behind the equals sign: where the value ends (a comment is no part of it), and what it says.
fn value(text: &[u8], start: usize) -> Option<(usize, Vec<u8>)> {
    let (mut at, mut quoted) = (start, false);
    let mut value = Vec::new();
    // Behind the last byte that counts: blanks at the end do not.
    let (mut length, mut end) = (0, start);
    loop {
        let rest = &text[at..];
        match rest {
            [] | [b'\n', ..] | [b'\r', b'\n', ..] if quoted => return None,
            [] | [b'\n', ..] | [b'\r', b'\n', ..] => break,
            [b'#' | b';', ..] if !quoted => break,
            [b' ' | b'\t', ..] if !quoted => {
                if !value.is_empty() {
                    value.push(rest[0]);
                }
                at += 1;
                continue;
            }
            [b'"', ..] => {
                quoted = !quoted;
                at += 1;
                (length, end) = (value.len(), at);
                continue;
            }
            [b'\\', b'\n', ..] => {
                at += 2;
                end = at;
                continue;
            }
            [b'\\', b'\r', b'\n', ..] => {
                at += 3;
                end = at;
                continue;
            }
            [b'\\', escaped, ..] => {
                value.push(match escaped {
                    b't' => b'\t',
                    b'b' => 8,
                    b'n' => b'\n',
                    b'\\' | b'"' => *escaped,
                    _ => return None,
                });
                at += 2;
            }
            [b'\\'] => return None,
            [byte, ..] => {
                value.push(*byte);
                at += 1;
            }
        }
        (length, end) = (value.len(), at);
    }
    value.truncate(length);
    Some((end, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(copy(text.as_bytes()).map(|copy| String::from_utf8(copy).unwrap()).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn only_harmless_keys_have_values() {
        check("[http \"https://git.example/\"]\n\textraheader = AUTHORIZATION: basic CANARY\n", "[http \"https://git.example/\"]\n\t\n");
        check("[core]\n\tbare = false ; CANARY\n\tsshCommand = sshpass -p CANARY ssh\n", "[core]\n\tbare = false\n\t\n");
        check("[alias]\n\tup = !curl CANARY\n[CORE] Bare\n", "\n\t\n[CORE] Bare\n");
        check("# CANARY\n[credential \"https://u:CANARY@h\"]\n helper = store\n", "\n\n \n");
        check("[url \"https://oauth2:CANARY@h/\"]\n\tinsteadOf = https://h/\n", "[url \"https://h/\"]\n\tinsteadOf = https://h/\n");
        check("[remote \"o\"]\r\n\turl = https://me:CANARY@h/x.git?t=CANARY\r\n", "[remote \"o\"]\r\n\turl = https://h/x.git\r\n");
        check("[remote.o]\nurl=me:CANARY@h/x\nproxy=http://u:CANARY@p\n", "[remote.o]\n\n\n");
        check(
            "[remote \"o\"] url = \"https://u:CAN\\\nARY@h/x y\" # CANARY\n[user] name = \"A ; B\"",
            "[remote \"o\"] url = \"https://h/x y\"\n\n[user] name = \"A ; B\"",
        );
        check("[submodule \"x\"]\n\tupdate = !echo CANARY\n\tpath = x\n", "[submodule \"x\"]\n\t\n\tpath = x\n");
        check("[include]\n\tpath = more\nbare = CANARY\n", "\n\t\n\n");
        check("url = CANARY\n", "\n");
        check("[gpg \"x\"] program = CANARY", " ");
    }

    #[test]
    fn what_git_would_not_read_is_not_copied() {
        for text in
            ["[core", "[core]\nbare = \"x\n", "[core]\n=x\n", "[core x]\n", "[a \"b\n\"]", "[core]\nbare ~ x\n", "[core] x = \\q\n", "\0"]
        {
            assert_eq!(copy(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn honest_lines_stay_as_they_are() {
        let text = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n[remote \"origin\"]\n\
                    \turl = git@git.example:x/y.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"a]b\\\"c\"]\n\tremote = origin\n\
                    \tmerge = refs/heads/main\n[user]\n\temail = a@b.example\n\tname = \"A # B\"\n[submodule \"v\"]\n\tactive = true\n\
                    \turl = https://git.example/v.git\n";
        check(text, text);
        check("", "");
        check("\u{feff}[core]\nbare\n", "\n[core]\nbare\n".trim_start_matches('\n'));
    }

    #[test]
    fn what_is_included_is_known() {
        let text = b"[include] path = a.inc\n[core]\npath = x\n[includeIf \"gitdir:~/w/\"]\n\tPath = \"~/b c\"\n";
        assert_eq!(included(text), [b"a.inc".to_vec(), b"~/b c".to_vec()]);
    }
}
