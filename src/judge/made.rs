//! What an actor itself made where all compilers of a build make things for a moment: by name such things are nobody's. In: what the gate
//! has done for it. Out: whether a thing is its own.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Compilers and linkers have a handful at a time. What goes beyond is made, and is nobody's then.
const MOST: usize = 4096;

/// Shared by all that hold the actor's policy.
#[derive(Clone, Debug, Default)]
pub struct Made(Arc<Mutex<Things>>);

#[derive(Debug, Default)]
struct Things {
    passing: HashSet<Vec<u8>>,
    session: Option<Vec<u8>>,
}

impl Made {
    fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The actor has made it. Beyond 4,096 such things none is noted.
    pub fn enter(&self, path: &[u8]) {
        let mut things = self.things();
        if things.passing.len() < MOST {
            things.passing.insert(path.to_owned());
        }
    }

    /// It is gone: whoever makes the next thing of that name owns it.
    pub fn leave(&self, path: &[u8]) {
        self.things().passing.remove(path);
    }

    /// Has the actor made what has this path now?
    pub fn holds(&self, path: &[u8]) -> bool {
        self.things().passing.contains(path)
    }

    /// How many of them are there still?
    pub fn count(&self) -> usize {
        self.things().passing.len()
    }

    /// All that are there still, in no order.
    pub fn all(&self) -> Vec<PathBuf> {
        self.things().passing.iter().map(|path| PathBuf::from(OsStr::from_bytes(path))).collect()
    }

    /// Is this the actor's incremental session? The first one it touches is: rustc prepares its own before it runs code of macros.
    pub fn is_session(&self, name: &[u8]) -> bool {
        let mut things = self.things();
        things.session.get_or_insert_with(|| name.to_owned()) == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_held_until_it_is_gone() {
        let made = Made::default();
        assert!(!made.holds(b"/t/deps/rmetaAbCdEf"));
        made.clone().enter(b"/t/deps/rmetaAbCdEf");
        assert!(made.holds(b"/t/deps/rmetaAbCdEf"));
        made.leave(b"/t/deps/rmetaAbCdEf");
        assert!(!made.holds(b"/t/deps/rmetaAbCdEf"));
        for n in 0..=MOST {
            made.enter(format!("{n}").as_bytes());
        }
        assert!(made.holds(b"0") && !made.holds(MOST.to_string().as_bytes()));
        assert!(made.is_session(b"app-1") && !made.is_session(b"app-2") && made.is_session(b"app-1"));
    }
}
