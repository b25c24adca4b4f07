//! The tree of files that a stage of a trial is shown. In: the machine's tree, directories of ours. Out, in a mount namespace of one's own: common directories
//! that are the trial's alone, the decoys' home in place of the user's, nothing of other people's, and our own place out of the suspect's reach.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
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
/// Directories of the system's that decoys lie below.
const LAYERS: [&str; 3] = ["/etc", "/run", "/var/lib"];
const MOUNTED: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", HOSTNAME];
pub const HOSTNAME: &str = "/etc/hostname";
/// Of a tree in which nothing is: it holds names of directories, and nothing else.
const EMPTY: &str = "mode=0755,size=1m";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Directories of ours, each with the machine's, whose place it takes.
    over: Vec<(PathBuf, PathBuf)>,
    /// The decoys' home, and the user's, whose place it takes, wherever he may be said to live.
    home: PathBuf,
    homes: Vec<PathBuf>,
    /// Decoys of the system's: the directory they lie below, by the same paths, and the paths.
    system: (PathBuf, Vec<PathBuf>),
    /// What the machine is called, if that is made up; then its file lies below the same directory.
    pub hostname: Option<String>,
    /// Trees in which nothing is to be seen.
    hidden: Vec<PathBuf>,
    /// Directories of the user's that stay where they are all the same, and cannot be written to.
    pub kept: Vec<PathBuf>,
    /// Directories of ours that stay where they are.
    here: Vec<PathBuf>,
    /// Directories of ours, each with the name by which we find it.
    own: Vec<(PathBuf, String)>,
}

/// The user's, by real paths.
#[derive(Clone, Debug, Default)]
pub struct Theirs {
    pub homes: Vec<PathBuf>,
    /// What else is not to be seen.
    pub trees: Vec<PathBuf>,
    /// And what is: compilers, sources.
    pub kept: Vec<PathBuf>,
}

/// Of the trial's, by real paths.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// All of it.
    pub top: &'a Path,
    pub root: &'a Path,
    pub home: &'a Path,
    /// With a directory for each of [`COMMON`].
    pub away: &'a Path,
    pub own: [(&'a Path, &'a str); 2],
    /// As [`View::system`].
    pub system: (&'a Path, &'a [PathBuf]),
    pub hostname: Option<&'a str>,
}

/// What came of it.
pub struct Arranged {
    /// Where what is ours lies.
    pub ours: PathBuf,
    /// Why there are no decoys of the system's, if there were to be some.
    pub unlaid: Option<io::Error>,
}

impl View {
    pub fn of(ours: Ours, theirs: Theirs) -> View {
        let is_real = |path: &Path| path.is_dir() && real(path.to_owned()) == path;
        let common = COMMON.iter().map(|(name, of)| (ours.away.join(name), PathBuf::from(of)));
        let over: Vec<(PathBuf, PathBuf)> = common.filter(|(_, of)| is_real(of)).collect();
        let systems = |tree: &Path| SYSTEM.iter().any(|system| tree.starts_with(system) || Path::new(system).starts_with(tree));
        let may = |tree: &Path| tree.is_absolute() && tree.parent().is_some() && !systems(tree);
        let common = |tree: &Path| over.iter().any(|(_, of)| tree.starts_with(of) || of.starts_with(tree));
        let mut hidden: Vec<PathBuf> = Vec::new();
        let trees = theirs.trees.into_iter().chain([ours.top.to_owned()]).chain(theirs.homes.iter().cloned());
        for tree in THEIRS.map(PathBuf::from).into_iter().chain(trees) {
            let known = hidden.iter().any(|known| tree.starts_with(known));
            if may(&tree) && is_real(&tree) && !known && !common(&tree) {
                hidden.push(tree);
            }
        }
        // One that is not there is laid where it can be.
        let laid = |home: &Path| hidden.iter().any(|tree| home.starts_with(tree)) || over.iter().any(|(_, of)| home.starts_with(of));
        let mut homes: Vec<PathBuf> = theirs.homes.into_iter().filter(|home| may(home) && laid(home)).collect();
        homes.sort();
        homes.dedup();
        let own = ours.own.map(|(dir, name)| (dir.to_owned(), name.to_owned())).to_vec();
        let system = (ours.system.0.to_owned(), ours.system.1.to_vec());
        let hostname = ours.hostname.map(str::to_owned);
        View { over, system, hostname, home: ours.home.to_owned(), homes, hidden, kept: theirs.kept, here: vec![ours.root.to_owned()], own }
    }

    /// What may be filled, and is the trial's alone.
    pub fn filled(&self) -> Vec<PathBuf> {
        self.over.iter().map(|(_, of)| of).chain(&self.homes).cloned().collect()
    }

    /// Trees that will be decoys of the system's: where there is nothing yet, as far up as there is nothing.
    pub fn laid(&self) -> Vec<PathBuf> {
        let top = |file: &PathBuf| file.ancestors().take_while(|above| *above == file || !above.exists()).last().map(Path::to_owned);
        self.system.1.iter().filter_map(top).collect()
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
    pub fn arrange(&self) -> io::Result<Arranged> {
        mount(Some("none"), "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
        // Before anything lies on top of them.
        let there = |paths: &[PathBuf]| -> io::Result<Vec<(PathBuf, OwnedFd)>> {
            paths.iter().filter(|path| path.is_dir()).map(|path| Ok((path.clone(), handle(path)?))).collect()
        };
        let (kept, here, home) = (there(&self.kept)?, there(&self.here)?, handle(&self.home)?);
        let own = self.own.iter().map(|(path, name)| Ok((name, handle(path)?))).collect::<io::Result<Vec<_>>>()?;
        let over = self.over.iter().map(|(ours, of)| Ok((handle(ours)?, of))).collect::<io::Result<Vec<_>>>()?;
        let unlaid = self.layers(&LAYERS)?;
        let mut laid = Laid::default();
        for tree in &self.hidden {
            laid.veil(tree.clone(), tree)?;
        }
        for (ours, of) in over {
            laid.filled(ours, of)?;
        }
        let ours = self.hidden.iter().find(|tree| !self.homes.contains(tree));
        let ours = ours.ok_or_else(|| io::Error::other("there is no place for what is ours"))?;
        for (name, handle) in &own {
            laid.place(handle, &ours.join(name))?;
        }
        for of in &self.homes {
            laid.way(of)?;
            laid.filled(home.try_clone()?, of)?;
        }
        let is_hidden = |(path, handle): &&(PathBuf, OwnedFd)| !is_there(path, handle);
        for (path, handle) in here.iter().filter(is_hidden) {
            laid.place(handle, path)?;
        }
        for (path, handle) in kept.iter().filter(is_hidden) {
            laid.place(handle, path)?;
            shut(path)?;
        }
        laid.veils.iter().try_for_each(|tree| shut(tree))?;
        Ok(Arranged { ours: ours.clone(), unlaid })
    }

    /// Lays decoys of the system's over directories of the system's, with all that these hold still seen (overlayfs; in user namespaces since Linux 5.11): over
    /// all of them, or over none, for a reason.
    fn layers(&self, dirs: &[&'static str]) -> io::Result<Option<io::Error>> {
        let mut laid = Vec::new();
        let Err(why) = self.lay_each(dirs, &mut laid) else { return Ok(None) };
        // Ours, and nobody has entered them yet.
        laid.into_iter().rev().try_for_each(|dir| umount2(dir, MntFlags::MNT_DETACH).map_err(|error| about(dir, error.into())))?;
        Ok(Some(why))
    }

    fn lay_each(&self, dirs: &[&'static str], laid: &mut Vec<&'static Path>) -> io::Result<()> {
        for dir in dirs.iter().copied().map(Path::new) {
            let ours = self.system.0.join(dir.strip_prefix("/").unwrap_or(dir));
            if !ours.is_dir() {
                continue;
            }
            // Containers have these mounted one by one, and what is mounted is not seen through a layer.
            let made_up = |file: &Path| self.hostname.is_some() && file == Path::new(HOSTNAME);
            let mounted = MOUNTED.map(Path::new).into_iter();
            let mounted = mounted.filter(|file| file.starts_with(dir) && file.is_file() && !made_up(file));
            let mounted = mounted.map(|file| Ok((file, open(file, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?)));
            let mounted = mounted.collect::<io::Result<Vec<_>>>()?;
            let ours = handle(&ours)?;
            let below = format!("lowerdir=/proc/self/fd/{}:{}", ours.as_raw_fd(), dir.display());
            let layered = mount(Some("overlay"), dir, Some("overlay"), QUIET | MsFlags::MS_RDONLY, Some(below.as_str()));
            layered.map_err(|error| about(dir, error.into()))?;
            laid.push(dir);
            mounted.iter().try_for_each(|(file, known)| bind(known, file))?;
        }
        Ok(())
    }
}

/// What lies on the machine's tree.
#[derive(Default)]
struct Laid {
    /// Empty trees: only we lay something there.
    veils: Vec<PathBuf>,
    /// Trees that others fill, each with the directory that lies there.
    filled: Vec<(PathBuf, OwnedFd)>,
}

impl Laid {
    fn veil(&mut self, tree: PathBuf, at: &Path) -> io::Result<()> {
        mount(Some("tmpfs"), at, Some("tmpfs"), QUIET, Some(EMPTY)).map_err(|error| about(&tree, error.into()))?;
        self.veils.push(tree);
        Ok(())
    }

    fn filled(&mut self, ours: OwnedFd, of: &Path) -> io::Result<()> {
        bind(&ours, of)?;
        self.filled.push((of.to_owned(), ours));
        Ok(())
    }

    /// Lays a directory where it is looked for.
    fn place(&mut self, from: &OwnedFd, at: &Path) -> io::Result<()> {
        self.way(at)?;
        bind(from, at)
    }

    /// Makes a directory to lay something on. Where others may fill the tree, it is made in a veil over the first directory on the way: a mount point can
    /// neither be moved nor taken away, so nobody leads the way elsewhere.
    fn way(&mut self, to: &Path) -> io::Result<()> {
        let longest = |trees: &mut dyn Iterator<Item = &Path>| {
            trees.filter(|tree| to.starts_with(tree)).map(Path::as_os_str).map(|tree| tree.len()).max()
        };
        let veil = longest(&mut self.veils.iter().map(PathBuf::as_path));
        let filled = longest(&mut self.filled.iter().map(|(tree, _)| tree.as_path()));
        if filled > veil {
            self.first_below(filled.unwrap_or_default(), to).map_err(|error| about(to, error))?;
        }
        if veil.is_none() && filled.is_none() {
            return Err(about(to, io::ErrorKind::NotFound.into()));
        }
        fs::create_dir_all(to).map_err(|error| about(to, error))
    }

    /// Who ran in here before may have laid a link there, which is not followed.
    fn first_below(&mut self, length: usize, to: &Path) -> io::Result<()> {
        let found = self.filled.iter().rfind(|(tree, _)| tree.as_os_str().len() == length && to.starts_with(tree));
        let (tree, ours) = found.ok_or(io::ErrorKind::NotFound)?;
        let name = to.strip_prefix(tree).ok().and_then(|rest| rest.components().next()).ok_or(io::ErrorKind::NotFound)?.as_os_str();
        match mkdirat(ours, name, Mode::S_IRWXU) {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        // By the way it is reached: the handle leads to the same directory, where nothing is laid.
        let shown = handle(tree)?;
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let point = openat(&shown, name, flags, Mode::empty())?;
        let tree = tree.join(name);
        self.veil(tree, Path::new(&format!("/proc/self/fd/{}", point.as_raw_fd())))
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

/// From now on nobody writes below it by this path.
fn shut(tree: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept_flags(tree)?;
    mount(NONE, tree, NONE, flags, NONE).map_err(|error| about(tree, error.into()))
}

/// What a mount has, and must not lose: a user namespace may not take it away (mount_namespaces(7)).
fn kept_flags(tree: &Path) -> io::Result<MsFlags> {
    use nix::sys::statvfs::{FsFlags, statvfs};
    let has = statvfs(tree).map_err(|error| about(tree, error.into()))?.flags();
    let known = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    Ok(known.into_iter().filter(|(flag, _)| has.contains(*flag)).fold(MsFlags::empty(), |all, (_, flag)| all | flag))
}

/// Does `path` still lead to this directory?
fn is_there(path: &Path, handle: &OwnedFd) -> bool {
    let facts = |file: &File| file.metadata().map(|facts| (facts.dev(), facts.ino()));
    let known = handle.try_clone().map(File::from).and_then(|file| facts(&file));
    let found = fs::metadata(path).map(|facts| (facts.dev(), facts.ino()));
    matches!((known, found), (Ok(known), Ok(found)) if known == found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cannot be laid over one directory is laid over none: it is told of all of them. Only an administrator can try it beside other threads.
    #[test]
    fn all_layers_or_none() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let tried = std::thread::spawn(|| -> io::Result<_> {
            // Of this thread alone (unshare(2)).
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
            mount(Some("none"), "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
            let dir = tempfile::tempdir()?;
            let there: &'static str = dir.path().join("there").to_string_lossy().into_owned().leak();
            let none: &'static str = dir.path().join("none").to_string_lossy().into_owned().leak();
            let system = dir.path().join("ours");
            for of in [there, none] {
                fs::create_dir_all(system.join(of.trim_start_matches('/')))?;
            }
            fs::create_dir(there)?;
            fs::write(system.join(there.trim_start_matches('/')).join("decoy"), "")?;
            let view = View { system: (system, Vec::new()), ..View::default() };
            let lies = || Path::new(there).join("decoy").exists();
            let whole = (view.layers(&[there])?.is_none(), lies());
            umount2(there, MntFlags::MNT_DETACH)?;
            Ok((whole, (view.layers(&[there, none])?.is_some(), lies())))
        });
        assert_eq!(tried.join().unwrap().unwrap(), ((true, true), (true, false)));
    }
}
