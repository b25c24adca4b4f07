//! How actors ended, where the kernel tells. In: each as it starts. Out: the code each has ended with, 128+signal where it was killed.

use std::collections::BTreeMap;
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
    ends: BTreeMap<ActorId, i32>,
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
                Some(status) => drop(self.ends.insert(actor, code(status))),
            }
        }
    }

    /// When cargo has ended.
    pub fn ends(&mut self) -> BTreeMap<ActorId, i32> {
        self.look();
        take(&mut self.ends)
    }
}

/// Of a status as wait(2) tells it: the signal in the lowest seven bits, the code above the lowest eight.
fn code(status: i32) -> i32 {
    match status & 0x7f {
        0 => status >> 8 & 0xff,
        signal => 128 + signal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_as_a_shell_has_them() {
        for (status, expected) in [(0, 0), (0x100, 1), (101 << 8, 101), (9, 137), (0x86, 134)] {
            assert_eq!(code(status), expected, "{status:#x}");
        }
    }
}
