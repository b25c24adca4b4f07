//! What came of an exec that was let through: did it take place, does the judged program run, and was it told what was judged? An exec
//! cannot be done on someone's behalf, so this is looked at in the first call a process makes afterwards.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::arguments;
use super::program::refused;
use crate::gate::compilers::is_compiler;
use crate::gate::files::found::Found;
use crate::gate::own::own;
use crate::gate::process::{Expected, FileId};
use crate::gate::{Answer, Call};
use crate::model::{Hostile, Process};
use crate::report::redact;
use crate::sys::process::status;

fn running(pid: u32) -> Option<FileId> {
    own().ok()?.stat_of(pid, "exe").ok().map(|facts| (facts.dev, facts.ino))
}

/// Remembers what will run if the kernel agrees.
pub fn expect(call: &Call, loaded: &Found, told: Vec<Hostile>, argv: Vec<Hostile>, script: bool) {
    let pid = call.pid();
    let process = Process {
        actor: call.actor(),
        pid,
        parent: status(pid).map_or(0, |status| status.parent),
        exe: loaded.shown(call),
        argv,
        started_ms: call.watched.began.elapsed().as_millis() as u64,
        blame: None,
        steered: false,
    };
    let file = (loaded.facts.dev, loaded.facts.ino);
    // Looked up, not remembered: a number may be another process's by now.
    let before = running(pid);
    let gone = call.watched.processes().expect(Expected { tid: call.tid, before, file, argv: Some(told), script, process });
    gone.into_iter().for_each(|process| call.watched.journal.process(process));
}

/// Before any other call of a process that was about to execute: did it, and the right thing? Answers the call where it must not go on.
pub fn check(call: &Call) -> Option<Answer> {
    let expected = {
        let pid = call.pid();
        call.watched.processes().expected(pid)?
    };
    let pid = expected.process.pid;
    let Some(actual) = running(pid) else {
        // The first thread is gone. Where the exec succeeds, it takes that one's place, and can be seen.
        if call.tid != expected.tid {
            call.watched.processes().still_expect(expected);
        }
        return None;
    };
    if actual == expected.file {
        return match arguments::others(pid, expected.argv.as_deref(), expected.script) {
            Some(argv) if call.check_valid().is_ok() => retold(call, expected.process, argv),
            _ => {
                confirm(call, expected.process);
                None
            }
        };
    } else if Some(actual) == expected.before {
        // On the thread that asked, the exec has failed; on another, it may still come.
        if call.tid != expected.tid {
            call.watched.processes().still_expect(expected);
        }
    } else {
        return strange(call, expected.process);
    }
    None
}

fn confirm(call: &Call, mut process: Process) {
    let mut processes = call.watched.processes();
    // Such a compiler works where it was started, and looks for most headers by relative paths. Nothing is allowed for it: whoever takes its
    // name and moves all the same may be handed a published file of the directory it came from.
    processes.runs(process.pid, is_compiler(process.exe.as_path()));
    process.blame = processes.inherited(process.pid);
    drop(processes);
    call.watched.journal.process(process);
}

/// The right program runs, and was told something else than what was judged: its arguments were exchanged after we had read them. What it
/// was really told is judged now, and is what the record says.
fn retold(call: &Call, mut process: Process, argv: Vec<Hostile>) -> Option<Answer> {
    let pid = process.pid;
    let redacted = redact::argv(&argv);
    process.argv = redacted.clone();
    confirm(call, process);
    let found = own().and_then(|own| Found::of(own, own.of(pid, "exe", libc::O_PATH)?));
    // What cannot be judged is not let go on.
    let refused = found.and_then(|found| refused(call, &found, &argv, &redacted)).unwrap_or_else(|error| Some(Answer::from(error)));
    refused.filter(|_| call.enforces()).inspect(|_| end(pid))
}

/// The call a process waits in keeps it alive and its number its own, until we answer.
fn end(pid: u32) {
    if pid != 0 {
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
    }
}

/// Something else runs than what was judged: the arguments were exchanged after we had read them.
fn strange(call: &Call, mut process: Process) -> Option<Answer> {
    let pid = process.pid;
    let judged = std::mem::replace(&mut process.exe, Hostile::new(own().and_then(|own| own.link_of(pid, "exe")).unwrap_or_default()));
    let exe = process.exe.clone();
    // On some file systems a file has two faces; its path tells.
    let same = exe == judged;
    confirm(call, process);
    if same || foreign_formats() {
        return None;
    }
    let detail = [b"judged ", judged.as_bytes(), b", runs ", exe.as_bytes()].concat();
    let answer = call.tamper("execve", Hostile::new(detail));
    if call.enforces() && pid != 0 {
        end(pid);
        return Some(answer);
    }
    None
}

/// Does this machine run other formats (`binfmt_misc`)? Then the file that runs is an interpreter we did not foresee.
fn foreign_formats() -> bool {
    fs::read_dir("/proc/sys/fs/binfmt_misc")
        .is_ok_and(|entries| entries.flatten().any(|entry| !matches!(entry.file_name().as_bytes(), b"register" | b"status")))
}
