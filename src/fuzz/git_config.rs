//! Target: the copy of a git configuration that actors get. No credential git would read from the original is in the copy; what is no
//! credential git reads the same.

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::gate::files::redact::redact;

const SECRET: &str = "C4nary7f3b91";

/// Lines of a section with a credential in them, as git, its helpers and CI systems write them.
const SECRETS: [&str; 26] = [
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
];

const HONEST: [&str; 12] = [
    "bare = false",
    "repositoryformatversion = 0",
    "email = a@b.example",
    "remote = git@git.example:x/y.git",
    "url = git@git.example:x/y.git",
    "url = https://git.example/x.git",
    "helper = store",
    "l = log --oneline",
    "fetch = +refs/heads/*:refs/remotes/origin/*",
    "name = \"A ; B # C\"",
    "editor = vi \\\n  -f",
    "precomposeunicode",
];

const SECTIONS: [&str; 8] = [
    "[core]",
    "[remote \"origin\"]",
    "[http \"https://git.example/\"]",
    "[url \"https://u:§@h.example/\"]",
    "[user]",
    "[credential]",
    "  [branch \"a]b\\\"c\"]",
    "[a][b \"x=y\"]",
];

fn config(source: &mut Source) -> Bytes {
    let mut text = String::new();
    for _ in 0..=source.below(4) {
        text.push_str(source.pick(&SECTIONS));
        text.push_str(source.pick(&["\n", " ", "\n\n", "\r\n"]));
        for _ in 0..source.below(4) {
            text.push_str(source.pick(&["\t", "", "  "]));
            let line = if source.one_in(2) { source.pick(&SECRETS) } else { source.pick(&HONEST) };
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
        let copy = redact(&config.0);
        let shown = || copy.escape_ascii().to_string();
        must(!copy.windows(6).any(|window| window == b"C4nary"), || format!("left in {}", shown()))?;
        must(!copy.windows(6).any(|window| window == b"7f3b91"), || format!("left in {}", shown()))?;
        must(lines(&copy) == lines(&config.0), || format!("other lines: {}", shown()))?;
        must(redact(&copy) == copy, || format!("not steady: {}", shown()))
    });
}

/// Honest lines arrive as they are, wherever they stand.
#[test]
fn what_is_no_credential_stays() {
    let honest = |source: &mut Source| {
        let sections = ["[core]", "[remote \"origin\"]", "[http \"https://git.example/\"]"];
        let mut text = String::new();
        for _ in 0..=source.below(4) {
            text.push_str(source.pick(&sections));
            text.push('\n');
            (0..source.below(4)).for_each(|_| text.push_str(&format!("\t{}\n", source.pick(&HONEST))));
        }
        Bytes(text.into_bytes())
    };
    fuzz("git-config-honest", 500, honest, |config| must(redact(&config.0) == config.0, || redact(&config.0).escape_ascii().to_string()));
}

#[test]
fn any_file_is_copied_within_bounds() {
    let damaged = |source: &mut Source| {
        let (mut bytes, other) = (config(source).0, config(source).0);
        mutate(source, &mut bytes, &other, &[b"\\\n", b"[", b"]", b"\"", b"=", b"://", b"@", b"#", b"\\", b"\r"]);
        Bytes(bytes)
    };
    fuzz("git-config-any", 1500, damaged, |config| {
        let copy = redact(&config.0);
        must(copy.len() <= config.0.len() + 1, || "longer than the original".into())?;
        must(lines(&copy) == lines(&config.0), || format!("other lines: {}", copy.escape_ascii()))
    });
}
