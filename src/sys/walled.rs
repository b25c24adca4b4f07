//! A helper of ours behind walls, and for so long at most: `std::process::Command` with a Landlock domain, a seccomp program, no terminal and a time
//! by which it has ended. In: a command, walls. Out: what it says, and how it ended; nothing of it runs on.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setsid};

use super::{landlock, pidfd, seccomp};

/// What any of them may take: cargo may wait for another one that holds its lock. A file that nobody ever writes to is waited for no longer.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// From the moment the command is spawned, it and all it starts live behind `ruleset` and `filter`, in a session of their own, which has no terminal
/// (setsid(2)), and it ends when the thread does that spawned it. What cannot be applied fails the spawn.
pub fn behind(command: &mut Command, ruleset: OwnedFd, filter: Vec<libc::sock_filter>) {
    let enter = move || -> io::Result<()> {
        setsid()?;
        set_pdeathsig(Signal::SIGKILL)?;
        nix::sys::prctl::set_no_new_privs()?;
        landlock::restrict_self(ruleset.as_fd())?;
        seccomp::enter(&filter)
    };
    // SAFETY: the closure makes five system calls on memory and a descriptor it owns; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(enter) };
}

/// One that runs. When it is dropped, or its time is over, it is ended, and what it has started in its session with it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Readable once it has ended (pidfd_open(2)); none where what surrounds us lets nobody have such.
    end: Option<OwnedFd>,
    until: Instant,
    ended: bool,
}

impl Running {
    /// # Errors
    /// When it cannot be spawned, or not be held.
    pub fn start(command: &mut Command, patience: Duration) -> io::Result<Running> {
        let mut child = command.spawn()?;
        let end = pidfd::open_if_permitted(child.id()).inspect_err(|_| {
            let _ = child.kill().and_then(|()| child.wait());
        })?;
        Ok(Running { child, end, until: Instant::now() + patience, ended: false })
    }

    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What it says on its standard output, for as long as it may take.
    pub fn stdout(&mut self) -> Option<Timed<ChildStdout>> {
        Some(Timed { from: self.child.stdout.take()?, until: self.until })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// `TimedOut` where its time was over first: it has been ended.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let came = match &self.end {
            Some(end) => is_ready(end, self.until)?,
            None => self.ends()?,
        };
        let status = self.finish()?;
        if came { Ok(status) } else { Err(io::ErrorKind::TimedOut.into()) }
    }

    /// The same without a handle of it.
    fn ends(&mut self) -> io::Result<bool> {
        while Instant::now() < self.until {
            if self.child.try_wait()?.is_some() {
                self.ended = true;
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    /// All that it says on both streams, where they are ours to hear, and how it ended.
    ///
    /// # Errors
    /// As [`Running::wait`].
    pub fn output(mut self) -> io::Result<Output> {
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        let until = self.until;
        let all = |from: Option<&mut dyn Read>| -> io::Result<Vec<u8>> {
            let mut text = Vec::new();
            from.map_or(Ok(0), |from| from.read_to_end(&mut text)).map(|_| text)
        };
        let (stdout, stderr) = std::thread::scope(|scope| -> io::Result<_> {
            // A thread is not had everywhere, and needed only where there are two to be heard.
            let errors = err.map(|from| {
                let heard = move || all(Some(&mut Timed { from, until }));
                std::thread::Builder::new().spawn_scoped(scope, heard)
            });
            let errors = errors.transpose()?;
            let words = all(out.map(|from| Timed { from, until }).as_mut().map(|from| from as &mut dyn Read));
            let panicked = || Err(io::Error::other("a thread panicked"));
            Ok((words, errors.map_or(Ok(Vec::new()), |errors| errors.join().unwrap_or_else(|_| panicked()))))
        })?;
        Ok(Output { stdout: stdout?, stderr: stderr?, status: self.wait()? })
    }

    /// Ends what is left of it. Its number, and that of its group, are nobody else's before it has been waited for.
    fn finish(&mut self) -> io::Result<ExitStatus> {
        if !self.ended {
            // Of one that is in no session of its own there is no such group.
            let _ = killpg(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
            let _ = self.child.kill();
        }
        self.ended = true;
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// Runs it to its end, and hears what it says on its standard output, and on the other one where that is a pipe.
///
/// # Errors
/// When it cannot be spawned; `TimedOut` where it took longer than [`PATIENCE`].
pub fn output(command: &mut Command) -> io::Result<Output> {
    Running::start(command.stdout(Stdio::piped()), PATIENCE)?.output()
}

/// What comes by a pipe until then.
#[derive(Debug)]
pub struct Timed<R> {
    from: R,
    until: Instant,
}

impl<R: Read + AsFd> Read for Timed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Nor does whoever never stops talking go on for ever.
        if Instant::now() >= self.until || !is_ready(&self.from, self.until)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.from.read(into)
    }
}

/// Is there something to be read, or the end, before then?
fn is_ready(from: &impl AsFd, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // Rounded up: at the end it is asked once more, and not for ever.
        let left = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(from.as_fd(), PollFlags::POLLIN)], left) {
            Ok(0) if Instant::now() >= until => return Ok(false),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: one call that allocates nothing.
        unsafe { command.pre_exec(|| setsid().map(drop).map_err(io::Error::from)) };
        command
    }

    #[test]
    fn whoever_waits_for_ever_is_ended_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let script = format!("echo first; cat {0} & cat {0}", pipe.display());
        let mut running = Running::start(&mut shell(&script), Duration::from_secs(2)).unwrap();
        let mut words = running.stdout().unwrap();
        let mut first = [0; 6];
        words.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"first\n");
        assert_eq!(words.read(&mut first).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(running.wait().unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Nobody is left who reads, once the kernel has got to the last of them.
        let flags = nix::fcntl::OFlag::O_WRONLY | nix::fcntl::OFlag::O_NONBLOCK;
        let is_read = || nix::fcntl::open(&pipe, flags, nix::sys::stat::Mode::empty()).err() != Some(nix::errno::Errno::ENXIO);
        let end = Instant::now() + Duration::from_secs(60);
        while is_read() {
            assert!(Instant::now() < end, "somebody still reads");
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = Running::start(&mut shell(&script), Duration::from_millis(300)).unwrap().output();
        assert_eq!(output.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_is_said_is_heard_whole() {
        let output = output(&mut shell("seq 100000; seq 100000 >&2; exit 3")).unwrap();
        assert_eq!((output.stdout.len(), output.stdout == output.stderr, output.status.code()), (588_895, true, Some(3)));
    }
}
