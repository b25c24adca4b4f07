//! Landlock's calls that the crate has no public door for: the kernel's ABI number, and a ruleset applied by descriptor; and a ruleset for a
//! single deed of ours.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use landlock::{ABI, Access, AccessFs, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError};

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const VERSION: u32 = 1;

/// The kernel's Landlock ABI (1 = Linux 5.13).
///
/// # Errors
/// `ENOSYS` where it is not built in, `EOPNOTSUPP` where it was not enabled at boot; whatever a container's own filter answers.
pub fn abi() -> io::Result<u32> {
    // SAFETY: with the VERSION flag the kernel takes no pointer and creates nothing; it only answers a number.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION) };
    u32::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// Puts the calling thread behind a ruleset, for good. `no_new_privs` must be set.
///
/// # Errors
/// The kernel's own: `EPERM` without `no_new_privs`, `E2BIG` below sixteen domains.
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes a descriptor and flags, no memory of ours.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A ruleset behind which nothing of a file system can be opened, run or changed, but that sockets are made in this directory and below.
///
/// # Errors
/// Those of landlock_create_ruleset(2) and landlock_add_rule(2).
pub fn sockets_only_in(dir: OwnedFd) -> io::Result<OwnedFd> {
    let made = || -> Result<Option<OwnedFd>, RulesetError> {
        let ruleset = Ruleset::default().handle_access(AccessFs::from_all(ABI::V1))?.create()?;
        Ok(ruleset.add_rule(PathBeneath::new(dir, AccessFs::MakeSock))?.into())
    };
    made().map_err(io::Error::other)?.ok_or_else(|| io::Error::from_raw_os_error(libc::EOPNOTSUPP))
}
