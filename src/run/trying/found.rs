//! All that a trial has found, for whoever tells it.

use super::left::Left;
use super::preparing::Prepared;
use super::proof::{Message, Proof};
use super::reached::Reached;
use super::stages::Ended;
use crate::model::report::Report;
use crate::report::wording::{Medium, count};

/// Names of one place, and messages, that a sentence lists.
const NAMES: usize = 3;

#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub prepared: &'a Prepared,
    /// Of all stages together.
    pub all: &'a Report,
    pub ended: &'a [Ended],
    pub left: &'a [Left],
    /// What of that is not known, or not kept.
    pub gaps: &'a [String],
    pub proof: &'a Proof,
    pub reached: Option<&'a Reached>,
    /// Decoys are the user's on his screen, and nobody's in a letter.
    pub whose: &'static str,
}

impl Found<'_> {
    /// What was sent with something in it that was laid out, a sentence each.
    pub fn proven(&self, medium: Medium) -> Vec<String> {
        each_once(self.proof.proven().map(|message| format!("{}, proven by canary", self.sentence(message, medium))))
    }

    /// Whom else was spoken to, a sentence each. Of names that were looked up only to be spoken to nothing is said.
    pub fn spoken(&self, medium: Medium) -> Vec<String> {
        let others = self.proof.messages.iter().filter(|message| message.canaries.is_empty() && message.protocol != "dns");
        each_once(others.map(|message| self.sentence(message, medium)))
    }

    /// "`x` 0.1.0 sent 312 bytes with `.env` of the workspace (API_KEY) to `h.example:80` (POST /track)"
    fn sentence(&self, message: &Message, medium: Medium) -> String {
        let suspect = &self.prepared.suspect;
        let (name, version) = message.by.as_ref().map_or((&suspect.name, &suspect.version), |(name, version)| (name, version));
        let (to, what) = ((medium.text)(&message.to), (medium.text)(&message.what));
        let secrets =
            if message.canaries.is_empty() { String::new() } else { format!(" with {} {}", self.whose, secrets(message, medium)) };
        let who = format!("{} {}", (medium.name)(name), version);
        match &*message.protocol {
            "dns" => format!("{who} looked up {to}{secrets} in the name"),
            protocol => format!("{who} sent {}{secrets} to {to} ({protocol}, {what})", count(message.bytes, "byte")),
        }
    }

    /// Is it true that nothing left this machine?
    pub fn is_sealed(&self) -> bool {
        self.proof.sealed && self.ended.iter().any(|one| one.report.is_some())
    }
}

/// What differs in nothing that a sentence tells is one sentence.
fn each_once(sentences: impl Iterator<Item = String>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for sentence in sentences {
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }
    told
}

/// "`~/.ssh/id_ed25519` (private key; base64) and `$GITHUB_TOKEN`"
fn secrets(message: &Message, medium: Medium) -> String {
    let mut places: Vec<&str> = message.canaries.iter().map(|(place, ..)| place.as_str()).collect();
    places.dedup();
    let all = places.len();
    let of = |place: &&str| {
        let named: Vec<String> = message
            .canaries
            .iter()
            .filter(|(known, ..)| known == place)
            .map(|(_, name, encoding)| if encoding == "plain" { name.clone() } else { format!("{name} in {encoding}") })
            .collect();
        let more = if named.len() > NAMES { format!(" and {} more", named.len() - NAMES) } else { String::new() };
        format!("{} ({}{more})", (medium.name)(place), named[..named.len().min(NAMES)].join(", "))
    };
    let mut told: Vec<String> = places.iter().take(NAMES).map(of).collect();
    if all > NAMES {
        told.push(format!("{} more places", all - NAMES));
    }
    told.join(", ")
}
