//! The clock of an actor whose time is moved (`Policy::shift`), and the name of its machine, if that is made up. Its programs find no vDSO and so ask the kernel, where the filter stops what asks for
//! the time of day; that is answered here. The other clocks run as they do. In: such a call, or a program about to begin. Out: a moved time.
//!
//! Not moved, and to be said so: times of files, the processor's own counter, what a program reads from a vDSO that it looks for itself, and waits for
//! a point in time by the wall.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::time::{ClockId, clock_gettime};

use super::Call;
use super::answer::Answer;
use super::at_start::{at_start, stack_pointer};
use super::files::found::Found;
use crate::sys::process::status;
use crate::sys::{memory, tracee};

/// Of a new stack, in bytes: looked at first, and at most.
const STACK: [usize; 2] = [16 << 10, 1 << 20];
const WORD: usize = size_of::<u64>();

/// `clock_gettime`, `gettimeofday`, `time`, `uname`: as the kernel fills in their structures (64-bit).
///
/// # Errors
/// `EFAULT` where they cannot be filled in; `EPERM` for what reads the clock by the calls that set it.
pub fn clock(call: &Call, name: &str) -> io::Result<Answer> {
    if name == "uname" {
        return uname(call);
    }
    let Some(shift) = call.watched.policy.shift else { return Ok(Answer::Continue) };
    let id = if name == "clock_gettime" { call.args[0] as i32 } else { libc::CLOCK_REALTIME };
    let now = clock_gettime(ClockId::from_raw(id))?;
    let seconds = now.tv_sec().saturating_add(shift.seconds);
    let put = |at: u64, words: [i64; 2]| {
        call.check_valid()?;
        memory::write(call.tid, at, &words.map(i64::to_ne_bytes).concat())
    };
    match name {
        "clock_gettime" => put(call.args[1], [seconds, now.tv_nsec()])?,
        "gettimeofday" => {
            let [time, zone, ..] = call.args;
            if time != 0 {
                put(time, [seconds, now.tv_nsec() / 1000])?;
            }
            if zone != 0 {
                // Two ints, which Linux leaves 0 unless somebody set them (gettimeofday(2)).
                memory::write(call.tid, zone, &[0; 8])?;
            }
        }
        "time" => {
            if call.args[0] != 0 {
                call.check_valid()?;
                memory::write(call.tid, call.args[0], &seconds.to_ne_bytes())?;
            }
            return Ok(Answer::Value(seconds));
        }
        _ => return Ok(Answer::Errno(libc::EPERM)),
    }
    Ok(Answer::Value(0))
}

/// `struct new_utsname`: six texts of 65 bytes, the second the machine's name (uname(2)). `gethostname` of the C library is made of it.
fn uname(call: &Call) -> io::Result<Answer> {
    const FIELD: usize = 65;
    let Some(name) = &call.watched.policy.hostname else { return Ok(Answer::Continue) };
    let known = nix::sys::utsname::uname()?;
    let domain = std::fs::read_to_string("/proc/sys/kernel/domainname").unwrap_or_default();
    let texts = [known.sysname(), OsStr::new(&**name), known.release(), known.version(), known.machine(), OsStr::new(domain.trim_end())];
    let mut bytes = vec![0; FIELD * texts.len()];
    for (field, text) in bytes.chunks_exact_mut(FIELD).zip(texts) {
        let text = text.as_bytes();
        let length = text.len().min(FIELD - 1);
        field[..length].copy_from_slice(&text[..length]);
    }
    call.check_valid()?;
    memory::write(call.tid, call.args[0], &bytes)?;
    Ok(Answer::Value(0))
}

/// Whose stack is looked at is not to be caught for a moment.
const TRIES: u32 = 50;

/// Hides the vDSO from `program`, which the caller is about to execute. To be called before the call is let go on.
pub fn prepare(call: &Call, program: &Found) {
    // A child of ours is waited for by our other threads as well.
    if status(call.tid).is_some_and(|status| status.parent != std::process::id()) {
        at_start(call.tid, (program.facts.dev, program.facts.ino), TRIES, hide);
    }
}

fn hide(pid: i32) -> io::Result<()> {
    let base = *stack_pointer(&mut tracee::registers(pid)?);
    for size in STACK {
        let mut image = vec![0; size];
        let length = memory::read(pid as u32, base, &mut image)?;
        if let Some(at) = vdso(&image[..length]) {
            return memory::write(pid as u32, base + at as u64, &libc::AT_IGNORE.to_ne_bytes());
        }
    }
    Ok(())
}

/// Where a stack as execve leaves it (`argc argv… NULL envp… NULL auxv…`) names the vDSO.
fn vdso(image: &[u8]) -> Option<usize> {
    let word = |index: usize| Some(u64::from_ne_bytes(image.get(index * WORD..)?.first_chunk()?.to_owned()));
    let mut at = usize::try_from(word(0)?).ok()?.checked_add(2)?;
    while word(at)? != 0 {
        at += 1;
    }
    at += 1;
    while word(at)? != libc::AT_NULL {
        if word(at)? == libc::AT_SYSINFO_EHDR {
            return Some(at * WORD);
        }
        at += 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vdso_is_found_behind_the_variables() {
        let stack = |words: &[u64]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
        let image = stack(&[2, 100, 101, 0, 102, 103, 0, libc::AT_PAGESZ, 4096, libc::AT_SYSINFO_EHDR, 7, libc::AT_NULL, 0]);
        assert_eq!(vdso(&image), Some(9 * WORD));
        assert_eq!(vdso(&image[..9 * WORD]), None);
        assert_eq!(vdso(&stack(&[1, 100, 0, 0, libc::AT_PAGESZ, 4096, libc::AT_NULL, 0])), None);
        assert_eq!(vdso(&stack(&[u64::MAX, 1, 2])), None);
    }
}
