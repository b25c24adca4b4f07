//! Arguments for the record: what looks like a credential is replaced. Only values go; which option carried them stays.

use crate::model::Hostile;

const HIDDEN: &str = "[redacted]";

/// Words that make an option, a variable or a header one that carries a credential.
const TELLING: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "access-key",
    "access_key",
    "private-key",
    "private_key",
    "authorization",
    "credential",
    "cookie",
];

/// Options of everyday tools whose next argument is a credential though their name does not say so.
const CURL_USER: [&str; 4] = ["-u", "--user", "--proxy-user", "-U"];

/// Replaces what looks like a credential.
pub fn redact(argv: Vec<Hostile>) -> Vec<Hostile> {
    let curl = argv.first().is_some_and(|program| matches!(program.as_path().file_name(), Some(name) if name == "curl"));
    let mut next_is_secret = false;
    let mut redacted = Vec::with_capacity(argv.len());
    for (at, argument) in argv.into_iter().enumerate() {
        if at == 0 {
            redacted.push(argument);
            continue;
        }
        let text = String::from_utf8_lossy(argument.as_bytes());
        if std::mem::take(&mut next_is_secret) && !text.starts_with('-') {
            redacted.push(Hostile::from(HIDDEN));
            continue;
        }
        let option = text.starts_with('-');
        next_is_secret =
            option && !text.contains('=') && !text.contains(char::is_whitespace) && tells(&text) || curl && CURL_USER.contains(&&*text);
        let clean = clean(&text);
        redacted.push(clean.map_or_else(|| argument.clone(), |clean| Hostile::from(clean.as_str())));
    }
    redacted
}

fn tells(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

/// The argument without its credential; `None` when there is none in it.
fn clean(text: &str) -> Option<String> {
    // Scripts (`sh -c …`) are many words in one argument; short ones are treated word by word, keeping what separates them.
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut hide_next = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end_matches(char::is_whitespace);
        let space = &word[bare.len()..];
        if hide_next > 0 && !bare.is_empty() {
            // `Authorization: Bearer x`: the scheme stays, what follows goes.
            hide_next = if matches!(bare.to_ascii_lowercase().as_str(), "bearer" | "basic" | "token") { 1 } else { 0 };
            out.push_str(if hide_next > 0 { bare } else { HIDDEN });
            changed |= hide_next == 0;
        } else if let Some(hidden) = clean_word(bare) {
            out.push_str(&hidden);
            changed = true;
        } else {
            if bare.ends_with(':') && tells(bare) {
                hide_next = 1;
            }
            out.push_str(bare);
        }
        out.push_str(space);
    }
    changed.then_some(out)
}

fn clean_word(word: &str) -> Option<String> {
    if let Some((name, value)) = word.split_once('=')
        && !value.is_empty()
        && tells(name)
        && !name.contains("://")
    {
        return Some(format!("{name}={HIDDEN}"));
    }
    if let Some((name, value)) = word.split_once(':')
        && !value.is_empty()
        && !value.starts_with('/')
        && !value.starts_with(':')
        && tells(name)
    {
        return Some(format!("{name}:{HIDDEN}"));
    }
    // user:password@host in a URL.
    let (scheme, rest) = word.split_once("://")?;
    let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest[..authority_ends].rfind('@')?;
    Some(format!("{scheme}://{HIDDEN}{}", &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_names_stay() {
        for (argv, expected) in [
            ("curl -H|Authorization: Bearer CANARY", "curl -H|Authorization: Bearer [redacted]"),
            ("curl|--user|me:CANARY|https://x.example/", "curl|--user|[redacted]|https://x.example/"),
            ("git|clone|https://me:CANARY@git.example/x.git", "git|clone|https://[redacted]@git.example/x.git"),
            ("tool|--token|CANARY|build", "tool|--token|[redacted]|build"),
            ("tool|--token=CANARY", "tool|--token=[redacted]"),
            ("env|MY_SECRET_KEY=CANARY|true", "env|MY_SECRET_KEY=[redacted]|true"),
            ("sh|-c|PASSWORD=CANARY curl -H X-Api-Key:CANARY y", "sh|-c|PASSWORD=[redacted] curl -H X-Api-Key:[redacted] y"),
            ("cc|-c|token.c|-o|token.o", "cc|-c|token.c|-o|token.o"),
            ("rustc|--crate-name|tokenizer|--cfg|feature=\"derive\"", "rustc|--crate-name|tokenizer|--cfg|feature=\"derive\""),
        ] {
            let argv = argv.split('|').map(Hostile::from).collect();
            let got: Vec<_> = redact(argv).iter().map(|argument| String::from_utf8_lossy(argument.as_bytes()).into_owned()).collect();
            assert_eq!(got.join("|"), expected);
        }
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let argv = vec![Hostile::from("x"), Hostile::new(&b"\xff\xfe"[..])];
        assert_eq!(redact(argv.clone()), argv);
    }
}
