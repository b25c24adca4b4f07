//! What to lay where somebody had a secret of his own: of the same name, as likely, worth nothing. In: a path. Out: a text with places for values.

use std::path::Path;

use super::ground::{self, Ground};

/// As the decoys have it by that name, else by its ending, else as a list of variables.
pub fn template(path: &Path) -> &'static str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let known = ground::files(Ground::Laptop).into_iter().find(|(key, text)| key.rsplit('/').next() == Some(name) && text.contains('«'));
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match (known, ending) {
        (Some((_, text)), _) => text,
        (None, "pem" | "key") => "«rsa»\n",
        (None, "json") => "{ \"token\": \"«token-40»\", \"secret\": \"«hex-64»\" }\n",
        (None, "toml") => "[secrets]\ntoken = \"«token-40»\"\nkey = \"«hex-64»\"\n",
        (None, "yml" | "yaml") => "token: «token-40»\nkey: «hex-64»\n",
        (None, _) => "API_TOKEN=«token-40»\nSECRET_KEY=«hex-64»\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bait_has_something_in_it() {
        for name in ["api/.env", "keys/x.pem", "credentials.json", ".secrets/anything", "secrets.yml", "x/.netrc"] {
            assert!(template(Path::new(name)).contains('«'), "{name}");
        }
        assert!(template(Path::new("api/.env")).contains("OPENAI_API_KEY"));
    }
}
