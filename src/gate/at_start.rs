//! A program that somebody is about to execute is caught before its first instruction, for what must be done then. In: a thread in its `execve`. Out:
//! the thread goes on, and what was to be done has been done to the program that was meant, or to none.

use std::io;
use std::time::Duration;

use super::process::FileId;
use crate::gate::own::own;
use crate::sys::catch::{seize_before_exec, wait_for};
use crate::sys::tracee;
use crate::sys::wait::Change;

/// Signals that may come in between; each is delivered.
const MOST_STOPS: usize = 64;

/// To the process that stands there.
pub type Act = fn(i32) -> io::Result<()>;

/// Between two tries.
const BLINK: Duration = Duration::from_millis(2);

/// Does it once `tid`, which waits to be let go on, has become `file`. The caller lets it go on when this returns. `tries`: how often it is tried to catch
/// a thread that another of our own threads may be looking at just then.
pub fn at_start(tid: u32, file: FileId, tries: u32, act: Act) {
    let (tell, seized) = std::sync::mpsc::sync_channel(1);
    let started = std::thread::Builder::new().name("brig-start".into()).spawn(move || {
        let mut caught = seize_before_exec(tid);
        for _ in 1..tries {
            if caught.is_ok() {
                break;
            }
            std::thread::sleep(BLINK);
            caught = seize_before_exec(tid);
        }
        let goes_on = caught.is_ok();
        // The other end waits for exactly this message.
        let _ = tell.send(caught);
        if goes_on {
            follow(tid, file, act);
        }
    });
    if started.is_ok() {
        let _ = seized.recv();
    }
}

fn upon(pid: i32, file: FileId, act: Act) -> io::Result<()> {
    let runs = own()?.stat_of(pid as u32, "exe")?;
    if (runs.dev, runs.ino) == file { act(pid) } else { Ok(()) }
}

/// Waits until the new program stands before its first instruction, does what is to be done, and lets go. If there is none in the end, at once.
fn follow(tid: u32, file: FileId, act: Act) {
    let mut pid = tid as i32;
    let mut signal = 0;
    let mut executed = false;
    for _ in 0..MOST_STOPS {
        match wait_for(tid) {
            Some((stopped, Change::Event { event: libc::PTRACE_EVENT_EXEC, .. })) => {
                // The id of its leader, whoever it was before. Only at the call's end are the registers the program's.
                (pid, executed) = (stopped, true);
                if tracee::resume_to_syscall(pid).is_err() {
                    return;
                }
            }
            Some((stopped, Change::Syscall)) if executed => {
                pid = stopped;
                let _ = upon(pid, file, act);
                break;
            }
            Some((stopped, Change::Signal(came))) if !executed => {
                if tracee::resume(stopped, came).is_err() {
                    return;
                }
            }
            Some((stopped, Change::Signal(came))) => {
                (pid, signal) = (stopped, came);
                break;
            }
            // The call has failed.
            Some((stopped, Change::Event { .. } | Change::Syscall)) => {
                pid = stopped;
                break;
            }
            Some((_, Change::Exited(_) | Change::Killed(_))) | None => return,
        }
    }
    // The end of this thread lets go of it, too.
    let _ = tracee::detach(pid, signal);
}

#[cfg(target_arch = "x86_64")]
mod arch {
    pub fn stack_pointer(registers: &mut libc::user_regs_struct) -> &mut u64 {
        &mut registers.rsp
    }
}

#[cfg(target_arch = "aarch64")]
mod arch {
    pub fn stack_pointer(registers: &mut libc::user_regs_struct) -> &mut u64 {
        &mut registers.sp
    }
}

pub use arch::stack_pointer;
