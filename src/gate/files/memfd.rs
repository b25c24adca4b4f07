//! `memfd_create`: made by us and sealed against exec, so that memory cannot become a program the kernel's wall never sees.

use std::io;
use std::os::fd::AsFd;

use crate::gate::errno::{c_string, fail};
use crate::gate::{Answer, Call, memory};
use crate::sys::files;

/// `linux/memfd.h`, Linux 6.3.
const NOEXEC_SEAL: u32 = 8;
const EXEC: u32 = 0x10;
/// `NAME_MAX` less the kernel's prefix `memfd:`, with the NUL.
const NAME_MAX: usize = 250;

/// Answers `memfd_create(name, flags)` (Linux 3.17).
///
/// # Errors
/// The kernel's own: `EFAULT`, `EINVAL` for flags that contradict each other or a name too long, `EMFILE`.
pub fn memfd(call: &Call) -> io::Result<Answer> {
    let flags = call.int(1) as u32;
    let (name, whole) = memory::read_string(call.tid, call.args[0], NAME_MAX)?;
    if !whole || flags & EXEC != 0 && flags & NOEXEC_SEAL != 0 {
        return fail(libc::EINVAL);
    }
    call.check_valid()?;
    let name = c_string(name)?;
    let flags = flags & !EXEC;
    let fd = match files::memfd(&name, flags | libc::MFD_CLOEXEC | NOEXEC_SEAL) {
        // Before 6.3 there is no such seal: then a memfd is a program in waiting.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) && files::memfd(c"", libc::MFD_CLOEXEC | NOEXEC_SEAL).is_err() => {
            if call.enforces() {
                return Ok(call.tamper("memfd_create", "this kernel cannot seal it against exec"));
            }
            files::memfd(&name, flags | libc::MFD_CLOEXEC)?
        }
        other => other?,
    };
    // To be sealed against exec at all it had to be made so that it can be sealed (`memfd_create`, mm/memfd.c). Who did not ask for that gets
    // one that cannot.
    if flags & (libc::MFD_ALLOW_SEALING | NOEXEC_SEAL) == 0 {
        match files::seal(fd.as_fd(), libc::F_SEAL_SEAL) {
            // It is so already: an old kernel's.
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
            sealed => sealed?,
        }
    }
    Ok(Answer::AddFd { fd, cloexec: flags & libc::MFD_CLOEXEC != 0 })
}
