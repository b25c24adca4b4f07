//! Another process's priority, processors or limits: free among the actor's own, refused and recorded towards everybody else. The kernel
//! permits them to any process of the same user, and Landlock knows nothing of them. In: register values.

use std::io;

use super::signal::{is_kin, program};
use crate::gate::errno::fail;
use crate::gate::{Answer, Call};
use crate::model::Hostile;

/// `linux/ioprio.h`.
const IOPRIO_WHO_PROCESS: i32 = 1;
const IOPRIO_WHO_PGRP: i32 = 2;

/// Whose.
enum Whose {
    Process(i32),
    Group(i32),
    User,
}

/// Answers `setpriority ioprio_set prlimit64` and the `sched_set…` calls. `name` is the system call's.
///
/// # Errors
/// `ESRCH` where there is nobody of that number.
pub fn schedule(call: &Call, name: &'static str) -> io::Result<Answer> {
    match whose(call) {
        Whose::Process(0) => Ok(Answer::Continue),
        Whose::Process(pid @ 1..) => {
            let pid = pid as u32;
            if pid == call.pid() || pid == call.tid || is_kin(call, pid)? {
                return Ok(Answer::Continue);
            }
            Ok(call.tamper(name, Hostile::new([b"of ", program(pid).as_bytes()].concat())))
        }
        Whose::Process(_) => fail(libc::ESRCH),
        // Not for 0: the group the caller is in by then.
        Whose::Group(group @ 1..) if call.is_own_group(group as u32) => Ok(Answer::Continue),
        Whose::Group(_) => Ok(call.tamper(name, "of a process group")),
        Whose::User => Ok(call.tamper(name, "of all processes of a user")),
    }
}

fn whose(call: &Call) -> Whose {
    let (which, who) = (call.int(0), call.int(1));
    match call.number {
        libc::SYS_setpriority => match which as libc::__priority_which_t {
            libc::PRIO_PROCESS => Whose::Process(who),
            libc::PRIO_PGRP => Whose::Group(who),
            _ => Whose::User,
        },
        libc::SYS_ioprio_set => match which {
            IOPRIO_WHO_PROCESS => Whose::Process(who),
            IOPRIO_WHO_PGRP => Whose::Group(who),
            _ => Whose::User,
        },
        _ => Whose::Process(which),
    }
}
