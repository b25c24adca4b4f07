//! What a process may do about itself: read its own memory, compare its own descriptors and its children's, work in a directory of its own
//! thread, and ask not to be dumped. In: register values, which no thread can exchange, about a caller that waits and so keeps its number.

use std::io;

use super::told::told;
use super::trace;
use crate::gate::errno::fail;
use crate::gate::{Answer, Call};
use crate::sys::process;

/// Answers `process_vm_readv`, `kcmp`, `unshare`, and what the table announces of `prctl`. `name` is the system call's.
///
/// # Errors
/// `EINVAL` for what the kernel takes for no such wish.
pub fn itself(call: &Call, name: &'static str) -> io::Result<Answer> {
    let own = match call.number {
        libc::SYS_prctl => return attribute(call, name),
        libc::SYS_ptrace => return trace::trace(call, name),
        // Memory of its own is no secret to it. A child's could be another's by the time the kernel looks, which asks as for tracing.
        libc::SYS_process_vm_readv => is_caller(call, call.int(0)) || call.may_trace() && trace::may(call, call.int(0))?,
        // Tells whether two things are the same, and beyond the caller's Landlock domain the kernel refuses it (a ptrace(2) check).
        libc::SYS_kcmp => [0, 1].into_iter().all(|at| u32::try_from(call.int(at)).is_ok_and(|pid| call.is_own_family(pid))),
        // A working directory and a mask of its own for one thread: the gate looks at them by thread.
        libc::SYS_unshare => call.args[0] == libc::CLONE_FS as u64,
        _ => false,
    };
    Ok(if own { Answer::Continue } else { call.tamper(name, told(call)) })
}

fn is_caller(call: &Call, pid: i32) -> bool {
    u32::try_from(pid).is_ok_and(|pid| pid == call.pid() || pid == call.tid)
}

fn attribute(call: &Call, name: &'static str) -> io::Result<Answer> {
    match (call.int(0), call.args[1]) {
        (libc::PR_GET_DUMPABLE, _) if call.watched.processes().core_before(call.pid()).is_some() => Ok(Answer::Value(0)),
        (libc::PR_GET_DUMPABLE, _) => Ok(Answer::Continue),
        (libc::PR_SET_DUMPABLE, 0) => Ok(undumpable(call).unwrap_or_else(|_| call.tamper(name, told(call)))),
        (libc::PR_SET_DUMPABLE, 1) => {
            call.check_valid()?;
            let before = call.watched.processes().dumps(call.pid(), None);
            if let Some(limit) = before {
                process::limit_core(call.pid(), limit)?;
            }
            Ok(Answer::Continue)
        }
        (libc::PR_SET_DUMPABLE, _) => fail(libc::EINVAL),
        // Who else may trace it, where the machine restricts that (Yama).
        (libc::PR_SET_PTRACER, _) if call.may_trace() => Ok(Answer::Continue),
        _ => Ok(call.tamper(name, told(call))),
    }
}

/// Programs with keys in memory ask for no core dumps and no debuggers. Really not dumpable, its paths could not be read by the gate; so the
/// kernel is told not to dump it by its limit, and nobody but the gate can look into it as it is.
fn undumpable(call: &Call) -> io::Result<Answer> {
    let pid = call.pid();
    if call.watched.processes().core_before(pid).is_some() {
        return Ok(Answer::Value(0));
    }
    call.check_valid()?;
    let before = process::limit_core(pid, process::NO_CORE)?;
    call.watched.processes().dumps(pid, Some(before));
    Ok(Answer::Value(0))
}
