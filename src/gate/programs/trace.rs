//! `ptrace` and `PR_SET_PTRACER`: a program may trace what is its own, as debuggers, leak checkers and coverage by breakpoints do. In: register
//! values, about a caller that waits. Out: the kernel does it, or it is refused.
//!
//! That the kernel may be let do it, whoever has a number by the time it looks, rests on this:
//!
//! - An actor has a Landlock domain, and the kernel lets a process trace its own domain and those nested in it (security/landlock/task.c): no
//!   other actor, not cargo, not us. In observe mode there is none, so nobody traces.
//! - Registers can be set in a ptrace stop alone, and none lies between our answer and the call: that at the entry comes before the filters,
//!   and after a filter's own `SECCOMP_RET_TRACE` all of them run again (seccomp(2), since Linux 4.8).
//! - A thread has one tracer. Where it has one we cannot look at its stack, or have it do an errand, which then fails. Nothing a program
//!   may do depends on its stack; much of what compilers may does. What such a thread does is blamed on whoever wanted it traced, whose stack
//!   is looked at before: code that hides so is named all the more.
//! - Who asks to be traced is traced by its parent. Should that end just then, its parent is us, and we pass every signal on.

use std::io;

use super::told::told;
use crate::gate::errno::fail;
use crate::gate::{Answer, Call, steered};
use crate::sys::process::status;

/// `PTRACE_O_SUSPEND_SECCOMP`: the kernel gives it to nobody who is behind a filter himself, and we give it to nobody.
const SUSPEND: u64 = 1 << 21;

/// Answers `ptrace`.
///
/// # Errors
/// `ESRCH` where there is nobody of that number.
pub fn trace(call: &Call, name: &'static str) -> io::Result<Answer> {
    let [request, target, _, data, ..] = call.args;
    let suspends = data & SUSPEND != 0 && [libc::PTRACE_SEIZE, libc::PTRACE_SETOPTIONS].iter().any(|with| u64::from(*with) == request);
    let refused = || Ok(call.tamper(name, told(call)));
    if suspends || !call.may_trace() {
        return refused();
    }
    // Who is to be traced from now on, and may that be? All other requests are about whom the caller traces already.
    let (whom, own) = match u32::try_from(request) {
        Ok(libc::PTRACE_TRACEME) => (Some(call.pid()), status(call.tid).is_some_and(|status| call.is_kin(status.parent))),
        Ok(libc::PTRACE_ATTACH | libc::PTRACE_SEIZE) => {
            let whom = process(target as i32)?;
            (Some(whom), call.traces(whom))
        }
        _ => (None, true),
    };
    if !own {
        return refused();
    }
    if let Some(whom) = whom {
        match call.look() {
            Ok(blame) => {
                steered::is_traced(call, whom);
                blame.into_iter().for_each(|by| call.watched.processes().is_traced(whom, by));
            }
            // The call comes again, and then it is known.
            Err(repeat) => return Ok(Answer::Errno(repeat)),
        }
    }
    Ok(Answer::Continue)
}

/// May the caller trace whoever has this number, a process or a thread?
///
/// # Errors
/// `ESRCH` where there is nobody.
pub fn may(call: &Call, target: i32) -> io::Result<bool> {
    Ok(call.traces(process(target)?))
}

fn process(target: i32) -> io::Result<u32> {
    let found = u32::try_from(target).ok().and_then(status);
    found.map_or_else(|| fail(libc::ESRCH), |status| Ok(status.pid))
}
