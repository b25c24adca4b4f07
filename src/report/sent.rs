//! What was sent in a trial, as sentences, and the incident that each belongs to. In: a report. Out: text for a medium; nothing is said that the sink did not see.

use super::incidents::{Incident, incidents};
use super::wording::{Medium, count};
use crate::model::report::Report;
use crate::model::{Package, Sent};

/// Names of one place, and places, that a sentence lists.
const NAMES: usize = 3;

/// Whose they are in a report.
pub const DECOY: &str = "the decoy";
/// Sentences about one incident.
pub const LISTED: usize = 20;

/// What was sent by whoever an incident is about; what carried a decoy first.
pub fn of<'r>(report: &'r Report, incident: &Incident) -> Vec<&'r Sent> {
    if report.sent.is_empty() || incident.standing.is_some() {
        return Vec::new();
    }
    let all = incidents(report);
    let own: Vec<&Incident> = all.iter().filter(|one| one.standing.is_none()).collect();
    let mut found: Vec<&Sent> =
        report.sent.iter().filter(|sent| owner(report, &own, sent).is_some_and(|owner| owner.id == incident.id)).collect();
    found.sort_by_key(|sent| !sent.proven);
    found
}

/// The incident of the same code in the same program; else of the same code; else of the same program.
fn owner<'i, 'r>(report: &Report, all: &[&'i Incident<'r>], sent: &Sent) -> Option<&'i Incident<'r>> {
    let is_whose = |package: &Package| sent.by.as_ref().is_none_or(|(name, version)| (name, version) == (&package.name, &package.version));
    let code = |one: &Incident| one.whom.is_some_and(is_whose);
    // What a macro does, its compiler does.
    let program = |one: &Incident| {
        one.actors.iter().any(|id| *id == sent.actor || report.actor(*id).and_then(|actor| actor.host) == Some(sent.actor))
    };
    let find = |fits: &dyn Fn(&Incident) -> bool| all.iter().copied().find(|one| fits(one));
    find(&|one| code(one) && program(one)).or_else(|| find(&|one| code(one) && sent.by.is_some())).or_else(|| find(&program))
}

impl Medium {
    /// "sent 312 bytes with the decoy `<workspace>/.env` (API_KEY) to `h.example:80` (http, `POST /track`), proven by canary"
    pub fn sent(self, sent: &Sent, whose: &str) -> String {
        let (to, what) = ((self.text)(&sent.to), (self.text)(&sent.what));
        let secrets = if sent.carried.is_empty() { String::new() } else { format!(" with {whose} {}", self.carried(sent)) };
        let how: String = sent.how.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let proven = if sent.proven { ", proven by canary" } else { "" };
        match (&*how, sent.names) {
            (_, Some(names)) => format!("looked up {} below {to}{secrets} in them{proven}", count(names, "name")),
            ("dns", None) => format!("looked up {to}{secrets} in the name{proven}"),
            (how, None) => format!("sent {}{secrets} to {to} ({how}, {what}){proven}", count(sent.bytes, "byte")),
        }
    }

    /// "`~/.ssh/id_ed25519` (private key; base64) and `$GITHUB_TOKEN`"
    fn carried(self, sent: &Sent) -> String {
        let mut places: Vec<&str> = sent.carried.iter().map(|one| one.place.as_str()).collect();
        places.dedup();
        let all = places.len();
        let of = |place: &&str| {
            let of_place = sent.carried.iter().filter(|one| one.place == **place);
            let named: Vec<String> = of_place
                .map(|one| match &*one.encoding {
                    "plain" => self.word(&one.name),
                    encoding => format!("{} in {}", self.word(&one.name), self.word(encoding)),
                })
                .collect();
            let more = if named.len() > NAMES { format!(" and {} more", named.len() - NAMES) } else { String::new() };
            format!("{} ({}{more})", (self.name)(place), named[..named.len().min(NAMES)].join(", "))
        };
        let mut told: Vec<String> = places.iter().take(NAMES).map(of).collect();
        if all > NAMES {
            told.push(format!("{} more places", all - NAMES));
        }
        told.join(", ")
    }

    /// Of our own making, in our own reports. A stored one may say anything.
    fn word(self, word: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || " ._-".contains(c);
        if word.len() < 60 && word.chars().all(plain) { word.to_owned() } else { (self.name)(word) }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Act, Endpoint, Status};

    use super::super::wording::QUOTED;
    use super::*;
    use crate::model::{ActorId, Carried};
    use crate::report::samples::*;
    use crate::report::{Format, assemble};

    fn sent(by: Option<(&str, &str)>, actor: u32, carried: &[(&str, &str, &str)]) -> Sent {
        let carried = carried.iter().map(|(place, name, encoding)| Carried {
            place: (*place).into(),
            name: (*name).into(),
            encoding: (*encoding).into(),
        });
        let by = by.map(|(name, version)| (name.to_owned(), version.to_owned()));
        let carried: Vec<Carried> = carried.collect();
        let (to, what) = ("h.example:80".into(), "POST /track".into());
        Sent { actor: ActorId(actor), by, to, how: "http".into(), what, bytes: 312, proven: !carried.is_empty(), carried, names: None }
    }

    #[test]
    fn sentences() {
        let one =
            sent(None, 1, &[("$TOKEN", "TOKEN", "plain"), ("<workspace>/.env", "API_KEY", "hex"), ("<workspace>/.env", "x`y", "plain")]);
        let text = "sent 312 bytes with your `$TOKEN` (TOKEN), `<workspace>/.env` (API_KEY in hex, `x\\`y`) to `h.example:80` (http, `POST /track`), \
                    proven by canary";
        assert_eq!(QUOTED.sent(&one, "your"), text);
        assert_eq!(
            QUOTED.sent(&Sent { carried: Vec::new(), proven: false, bytes: 1, ..one.clone() }, ""),
            "sent 1 byte to `h.example:80` (http, `POST /track`)"
        );
        let name = Sent { how: "dns".into(), to: "evil.example".into(), names: Some(48), ..one.clone() };
        assert!(QUOTED.sent(&name, "the decoy").starts_with("looked up 48 names below `evil.example` with the decoy `$TOKEN`"));
        let one_name = QUOTED.sent(&Sent { names: None, ..name }, "your");
        assert!(one_name.ends_with(" in the name, proven by canary"), "{one_name}");
    }

    #[test]
    fn an_address_of_the_sinks_is_nobodys() {
        let act = |host: Option<&str>| Act::Connect {
            to: Endpoint::Ip { protocol: "tcp".into(), address: "172.67.48.75:80".parse().unwrap(), host: host.map(Into::into) },
        };
        let told = |host, status| QUOTED.act(&act(host), status);
        assert_eq!(told(Some("h.example"), Status::Decoy), "tried to connect to `h.example` (tcp, port 80)");
        assert_eq!(told(Some("h.example"), Status::Refused), "tried to connect to `h.example` (tcp, `172.67.48.75:80`)");
        assert_eq!(told(None, Status::Decoy), "tried to connect to `172.67.48.75:80` (tcp)", "which it named itself");
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        report.run.mode = crate::model::Mode::Decoy;
        let finding = &mut report.findings[0];
        (finding.status, finding.evidence[0].act, finding.evidence[0].status) = (Status::Decoy, act(Some("h.example")), None);
        let actor = report.findings[0].actor;
        report.behaviour =
            vec![crate::model::report::Behaviour { actor, act: act(Some("h.example")), status: Status::Decoy, count: 1, first_ms: 0 }];
        for format in [Format::Html, Format::Markdown, Format::Sarif, Format::JUnit, Format::CodeQuality, Format::InToto, Format::Egress] {
            let mut out = Vec::new();
            format.write(&report, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(!text.contains("172.67.48.75"), "{format:?}: {text}");
        }
    }

    #[test]
    fn each_belongs_to_its_incident_and_every_form_says_so() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        let own = report.findings[0].actor.0;
        report.sent = vec![
            sent(Some(("quickfetch-sys", "0.3.2")), own, &[]),
            sent(Some(("quickfetch-sys", "0.3.2")), 900, &[("<workspace>/.env", "API_KEY", "base64")]),
            sent(Some(("other", "1.0.0")), 900, &[("~/.netrc", "password", "plain")]),
        ];
        let all = incidents(&report);
        let found: Vec<bool> = of(&report, &all[0]).iter().map(|sent| sent.proven).collect();
        assert_eq!(found, [true, false], "what is proven comes first, and what others sent is not here");
        for format in [Format::Json, Format::Html, Format::Markdown, Format::Sarif] {
            let mut out = Vec::new();
            format.write(&report, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains(if format == Format::Json { "\"proven\"" } else { "proven by canary" }), "{format:?}: {text}");
        }
        let mut json = Vec::new();
        Format::Json.write(&report, &mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["incidents"][0]["sent"][0]["carried"][0]["place"], "<workspace>/.env");
        assert_eq!(json["sent"].as_array().map(Vec::len), Some(3));
        let mut shown = Vec::new();
        let style = crate::report::terminal::Style { color: false, verbosity: crate::report::terminal::Verbosity::Normal, width: None };
        crate::report::terminal::after(&mut shown, &report, None, style).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("= sent  312 bytes with the decoy `<workspace>/.env` (API_KEY in base64)"), "{shown}");
    }
}
