//! What the user opened for a program beyond the first three descriptors: `cargo run -- <(command)`, a socket that a manager listens on
//! (`LISTEN_FDS`, sd_listen_fds(3)). In: our own descriptors, the words of the command, a program's policy. Out: what that program is handed.
//!
//! Cargo has none of it, so nothing can talk it into using or passing one on, and neither has a compiler, a build script or a macro: a descriptor
//! stays in our own process until a program of the build is stopped before its first instruction, and is put into that process alone. What is
//! not named, neither by a word of the command nor by `LISTEN_FDS`, was left open by chance and is nobody's. What is named is judged by what it is:
//!
//! - a pipe, and a socket that listens, or is bound to a place for datagrams of unix and has no peer, are what these habits are about. One for
//!   datagrams of the internet is not among them: it lies in the host's network, and each message could go to another address;
//! - a file, if it holds no secret: not even the user's own hand gives third-party code one of those without an exception;
//! - all else (a directory, a terminal, a connection to an agent or a desktop, a handle of the kernel's) is more than it looks, and stays closed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::judge::Policy;
use crate::launch::Tracee;
use crate::launch::initial_stack::Edit;
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Judgement, Object, Rule, Verdict};
use crate::sys::{descriptors, files, socket};

/// Descriptors handed over at most; a manager of sockets has a few.
const MOST: usize = 32;
/// Numbers beyond are our own (`launch::channel`).
const HIGHEST: RawFd = 1000;
const COUNT: &str = "LISTEN_FDS";
const PROCESS: &str = "LISTEN_PID";
const NAMES: &str = "LISTEN_FDNAMES";

/// All that was named.
#[derive(Default)]
pub struct Given {
    things: Vec<Thing>,
    /// How many from 3 on somebody listens for, by the variable; and whom it is meant for, where that is us.
    listening: RawFd,
    /// Numbers that were handed over, and that were not.
    told: RefCell<[BTreeSet<RawFd>; 2]>,
}

struct Thing {
    number: RawFd,
    handle: OwnedFd,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Pipe,
    /// One that waits for others.
    Socket,
    File(PathBuf, Object),
    Other,
}

impl Given {
    /// Looks at what we were started with. `words` are the command's.
    pub fn look<'w>(words: impl Iterator<Item = &'w OsStr> + Clone) -> Given {
        // No more than that is handed over anyway: whoever is promised more finds nothing.
        let listening = std::env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(0).clamp(0, MOST as RawFd + 1);
        let is_named = |number: RawFd| {
            let ends = format!("/fd/{number}");
            number - 3 < listening || words.clone().any(|word| word.as_encoded_bytes().ends_with(ends.as_bytes()))
        };
        let named = descriptors::inherited().into_iter().filter(|number| is_named(*number)).take(MOST);
        let thing = |number| {
            let handle = descriptors::duplicate(number).ok()?;
            let what = if number > HIGHEST { What::Other } else { what(handle.as_fd()) };
            Some(Thing { number, handle, what })
        };
        Given { things: named.filter_map(thing).collect(), listening, told: RefCell::default() }
    }

    /// What a program with this policy is handed, each at its own number. A file it may read so it may read by the descriptor's name as well
    /// (`/dev/fd/7`), which opens it anew.
    pub fn to(&self, policy: &mut Policy) -> Vec<(OwnedFd, RawFd)> {
        let mut told = self.told.borrow_mut();
        let may = |thing: &&Thing| match &thing.what {
            What::Pipe | What::Socket => true,
            What::File(path, object) => holds_no_secret(policy, path, *object),
            What::Other => false,
        };
        let (handed, kept): (Vec<&Thing>, Vec<&Thing>) = self.things.iter().partition(may);
        let readable =
            |thing: &&Thing| socket::status_flags(thing.handle.as_fd()).is_ok_and(|flags| flags & libc::O_ACCMODE != libc::O_WRONLY);
        for thing in handed.iter().copied().filter(readable) {
            if let What::File(path, _) = &thing.what {
                policy.read.push(path.clone());
            }
        }
        told[0].extend(handed.iter().map(|thing| thing.number));
        told[1].extend(kept.iter().map(|thing| thing.number));
        handed.iter().filter_map(|thing| Some((thing.handle.try_clone().ok()?, thing.number))).collect()
    }

    /// The variables that say what to find there: only for who finds it, and then for this very process, if they were for ours.
    pub fn edit(&self, edits: &mut [Edit], tracee: &Tracee, handed: &[(OwnedFd, RawFd)]) {
        if self.listening == 0 {
            return;
        }
        let all = (3..3 + self.listening).all(|number| handed.iter().any(|(_, at)| *at == number));
        let ours = [std::process::id(), nix::unistd::getppid().as_raw() as u32].map(|pid| pid.to_string());
        for (edit, (name, value)) in edits.iter_mut().zip(&tracee.env) {
            let pid = tracee.pid.to_string();
            match name.to_str() {
                Some(COUNT | PROCESS | NAMES) if !all => *edit = Edit::Remove,
                // As long as the number before, or it does not fit; then it is for everybody.
                Some(PROCESS) if ours.iter().any(|ours| value == ours.as_str()) => {
                    *edit = if pid.len() <= value.len() { Edit::Replace(pid.into()) } else { Edit::Remove };
                }
                _ => {}
            }
        }
    }

    /// Numbers that programs were handed.
    pub fn handed(&self) -> Vec<RawFd> {
        self.told.borrow()[0].iter().copied().collect()
    }

    /// Numbers that a program was not.
    pub fn kept(&self) -> Vec<RawFd> {
        self.told.borrow()[1].iter().copied().collect()
    }
}

/// To open it is allowed, or it is only refused because it lies elsewhere: that much the user has decided by opening it. What would be handed out
/// redacted, or is refused by another rule, loudly or not, is not.
fn holds_no_secret(policy: &Policy, path: &Path, object: Object) -> bool {
    let Judgement { verdict, breach, .. } = policy.judge(&Act::Read { path: Hostile::from(path) }, Some(object));
    match breach {
        Some(breach) => breach.rule == Rule::FsReadOutside,
        None => verdict == Verdict::Allow,
    }
}

fn what(handle: BorrowedFd<'_>) -> What {
    let Ok(facts) = files::stat(handle) else { return What::Other };
    // A handle on a place, with nothing to be read from it.
    if socket::status_flags(handle).is_ok_and(|flags| flags & libc::O_PATH != 0) {
        return What::Other;
    }
    match facts.mode & libc::S_IFMT {
        libc::S_IFIFO => What::Pipe,
        libc::S_IFREG => {
            let object = Object { dev: facts.dev, ino: facts.ino, kind: ObjectKind::File };
            descriptors::path_of(handle).map_or(What::Other, |path| What::File(lasting(path), object))
        }
        libc::S_IFSOCK if waits(handle) => What::Socket,
        _ => What::Other,
    }
}

/// What has been removed, or replaced as editors do, is judged by the name it had.
fn lasting(path: PathBuf) -> PathBuf {
    let bytes = path.as_os_str().as_encoded_bytes();
    match bytes.strip_suffix(b" (deleted)") {
        Some(name) if path.symlink_metadata().is_err() => Path::new(OsStr::from_bytes(name)).to_owned(),
        _ => path,
    }
}

/// Listens, or takes datagrams of unix at an address and is connected to nobody.
fn waits(handle: BorrowedFd<'_>) -> bool {
    let option = |name| socket::int_option(handle, libc::SOL_SOCKET, name).ok();
    let family = option(libc::SO_DOMAIN);
    match option(libc::SO_TYPE) {
        _ if !matches!(family, Some(libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX)) => false,
        Some(libc::SOCK_STREAM | libc::SOCK_SEQPACKET) => option(libc::SO_ACCEPTCONN) == Some(1),
        Some(libc::SOCK_DGRAM) if family == Some(libc::AF_UNIX) => {
            socket::local_name(handle).is_ok_and(|name| name.len() > 2) && !socket::has_peer(handle)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    #[test]
    fn it_is_judged_by_what_it_is() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().canonicalize().unwrap().join("f");
        std::fs::write(&file, "x").unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let aimed = UdpSocket::bind("127.0.0.1:0").unwrap();
        aimed.connect(udp.local_addr().unwrap()).unwrap();
        let (one, other) = UnixStream::pair().unwrap();
        let listener = UnixListener::bind(place.path().join("l")).unwrap();
        let datagrams = UnixDatagram::bind(place.path().join("d")).unwrap();
        let (paired, _end) = UnixDatagram::pair().unwrap();
        let unbound = UnixDatagram::unbound().unwrap();
        let open = |path: &str| File::open(path);
        let epoll = nix::sys::epoll::Epoll::new(nix::sys::epoll::EpollCreateFlags::empty()).unwrap();
        let handle = files::openat(files::AT_FDCWD, c"/etc/passwd", libc::O_PATH | libc::O_CLOEXEC, 0).unwrap();
        for (fd, expected) in [
            (reader.as_fd(), What::Pipe),
            (writer.as_fd(), What::Pipe),
            (tcp.as_fd(), What::Socket),
            (listener.as_fd(), What::Socket),
            (udp.as_fd(), What::Other),
            (datagrams.as_fd(), What::Socket),
            (client.as_fd(), What::Other),
            (aimed.as_fd(), What::Other),
            (one.as_fd(), What::Other),
            (other.as_fd(), What::Other),
            (paired.as_fd(), What::Other),
            (unbound.as_fd(), What::Other),
            (open("/").unwrap().as_fd(), What::Other),
            (open("/dev/null").unwrap().as_fd(), What::Other),
            (epoll.0.as_fd(), What::Other),
            (handle.as_fd(), What::Other),
        ] {
            assert_eq!(what(fd), expected, "{fd:?}");
        }
        let opened = File::open(&file).unwrap();
        assert!(matches!(what(opened.as_fd()), What::File(path, _) if path == file));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(what(opened.as_fd()), What::File(path, _) if path == file));
    }
}
