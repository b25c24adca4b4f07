//! Which processes are the actor's own: what it may signal, schedule and look into.

use super::Call;
use crate::model::ActorKind;
use crate::sys::process::{stat, status};

impl Call<'_> {
    /// Is this a process of the same actor? One that has made a call here, or whose ancestor has; numbers are used again, so it must have
    /// begun by then.
    pub fn is_kin(&self, pid: u32) -> bool {
        // The second: a fork that has never made a call here, and has lost its parent.
        self.descends(pid) || stat(pid).is_some_and(|stat| self.is_own_group(stat.group) || self.is_own_group(stat.session))
    }

    fn descends(&self, mut pid: u32) -> bool {
        for _ in 0..32 {
            if self.is_seen(pid) {
                return true;
            }
            match status(pid) {
                Some(status) if status.parent > 1 => pid = status.parent,
                _ => break,
            }
        }
        false
    }

    /// May this caller trace at all? Where the kernel's wall keeps it inside (`programs::trace`), and nothing is allowed because of a stack.
    pub fn may_trace(&self) -> bool {
        self.watched.actor.kind == ActorKind::Program && self.enforces()
    }

    /// May it trace this process, and look into it?
    pub fn traces(&self, pid: u32) -> bool {
        // Whoever asked not to be dumped has asked for this, too (ptrace(2)).
        self.may_trace() && self.is_kin(pid) && self.watched.processes().core_before(pid).is_none()
    }

    /// Is this number the caller's, one of its threads' or a process's below it? Parents are told by the kernel, and a parent's number is its own
    /// while its child has it: what is told twice was so in between, whoever has those numbers later.
    pub fn is_own_family(&self, pid: u32) -> bool {
        let line = || {
            let mut line = vec![status(pid)?.pid];
            while *line.last()? != self.pid() {
                let parent = status(*line.last()?)?.parent;
                if parent <= 1 || line.len() == 32 {
                    return None;
                }
                line.push(parent);
            }
            Some(line)
        };
        line().is_some_and(|first| line() == Some(first))
    }

    /// Is this a group (or session) that a process of the actor leads or led? Only its descendants can be in it: one may put oneself and
    /// one's children into a group (setpgid(2)), and its number is nobody else's while it has members.
    pub fn is_own_group(&self, group: u32) -> bool {
        match stat(group) {
            // A shell's job may be stopped before it has made a call here.
            Some(_) => self.descends(group),
            None => self.watched.processes().seen_at(group).is_some(),
        }
    }

    /// The processes of this actor that are still there, the caller's first.
    pub fn own_processes(&self) -> Vec<u32> {
        let mut pids = self.watched.processes().pids();
        pids.retain(|pid| self.is_seen(*pid));
        pids.sort_by_key(|pid| *pid != self.pid());
        pids
    }

    fn is_seen(&self, pid: u32) -> bool {
        let seen = self.watched.processes().seen_at(pid);
        seen.is_some_and(|seen| stat(pid).is_some_and(|stat| stat.started <= seen))
    }
}
