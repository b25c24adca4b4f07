//! Proof before the build: somebody is put behind the walls, made by the same code as an actor's, and must be refused what they are to
//! refuse, and granted what they grant. In: a directory to try in. Out: what was proved, or the first thing that did not hold.
//!
//! That somebody is a thread of ours, not a child: Landlock, seccomp and `no_new_privs` bind the thread that asks and die with it. It needs no fork
//! of a process that may have threads, may use all of std, and no `waitpid` elsewhere can take it for its own.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::kill;
use nix::unistd::{Pid, getppid, truncate};
use thiserror::Error;

use super::filter::{self, Pass};
use super::ruleset::{self, Network};
use crate::judge::KernelGrants;
use crate::model::calls::{self, Treatment};
use crate::sys::attempt::{self, Answer};
use crate::sys::notify::{self, Notification};
use crate::sys::{landlock, seccomp};

/// What held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Each thing that was tried and came out as it must, in order.
    pub held: Vec<&'static str>,
    /// Calls the gate would have to hear of, but that something around us refuses before it can.
    pub unheard: Vec<&'static str>,
}

/// Why the walls are not proved: the build must not start (exit code 104).
#[derive(Debug, Error)]
pub enum Unproved {
    #[error("prepare the probe of the walls: {0:#}")]
    Prepare(anyhow::Error),
    #[error("another supervisor already listens to our system calls")]
    Listened,
    #[error("{step}: {source}")]
    Raise { step: &'static str, source: io::Error },
    #[error("the walls do not hold: {what} answered {got}, expected {wanted}")]
    Leak { what: &'static str, got: String, wanted: String },
    #[error("the probe of the walls did not end within {0:?}")]
    Late(Duration),
}

/// How long a machine under load may take for what normally takes a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer nobody but our gate gives: it proves that a call reached the listener.
const MARK: i32 = libc::EXFULL;

/// Tries the walls in a fresh directory below `dir`.
///
/// # Errors
/// When they cannot be raised here, or do not hold.
pub fn probe(dir: &Path, abi: u32, network: Network) -> Result<Proof, Unproved> {
    let ground = Ground::new(dir).map_err(Unproved::Prepare)?;
    let pass = Pass::random().map_err(Unproved::Prepare)?;
    let walls = Walls {
        ruleset: Some(ruleset::of_grants(&ground.grants(), &[], abi, network).map_err(Unproved::Prepare)?),
        program: Some(filter::program(&pass).map_err(Unproved::Prepare)?),
    };
    prove(walls, &ground, &pass, abi, network)
}

fn prove(walls: Walls, ground: &Ground, pass: &Pass, abi: u32, network: Network) -> Result<Proof, Unproved> {
    let stranger = Some(getppid()).filter(|parent| parent.as_raw() > 0 && kill(*parent, None).is_ok());
    let marked = |number: i64| number == libc::SYS_sendmsg || attempt::HARMLESS.iter().any(|(_, call, _)| *call == number);
    let marks = |call: &Notification| {
        let foreign = calls::is_foreign(call.arch == notify::NATIVE_ARCH, call.number);
        if foreign || marked(call.number) { MARK } else { 0 }
    };
    let (tries, seen) = behind(walls, marks, || ground.tries(pass, abi, network, stranger))?;
    let (mut held, mut unheard) = (Vec::new(), Vec::new());
    for Try { what, got, wanted } in tries {
        // Of several filters the strictest answer counts, and a refusal is stricter than a notification (seccomp(2)).
        if matches!(wanted, Wanted::Heard) && got.is_err_and(|errno| attempt::REFUSALS.contains(&errno)) {
            unheard.push(what);
            continue;
        }
        if !wanted.matches(got) {
            return Err(Unproved::Leak { what, got: words(got), wanted: wanted.words() });
        }
        held.push(what);
    }
    for (what, treatment) in [("an open reaches the gate", Treatment::Open), ("a rename reaches the gate", Treatment::Change)] {
        if !seen.iter().any(|number| calls::row(*number).is_some_and(|row| row.treatment == treatment)) {
            return Err(Unproved::Leak { what, got: "nothing".into(), wanted: "a notification".into() });
        }
        held.push(what);
    }
    Ok(Proof { held, unheard })
}

/// The two walls, either of which a test may leave out.
pub(super) struct Walls {
    pub ruleset: Option<OwnedFd>,
    pub program: Option<Vec<libc::sock_filter>>,
}

/// Runs `body` behind the walls, on a thread of its own. `errno_of` answers each notified call by what it is: 0 lets the kernel run it. Returns
/// what `body` returned, and the numbers of the calls that were notified.
pub(super) fn behind<T: Send>(
    walls: Walls,
    errno_of: impl Fn(&Notification) -> i32,
    body: impl FnOnce() -> T + Send,
) -> Result<(T, Vec<i64>), Unproved> {
    let (send, listeners) = mpsc::channel();
    thread::scope(|scope| {
        let inside = scope.spawn(move || {
            if let Some(listener) = walls.raise()? {
                // Whoever waits for it is in this very function: it cannot have gone away.
                let _ = send.send(listener);
            }
            drop(send);
            Ok(body())
        });
        // No listener means that a wall could not be raised, which the thread's result tells, or was left out.
        let mut seen = Vec::new();
        let served = listeners.recv().map_or(Ok(()), |listener| serve(&listener, errno_of, &mut seen));
        let result = inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        served.map(|()| (result, seen))
    })
}

impl Walls {
    fn raise(self) -> Result<Option<OwnedFd>, Unproved> {
        let raise = |step| move |source| Unproved::Raise { step, source };
        nix::sys::prctl::set_no_new_privs().map_err(io::Error::from).map_err(raise("set no_new_privs"))?;
        if let Some(ruleset) = &self.ruleset {
            landlock::restrict_self(ruleset.as_fd()).map_err(raise("enter a landlock domain"))?;
        }
        let install = |program: Vec<_>| seccomp::install(&program, seccomp::LISTENER_FLAGS);
        match self.program.map(install).transpose() {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => Err(Unproved::Listened),
            installed => installed.map_err(raise("install a seccomp filter with a listener")),
        }
    }
}

/// Answers until the thread behind the filter is gone. Dropping the listener frees a thread that still waits.
fn serve(listener: &OwnedFd, errno_of: impl Fn(&Notification) -> i32, seen: &mut Vec<i64>) -> Result<(), Unproved> {
    let answering = |source| Unproved::Raise { step: "answer a seccomp notification", source };
    notify::sync_wake_up(listener.as_fd());
    let end = Instant::now() + PATIENCE;
    loop {
        let left = PollTimeout::try_from(end.saturating_duration_since(Instant::now())).unwrap_or(PollTimeout::ZERO);
        let mut ready = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, left) {
            Ok(0) => return Err(Unproved::Late(PATIENCE)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(answering(error.into())),
        }
        let events = ready[0].revents().unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLIN) {
            if let Some(call) = notify::recv(listener.as_fd()).map_err(answering)? {
                seen.push(call.number);
                match errno_of(&call) {
                    0 => notify::respond_continue(listener.as_fd(), call.id),
                    errno => notify::respond(listener.as_fd(), call.id, 0, errno),
                }
            }
        } else if events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR) {
            return Ok(());
        }
    }
}

/// One thing tried, and how it must come out.
struct Try {
    what: &'static str,
    got: Answer,
    wanted: Wanted,
}

#[derive(Clone, Copy)]
enum Wanted {
    Success,
    AnyOf(&'static [i32]),
    /// The gate's mark; see `Proof::unheard` for the exception.
    Heard,
}

impl Wanted {
    fn matches(self, got: Answer) -> bool {
        match self {
            Wanted::Success => got.is_ok(),
            Wanted::AnyOf(errnos) => got.is_err_and(|errno| errnos.contains(&errno)),
            Wanted::Heard => got == Err(MARK),
        }
    }

    fn words(self) -> String {
        match self {
            Wanted::Success => words(Ok(0)),
            Wanted::Heard => words(Err(MARK)),
            Wanted::AnyOf(errnos) => errnos.iter().map(|errno| words(Err(*errno))).collect::<Vec<_>>().join(" or "),
        }
    }
}

fn words(answer: Answer) -> String {
    match answer {
        Ok(_) => "success".into(),
        Err(MARK) => "the gate's mark".into(),
        Err(errno) => format!("{:?}", Errno::from_raw(errno)),
    }
}

/// Two directories: one is granted, the other holds the canary.
struct Ground {
    /// By its real path, as grants must name it.
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Ground {
    fn new(below: &Path) -> anyhow::Result<Ground> {
        let dir = tempfile::Builder::new().prefix("probe").tempdir_in(below)?;
        let path = fs::canonicalize(dir.path())?;
        for made in ["inside", "inside/a", "inside/b", "outside"] {
            fs::create_dir(path.join(made))?;
        }
        for made in ["inside/file", "inside/a/moved", "outside/canary"] {
            fs::write(path.join(made), "canary")?;
        }
        Ok(Ground { path, _dir: dir })
    }

    fn grants(&self) -> KernelGrants {
        let inside = self.path.join("inside");
        KernelGrants { read: vec![inside.clone()], write: vec![inside], exec: Vec::new() }
    }

    /// Run behind the walls.
    fn tries(&self, pass: &Pass, abi: u32, network: Network, stranger: Option<Pid>) -> Vec<Try> {
        const REFUSED: Wanted = Wanted::AnyOf(&[libc::EACCES]);
        const NO_SUCH_CALL: Wanted = Wanted::AnyOf(&[libc::ENOSYS]);
        let at = |path: &str| self.path.join(path);
        let io = |result: io::Result<()>| result.map(|()| 0).map_err(|error| error.raw_os_error().unwrap_or(0));
        let mut tries = Vec::new();
        let mut one = |what, got, wanted| tries.push(Try { what, got, wanted });

        one("reading a granted file", io(File::open(at("inside/file")).map(drop)), Wanted::Success);
        one("creating a file in a granted tree", io(fs::write(at("inside/new"), "x")), Wanted::Success);
        one("renaming across a granted tree", io(fs::rename(at("inside/a/moved"), at("inside/b/moved"))), Wanted::Success);
        one("reading a file outside", io(File::open(at("outside/canary")).map(drop)), REFUSED);
        one("writing a file outside", io(File::options().write(true).open(at("outside/canary")).map(drop)), REFUSED);
        one("creating a file outside", io(File::create_new(at("outside/new")).map(drop)), REFUSED);
        one("removing a file outside", io(fs::remove_file(at("outside/canary"))), REFUSED);
        let link = fs::hard_link(at("outside/canary"), at("inside/link"));
        one("linking a file from outside", io(link), Wanted::AnyOf(&[libc::EXDEV, libc::EACCES]));
        if abi >= 3 {
            one("truncating a file outside", io(truncate(&at("outside/canary"), 0).map_err(io::Error::from)), REFUSED);
        }
        if abi >= 4 && network == Network::Wall {
            // Port 1 of the loopback address: nothing listens, nothing leaves the machine.
            one("a TCP connection", io(std::net::TcpStream::connect(("127.0.0.1", 1)).map(drop)), REFUSED);
        }
        if let Some(stranger) = stranger.filter(|_| abi >= 6) {
            one("signalling a process outside", io(kill(stranger, None).map_err(io::Error::from)), Wanted::AnyOf(&[libc::EPERM]));
        }
        #[cfg(target_arch = "x86_64")]
        one("a call by its x32 number", attempt::x32_getpid(), Wanted::Heard);
        one("a call newer than the table", attempt::unheard_of(calls::LAST_KNOWN + 1), NO_SUCH_CALL);
        one("clone3", attempt::clone3_of_nothing(), NO_SUCH_CALL);
        for (name, ..) in attempt::HARMLESS {
            one(name, attempt::harmless(name), Wanted::Heard);
        }
        one("sendmsg with the launcher's words", attempt::sendmsg_of_nothing(pass.words), Wanted::AnyOf(&[libc::EBADF]));
        for at in 0..3 {
            let mut wrong = pass.words;
            wrong[at] ^= 1 << (20 * at);
            one("sendmsg with a wrong word", attempt::sendmsg_of_nothing(wrong), Wanted::AnyOf(&[MARK]));
        }
        tries
    }
}

#[cfg(test)]
mod tests;
