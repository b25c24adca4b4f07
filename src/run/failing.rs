//! Which actors failed, where the kernel tells. In: each as it starts. Out: those that ended with another code than 0, or by a signal.

use std::collections::BTreeSet;
use std::mem::take;
use std::os::fd::{AsFd, OwnedFd};

use crate::model::ActorId;
use crate::sys::pidfd;

/// So many wait to be looked at: their handles are ours until then.
const MOST: usize = 64;

#[derive(Default)]
pub struct Failing {
    /// Not known to have ended.
    running: Vec<(ActorId, OwnedFd)>,
    failed: BTreeSet<ActorId>,
}

impl Failing {
    pub fn starts(&mut self, actor: ActorId, pid: u32) {
        if self.running.len() >= MOST {
            self.look();
        }
        // A ground without such handles, or a full table: then it is not told, and nothing is said of it.
        if self.running.len() < 2 * MOST
            && let Ok(Some(handle)) = pidfd::open_if_permitted(pid)
        {
            self.running.push((actor, handle));
        }
    }

    fn look(&mut self) {
        for (actor, handle) in take(&mut self.running) {
            match pidfd::ended(handle.as_fd()) {
                None => self.running.push((actor, handle)),
                Some(0) => {}
                Some(_) => drop(self.failed.insert(actor)),
            }
        }
    }

    /// When cargo has ended.
    pub fn failed(&mut self) -> BTreeSet<ActorId> {
        self.look();
        take(&mut self.failed)
    }
}
