//! A call that the caller makes itself, on its way out of the one it sits in: for what the kernel does to *current*, and nobody else can have
//! done for it. In: a thread whose call waits for its answer, a call whose arguments are plain numbers. Out: nothing; the thread goes on with
//! the result of its own call, or with that of the one made in its place.
//!
//! Only for calls that the actor may make at any time without being asked (no row of the table applies): then a thread that exchanges the
//! descriptor, or the code at the instruction pointer, in between wins what it could have done itself. Nothing is read from memory.

use std::io;

use super::Call;
use super::interrupt::RESTART;
use crate::sys::catch::{seize, wait_for};
use crate::sys::tracee;
use crate::sys::wait::Change;

/// Signals that may come in between; each is kept, and delivered when the thread is let go.
const MOST_STOPS: usize = 64;

/// Makes the caller do `number(result, args…)` where its own call is answered with a descriptor. To be asked for before the answer is given.
///
/// # Errors
/// When the thread is gone or traced by somebody else: then it is not done.
pub fn on_its_descriptor(call: &Call, number: i64, args: [u64; 2]) -> io::Result<()> {
    start(call.tid, move |stopped, signal| beside(stopped, signal, number, args))
}

/// Makes the caller do `number(result, args…)` in the place of its own call, which is answered with a descriptor for that alone: it is closed
/// again, and the caller goes on with what came of it. A signal with a handler ends it, and then it is the caller's own call that comes again.
///
/// # Errors
/// As for [`on_its_descriptor`].
pub fn in_its_place(call: &Call, number: i64, args: [u64; 5]) -> io::Result<()> {
    let own = call.number;
    start(call.tid, move |stopped, signal| instead(stopped, signal, (own, number), args))
}

/// Does it with the thread stopped, and lets that go with the signal that came meanwhile.
fn start(tid: u32, errand: impl FnOnce(i32, &mut i32) + Send + 'static) -> io::Result<()> {
    let (tell, seized) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name("brig-errand".into()).spawn(move || {
        let caught = seize(tid);
        let goes_on = caught.is_ok();
        // The other end waits for exactly this message.
        let _ = tell.send(caught);
        if goes_on {
            run(tid, errand);
        }
    })?;
    seized.recv().map_err(|_| io::Error::other("the thread that was to hold the caller ended early"))?
}

/// May the caller make a call that its program never makes? Not where it has put a filter of its own before ours, which might end it for that.
pub fn may(call: &Call) -> io::Result<bool> {
    let filters = |whose: &str| -> io::Result<Option<u32>> {
        let status = std::fs::read(format!("/proc/{whose}/status"))?;
        let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Seccomp_filters:"));
        Ok(line.and_then(|count| std::str::from_utf8(count).ok()?.trim().parse().ok()))
    };
    // Told since Linux 5.11.
    let may = match (filters(&call.tid.to_string())?, filters("self")?) {
        (Some(filters), Some(around_us)) => filters <= around_us + OURS,
        _ => false,
    };
    call.check_valid()?;
    Ok(may)
}

/// Cargo's filter, and the actor's.
const OURS: u32 = 2;

fn run(tid: u32, errand: impl FnOnce(i32, &mut i32)) {
    let Some((stopped, change)) = wait_for(tid) else { return };
    let mut signal = match change {
        Change::Event { .. } | Change::Syscall => 0,
        Change::Signal(signal) => signal,
        Change::Exited(_) | Change::Killed(_) => return,
    };
    // Whatever fails: it is let go with the registers it had. Should even that fail it is gone.
    errand(stopped, &mut signal);
    let _ = tracee::detach(stopped, signal);
}

fn beside(stopped: i32, signal: &mut i32, number: i64, args: [u64; 2]) {
    let Ok(saved) = tracee::registers(stopped) else { return };
    let result = arch::result(&saved);
    if i32::try_from(result).is_ok() {
        let mut registers = saved;
        arch::set_call_again(&mut registers, number, [result, args[0], args[1], 0, 0, 0]);
        if tracee::set_registers(stopped, &registers).is_ok() {
            step(stopped, signal);
            let _ = tracee::set_registers(stopped, &saved);
        }
    }
}

fn instead(stopped: i32, signal: &mut i32, (own, number): (i64, i64), args: [u64; 5]) {
    let Ok(saved) = tracee::registers(stopped) else { return };
    let descriptor = arch::result(&saved);
    // The call was refused: so it stays.
    if i32::try_from(descriptor).is_err() {
        return;
    }
    let [a, b, c, d, e] = args;
    let mut after = saved;
    // Where it cannot be made at all.
    arch::set_result(&mut after, -i64::from(libc::EPERM));
    for (number, args) in [(number, [descriptor, a, b, c, d, e]), (libc::SYS_close, [descriptor, 0, 0, 0, 0, 0])] {
        let mut registers = saved;
        arch::set_call_again(&mut registers, number, args);
        if tracee::set_registers(stopped, &registers).is_err() {
            break;
        }
        step(stopped, signal);
        if number != libc::SYS_close {
            match tracee::registers(stopped).map(|registers| arch::result(&registers) as i64) {
                // The signal is still to come: the trap of the step is told first.
                Ok(result) if result == -i64::from(RESTART) => arch::set_restart(&mut after, own),
                Ok(result) => arch::set_result(&mut after, result),
                Err(_) => {}
            }
        }
    }
    let _ = tracee::set_registers(stopped, &after);
}

/// One instruction: the call.
fn step(pid: i32, signal: &mut i32) {
    for _ in 0..MOST_STOPS {
        if tracee::step(pid).is_err() {
            return;
        }
        match wait_for(pid as u32) {
            Some((_, Change::Signal(libc::SIGTRAP))) | None => return,
            Some((_, Change::Signal(other))) => *signal = other,
            Some((_, Change::Event { .. } | Change::Syscall)) => {}
            Some((_, Change::Exited(_) | Change::Killed(_))) => return,
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod arch {
    use libc::user_regs_struct as Registers;

    /// Of `syscall`, which the thread has just come out of.
    const INSTRUCTION: u64 = 2;

    pub fn result(registers: &Registers) -> u64 {
        registers.rax
    }

    pub fn set_call_again(registers: &mut Registers, number: i64, args: [u64; 6]) {
        registers.rip -= INSTRUCTION;
        registers.rax = number as u64;
        // Not in a system call: the kernel must not try to restart one.
        registers.orig_rax = u64::MAX;
        [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9] = args;
    }

    pub fn set_result(registers: &mut Registers, result: i64) {
        registers.rax = result as u64;
        registers.orig_rax = u64::MAX;
    }

    /// As if this call had been interrupted: the kernel looks at the signal's handler, and has it come again or fail.
    pub fn set_restart(registers: &mut Registers, number: i64) {
        registers.rax = -i64::from(super::RESTART) as u64;
        registers.orig_rax = number as u64;
    }
}

#[cfg(target_arch = "aarch64")]
mod arch {
    use libc::user_regs_struct as Registers;

    /// Of `svc #0`, which the thread has just come out of.
    const INSTRUCTION: u64 = 4;

    pub fn result(registers: &Registers) -> u64 {
        registers.regs[0]
    }

    pub fn set_call_again(registers: &mut Registers, number: i64, args: [u64; 6]) {
        registers.pc -= INSTRUCTION;
        registers.regs[8] = number as u64;
        registers.regs[..6].copy_from_slice(&args);
    }

    pub fn set_result(registers: &mut Registers, result: i64) {
        registers.regs[0] = result as u64;
    }

    /// Its first argument as it was is no register of these: it fails.
    pub fn set_restart(registers: &mut Registers, _number: i64) {
        set_result(registers, -i64::from(libc::EINTR));
    }
}
