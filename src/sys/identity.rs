//! Files touched in somebody else's name: the file system user, group, supplementary groups and capabilities of the calling thread alone.

use std::io;
use std::marker::PhantomData;

/// Who opens files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub user: u32,
    pub group: u32,
    pub groups: Vec<u32>,
    /// Of the effective capabilities those in [`FILES`].
    pub capabilities: u64,
}

/// The capabilities that change what a file operation may do (capabilities(7)): what setfsuid(2) takes away and, for extended attributes,
/// `CAP_SYS_ADMIN` and `CAP_SETFCAP`.
pub const FILES: u64 = {
    // chown, dac_override, dac_read_search, fowner, fsetid, linux_immutable, mknod, mac_override, sys_admin, setfcap
    let numbers = [0, 1, 2, 3, 4, 9, 27, 32, 21, 31];
    let (mut set, mut at) = (0, 0);
    while at < numbers.len() {
        set |= 1 << numbers[at];
        at += 1;
    }
    set
};

/// The calling thread acts as someone else until this is dropped. Not `Send`: identities belong to threads.
pub struct Acting {
    before: Person,
    _thread: PhantomData<*const ()>,
}

impl Acting {
    /// setfsuid(2) from 0 also takes the file capabilities away (capabilities(7)); going back returns them.
    ///
    /// # Errors
    /// `EPERM` where we may not: then nothing has changed.
    pub fn like(person: &Person) -> io::Result<Acting> {
        let groups: Vec<u32> = nix::unistd::getgroups()?.into_iter().map(nix::unistd::Gid::as_raw).collect();
        let capabilities = effective(0)?;
        let before = Person { user: set_user(u32::MAX), group: set_group(u32::MAX), groups, capabilities };
        if person.groups != before.groups {
            set_groups(&person.groups)?;
        }
        // Undone by the drop also where only a part succeeds.
        let acting = Acting { before, _thread: PhantomData };
        set_group(person.group);
        set_user(person.user);
        if set_group(u32::MAX) != person.group || set_user(u32::MAX) != person.user {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        set_effective(capabilities & (person.capabilities | !FILES))?;
        Ok(acting)
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        set_user(self.before.user);
        set_group(self.before.group);
        // They were ours a moment ago. Should it fail, this thread has fewer rights than before, never more.
        let _ = set_groups(&self.before.groups);
        let _ = set_effective(self.before.capabilities);
    }
}

/// `struct __user_cap_header_struct` and two `__user_cap_data_struct`s (effective, permitted, inheritable), capget(2).
const VERSION_3: u32 = 0x2008_0522;

/// Of a thread; 0 is the calling one.
fn capabilities(tid: u32) -> io::Result<[u32; 6]> {
    let (header, mut data) = ([VERSION_3, tid], [0u32; 6]);
    // SAFETY: the kernel reads the two words of the header and fills the six of the data, as version 3 has it.
    let result = unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(data) }
}

fn effective(tid: u32) -> io::Result<u64> {
    let [low, _, _, high, ..] = capabilities(tid)?;
    Ok(u64::from(high) << 32 | u64::from(low))
}

/// Does a thread have all these capabilities about files, `CAP_DAC_OVERRIDE` among them? Then it finds, reads and writes whatever another
/// one with these finds, reads and writes, in whoever's name. Far cheaper to ask than who it is.
pub fn is_as_able(tid: u32, capabilities: u64) -> bool {
    const DAC_OVERRIDE: u64 = 1 << 1;
    capabilities & DAC_OVERRIDE != 0 && effective(tid).is_ok_and(|effective| effective & FILES == capabilities)
}

/// Is a thread an administrator (`CAP_SYS_ADMIN`)? Only it itself could make it one (capset(2)).
///
/// # Errors
/// `ESRCH` when it is gone.
pub fn administers(tid: u32) -> io::Result<bool> {
    const SYS_ADMIN: u64 = 1 << 21;
    Ok(effective(tid)? & SYS_ADMIN != 0)
}

/// Has the calling thread, or what it could make of itself, any capability?
///
/// # Errors
/// When the kernel does not say.
pub fn is_privileged() -> io::Result<bool> {
    let [_, low, _, _, high, _] = capabilities(0)?;
    Ok(low | high != 0 || nix::unistd::geteuid().is_root())
}

/// Within what is permitted.
fn set_effective(set: u64) -> io::Result<()> {
    let mut data = capabilities(0)?;
    let wanted = [set as u32 & data[1], (set >> 32) as u32 & data[4]];
    if wanted == [data[0], data[3]] {
        return Ok(());
    }
    [data[0], data[3]] = wanted;
    let header = [VERSION_3, 0];
    // SAFETY: as in `capabilities`, only that nothing is written. It concerns the calling thread only.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The calling thread gives all its capabilities up, for good.
///
/// # Errors
/// capset(2)
pub fn give_up() -> io::Result<()> {
    let (header, none) = ([VERSION_3, 0], [0u32; 6]);
    // SAFETY: the kernel reads the two words of the header and the six of the data, as version 3 has it. It concerns the calling thread only.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Returns who it was before; with an invalid id nothing changes.
fn set_user(user: u32) -> u32 {
    // SAFETY: a plain number; the raw call concerns the calling thread only.
    unsafe { libc::syscall(libc::SYS_setfsuid, user) as u32 }
}

fn set_group(group: u32) -> u32 {
    // SAFETY: as in `set_user`.
    unsafe { libc::syscall(libc::SYS_setfsgid, group) as u32 }
}

fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: the kernel reads `groups.len()` numbers from the slice. The raw call, unlike libc's, concerns the calling thread only.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Does it in somebody's name, or in our own.
pub fn as_person<T>(person: Option<&Person>, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let _acting = person.map(Acting::like).transpose()?;
    deed()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn somebody_else_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let private = dir.path().join("private");
        std::fs::write(&private, "x").unwrap();
        std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).unwrap();
        let nobody = Person { user: 65534, group: 65534, groups: Vec::new(), capabilities: 0 };
        if !nix::unistd::geteuid().is_root() {
            assert!(Acting::like(&nobody).is_err());
            return;
        }
        let (tid, able) = (nix::unistd::gettid().as_raw() as u32, effective(0).unwrap() & FILES);
        assert!(is_as_able(tid, able) && !is_as_able(tid, able & !2) && !is_as_able(tid, 0));
        let acting = Acting::like(&nobody).unwrap();
        assert!(!is_as_able(tid, able), "setfsuid took them away");
        assert_eq!(std::fs::read(&private).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        drop(acting);
        assert_eq!(std::fs::read(&private).unwrap(), b"x");

        // A root that gave its capabilities away is held to the file's mode.
        std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(std::fs::read(&private).unwrap(), b"x");
        let acting = Acting::like(&Person { user: 0, group: 0, groups: Vec::new(), capabilities: 0 }).unwrap();
        assert_eq!(std::fs::read(&private).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        drop(acting);
        assert_eq!(std::fs::read(&private).unwrap(), b"x");
    }
}
