//! What browsers keep in databases. In: the kind of database. Out: its bytes, with a canary for each password, cookie and key in it.

use std::io;

use crate::model::Canary;
use crate::suspect::decoys::encode::{ALPHANUMERIC, HEX};
use crate::suspect::decoys::persona::Persona;
use crate::suspect::decoys::random::Random;
use crate::suspect::decoys::sqlite::{Value, database};

const SITES: [&str; 8] = [
    "https://accounts.google.com/",
    "https://github.com/login",
    "https://www.paypal.com/signin",
    "https://signin.aws.amazon.com/",
    "https://www.binance.com/en/login",
    "https://mail.proton.me/",
    "https://www.linkedin.com/",
    "https://app.slack.com/",
];

const LOGINS: &str = "CREATE TABLE logins (origin_url VARCHAR NOT NULL, action_url VARCHAR, username_element VARCHAR, username_value VARCHAR, \
    password_element VARCHAR, password_value BLOB, date_created INTEGER NOT NULL)";
const CHROME_COOKIES: &str = "CREATE TABLE cookies (creation_utc INTEGER NOT NULL, host_key TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, \
    encrypted_value BLOB NOT NULL, path TEXT NOT NULL)";
const CARDS: &str = "CREATE TABLE credit_cards (guid VARCHAR PRIMARY KEY, name_on_card VARCHAR, expiration_month INTEGER, expiration_year INTEGER, \
    card_number_encrypted BLOB)";
const FIREFOX_COOKIES: &str =
    "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER)";
const PLACES: &str = "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER)";
const KEYS: &str = "CREATE TABLE nssPrivate (id INTEGER PRIMARY KEY, a0 BLOB, a11 BLOB, a102 BLOB)";
const ATUIN: &str = "CREATE TABLE history (id TEXT PRIMARY KEY, timestamp INTEGER, duration INTEGER, exit INTEGER, command TEXT, cwd TEXT)";

/// A database of this kind, and its canaries for `place`.
///
/// # Errors
/// When the kind is unknown, or there are no random numbers.
pub fn browser(kind: &str, place: &str, persona: &Persona, random: &mut Random, canaries: &mut Vec<Canary>) -> io::Result<Vec<u8>> {
    let mut secret = |name: &str, alphabet: &str, length| -> io::Result<String> {
        let value = random.text(alphabet, length)?;
        canaries.push(Canary { value: value.clone(), place: place.to_owned(), name: name.to_owned() });
        Ok(value)
    };
    let mut rows = Vec::new();
    let (table, schema) = match kind {
        "chrome-logins" => ("logins", LOGINS),
        "chrome-cookies" => ("cookies", CHROME_COOKIES),
        "chrome-cards" => ("credit_cards", CARDS),
        "firefox-cookies" => ("moz_cookies", FIREFOX_COOKIES),
        "firefox-places" => ("moz_places", PLACES),
        "firefox-keys" => ("nssPrivate", KEYS),
        "atuin" => ("history", ATUIN),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the decoy for {place}: no database is called {kind}"))),
    };
    let mail = format!("{}@{}.dev", persona.user, persona.company);
    for (at, site) in (1u32..).zip(SITES) {
        let host = site.trim_start_matches("https://").split('/').next().unwrap_or_default();
        rows.push(match kind {
            // `v10` is how Chromium marks what it encrypted itself on Linux.
            "chrome-logins" => vec![
                Value::from(site),
                Value::from(site),
                Value::from("login"),
                Value::from(mail.as_str()),
                Value::from("password"),
                Value::Bytes(format!("v10{}", secret(&format!("password for {host}"), ALPHANUMERIC, 32)?).into_bytes()),
                Value::Number(1_741_000_000 + at * 86_413),
            ],
            "chrome-cookies" => vec![
                Value::Number(1_741_000_000 + at * 86_413),
                Value::Text(format!(".{host}")),
                Value::from("session"),
                Value::from(""),
                Value::Bytes(format!("v10{}", secret(&format!("cookie of {host}"), ALPHANUMERIC, 64)?).into_bytes()),
                Value::from("/"),
            ],
            "chrome-cards" => vec![
                Value::Text(secret("identifier of a card", HEX, 32)?),
                Value::from(persona.user.as_str()),
                Value::Number(at),
                Value::Number(2029),
                Value::Bytes(format!("v10{}", secret("number of a card", ALPHANUMERIC, 32)?).into_bytes()),
            ],
            "firefox-cookies" => vec![
                Value::Number(at),
                Value::from("session"),
                Value::Text(secret(&format!("cookie of {host}"), ALPHANUMERIC, 64)?),
                Value::Text(format!(".{host}")),
                Value::from("/"),
                Value::Number(1_830_000_000),
            ],
            "firefox-places" => vec![
                Value::Number(at),
                Value::Text(format!("{site}?session={}", secret(&format!("address at {host}"), HEX, 32)?)),
                Value::from(host),
                Value::Number(at * 3),
            ],
            "firefox-keys" => vec![
                Value::Number(at),
                Value::Bytes(vec![0; 4]),
                Value::Bytes(secret("key of the password store", ALPHANUMERIC, 64)?.into_bytes()),
                Value::Bytes(vec![0xf8, 0, 0, 0]),
            ],
            _ => vec![
                Value::Text(format!("0190{at:028x}")),
                Value::Number(1_741_000_000 + at * 86_413),
                Value::Number(1200),
                Value::Number(0),
                Value::Text(format!("curl -u {}:{} {site}", persona.user, secret("password in a command", ALPHANUMERIC, 24)?)),
                Value::from(persona.home.as_str()),
            ],
        });
    }
    Ok(database(table, schema, &rows))
}
