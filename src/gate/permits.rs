//! Permits to wait: each takes threads of ours, so there are only so many. In: an actor that would wait. Out: a permit, given back
//! when dropped, or none. Every actor has a share, and the first permit of each is always there: one that takes all it can get keeps nobody
//! else from waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of one actor.
const SHARE: usize = 128;
/// Of all actors together; beyond it each still has its first, as each has a thread of ours anyway.
const ALL: usize = 512;

/// One actor's share.
#[derive(Clone, Default)]
pub struct Permits {
    own: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

/// One taken place.
pub struct Permit {
    of: Permits,
}

impl Permits {
    /// Another actor's share of the same places.
    pub fn of_another(&self) -> Permits {
        Permits { own: Arc::default(), all: Arc::clone(&self.all) }
    }

    pub fn take(&self) -> Option<Permit> {
        let permit = Permit { of: self.clone() };
        let (own, all) = (self.own.fetch_add(1, Ordering::Relaxed), self.all.fetch_add(1, Ordering::Relaxed));
        (own < SHARE && (own == 0 || all < ALL)).then_some(permit)
    }

    #[cfg(test)]
    pub fn taken(&self) -> usize {
        self.own.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub const fn most() -> usize {
        SHARE
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.of.own.fetch_sub(1, Ordering::Relaxed);
        self.of.all.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_anothers_permit() {
        let run = Permits::default();
        let greedy = run.of_another();
        let mut held: Vec<Permit> = std::iter::from_fn(|| greedy.take()).collect();
        assert_eq!(held.len(), SHARE);
        assert!(run.of_another().take().is_some());
        // As many as it takes to fill the house.
        let accomplices: Vec<Permits> = (0..2 * ALL / SHARE).map(|_| run.of_another()).collect();
        held.extend(accomplices.iter().flat_map(|one| std::iter::from_fn(|| one.take())));
        assert!(held.len() >= ALL && held.len() <= ALL + accomplices.len(), "{}", held.len());
        let honest = run.of_another();
        let first = honest.take();
        assert!(first.is_some() && honest.take().is_none());
        drop(held);
        assert!(greedy.take().is_some() && honest.take().is_some());
        drop(first);
        assert_eq!((greedy.taken(), run.all.load(Ordering::Relaxed)), (0, 0));
    }
}
