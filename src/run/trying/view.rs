//! The tree of files that a stage of a trial is shown. In: the machine's tree, directories of ours. Out, in a mount namespace of one's own: common directories
//! that are the trial's alone, homes in which nothing is to be seen, and our own place out of the suspect's reach.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, mkdirat};
use serde::{Deserialize, Serialize};

use crate::plan::places::real;

/// What everybody may fill.
pub const COMMON: [(&str, &str); 3] = [("tmp", "/tmp"), ("var-tmp", "/var/tmp"), ("shm", "/dev/shm")];
/// Where people keep what is theirs, and nothing lies that a build needs. Ours is shown in the first.
const THEIRS: [&str; 5] = ["/mnt", "/media", "/srv", "/root", "/home"];
/// What is the system's is not hidden, whatever lies in it.
const SYSTEM: [&str; 15] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/etc", "/dev", "/proc", "/sys", "/run", "/nix", "/gnu"];
const QUIET: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);
/// Of a tree in which nothing is: it holds names of directories, and nothing else.
const EMPTY: &str = "mode=0755,size=1m";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Directories of ours, each with the machine's, whose place it takes.
    pub over: Vec<(PathBuf, PathBuf)>,
    /// Trees in which nothing is to be seen. Ours is shown in the first.
    pub hidden: Vec<PathBuf>,
    /// Directories that stay where they are all the same.
    pub kept: Vec<PathBuf>,
    /// Directories of ours, each with the name by which we find it.
    pub own: Vec<(PathBuf, String)>,
}

impl View {
    /// `away` holds a directory for each of [`COMMON`]. `theirs` is the user's, besides what is anybody's. All paths are real.
    pub fn of(away: &Path, theirs: Vec<PathBuf>, kept: Vec<PathBuf>, own: Vec<(PathBuf, String)>) -> View {
        let is_real = |path: &Path| path.is_dir() && real(path.to_owned()) == path;
        let common = COMMON.iter().map(|(name, of)| (away.join(name), PathBuf::from(of)));
        let over: Vec<(PathBuf, PathBuf)> = common.filter(|(_, of)| is_real(of)).collect();
        let mut hidden: Vec<PathBuf> = Vec::new();
        for tree in THEIRS.map(PathBuf::from).into_iter().chain(theirs) {
            let covered = over.iter().map(|(_, of)| of).chain(&hidden).any(|known| tree.starts_with(known));
            let covers = over.iter().any(|(_, of)| of.starts_with(&tree));
            let system = SYSTEM.iter().any(|system| tree.starts_with(system) || Path::new(system).starts_with(&tree));
            if tree.parent().is_some() && is_real(&tree) && !system && !covered && !covers {
                hidden.push(tree);
            }
        }
        View { over, hidden, kept, own }
    }

    /// What everybody may fill, and is the trial's alone.
    pub fn common(&self) -> Vec<PathBuf> {
        self.over.iter().map(|(_, of)| of.clone()).collect()
    }

    /// Where a path of ours lies in there.
    pub fn moved(&self, path: &Path, ours: &Path) -> PathBuf {
        let found = self.own.iter().find_map(|(dir, name)| Some(ours.join(name).join(path.strip_prefix(dir).ok()?)));
        found.unwrap_or_else(|| path.to_owned())
    }

    /// Makes it so, for the calling process's mount namespace, which must be its own. Answers where what is ours lies now.
    ///
    /// # Errors
    /// The kernel's own, with what it was about: then nothing is as it should be.
    pub fn arrange(&self) -> io::Result<PathBuf> {
        mount(Some("none"), "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
        // Before anything lies on top of them.
        let kept = self.kept.iter().filter(|path| path.is_dir()).map(|path| Ok((path.as_path(), handle(path)?)));
        let kept: Vec<(&Path, OwnedFd)> = kept.collect::<io::Result<_>>()?;
        let own: Vec<(&str, OwnedFd)> =
            self.own.iter().map(|(path, name)| Ok((name.as_str(), handle(path)?))).collect::<io::Result<_>>()?;
        let over = self.over.iter().map(|(ours, of)| Ok((of.as_path(), handle(ours)?))).collect::<io::Result<Vec<_>>>()?;
        let mut veils: Vec<PathBuf> = Vec::new();
        for tree in &self.hidden {
            veil(tree).map_err(|error| about(tree, error))?;
            veils.push(tree.clone());
        }
        for (of, ours) in &over {
            bind(ours, of)?;
        }
        for (path, handle) in &kept {
            if is_there(path, handle) {
                continue;
            }
            if !veils.iter().any(|veil| path.starts_with(veil)) {
                let (of, ours) =
                    over.iter().find(|(of, _)| path.starts_with(of)).ok_or_else(|| about(path, io::ErrorKind::NotFound.into()))?;
                veils.push(first_below(of, ours, path).map_err(|error| about(path, error))?);
            }
            fs::create_dir_all(path).map_err(|error| about(path, error))?;
            bind(handle, path)?;
        }
        let ours = self.hidden.first().ok_or_else(|| io::Error::other("there is no place for what is ours"))?;
        for (name, handle) in &own {
            let at = ours.join(name);
            fs::create_dir(&at).map_err(|error| about(&at, error))?;
            bind(handle, &at)?;
        }
        for tree in &veils {
            let shut = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | QUIET;
            mount(NONE, tree, NONE, shut, NONE).map_err(|error| about(tree, error.into()))?;
        }
        Ok(ours.clone())
    }
}

const NONE: Option<&str> = None;

fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn handle(path: &Path) -> io::Result<OwnedFd> {
    open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(|error| about(path, error.into()))
}

fn bind(from: &OwnedFd, to: &Path) -> io::Result<()> {
    let from = format!("/proc/self/fd/{}", from.as_raw_fd());
    mount(Some(from.as_str()), to, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).map_err(|error| about(to, error.into()))
}

fn veil(tree: &Path) -> io::Result<()> {
    Ok(mount(Some("tmpfs"), tree, Some("tmpfs"), QUIET, Some(EMPTY))?)
}

/// Hides the first directory on the way from `of` to `path`: a mount point can neither be moved nor taken away, so whoever may fill `of` cannot lead the way
/// elsewhere. Who ran in here before may have laid a link there, which is not followed.
fn first_below(of: &Path, ours: &OwnedFd, path: &Path) -> io::Result<PathBuf> {
    let name = path.strip_prefix(of).ok().and_then(|rest| rest.components().next()).ok_or(io::ErrorKind::NotFound)?;
    match mkdirat(ours, name.as_os_str(), Mode::S_IRWXU) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let shown = handle(of)?;
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let point = openat(&shown, name.as_os_str(), flags, Mode::empty())?;
    veil(Path::new(&format!("/proc/self/fd/{}", point.as_raw_fd())))?;
    Ok(of.join(name))
}

/// Does `path` still lead to this directory?
fn is_there(path: &Path, handle: &OwnedFd) -> bool {
    let facts = |file: &File| file.metadata().map(|facts| (facts.dev(), facts.ino()));
    let known = handle.try_clone().map(File::from).and_then(|file| facts(&file));
    let found = fs::metadata(path).map(|facts| (facts.dev(), facts.ino()));
    matches!((known, found), (Ok(known), Ok(found)) if known == found)
}
