//! Calls that are made in order to be refused: the probe's questions to the wall. Each is harmless where there is no wall.

use super::{descriptors, files, memory};

/// What a call returned: a value, or the errno.
pub type Answer = Result<i64, i32>;

fn answer(value: libc::c_long) -> Answer {
    if value == -1 { Err(nix::errno::Errno::last_raw()) } else { Ok(value) }
}

/// `getpid` by its x32 number.
#[cfg(target_arch = "x86_64")]
pub fn x32_getpid() -> Answer {
    // SAFETY: takes no arguments.
    answer(unsafe { libc::syscall(0x4000_0000 | libc::SYS_getpid) })
}

/// A call by a number the kernel may or may not have, all arguments zero. For numbers above `fchroot` only.
pub fn unheard_of(number: u32) -> Answer {
    assert!(number > 472, "only for calls nobody has heard of");
    // SAFETY: a call added in the future with all arguments zero can hardly be unsafe for our memory, and it is refused by the filter.
    answer(unsafe { libc::syscall(libc::c_long::from(number), 0, 0, 0, 0, 0, 0) })
}

/// `clone3` with nothing to clone: `EINVAL` from the kernel.
pub fn clone3_of_nothing() -> Answer {
    // SAFETY: a size of 0 is refused before the pointer is looked at.
    answer(unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<libc::c_void>(), 0_usize) })
}

/// Calls that the gate must hear of and that a container's own filter often refuses before it could, each with arguments that make it do
/// nothing where nobody refuses it.
pub const HARMLESS: [(&str, libc::c_long, [libc::c_long; 5]); 9] = [
    // No such command: EINVAL.
    ("bpf", libc::SYS_bpf, [-1, 0, 0, 0, 0]),
    // No parameters: EFAULT.
    ("io_uring_setup", libc::SYS_io_uring_setup, [1, 0, 0, 0, 0]),
    // No such operation: EOPNOTSUPP.
    ("keyctl", libc::SYS_keyctl, [-1, 0, 0, 0, 0]),
    // Nothing, nowhere: EFAULT.
    ("mount", libc::SYS_mount, [0; 5]),
    // No attributes: EFAULT.
    ("perf_event_open", libc::SYS_perf_event_open, [0, 0, -1, -1, 0]),
    // Of no process: EBADF.
    ("pidfd_getfd", libc::SYS_pidfd_getfd, [-1, -1, 0, 0, 0]),
    // No namespace: EBADF.
    ("setns", libc::SYS_setns, [-1, 0, 0, 0, 0]),
    // Nothing to leave: success.
    ("unshare", libc::SYS_unshare, [0; 5]),
    // No such flags: EINVAL.
    ("userfaultfd", libc::SYS_userfaultfd, [-1, 0, 0, 0, 0]),
];

/// Makes one of these calls; a name that is not among them counts as a call the kernel does not have.
pub fn harmless(name: &str) -> Answer {
    let Some((_, number, [a, b, c, d, e])) = HARMLESS.iter().find(|(known, ..)| *known == name) else { return Err(libc::ENOSYS) };
    // SAFETY: the arguments of each row name nothing that exists and no memory of ours: null pointers, descriptor and command -1.
    answer(unsafe { libc::syscall(*number, *a, *b, *c, *d, *e) })
}

/// Calls without which Brig itself cannot do its work, and which something around it refuses (a container's filter, an old sandbox).
pub fn refused_to_us() -> Vec<&'static str> {
    let mut byte = 0_u8;
    let own = std::process::id();
    let tries = [
        ("openat2", files::openat2(files::AT_FDCWD, c"/", libc::O_PATH | libc::O_CLOEXEC, 0, 0).map(drop)),
        // Nobody has a descriptor of that number.
        ("close_range", descriptors::close_from(u32::MAX)),
        ("process_vm_readv", memory::read(own, (&raw const byte) as u64, &mut [0]).map(drop)),
        ("process_vm_writev", memory::write(own, (&raw mut byte) as u64, &[1])),
    ];
    let refused = |result: &std::io::Result<()>| result.as_ref().is_err_and(|error| REFUSALS.contains(&error.raw_os_error().unwrap_or(0)));
    tries.into_iter().filter(|(_, result)| refused(result)).map(|(name, _)| name).collect()
}

/// How a filter, or a kernel without it, answers a call that is not to be made.
pub const REFUSALS: [i32; 3] = [libc::EPERM, libc::ENOSYS, libc::EACCES];

/// `sendmsg` on no socket, with these words in the three argument registers it does not use: `EBADF` from the kernel.
pub fn sendmsg_of_nothing(words: [u64; 3]) -> Answer {
    // SAFETY: descriptor -1 is refused before the null message is looked at.
    answer(unsafe { libc::syscall(libc::SYS_sendmsg, -1, std::ptr::null::<libc::msghdr>(), 0, words[0], words[1], words[2]) })
}
