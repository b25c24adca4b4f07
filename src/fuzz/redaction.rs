//! Target: command lines with a credential somewhere in them. Whatever way it is given, no piece of it may be left; and what is redacted
//! already stays as it is.

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::model::Hostile;
use crate::report::redact;

/// The words, and the credential that stands in them. `§` in the forms below is where.
#[derive(Debug)]
struct Planted {
    words: Vec<Bytes>,
    secret: String,
}

/// A header's value, in any quotes or none.
const HEADERS: [&str; 12] = [
    "Authorization: Bearer §",
    "authorization:Basic §",
    "Authorization: token §",
    "Proxy-Authorization:   Basic §",
    "X-Api-Key: §",
    "PRIVATE-TOKEN: §",
    "Cookie: a=b; session=§; c=d",
    "X-Deploy-Token: Bearer §",
    "X-Vault-Token: §",
    "X-Access-Key:§",
    "Authorization:\tBearer §",
    "AUTHORIZATION: basic §",
];

/// One word of an argument list.
const WORDS: [&str; 41] = [
    "https://u:§@h.example/p?x=1",
    "https://§@h.example/r.git",
    "postgres://app:§@db.example:5432/x",
    "https://h.example/?a=1&token=§&b=2",
    "https://h.example/#access_token=§",
    "https://h.example/?X-Amz-Signature=§",
    "--password=§",
    "--token=§",
    "--api-key=§",
    "--client_secret=§",
    "--secret-access-key=§",
    "--user=me:§",
    "--proxy-user=me:§",
    "--token=two § words",
    "-Dpassword=§",
    "AWS_SECRET_ACCESS_KEY=§",
    "TOKEN=§",
    "MY_PASSWORD='§'",
    "{\"token\":\"§\"}",
    "{\"n\": 1, \"password\" : \"§\", \"m\": [2]}",
    "{\\\"api_key\\\":\\\"§\\\"}",
    "{'secret': '§'}",
    "{\"password\":\"a\\\"b §\"}",
    "token=§&x=y",
    "token = \"§\"",
    "password: §",
    "password:§",
    "auth_token := §",
    "{:password => '§'}",
    "machine h.example login me password §",
    "ghp_§0123456789abcdef0123",
    "x,glpat-§0123456789abcdef",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n§\n-----END",
    "http.extraheader=AUTHORIZATION: basic §",
    "//registry.example/:_authToken=§",
    "pass:§",
    "https://h.example/?u=a%26token%3D§%26b%3D2",
    "%7B%22password%22%3A%22§%22%7D",
    "//u:§@h.example/p",
    "Authorization=Bearer §",
    "[\"x\", \"--token\", \"§\"]",
];

/// Words that only mean something together; the program comes first where it matters.
const LINES: [&[&str]; 24] = [
    &["x", "--password", "§"],
    &["x", "--auth-token", "§"],
    &["x", "--api-key", "§", "build"],
    &["curl", "-u", "me:§", "https://h"],
    &["curl", "-su", "me:§", "https://h"],
    &["curl", "-ume:§"],
    &["curl", "--user", "me:§"],
    &["curl", "--proxy-user", "me:§"],
    &["curl", "--oauth2-bearer", "§"],
    &["curl", "-b", "§"],
    &["curl", "-d", "§§0aB"],
    &["curl", "-HX-Api-Key: §"],
    &["sshpass", "-p", "§", "ssh", "h"],
    &["sshpass", "-p§", "ssh", "h"],
    &["mysql", "-uroot", "-p§", "db"],
    &["docker", "login", "-u", "me", "-p", "§", "r.example"],
    &["redis-cli", "-a", "§", "ping"],
    &["ldapsearch", "-w", "§"],
    &["unzip", "-P", "§", "x.zip"],
    &["twine", "upload", "-p", "§"],
    &["cargo", "login", "§"],
    &["/usr/bin/cargo", "login", "§"],
    &["gpg", "--passphrase", "§"],
    &["openssl", "enc", "-pass", "pass:§"],
];

const NOISE: [&str; 12] =
    ["-o", "out", "--release", "-L/usr/lib", "x=y", "a:b", "'", "\"", "--", "feature=\"default\"", "https://h.example/", "\\"];

fn planted(source: &mut Source) -> Planted {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut secret = String::from("C4nary");
    (0..14 + source.below(20)).for_each(|_| secret.push(char::from(source.pick(letters))));
    let line: Vec<String> = match source.below(4) {
        0 => {
            let header = source.pick(&HEADERS);
            let flag = source.pick(&["-H", "--header"]);
            match source.below(3) {
                0 => vec!["curl".into(), flag.into(), header.into()],
                1 => vec!["curl".into(), format!("--header={header}")],
                _ => vec!["curl".into(), format!("-H{header}")],
            }
        }
        1 => source.pick(&LINES).iter().map(ToString::to_string).collect(),
        _ => vec!["tool".into(), source.pick(&WORDS).to_string()],
    };
    let mut line: Vec<String> = line.into_iter().map(|word| word.replace('§', &secret)).collect();
    for _ in 0..source.below(3) {
        line.push(source.pick(&NOISE).to_string());
    }
    if source.one_in(2) {
        line = in_shell(source, &line);
    }
    Planted { words: line.into_iter().map(|word| Bytes(word.into_bytes())).collect(), secret }
}

/// The same line as the text given to a shell, quoted in one of the ways people quote; perhaps twice.
fn in_shell(source: &mut Source, line: &[String]) -> Vec<String> {
    let separator = source.pick(&[" ", "  ", " \\\n  ", "\t"]);
    let quoted: Vec<String> = line.iter().map(|word| quote(source, word)).collect();
    let before = source.pick(&["", "cd x && ", "A=b ", "set -e; ", "if true; then "]);
    let after = source.pick(&["", " | sh", " > /dev/null 2>&1", "; echo done", " || true"]);
    let script = format!("{before}{}{after}", quoted.join(separator));
    let shell = vec![source.pick(&["sh", "/bin/bash"]).to_string(), source.pick(&["-c", "-ec"]).to_string(), script];
    if source.one_in(5) { in_shell(source, &shell) } else { shell }
}

fn quote(source: &mut Source, word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@%+?".contains(c);
    match source.below(3) {
        0 if word.chars().all(plain) => word.to_owned(),
        0 | 1 => format!("'{}'", word.replace('\'', "'\\''")),
        _ => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[test]
fn no_piece_of_a_credential_is_left() {
    fuzz("redaction", 6000, planted, |planted| {
        let words: Vec<Hostile> = planted.words.iter().map(|word| Hostile::new(word.0.clone())).collect();
        let redacted = redact::argv(&words);
        for word in &redacted {
            let left = planted.secret.as_bytes().windows(8).any(|piece| word.as_bytes().windows(8).any(|window| window == piece));
            must(!left, || format!("left in {word:?}"))?;
        }
        must(redact::argv(&redacted) == redacted, || format!("not steady: {redacted:?}\n {:?}", redact::argv(&redacted)))
    });
}

#[test]
fn any_words_are_survived_and_come_to_rest() {
    let words = |source: &mut Source| {
        source.many(5, |source| {
            let pieces =
                [source.pick(&WORDS).to_string(), source.pick(&HEADERS).to_string(), source.text(), source.pick(&NOISE).to_string()];
            Bytes(source.many(4, |source| source.pick(&pieces)).concat().into_bytes())
        })
    };
    fuzz("redaction-any", 2000, words, |words| {
        let words: Vec<Hostile> = words.iter().map(|word| Hostile::new(word.0.clone())).collect();
        let once = redact::argv(&words);
        must(once.len() == words.len(), || "another number of words".into())?;
        let grown = once.iter().zip(&words).all(|(after, before)| after.as_bytes().len() <= 11 * before.as_bytes().len() + 10);
        must(grown, || "grew without bound".into())
    });
}
