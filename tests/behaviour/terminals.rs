//! Terminals: a build script has none, a program has the one it was started with and those it makes, and nobody has another of the user's.
//! Whatever a program leaves its terminal in, the verdict is the last thing in it, in a line of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{LocalFlags, OutputFlags, tcgetattr};

use crate::place::Place;
use crate::run::{Outcome, Run, cargo, guarded};
use crate::who::Who;

/// A terminal, and whoever sits before it and writes down what is on the screen.
struct Terminal {
    name: String,
    /// The program's end, kept open so that the screen stays.
    line: OwnedFd,
    keys: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn open(who: Who) -> Terminal {
        let end = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname_r(&end).unwrap();
        if let Who::Ordinary { uid, gid } = who {
            std::os::unix::fs::chown(&name, Some(uid), Some(gid)).unwrap();
        }
        let line: OwnedFd = File::options().read(true).write(true).open(&name).unwrap().into();
        let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the kernel reads one `winsize` behind the pointer, which outlives the call.
        assert_eq!(unsafe { libc::ioctl(line.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }, 0);
        let end = File::from(OwnedFd::from(end));
        let (mut screen, seen) = (end.try_clone().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
        let keeper = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                keeper.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Terminal { name, line, keys: end, seen }
    }

    fn seen(&self) -> String {
        // What was written last is on its way.
        std::thread::sleep(Duration::from_millis(200));
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// The run with this for its controlling terminal and its standard streams.
    fn before<'a>(&self, run: Run<'a>) -> Run<'a> {
        let line = self.line.as_raw_fd();
        run.env("ZOO_TERMINAL", self.name.clone()).env("TERM", "xterm").before_exec(move || {
            nix::unistd::setsid()?;
            // SAFETY: plain numbers; the descriptor was inherited across the fork.
            let taken = unsafe { libc::ioctl(line, libc::TIOCSCTTY, 0) };
            // SAFETY: as above.
            if taken < 0 || (0..=2).any(|fd| unsafe { libc::dup2(line, fd) } < 0) {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        })
    }
}

/// Runs it at its terminal, with another one of the same user's in the room.
fn at<'a>(terminal: &Terminal, other: &Terminal, run: Run<'a>) -> Outcome {
    terminal.before(run.env("ZOO_OTHER", other.name.clone())).go()
}

#[test]
fn a_terminal_is_whose_it_is() {
    for who in Who::all() {
        let place = Place::new("terminals", who);
        let (terminal, other) = (Terminal::open(who), Terminal::open(who));
        at(&terminal, &other, cargo(&place, &["run", "--offline"])).exits(0);
        let screen = terminal.seen();
        for said in [
            "own read true write true",
            "started read true write true",
            "other read true write true",
            "program: own true started true made true other true",
        ] {
            assert!(screen.contains(said), "the control: {said}\n{screen}");
        }
        assert!(other.seen().contains("HEARD-OF-SCRIPT") && other.seen().contains("HEARD-OF-PROGRAM"));

        place.clean();
        let (terminal, other) = (Terminal::open(who), Terminal::open(who));
        // Somebody types a password there.
        (&other.keys).write_all(b"CANARY-TYPED\n").unwrap();
        let outcome = at(&terminal, &other, guarded(&place, &[], &["run", "--offline"]));
        let screen = terminal.seen();
        for said in [
            "own read false write false",
            "started read false write false",
            "other read false write false",
            "program: own true started true made true other false",
        ] {
            assert!(screen.contains(said), "{said}\n{screen}\n{outcome}");
        }
        assert!(!other.seen().contains("HEARD"), "{}", other.seen());
        assert_ne!(outcome.code, 0, "{screen}");
        let findings = outcome.report()["findings"].to_string();
        assert!(findings.contains("proc/tamper") && findings.contains("terminals that are not its own"), "{findings}");
    }
}

/// Without another terminal to try, nothing is said: a program that talks to its own is honest.
#[test]
fn the_verdict_is_the_last_word() {
    let place = Place::new("terminals", Who::Myself);
    let terminal = Terminal::open(Who::Myself);
    let before = tcgetattr(terminal.line.as_fd()).unwrap();
    assert!(before.local_flags.contains(LocalFlags::ECHO) && before.output_flags.contains(OutputFlags::OPOST));
    terminal.before(cargo(&place, &["run", "--offline"]).env("ZOO_MESS", "1")).go().exits(0);
    assert!(!tcgetattr(terminal.line.as_fd()).unwrap().local_flags.contains(LocalFlags::ECHO), "the control leaves it in a mess");
    assert!(terminal.seen().ends_with("\x1b]0;"));

    let terminal = Terminal::open(Who::Myself);
    // The build script has been told of no terminal but this run's own, which it may not have.
    std::fs::write(place.workspace().join("build.rs"), "fn main() {}\n").unwrap();
    let outcome = terminal.before(guarded(&place, &[], &["run", "--offline"]).env("ZOO_MESS", "1")).go();
    let screen = terminal.seen();
    assert_eq!(outcome.code, 0, "{screen}");
    let after = tcgetattr(terminal.line.as_fd()).unwrap();
    assert_eq!((after.local_flags, after.output_flags), (before.local_flags, before.output_flags));
    let (mess, rest) = screen.rsplit_once("\x1b]0;").unwrap();
    assert!(mess.contains("Clean 9 actors"), "{screen:?}");
    // The title ends, the ordinary screen comes back, all of it scrolls, letters are visible, and the verdict begins a line.
    let mut at = 0;
    for word in ["\x18", "\x1b\\", "\x1b[?1047l", "\x1b[r", "\x1b[0m", "\x1b[?25h", "\r\x1b[K", "Clean"] {
        at += rest[at..].find(word).unwrap_or_else(|| panic!("{word:?} is not in {:?}", &rest[at..]));
    }
    assert!(rest[..at].ends_with([' ', 'm']), "{rest:?}");
}
