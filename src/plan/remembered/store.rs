//! Where answers are kept: a directory of the user's own, `brig` in the cache directory (XDG Base Directory Specification). In: a name, bytes. Out: bytes.
//!
//! What lies there is believed, so it is only looked at where nobody but the user can have put it there: the owner and the modes are checked, and
//! no link is followed below the cache directory. Whatever goes wrong means that nothing is known.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};

const NAME: &str = "brig";
/// Answers kept, bytes of one, and of all of them.
const FILES: usize = 64;
const LARGEST: usize = 32 << 20;
const ALL: u64 = 128 << 20;
/// Every answer's file is called so.
const PREFIX: &str = "graph-";
/// A file that is being written. What is older was left by somebody who was ended meanwhile.
const UNFINISHED: &str = ".graph-";
const FORGOTTEN: Duration = Duration::from_secs(600);

pub struct Store(OwnedFd);

/// The user's cache directory, by its name.
fn base(env: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| PathBuf::from(value));
    let named = variable("XDG_CACHE_HOME").filter(|dir| dir.is_absolute());
    named.or_else(|| Some(variable("HOME").filter(|home| home.is_absolute())?.join(".cache")))
}

/// Where it lies, or would.
pub fn place(env: &[(OsString, OsString)]) -> Option<PathBuf> {
    let base = base(env)?;
    let above = || Some(base.parent()?.canonicalize().ok()?.join(base.file_name()?));
    Some(base.canonicalize().ok().or_else(above).unwrap_or(base).join(NAME))
}

impl Store {
    pub fn open(env: &[(OsString, OsString)]) -> Option<Store> {
        Store::at(&base(env)?, false)
    }

    /// The same, made where it is not there yet.
    pub fn make(env: &[(OsString, OsString)]) -> Option<Store> {
        Store::at(&base(env)?, true)
    }

    fn at(base: &Path, make: bool) -> Option<Store> {
        if make {
            // Nobody's home is made here.
            let _ = nix::unistd::mkdir(base, Mode::S_IRWXU);
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let base = nix::fcntl::open(base, flags, Mode::empty()).ok()?;
        // Root in somebody else's home (sudo) leaves nothing there. Who else may write there does not matter: what they put in its place is theirs.
        if fstat(&base).ok()?.st_uid != geteuid().as_raw() {
            return None;
        }
        if make {
            let _ = mkdirat(&base, NAME, Mode::S_IRWXU);
        }
        let dir = openat(&base, NAME, flags | OFlag::O_NOFOLLOW, Mode::empty()).ok()?;
        is_ours(&fstat(&dir).ok()?).then_some(Store(dir))
    }

    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = File::from(openat(&self.0, &*format!("{PREFIX}{name}"), flags, Mode::empty()).ok()?);
        let found = fstat(&file).ok()?;
        let size = usize::try_from(found.st_size).ok().filter(|size| *size <= LARGEST)?;
        if !is_ours(&found) || !is_file(&found) || found.st_nlink != 1 {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        file.take(LARGEST as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Whoever reads meanwhile finds the old one or the new one, whole.
    pub fn write(&self, name: &str, parts: &[&[u8]]) -> Option<()> {
        if parts.iter().map(|part| part.len()).sum::<usize>() > LARGEST {
            return None;
        }
        self.tidy();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let temporary = format!("{UNFINISHED}{name}-{}-{since}", std::process::id());
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(&self.0, &*temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR).ok()?);
        let written = parts.iter().try_for_each(|part| file.write_all(part)).ok();
        let put = written.and_then(|()| renameat(&self.0, &*temporary, &self.0, &*format!("{PREFIX}{name}")).ok());
        if put.is_none() {
            let _ = unlinkat(&self.0, &*temporary, UnlinkatFlags::NoRemoveDir);
        }
        put
    }

    /// Forgets everything.
    pub fn empty(&self) {
        self.files().iter().for_each(|(name, ..)| self.remove(name));
    }

    /// Makes room for one more: the oldest go.
    fn tidy(&self) {
        let mut files = self.files();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        files.retain(|(name, written, _)| {
            let left = name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
            if left && now.saturating_sub(*written) > FORGOTTEN {
                self.remove(name);
            }
            !left
        });
        files.sort_by_key(|(_, written, _)| std::cmp::Reverse(*written));
        let mut all = 0;
        for (nth, (name, _, size)) in files.iter().enumerate() {
            all += size;
            if nth + 1 >= FILES || all > ALL - LARGEST as u64 {
                self.remove(name);
            }
        }
    }

    /// Those of ours, with when they were written, and their size.
    fn files(&self) -> Vec<(OsString, Duration, u64)> {
        // The very directory that was looked at, whatever its name leads to by now.
        let Ok(dir) = std::fs::read_dir(format!("/proc/self/fd/{}", self.0.as_raw_fd())) else { return Vec::new() };
        let names = dir.flatten().map(|entry| entry.file_name());
        let ours = |name: &OsString| [PREFIX, UNFINISHED].iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()));
        let names: Vec<OsString> = names.filter(ours).collect();
        let facts = names.into_iter().filter_map(|name| {
            let found = fstatat(&self.0, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
            let written = Duration::new(u64::try_from(found.st_mtime).unwrap_or(0), 0);
            Some((name, written, u64::try_from(found.st_size).unwrap_or(0)))
        });
        facts.collect()
    }

    fn remove(&self, name: &OsStr) {
        match unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir) {
            // Somebody tidies up as well.
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(error) => tracing::debug!(?name, %error, "what is remembered stays"),
        }
    }
}

/// Nobody else may have written it.
fn is_ours(found: &FileStat) -> bool {
    found.st_uid == geteuid().as_raw() && found.st_mode & 0o022 == 0
}

fn is_file(found: &FileStat) -> bool {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    type Change<'a> = (&'a str, &'a dyn Fn(&Path));

    fn home() -> (tempfile::TempDir, Vec<(OsString, OsString)>, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let env = vec![("HOME".into(), dir.path().into())];
        let brig = dir.path().join(".cache/brig");
        (dir, env, brig)
    }

    #[test]
    fn kept_whole_and_found_again() {
        let (_dir, env, brig) = home();
        assert!(Store::open(&env).is_none() && !brig.exists());
        Store::make(&env).unwrap().write("a", &[b"one ", b"two"]).unwrap();
        assert_eq!(Store::open(&env).unwrap().read("a").unwrap(), b"one two");
        assert_eq!(Store::open(&env).unwrap().read("b"), None);
        assert_eq!(fs::metadata(&brig).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(brig.join("graph-a")).unwrap().permissions().mode() & 0o777, 0o600);
        Store::make(&env).unwrap().write("a", &[b"three"]).unwrap();
        assert_eq!(Store::open(&env).unwrap().read("a").unwrap(), b"three");
        assert_eq!(fs::read_dir(&brig).unwrap().count(), 1);
        Store::open(&env).unwrap().empty();
        assert_eq!(fs::read_dir(&brig).unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_else_may_have_put_there_is_not_believed() {
        let spoilt: [Change<'_>; 7] = [
            ("others may write the file", &|brig| mode(&brig.join("graph-a"), 0o622)),
            ("others may write the directory", &|brig| mode(brig, 0o777)),
            ("the file is a link", &|brig| {
                fs::rename(brig.join("graph-a"), brig.join("b")).unwrap();
                symlink("b", brig.join("graph-a")).unwrap();
            }),
            ("the file has another name", &|brig| fs::hard_link(brig.join("graph-a"), brig.join("b")).unwrap()),
            ("the directory is a link", &|brig| {
                fs::rename(brig, brig.with_file_name("other")).unwrap();
                symlink("other", brig).unwrap();
            }),
            ("a directory in its place", &|brig| {
                fs::remove_file(brig.join("graph-a")).unwrap();
                fs::create_dir(brig.join("graph-a")).unwrap();
            }),
            ("a queue in its place", &|brig| {
                fs::remove_file(brig.join("graph-a")).unwrap();
                nix::unistd::mkfifo(&brig.join("graph-a"), Mode::S_IRWXU).unwrap();
            }),
        ];
        for (what, spoil) in spoilt {
            let (_dir, env, brig) = home();
            Store::make(&env).unwrap().write("a", &[b"x"]).unwrap();
            spoil(&brig);
            assert_eq!(Store::open(&env).and_then(|store| store.read("a")), None, "{what}");
        }
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn without_a_home_there_is_none() {
        assert!(Store::make(&[]).is_none());
        assert!(Store::make(&[("HOME".into(), "relative".into())]).is_none());
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(Store::make(&[("HOME".into(), missing.clone().into())]).is_none() && !missing.exists());
        let named = dir.path().join("named");
        let env = [("HOME".into(), missing.into()), ("XDG_CACHE_HOME".into(), named.clone().into())];
        assert!(Store::make(&env).is_some() && named.join("brig").is_dir());
    }

    #[test]
    fn no_more_than_so_many() {
        let (_dir, env, brig) = home();
        let store = Store::make(&env).unwrap();
        for nth in 0..FILES + 5 {
            store.write(&nth.to_string(), &[b"x"]).unwrap();
        }
        assert_eq!(fs::read_dir(&brig).unwrap().count(), FILES);
        assert_eq!(store.write("large", &[&vec![0; LARGEST + 1]]), None);
    }
}
