//! Calls that are made in order to be refused: the probe's questions to the wall. Each is harmless where there is no wall.

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

/// A call by a number the kernel may or may not have, all arguments zero. For numbers above `rseq_slice_yield` only.
pub fn unheard_of(number: u32) -> Answer {
    assert!(number > 471, "only for calls nobody has heard of");
    // SAFETY: a call added in the future with all arguments zero can hardly be unsafe for our memory, and it is refused by the filter.
    answer(unsafe { libc::syscall(libc::c_long::from(number), 0, 0, 0, 0, 0, 0) })
}

/// `clone3` with nothing to clone: `EINVAL` from the kernel.
pub fn clone3_of_nothing() -> Answer {
    // SAFETY: a size of 0 is refused before the pointer is looked at.
    answer(unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<libc::c_void>(), 0_usize) })
}

/// `io_uring_setup` with no parameters: `EFAULT` from a kernel that has it.
pub fn io_uring_of_nothing() -> Answer {
    // SAFETY: a null parameter block is refused with EFAULT; nothing is created.
    answer(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1_u32, std::ptr::null::<libc::c_void>()) })
}

/// `sendmsg` on no socket, with these words in the three argument registers it does not use: `EBADF` from the kernel.
pub fn sendmsg_of_nothing(words: [u64; 3]) -> Answer {
    // SAFETY: descriptor -1 is refused before the null message is looked at.
    answer(unsafe { libc::syscall(libc::SYS_sendmsg, -1, std::ptr::null::<libc::msghdr>(), 0, words[0], words[1], words[2]) })
}
