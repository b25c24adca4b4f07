//! Target: the copy of a git configuration that actors get. Nothing that stands under a key that is not known to be harmless, in a comment
//! or in a URL is in the copy; what is harmless git reads the same. What git would not read has no copy.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::judge::configuration::copy::copy;
use crate::judge::configuration::format::Format;

const SECRET: &str = "C4nary7f3b91";

/// Lines of a section with a credential in them, as git, its helpers and CI systems write them.
const SECRETS: [&str; 34] = [
    "extraheader = AUTHORIZATION: basic §",
    "ExtraHeader=\"AUTHORIZATION: bearer §\"",
    "url = https://me:§@git.example/x.git",
    "pushurl=https://§@git.example/x.git",
    "url = \"https://oauth2:§@git.example/x\"",
    "proxy = http://u:§@proxy.example:8080",
    "helper = \"!f() { echo password=§; }; f\"",
    "helper = !echo password=§",
    "password = §",
    "smtpPass = §",
    "pass = §",
    "token = §",
    "oauth-token = §",
    "apiKey = §",
    "clientSecret = §",
    "cookieFile = §",
    "# token = §",
    "; password=§",
    "name = x ; password = §",
    "name = x # https://u:§@h.example/",
    "bare = false ; token: §",
    "insteadOf = https://u:§@h.example/",
    "url = https://me:hal\\\nf§@git.example/x.git",
    "extraheader = X: \\\n\t§",
    "url = https://me:§\\\n@git.example/x",
    "tokenFile = \"§\\\" and more\" ; x",
    "sshCommand = sshpass -p § ssh",
    "up = !curl -H 'X: §' http://127.0.0.1:9",
    "url = me:§@git.example/x",
    "url = https://git.example/x?private_token=§",
    "url = ext::sh -c §",
    "whatever = §",
    "update = !echo §",
    "signingkey = §",
];

/// Headers, and what may stand below them.
const HONEST: [(&str, &[&str]); 5] = [
    ("[core]", &["bare = false", "repositoryformatversion = 0", "precomposeunicode", "hooksPath = a \\\n  b"]),
    (
        "[remote \"origin\"]",
        &["url = git@git.example:x/y.git", "url = https://git.example/x.git", "fetch = +refs/heads/*:refs/remotes/origin/*"],
    ),
    ("[user]", &["email = a@b.example", "name = \"A ; B # C\""]),
    ("  [branch \"a]b\\\"c\"]", &["remote = origin", "merge = refs/heads/main"]),
    ("[http \"https://git.example/\"]", &["sslVerify = true"]),
];

const SECTIONS: [&str; 10] = [
    "[core]",
    "[remote \"origin\"]",
    "[http \"https://git.example/\"]",
    "[url \"https://u:§@h.example/\"]",
    "[user]",
    "[credential]",
    "  [branch \"a]b\\\"c\"]",
    "[a][b \"x=y\"]",
    "[submodule \"x\"]",
    "[include]",
];

fn config(source: &mut Source) -> Bytes {
    let mut text = String::new();
    for _ in 0..=source.below(4) {
        text.push_str(source.pick(&SECTIONS));
        text.push_str(source.pick(&["\n", " ", "\n\n", "\r\n"]));
        for _ in 0..source.below(4) {
            text.push_str(source.pick(&["\t", "", "  "]));
            let honest = source.pick(&HONEST).1;
            let line = if source.one_in(2) { source.pick(&SECRETS) } else { source.pick(honest) };
            text.push_str(line);
            text.push_str(source.pick(&["\n", "\n", "\r\n"]));
        }
    }
    if source.one_in(4) {
        text = text.replace('\n', "\r\n").replace("\r\r", "\r");
    }
    Bytes(text.replace('§', SECRET).into_bytes())
}

fn lines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn no_credential_is_in_the_copy() {
    fuzz("git-config", 3000, config, |config| {
        let Some(told) = copy(Format::Git, &config.0) else { return Err("is not read".into()) };
        let shown = || told.escape_ascii().to_string();
        must(!told.windows(6).any(|window| window == b"C4nary"), || format!("left in {}", shown()))?;
        must(!told.windows(6).any(|window| window == b"7f3b91"), || format!("left in {}", shown()))?;
        must(lines(&told) == lines(&config.0), || format!("other lines: {}", shown()))?;
        must(copy(Format::Git, &told).as_ref() == Some(&told), || format!("not steady: {}", shown()))
    });
}

/// Honest lines arrive as they are, wherever they stand.
#[test]
fn what_is_no_credential_stays() {
    let honest = |source: &mut Source| {
        let mut text = String::new();
        for _ in 0..=source.below(4) {
            let (header, lines) = source.pick(&HONEST);
            text.push_str(&format!("{header}\n"));
            (0..source.below(4)).for_each(|_| text.push_str(&format!("\t{}\n", source.pick(lines))));
        }
        Bytes(text.into_bytes())
    };
    fuzz("git-config-honest", 500, honest, |config| {
        must(copy(Format::Git, &config.0).as_ref() == Some(&config.0), || config.0.escape_ascii().to_string())
    });
}

#[test]
fn any_file_is_copied_within_bounds() {
    let damaged = |source: &mut Source| {
        let (mut bytes, other) = (config(source).0, config(source).0);
        mutate(source, &mut bytes, &other, &[b"\\\n", b"[", b"]", b"\"", b"=", b"://", b"@", b"#", b"\\", b"\r"]);
        Bytes(bytes)
    };
    fuzz("git-config-any", 1500, damaged, |config| {
        let Some(told) = copy(Format::Git, &config.0) else { return Ok(()) };
        must(told.len() <= config.0.len() + 1, || "longer than the original".into())?;
        must(lines(&told) == lines(&config.0), || format!("other lines: {}", told.escape_ascii()))
    });
}
