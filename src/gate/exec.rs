//! `execve execveat`: judged on the real program, its interpreter and — for the dynamic loader — the program it is told to load. An exec
//! cannot be done on someone's behalf, so what runs afterwards is compared with what was judged.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::own::own;
use super::process::{Expected, FileId};
use super::resolve::{Found, How, fail};
use super::{Answer, Call, arguments, memory};
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Judgement, Process, Verdict};
use crate::report::redact;
use crate::sys::process::status;
use crate::sys::script;

/// `linux/elf-em.h`.
const EM_386: u16 = 3;
const EM_ARM: u16 = 40;
const EM_X86_64: u16 = 62;
/// How deep scripts may interpret scripts (`exec_binprm`).
pub(super) const DEEPEST: usize = 5;

pub fn exec(call: &Call) -> io::Result<Answer> {
    let (dirfd, path_at, flags) = match call.number {
        libc::SYS_execveat => (call.int(0), 1, call.int(4)),
        _ => (libc::AT_FDCWD, 0, 0),
    };
    if flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
        return fail(libc::EINVAL);
    }
    let text = call.path(path_at)?;
    let found = if text.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        let handle = call.directory(dirfd)?;
        call.check_valid()?;
        Found::of(own()?, handle)?
    } else {
        call.find(&call.start(dirfd, text)?, How { nofollow: flags & libc::AT_SYMLINK_NOFOLLOW != 0, ..How::default() })?
    };
    if found.kind() == ObjectKind::Symlink {
        return fail(libc::ELOOP);
    }
    // A memory file is sealed against exec, and has no such bit: the attempt is judged all the same.
    if found.kind() != ObjectKind::File || found.facts.mode & 0o111 == 0 && !own()?.is_memfd(&found.facts) {
        return fail(libc::EACCES);
    }
    // Only now: a program is looked for in every directory of a `PATH`, and most misses have long arguments.
    let argv = memory::read_argv(call.tid, call.args[path_at + 1])?;
    call.check_valid()?;
    if let Some(refused) = refused(call, &found, &argv)? {
        return Ok(refused);
    }
    let (named, redacted) = ((found.facts.dev, found.facts.ino), redact::argv(&argv));
    let loaded = match interpreted(call, found, &redacted)? {
        Ok(loaded) => loaded,
        Err(refused) => return Ok(refused),
    };
    if head(&loaded).is_some_and(|head| is_foreign(&head)) {
        // Should a race bring one past this look, not one of its calls is let through.
        return Ok(call.tamper("execve", [b"a program of a foreign ABI: ", loaded.shown(call).as_bytes()].concat().as_slice()));
    }
    expect(call, &loaded, argv, redacted, (loaded.facts.dev, loaded.facts.ino) != named);
    Ok(Answer::Continue)
}

/// Judges a program with its arguments, and what the dynamic loader is told to load.
fn refused(call: &Call, found: &Found, argv: &[Hostile]) -> io::Result<Option<Answer>> {
    let redacted = redact::argv(argv);
    let act = Act::Exec { path: found.shown(call), argv: redacted.clone() };
    if let Verdict::Refuse(errno) = call.judge(act, Some(found.object())).verdict {
        return Ok(Some(Answer::Errno(errno)));
    }
    match loaded_program(argv).filter(|_| is_loader(found)) {
        Some(program) => Ok(also(call, program, &redacted)?.1),
        None => Ok(None),
    }
}

/// Follows `#!` lines to the file the kernel will really load. An interpreter is a program as well, and judged as one, with the arguments the
/// kernel gives it: its own words, the script, and what was meant for that.
fn interpreted(call: &Call, mut found: Found, argv: &[Hostile]) -> io::Result<Result<Found, Answer>> {
    let mut argv = Cow::Borrowed(argv);
    for _ in 0..DEEPEST {
        let Some(words) = head(&found).and_then(|head| script::words(&head)) else { return Ok(Ok(found)) };
        let script = found.shown(call);
        let before = words.iter().cloned().map(Hostile::new).chain([script]);
        argv = before.chain(argv.iter().skip(1).cloned()).collect();
        match also(call, words.into_iter().next().unwrap_or_default(), &argv)? {
            (_, Some(refused)) => return Ok(Err(refused)),
            (None, None) => return fail(libc::ENOENT),
            (Some(next), None) => found = next,
        }
    }
    fail(libc::ELOOP)
}

/// Judges a program that comes along with the one that was named. Only what is remarkable is noted: the act has its event already.
fn also(call: &Call, path: Vec<u8>, argv: &[Hostile]) -> io::Result<(Option<Found>, Option<Answer>)> {
    let found = match call.start(libc::AT_FDCWD, path).and_then(|start| call.find(&start, How::default())) {
        Ok(found) => found,
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok((None, None)),
        Err(error) => return Err(error),
    };
    let act = Act::Exec { path: found.shown(call), argv: argv.to_vec() };
    let Judgement { verdict, breach, .. } = call.watched.policy.judge(&act, Some(found.object()));
    if breach.is_some() || matches!(verdict, Verdict::Refuse(_)) {
        call.judge(act, Some(found.object()));
    }
    let refused = if let Verdict::Refuse(errno) = verdict { Some(Answer::Errno(errno)) } else { None };
    Ok((Some(found), refused))
}

/// What the kernel looks at to know what a file is.
fn head(found: &Found) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = own().ok()?.reopen(found.handle.as_fd(), libc::O_RDONLY, 0).ok()?;
    fs::File::from(file).take(script::HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Is this an ELF program that this machine's kernel would run under another ABI, where numbers of calls mean something else: i386 and x32,
/// or 32-bit ARM? Other machines' programs are left to `binfmt_misc`, whose interpreter is one of ours.
fn is_foreign(head: &[u8]) -> bool {
    let machine = head.get(18..20).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let kin = if cfg!(target_arch = "x86_64") { [EM_386, EM_X86_64] } else { [EM_ARM, EM_ARM] };
    head.starts_with(b"\x7fELF\x01") && machine.is_some_and(|machine| kin.contains(&machine))
}

/// Is this the dynamic loader, which runs any file it is given, executable or not?
fn is_loader(found: &Found) -> bool {
    let path = Hostile::new(found.path.as_slice());
    let name = path.as_path().file_name().unwrap_or_default().as_bytes();
    [&b"ld-linux"[..], b"ld-musl", b"ld.so", b"ld64.so", b"ld-2."].iter().any(|front| name.starts_with(front))
}

/// The program in the loader's arguments: the first that is no option.
fn loaded_program(argv: &[Hostile]) -> Option<Vec<u8>> {
    const WITH_VALUE: [&[u8]; 7] =
        [b"--library-path", b"--preload", b"--audit", b"--argv0", b"--inhibit-rpath", b"--glibc-hwcaps-prepend", b"--glibc-hwcaps-mask"];
    let mut arguments = argv.iter().skip(1).map(Hostile::as_bytes);
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with(b"--") {
            return Some(argument.to_vec());
        } else if argument == b"--" {
            return arguments.next().map(<[u8]>::to_vec);
        }
    }
    None
}

fn running(pid: u32) -> Option<FileId> {
    own().ok()?.stat_of(pid, "exe").ok().map(|facts| (facts.dev, facts.ino))
}

/// Remembers what will run if the kernel agrees.
fn expect(call: &Call, loaded: &Found, told: Vec<Hostile>, argv: Vec<Hostile>, script: bool) {
    let pid = call.pid();
    let process = Process {
        actor: call.actor(),
        pid,
        parent: status(pid).map_or(0, |status| status.parent),
        exe: loaded.shown(call),
        argv,
        started_ms: call.watched.began.elapsed().as_millis() as u64,
        blame: None,
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
    processes.runs(process.pid, stays(process.exe.as_path()));
    process.blame = processes.inherited(process.pid);
    drop(processes);
    call.watched.journal.process(process);
}

/// Does this program work where it was started? GCC's compilers proper do, and look for most headers by relative paths. Nothing is allowed
/// for it: whoever takes such a name and moves all the same may be handed a published file of the directory it came from.
fn stays(exe: &Path) -> bool {
    exe.file_name().is_some_and(|name| name == "cc1" || name == "cc1plus")
}

/// The right program runs, and was told something else than what was judged: its arguments were exchanged after we had read them. What it
/// was really told is judged now, and is what the record says.
fn retold(call: &Call, mut process: Process, argv: Vec<Hostile>) -> Option<Answer> {
    let pid = process.pid;
    process.argv = redact::argv(&argv);
    confirm(call, process);
    let found = own().and_then(|own| Found::of(own, own.of(pid, "exe", libc::O_PATH)?));
    // What cannot be judged is not let go on.
    let refused = found.and_then(|found| refused(call, &found, &argv)).unwrap_or_else(|error| Some(Answer::from(error)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn programs_of_another_abi() {
        let elf = |class: u8, machine: u16| {
            let mut head = vec![0x7f, b'E', b'L', b'F', class, 1, 1, 0];
            head.resize(18, 0);
            head.extend(machine.to_le_bytes());
            head
        };
        for (head, foreign) in [
            (elf(1, EM_386), true),
            (elf(1, EM_X86_64), true),
            (elf(2, EM_X86_64), false),
            (elf(1, EM_ARM), false),
            (elf(1, EM_386)[..19].to_vec(), false),
            (b"#!/bin/sh\n".to_vec(), false),
        ] {
            assert_eq!(is_foreign(&head), foreign, "{head:?}");
        }
        assert!(!is_foreign(&fs::read("/proc/self/exe").unwrap()));
    }

    #[test]
    fn the_program_given_to_a_loader() {
        for (argv, expected) in [
            ("ld.so ./drop", Some("./drop")),
            ("ld.so --library-path /x:/y ./drop arg", Some("./drop")),
            ("ld.so --inhibit-cache --argv0 cc ./drop", Some("./drop")),
            ("ld.so --list", None),
            ("ld.so", None),
        ] {
            let argv: Vec<_> = argv.split(' ').map(Hostile::from).collect();
            assert_eq!(loaded_program(&argv).map(|path| String::from_utf8(path).unwrap()).as_deref(), expected);
        }
    }
}
