//! Exceptions written down: what `cargo brig allow` and `deny` put at the end of a `brig.toml`, so that whatever stands there stays as it is. In:
//! the file's text, and what was asked for. Out: its new text, which was read again and holds exactly that and nothing else more.

use toml::Value;

use crate::model::ActorKind;
use crate::plan::config;
use crate::plan::document::ConfigError;
use crate::plan::exceptions::LISTS;
use crate::plan::exceptions::day::Day;

/// An `[[allow]]` to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub whom: String,
    pub checksum: Option<String>,
    pub actor: ActorKind,
    /// In the order of [`LISTS`].
    pub lists: [Vec<String>; 5],
    pub arguments: Vec<String>,
    /// Crates of which one has to be on the stack.
    pub via: Vec<String>,
    pub reveal: Vec<String>,
    pub reason: String,
    /// `2027-02-01`, or `never`.
    pub expires: String,
    pub by: Option<String>,
    pub wide: bool,
}

/// A `[[deny]]` to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub name: String,
    pub reason: String,
    pub by: Option<String>,
}

/// What a file begins with that is not there yet.
const FIRST: &str = "version = 1\n";

impl Wish {
    pub fn text(&self) -> String {
        let checksum = self.checksum.as_ref().map(|sum| format!("checksum = {}\n", quoted(sum))).unwrap_or_default();
        let mut text = format!("\n[[allow]]\ncrate = {}\n{checksum}actor = {}\n", quoted(&self.whom), quoted(self.actor.name()));
        let lists =
            LISTS.into_iter().zip(&self.lists).chain([("arguments", &self.arguments), ("via", &self.via), ("reveal", &self.reveal)]);
        for (list, entries) in lists.filter(|(_, entries)| !entries.is_empty()) {
            let entries: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
            text.push_str(&format!("{list} = [{}]\n", entries.join(", ")));
        }
        text.push_str(&format!("reason = {}\n", quoted(&self.reason)));
        // A date is none of TOML's strings; what is no date is said to be none when it is read.
        let date = self.expires.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !self.expires.is_empty();
        text.push_str(&format!("expires = {}\n", if date { self.expires.clone() } else { quoted(&self.expires) }));
        text.push_str(&self.by.as_ref().map(|by| format!("by = {}\n", quoted(by))).unwrap_or_default());
        text.push_str(if self.wide { "wide = true\n" } else { "" });
        text
    }
}

impl Refusal {
    pub fn text(&self) -> String {
        let by = self.by.as_ref().map(|by| format!("by = {}\n", quoted(by))).unwrap_or_default();
        format!("\n[[deny]]\ncrate = {}\nreason = {}\n{by}", quoted(&self.name), quoted(&self.reason))
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Is this what a file may hold, wherever it stands in it; and does it count at all? One that is over already stands in many a file, and is written into none.
///
/// # Errors
/// With what is wrong, as a lowercase fragment.
pub fn check(entries: &str, today: Day) -> Result<(), String> {
    let exceptions = config::parse("", &format!("{FIRST}{entries}")).map_err(|error| error.message)?.exceptions;
    match exceptions.allows.iter().find(|allow| !allow.counts(today)) {
        Some(over) => Err(format!("it would never count: {} is over, today is {} (UTC)", over.told.expires, today.text())),
        None => Ok(()),
    }
}

/// Does the file say so already? `entries` were checked.
///
/// # Errors
/// When what stands there is wrong.
pub fn holds(file: &str, text: &str, entries: &str) -> Result<bool, ConfigError> {
    let there = config::parse(file, text)?.exceptions;
    let new = config::parse("", &format!("{FIRST}{entries}"))?.exceptions;
    let allowed = new.allows.iter().all(|allow| there.allows.iter().any(|known| known.covers(allow)));
    Ok(allowed && new.denials.iter().all(|denial| there.denials.iter().any(|known| known.name == denial.name)))
}

/// The file's text with entries at its end. `entries` were checked.
///
/// # Errors
/// When what stands there already is wrong, or leaves no room for them (`allow = [ … ]` on one line).
pub fn appended(file: &str, text: Option<&str>, entries: &str) -> Result<String, ConfigError> {
    let text = text.unwrap_or(FIRST);
    let before = config::parse(file, text)?.exceptions;
    let new = config::parse("", &format!("{FIRST}{entries}"))?.exceptions;
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let whole = format!("{text}{gap}{entries}");
    let after = config::parse(file, &whole).map_err(|error| ConfigError {
        message: format!("{}; `[[allow]]` and `[[deny]]` have to stand in tables of their own", error.message),
        ..error
    })?;
    let after = after.exceptions;
    let count = (before.allows.len() + new.allows.len(), before.denials.len() + new.denials.len());
    match (after.allows.len(), after.denials.len()) == count {
        true => Ok(whole),
        false => Err(ConfigError { file: file.to_owned(), line: 1, column: 1, message: "cannot be added to".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_already() {
        let text = format!("{FIRST}{}{}", wish().text(), Refusal { name: "y".into(), reason: "r".into(), by: None }.text());
        let less = Wish { lists: [vec!["/srv/a \"b\"".into()], vec![], vec![], vec![], vec![]], reason: "other".into(), ..wish() };
        let denied = |name: &str| Refusal { name: name.into(), reason: "again".into(), by: None }.text();
        for (entries, there) in [
            (wish().text(), true),
            (Wish { expires: "2026-12-31".into(), ..less.clone() }.text(), true),
            (Wish { expires: "2027-02-02".into(), ..less.clone() }.text(), false),
            (Wish { expires: "never".into(), ..less.clone() }.text(), false),
            (Wish { whom: "x@1.2.4".into(), ..less.clone() }.text(), false),
            (Wish { whom: "path#x@1.2.3".into(), ..less.clone() }.text(), false),
            (Wish { checksum: Some("a".repeat(64)), ..less.clone() }.text(), true),
            (Wish { actor: ActorKind::Program, ..less.clone() }.text(), false),
            (Wish { reveal: vec!["OTHER".into()], ..less.clone() }.text(), false),
            (Wish { lists: with_exec(), arguments: vec!["-V".into()], ..less.clone() }.text(), false),
            (less.text() + &denied("y"), true),
            (less.text() + &denied("z"), false),
        ] {
            assert_eq!(holds("brig.toml", &text, &entries), Ok(there), "{entries}");
        }
    }

    fn with_exec() -> [Vec<String>; 5] {
        [Vec::new(), Vec::new(), vec!["/usr/bin/git".into()], Vec::new(), Vec::new()]
    }

    fn today() -> Day {
        Day::of(2026, 12, 31).unwrap()
    }

    fn wish() -> Wish {
        Wish {
            whom: "x@1.2.3".into(),
            checksum: None,
            actor: ActorKind::BuildScript,
            lists: [vec!["/srv/a \"b\"".into()], Vec::new(), Vec::new(), vec!["h.example:443".into()], Vec::new()],
            arguments: Vec::new(),
            via: Vec::new(),
            reveal: vec!["DATABASE_URL".into()],
            reason: "looked at: 'fine'\n[[deny]]".into(),
            expires: "2027-02-01".into(),
            by: Some("me".into()),
            wide: false,
        }
    }

    #[test]
    fn comments_and_order_stay() {
        let denial = Refusal { name: "y".into(), reason: "phones home".into(), by: None }.text();
        for text in [
            "# ours\nversion = 1 # one\n\n[[allow]] # first\ncrate = 'a@1.0.0'\nactor='program'\nread=['/srv/x']\nreason='r'\nexpires='never'\n",
            "version = 1\npolicy = 'ci'",
            "version = 1\n[profile.mine]\ninherits = 'default'\n\n# the end\n",
        ] {
            let entries = wish().text() + &denial;
            let whole = appended("brig.toml", Some(text), &entries).unwrap();
            assert!(whole.starts_with(text), "{whole}");
            let exceptions = config::parse("brig.toml", &whole).unwrap().exceptions;
            let told = &exceptions.allows.last().unwrap().told;
            let grants = ["read /srv/a \"b\"", "connect h.example:443", "reveal DATABASE_URL"];
            assert_eq!((&told.whom[..], &told.grants[..], &told.reason), ("x@1.2.3", &grants.map(str::to_owned)[..], &wish().reason));
            assert_eq!((exceptions.denials.len(), &exceptions.denials[0].name[..]), (1, "y"));
            // And again: whatever the first one left.
            assert!(appended("brig.toml", Some(&whole), &denial).unwrap().starts_with(&whole));
        }
        assert!(appended("brig.toml", None, &denial).unwrap().starts_with("version = 1\n\n[[deny]]\n"));
    }

    #[test]
    fn words_of_programs_are_part_of_the_grant() {
        let told = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
            let text = Wish { lists: with_exec(), arguments, reveal: Vec::new(), ..wish() }.text();
            config::parse("brig.toml", &format!("{FIRST}{text}")).unwrap().exceptions.allows[0].told.grants.clone()
        };
        assert_eq!(told(&[]), ["exec /usr/bin/git"]);
        assert_eq!(told(&["rev-parse", "a b"]), [r#"exec /usr/bin/git "rev-parse" "a b""#]);
        let alone = Wish { arguments: vec!["x".into()], ..wish() }.text();
        let error = config::parse("brig.toml", &format!("{FIRST}{alone}")).unwrap_err().to_string();
        assert!(error.contains("brig.toml:8:13: `arguments` are the first words that the programs of `exec`"), "{error}");
    }

    #[test]
    fn what_cannot_be_added_to_stays_as_it_is() {
        let entries = wish().text();
        for (text, said) in [
            ("<<<<<<< HEAD\n", "brig.toml:1:"),
            ("version = 2\n", "brig.toml:1:11: unknown version 2"),
            ("version = 1\nallow = []\n", "tables of their own"),
            ("version = 1\nnonsense = 1\n", "brig.toml:2:1: unknown key `nonsense`"),
            ("", "`version` is missing"),
        ] {
            let error = appended("brig.toml", Some(text), &entries).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn what_was_typed_is_checked_as_if_it_stood_there() {
        let wrong = |change: fn(&mut Wish)| {
            let mut wish = wish();
            change(&mut wish);
            check(&wish.text(), today()).unwrap_err()
        };
        assert!(check(&wish().text(), today()).is_ok());
        assert_eq!(wrong(|wish| wish.expires = "2026-12-30".into()), "it would never count: 2026-12-30 is over, today is 2026-12-31 (UTC)");
        assert!(wrong(|wish| wish.whom = "x".into()).contains("names no version"));
        assert!(wrong(|wish| wish.lists[1] = vec!["/".into()]).contains("`/` is too wide"));
        assert!(wrong(|wish| wish.lists[1] = vec!["relative".into()]).contains("must be an absolute path"));
        assert!(wrong(|wish| wish.expires = "tomorrow".into()).contains("`expires` must be a date"));
        assert!(wrong(|wish| wish.expires = "2027-02-30".into()).contains("invalid date"));
        assert!(check(&Refusal { name: "y@1".into(), reason: "r".into(), by: None }.text(), today()).is_err());
    }
}
