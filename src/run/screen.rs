//! The user's screen. A program that is run or tested has the terminal itself, and through cargo's warnings a build script's words reach it
//! as they are; what either has done to it — colours, another screen, half a control string, a line that was not ended, no echo, somebody
//! else in the foreground — must not change how the verdict looks. In: standard error before the build. Out: the same terminal after it.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// Ends what was begun and takes back what outlasts it, by ECMA-48 and xterm's control sequences; others ignore what they lack. The
/// cursor stays where it is: setting margins (`CSI r`) moves it, so it is saved before and restored after.
const SETTLE: &str = concat!(
    "\x18\x1b\\",                                                         // a control string that was left open ends
    "\x1b[?1047l",                                                        // the ordinary screen
    "\x1b7\x1b[?6l\x1b[r\x1b8",                                           // the whole of it scrolls
    "\x0f\x1b(B",                                                         // letters are letters
    "\x1b[0m\x1b[?5l\x1b[?25h\x1b[?7h\x1b[4l",                            // visible, wrapped, not inserted
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l", // mouse, focus and paste are reported to nobody
);
/// The palette and both default colours, which can make text invisible (OSC 104, 110, 111). The console of Linux takes `CSI ] R`.
const COLOURS: &str = "\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\";
const COLOURS_OF_THE_CONSOLE: &str = "\x1b]R";
/// Wider than any screen is taken to be.
const WIDEST: u16 = 1000;

/// What standard error was before the build, where it is a terminal.
pub struct Screen(Option<Before>);

struct Before {
    modes: Option<Termios>,
    /// Our process group, where it was in the foreground.
    foreground: Option<Pid>,
    term: String,
}

impl Screen {
    pub fn look() -> Screen {
        let stderr = io::stderr();
        Screen(stderr.is_terminal().then(|| Before {
            modes: tcgetattr(stderr.as_fd()).ok(),
            foreground: tcgetpgrp(stderr.as_fd()).ok().filter(|group| *group == getpgrp()),
            term: std::env::var("TERM").unwrap_or_default(),
        }))
    }

    /// To be called when nobody of the build is left, and before the next word of ours.
    pub fn settle(&self) {
        let Some(before) = &self.0 else { return };
        // From the background, each of these would stop us (tcsetpgrp(3)).
        let mut stops = SigSet::empty();
        stops.add(Signal::SIGTTOU);
        let _ = stops.thread_block();
        let stderr = io::stderr();
        if let Some(group) = before.foreground
            && tcgetpgrp(stderr.as_fd()) != Ok(group)
        {
            let _ = tcsetpgrp(stderr.as_fd(), group);
        }
        if let Some(modes) = &before.modes
            && tcgetattr(stderr.as_fd()).as_ref() != Ok(modes)
        {
            let _ = tcsetattr(stderr.as_fd(), SetArg::TCSADRAIN, modes);
        }
        let _ = stderr.lock().write_all(words(&before.term, columns()).as_bytes());
        let _ = stops.thread_unblock();
    }
}

fn words(term: &str, columns: Option<u16>) -> String {
    // Such a terminal obeys nobody's sequences, and shows all of them.
    if term.is_empty() || term == "dumb" {
        return String::new();
    }
    let colours = if term == "linux" { COLOURS_OF_THE_CONSOLE } else { COLOURS };
    // A line's worth of blanks fills this one if nothing stands in it (the cursor waits behind its end), and else ends in the next.
    let line = columns.map_or("\r\n".into(), |columns| format!("{}\r\x1b[K", " ".repeat(usize::from(columns.min(WIDEST)))));
    [SETTLE, colours, &line].concat()
}

fn columns() -> Option<u16> {
    crate::sys::descriptors::columns(io::stderr().as_fd()).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_that_obey_no_sequence_get_none() {
        assert_eq!((words("dumb", Some(80)), words("", None)), (String::new(), String::new()));
        assert!(words("linux", Some(80)).contains(COLOURS_OF_THE_CONSOLE) && !words("xterm", None).contains(COLOURS_OF_THE_CONSOLE));
        assert!(words("xterm", None).ends_with("\r\n"));
    }

    /// With nothing in the line the cursor stays in it, else it goes on to the next.
    #[test]
    fn the_verdict_has_a_line_of_its_own() {
        for (before, lines) in [(0, 0), (1, 1), (79, 1)] {
            let text = words("xterm", Some(80));
            let blanks = text.bytes().filter(|byte| *byte == b' ').count();
            assert_eq!((before + blanks - 1) / 80, lines, "{before} columns");
        }
    }
}
