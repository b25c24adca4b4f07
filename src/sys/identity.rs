//! Files touched in somebody else's name: the file system user, group and supplementary groups of the calling thread alone.

use std::io;
use std::marker::PhantomData;

/// Who opens files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub user: u32,
    pub group: u32,
    pub groups: Vec<u32>,
}

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
        let before = Person { user: set_user(u32::MAX), group: set_group(u32::MAX), groups };
        set_groups(&person.groups)?;
        // Undone by the drop also where only a part succeeds.
        let acting = Acting { before, _thread: PhantomData };
        set_group(person.group);
        set_user(person.user);
        if set_group(u32::MAX) != person.group || set_user(u32::MAX) != person.user {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        Ok(acting)
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        set_user(self.before.user);
        set_group(self.before.group);
        // It was ours a moment ago. Should it fail, this thread has fewer rights than before, never more.
        let _ = set_groups(&self.before.groups);
    }
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
        let nobody = Person { user: 65534, group: 65534, groups: Vec::new() };
        if !nix::unistd::geteuid().is_root() {
            assert!(Acting::like(&nobody).is_err());
            return;
        }
        let acting = Acting::like(&nobody).unwrap();
        assert_eq!(std::fs::read(&private).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        drop(acting);
        assert_eq!(std::fs::read(&private).unwrap(), b"x");
    }
}
