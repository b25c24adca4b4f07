//! What an open asks for: four system calls in one form, read with the kernel's own strictness. In: registers, `struct open_how`.

use std::io;
use std::os::fd::OwnedFd;

use crate::gate::errno::fail;
use crate::gate::{Answer, Call, memory};
use crate::sys::memory::page_size;

/// The kernel's `__O_TMPFILE`, without the `O_DIRECTORY` that comes with it.
pub const TMPFILE: i32 = libc::O_TMPFILE & !libc::O_DIRECTORY;
/// `O_LARGEFILE` as the kernel sees it; libc's is 0 on 64-bit machines.
#[cfg(target_arch = "x86_64")]
const LARGEFILE: i32 = 0o100000;
#[cfg(not(target_arch = "x86_64"))]
const LARGEFILE: i32 = 0o400000;
/// `VALID_OPEN_FLAGS`.
const KNOWN: i32 = libc::O_ACCMODE
    | libc::O_CREAT
    | libc::O_EXCL
    | libc::O_NOCTTY
    | libc::O_TRUNC
    | libc::O_APPEND
    | libc::O_NONBLOCK
    | libc::O_SYNC
    | libc::O_ASYNC
    | libc::O_DIRECT
    | LARGEFILE
    | libc::O_DIRECTORY
    | libc::O_NOFOLLOW
    | libc::O_NOATIME
    | libc::O_CLOEXEC
    | libc::O_PATH
    | TMPFILE;
/// `O_PATH_FLAGS`: what may stand beside `O_PATH`.
const PATH_ONLY: i32 = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
/// `VALID_RESOLVE_FLAGS`: `RESOLVE_NO_XDEV` up to `RESOLVE_CACHED`.
const KNOWN_RESOLVE: u64 = 0x3f;
/// Size of the first version of `struct open_how`.
const OPEN_HOW: u64 = 24;

/// An open in its general form: `struct open_how` (openat2(2), Linux 5.6) with the directory it begins in.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub dirfd: i32,
    /// `O_*`, none that the kernel does not know.
    pub flags: i32,
    /// Of a new file, before the umask; `0o7777` at most.
    pub mode: u32,
    /// `RESOLVE_*`; 0 for all calls but `openat2`.
    pub resolve: u64,
}

impl Wanted {
    /// All bits of `flag`?
    pub fn has(&self, flag: i32) -> bool {
        self.flags & flag == flag
    }

    /// `O_RDONLY`, `O_WRONLY` or `O_RDWR`.
    pub fn access(&self) -> i32 {
        self.flags & libc::O_ACCMODE
    }

    pub fn reads(&self) -> bool {
        self.access() != libc::O_WRONLY
    }

    /// Can the file system be another one after it?
    pub fn writes(&self) -> bool {
        self.access() != libc::O_RDONLY || self.has(libc::O_TRUNC) || self.has(libc::O_CREAT)
    }

    pub fn is_plain_read(&self) -> bool {
        !self.writes() && self.resolve == 0 && !self.has(TMPFILE) && !self.has(libc::O_PATH)
    }

    pub fn cloexec(&self) -> bool {
        self.has(libc::O_CLOEXEC)
    }

    /// The answer that hands it over. Of what can be written to nothing stays with us when the caller goes on: whoever closes it is the last to
    /// (`IN_CLOSE_WRITE`), and may execute it then (`ETXTBSY`).
    pub fn handed(&self, fd: OwnedFd) -> Answer {
        let cloexec = self.cloexec();
        if self.access() == libc::O_RDONLY { Answer::AddFd { fd, cloexec } } else { Answer::AddFdAndDrop { fd, cloexec } }
    }
}

/// Does a call only ask for something to read, by its registers alone?
pub fn is_plain_read(call: &Call) -> bool {
    // The flags of `openat2` lie in memory.
    call.number != libc::SYS_openat2 && decode(call).is_ok_and(|(_, wanted)| wanted.is_plain_read())
}

/// Registers and structures to one form; with it, which argument is the path.
///
/// # Errors
/// What the kernel says of such flags (`EINVAL`, `E2BIG`, `EAGAIN`), `EFAULT` for a bad pointer.
pub fn decode(call: &Call) -> io::Result<(usize, Wanted)> {
    let plain = |at: usize, dirfd: i32| {
        let mut wanted = Wanted { dirfd, flags: call.int(at + 1) & KNOWN, mode: call.int(at + 2) as u32, resolve: 0 };
        if wanted.has(libc::O_PATH) {
            wanted.flags &= PATH_ONLY;
        }
        (at, wanted)
    };
    let (at, mut wanted) = match call.number {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => plain(0, libc::AT_FDCWD),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            (0, Wanted { dirfd: libc::AT_FDCWD, flags, mode: call.int(1) as u32, resolve: 0 })
        }
        libc::SYS_openat => plain(1, call.int(0)),
        libc::SYS_openat2 => (1, open_how(call)?),
        _ => return fail(libc::ENOSYS),
    };
    wanted.mode &= 0o7777;
    if wanted.has(TMPFILE) && (!wanted.has(libc::O_TMPFILE) || wanted.access() == libc::O_RDONLY) {
        return fail(libc::EINVAL);
    }
    // Since 6.4 the kernel refuses this pair; before, it had never done anything useful.
    if wanted.has(libc::O_CREAT | libc::O_DIRECTORY) {
        return fail(libc::EINVAL);
    }
    Ok((at, wanted))
}

/// Reads `struct open_how` with the kernel's own strictness (`copy_struct_from_user`, `build_open_flags`).
fn open_how(call: &Call) -> io::Result<Wanted> {
    let size = call.args[3];
    if size < OPEN_HOW {
        return fail(libc::EINVAL);
    }
    // By the kernel's own page.
    if size > page_size() as u64 {
        return fail(libc::E2BIG);
    }
    let mut bytes = vec![0; size as usize];
    memory::read(call.tid, call.args[2], &mut bytes)?;
    let (known, tail) = bytes.split_at(OPEN_HOW as usize);
    if tail.iter().any(|byte| *byte != 0) {
        return fail(libc::E2BIG);
    }
    let word = |at: usize| known[at..at + 8].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    let (flags, mode, resolve) = if cfg!(target_endian = "little") { (word(0), word(8), word(16)) } else { return fail(libc::ENOSYS) };
    let creates = flags & (libc::O_CREAT | TMPFILE) as u64 != 0;
    let scoped = libc::RESOLVE_BENEATH | libc::RESOLVE_IN_ROOT;
    if flags & !u64::from(KNOWN as u32) != 0
        || resolve & !KNOWN_RESOLVE != 0
        || resolve & scoped == scoped
        || mode & !0o7777 != 0
        || (!creates && mode != 0)
        || (flags & libc::O_PATH as u64 != 0 && flags & !PATH_ONLY as u64 != 0)
    {
        return fail(libc::EINVAL);
    }
    // "Only from the cache": the kernel does not even try to change anything so.
    if resolve & libc::RESOLVE_CACHED != 0 && (creates || flags & libc::O_TRUNC as u64 != 0) {
        return fail(libc::EAGAIN);
    }
    Ok(Wanted { dirfd: call.int(0), flags: flags as i32, mode: mode as u32, resolve })
}
