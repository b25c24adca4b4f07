//! `--live`: what breaks a rule is said while cargo still works. In: the journal's alarms, one by one. Out: a line for each that is not as one before it.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use super::streams::meanwhile;
use crate::judge::Journal;
use crate::model::Event;
use crate::report::terminal::{self, Style};

/// Lines in all: whoever does more is told of at the end.
const MOST: usize = 50;

/// Ends the reading when dropped, so that a panic beside it does not wait for ever.
pub struct Reading<'j>(&'j Journal);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.unheard();
    }
}

pub fn reading(journal: &Journal) -> Reading<'_> {
    Reading(journal)
}

/// Until the journal has no more to say.
pub fn tell(heard: &Receiver<Event>, journal: &Journal, style: Style) {
    let (mut told, mut more) = (BTreeSet::new(), false);
    for event in heard {
        let Some(rule) = event.breach.as_ref().map(|breach| breach.rule) else { continue };
        let is_new = told.len() < MOST && told.insert((event.actor, event.act.clone(), rule, event.status));
        if !is_new && (told.len() < MOST || std::mem::replace(&mut more, true)) {
            continue;
        }
        meanwhile(|w| match is_new {
            true => terminal::alarm(w, &event, journal.describes(event.actor).as_ref(), style),
            false => terminal::no_more_alarms(w, style),
        });
    }
}
