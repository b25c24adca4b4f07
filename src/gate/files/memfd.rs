//! `memfd_create`: made by us and kept from being executed, so that memory cannot become a program the kernel's wall never sees: sealed, where the
//! kernel has that seal (Linux 6.3); else without an execute bit, which the gate gives none (`metadata`).

use std::ffi::CStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

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
    // Flags of the kernels that have the seal.
    if !has_seal() && flags & (EXEC | NOEXEC_SEAL) != 0 {
        return fail(libc::EINVAL);
    }
    let flags = flags & !EXEC;
    let fd = unexecutable(&name, flags)?;
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

/// A memory file that nobody can execute; `flags`: `MFD_*`, close-on-exec in any case.
///
/// # Errors
/// The kernel's own.
pub fn unexecutable(name: &CStr, flags: u32) -> io::Result<OwnedFd> {
    made(name, flags, has_seal())
}

/// Does this kernel have the seal?
fn has_seal() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| files::memfd(c"", libc::MFD_CLOEXEC | NOEXEC_SEAL).is_ok());
    *HAS
}

/// Nobody executes a file without an execute bit, root included (`generic_permission`, fs/namei.c); nobody but the gate has seen it yet.
fn made(name: &CStr, flags: u32, seal: bool) -> io::Result<OwnedFd> {
    if seal {
        return files::memfd(name, flags | libc::MFD_CLOEXEC | NOEXEC_SEAL);
    }
    let file = File::from(files::memfd(name, flags | libc::MFD_CLOEXEC)?);
    file.set_permissions(Permissions::from_mode(0o666))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn no_memory_file_can_be_executed() {
        for seal in [false, true] {
            if seal && !has_seal() {
                continue;
            }
            let fd = made(c"x", libc::MFD_ALLOW_SEALING, seal).unwrap();
            assert_eq!(files::stat(fd.as_fd()).unwrap().mode & 0o777, 0o666, "{seal}");
            File::from(fd.try_clone().unwrap()).set_len(1).unwrap();
            let program = format!("/proc/self/fd/{}", fd.as_raw_fd());
            let error = std::process::Command::new(program).status().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EACCES), "{seal}");
        }
    }
}
