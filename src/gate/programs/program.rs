//! One program, judged before it runs: itself, the interpreters its `#!` lines name, and what the dynamic loader is told to load.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use crate::gate::errno::fail;
use crate::gate::files::found::{Found, How};
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::{Act, Hostile, Judgement, Verdict};
use crate::sys::script;

/// `linux/elf-em.h`.
const EM_386: u16 = 3;
const EM_ARM: u16 = 40;
const EM_X86_64: u16 = 62;

/// Judges a program with its arguments, and what the dynamic loader is told to load. `redacted`: the arguments without credentials.
pub fn refused(call: &Call, found: &Found, argv: &[Hostile], redacted: &[Hostile]) -> io::Result<Option<Answer>> {
    let act = Act::Exec { path: found.shown(call), argv: redacted.to_vec() };
    if let Verdict::Refuse(errno) = call.judge(act, Some(found.object())).verdict {
        return Ok(Some(Answer::Errno(errno)));
    }
    match loaded_program(argv).filter(|_| is_loader(found)) {
        Some(program) => Ok(also(call, program, redacted)?.1),
        None => Ok(None),
    }
}

/// Follows `#!` lines to the file the kernel will really load. An interpreter is a program as well, and judged as one, with the arguments the
/// kernel gives it: its own words, the script, and what was meant for that.
pub fn interpreted(call: &Call, mut found: Found, argv: &[Hostile]) -> io::Result<Result<Found, Answer>> {
    let mut argv = Cow::Borrowed(argv);
    for _ in 0..script::DEEPEST {
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
    let Judgement { mut verdict, breach, .. } = call.watched.policy.judge(&act, Some(found.object()));
    // An exception may be a macro's alone, which the call finds out.
    if breach.is_some() || matches!(verdict, Verdict::Refuse(_)) || !call.watched.policy.granted.is_empty() {
        verdict = call.judge(act, Some(found.object())).verdict;
    }
    let refused = if let Verdict::Refuse(errno) = verdict { Some(Answer::Errno(errno)) } else { None };
    Ok((Some(found), refused))
}

/// What the kernel looks at to know what a file is.
pub fn head(found: &Found) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = own().ok()?.reopen(found.handle.as_fd(), libc::O_RDONLY, 0).ok()?;
    fs::File::from(file).take(script::HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Is this an ELF program that this machine's kernel would run under another ABI, where numbers of calls mean something else: i386 and x32,
/// or 32-bit ARM? Other machines' programs are left to `binfmt_misc`, whose interpreter is one of ours.
pub fn is_foreign(head: &[u8]) -> bool {
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
