//! How soon the kernel lets a thread of ours run once it has something to do.

use std::io;

/// `struct sched_attr` in its first version (sched_setattr(2)).
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// `SCHED_FLAG_RESET_ON_FORK`: what we start gets ordinary slices.
const RESET_ON_FORK: u64 = 1;
/// The shortest slice there is: 0.1 ms.
const SHORTEST: u64 = 100_000;

/// Asks for short slices for the calling thread: it gets no more processor time than before, but need not wait for a busy neighbour's
/// slice (3 ms and more) to end first. Linux 6.12 (EEVDF); earlier kernels ignore the request.
///
/// # Errors
/// The kernel's own, `EPERM` under a container's filter; nothing depends on it.
pub fn short_slices() -> io::Result<()> {
    // SAFETY: takes no memory.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        flags: RESET_ON_FORK,
        nice,
        priority: 0,
        runtime: SHORTEST,
        deadline: 0,
        period: 0,
    };
    // SAFETY: the kernel reads `size` bytes of the structure, which outlives the call; thread 0 is the calling one.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anyone_may_ask_for_short_slices() {
        std::thread::spawn(|| short_slices().unwrap()).join().unwrap();
    }
}
