//! All that a trial has found, for whoever tells it.

use super::again::Again;
use super::left::Left;
use super::preparing::Prepared;
use super::proof::Proof;
use super::reached::Reached;
use super::stages::Ended;
use crate::model::Sent;
use crate::model::report::Report;
use crate::report::wording::Medium;

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
    /// Of a run of the user's once more.
    pub again: Option<&'a Again<'a>>,
    /// What programs of the system read of their own accord, a sentence each.
    pub habits: &'a [String],
    /// Decoys are the user's on his screen, and nobody's in a letter.
    pub whose: &'static str,
}

impl Found<'_> {
    /// What was sent with something in it that was laid out, a sentence each.
    pub fn proven(&self, medium: Medium) -> Vec<String> {
        each_once(self.proof.proven().map(|message| self.sentence(message, medium)))
    }

    /// Whom else was spoken to, a sentence each. Of names that were looked up only to be spoken to nothing is said.
    pub fn spoken(&self, medium: Medium) -> Vec<String> {
        let others = self.proof.messages.iter().filter(|message| !message.proven && message.how != "dns");
        each_once(others.map(|message| self.sentence(message, medium)))
    }

    /// "`x` 0.1.0 sent 312 bytes with `.env` of the workspace (API_KEY) to `h.example:80` (POST /track)"
    fn sentence(&self, message: &Sent, medium: Medium) -> String {
        let suspect = &self.prepared.suspect;
        let (name, version) = message.by.as_ref().map_or((&suspect.name, &suspect.version), |(name, version)| (name, version));
        format!("{} {version} {}", (medium.name)(name), medium.sent(message, self.whose))
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
