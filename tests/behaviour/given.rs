//! What the user opened for a program beyond the first three descriptors reaches it, and nobody else of the build.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};

use crate::finding::expect_silence;
use crate::honest::{calm, clean};
use crate::place::Place;
use crate::run::{Outcome, Run, cargo, guarded};
use crate::who::Who;

/// The program of the fixture: reads what its arguments name, answers whoever comes to the socket it is said to listen on.
fn place(who: Who) -> Place {
    calm("given", std::ffi::OsStr::new("code"), who)
}

/// With these descriptors, at these numbers, and nothing that looks like a credential.
fn with(run: Run<'_>, given: Vec<(OwnedFd, RawFd)>) -> Outcome {
    let name = |fd: &OwnedFd| fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap().into_os_string().into_string().unwrap();
    let names: Vec<String> = given.iter().map(|(fd, _)| name(fd)).collect();
    // None of them lies where another one is to come.
    let high = |(fd, number): (OwnedFd, RawFd)| {
        // SAFETY: made by that very call.
        let copy = unsafe { OwnedFd::from_raw_fd(fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(100)).unwrap()) };
        (copy, number)
    };
    let given: Vec<(OwnedFd, RawFd)> = given.into_iter().map(high).collect();
    let places = move || {
        for (fd, number) in &given {
            // SAFETY: nothing in the child of a fork owns these numbers.
            let copy = unsafe { nix::unistd::dup2_raw(fd, *number) };
            copy.map(std::mem::forget).map_err(std::io::Error::from)?;
        }
        Ok(())
    };
    run.without("CARGO_REGISTRY_TOKEN")
        .without("SSH_AUTH_SOCK")
        .without("DOCKER_HOST")
        .env("ZOO_GIVEN", names.join(" "))
        .before_exec(places)
        .go()
}

/// Whoever opens it by its name must be its owner.
fn pipe(text: &str, who: Who) -> OwnedFd {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    if let Who::Ordinary { uid, gid } = who {
        std::os::unix::fs::fchown(&reader, Some(uid), Some(gid)).unwrap();
    }
    reader.into()
}

fn file(path: &Path) -> OwnedFd {
    File::open(path).unwrap().into()
}

#[test]
fn a_program_gets_it_and_no_script_compiler_or_macro() {
    const RUN: &[&str] = &["run", "--offline", "-q", "--", "/dev/fd/63", "/dev/fd/7"];
    for who in Who::all() {
        let place = place(who);
        let notes = place.path("home/notes.txt");
        place.write(&notes, "of a file\n");
        place.hand_over();
        let go = |run: Run| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let at = listener.local_addr().unwrap();
            let asks = std::thread::spawn(move || {
                let mut text = String::new();
                TcpStream::connect(at).and_then(|mut stream| stream.read_to_string(&mut text)).map(|_| text)
            });
            // The pipe at 9 was left open by chance: nobody names it.
            let given = vec![(pipe("of a pipe\n", who), 63), (file(&notes), 7), (listener.into(), 3), (pipe("nobody's", who), 9)];
            let outcome = with(run.env("LISTEN_FDS", "1"), given);
            (outcome, asks.join().unwrap())
        };
        let (plain, told) = go(cargo(&place, RUN));
        let expected = "/dev/fd/63: of a pipe\n/dev/fd/7: of a file\nanswered\n";
        let seen = "script: 3 7 9 63 LISTEN_FDS\nmacro: 3 7 9 63 LISTEN_FDS\nprogram: 3 7 9 63\n";
        assert_eq!(plain.exits(0).stdout_text(), format!("{expected}{seen}"), "{plain}");
        assert_eq!(told.unwrap(), "heard");
        place.clean();
        let (brig, told) = go(guarded(&place, &["-v"], RUN));
        assert_eq!(brig.exits(0).stdout_text(), format!("{expected}script:\nmacro:\nprogram: 3 7 63\n"), "as {who:?}\n{brig}");
        assert_eq!(told.unwrap(), "heard", "{brig}");
        expect_silence(&brig);
        clean(&brig);
        assert_eq!(brig.report()["outcome"]["given"], serde_json::json!([3, 7, 63]), "{brig}");
        assert!(brig.stderr_text().contains("       Given to a program, what you opened at descriptor 3, 7, 63\n"), "{brig}");
    }
}

/// A secret, a directory and a connection to somebody: the program does not find them, is not told that it would, and that is said.
#[test]
fn what_is_more_than_it_looks_is_not_given() {
    const RUN: &[&str] = &["run", "--offline", "-q", "--", "/dev/fd/4"];
    for who in Who::all() {
        let place = place(who);
        place.write(&place.path("home/.aws/credentials"), &format!("[default]\naws_secret_access_key = {}\n", place.canary));
        place.hand_over();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let go = |run: Run| {
            let given = vec![
                (theirs.as_fd().try_clone_to_owned().unwrap(), 3),
                (file(&place.path("home/.aws/credentials")), 4),
                (file(&place.path("home")), 5),
            ];
            with(run.env("LISTEN_FDS", "3").env("ZOO_LOOKS", "1"), given)
        };
        let plain = go(cargo(&place, RUN));
        assert!(
            plain.exits(0).stdout_text().contains(&place.canary) && plain.stdout_text().ends_with("program: 3 4 5 LISTEN_FDS\n"),
            "{plain}"
        );
        fs::remove_dir_all(place.target()).unwrap();
        let brig = go(guarded(&place, &[], RUN));
        assert_eq!(brig.exits(1).stdout_text(), "", "as {who:?}\n{brig}");
        expect_silence(&brig);
        assert_eq!(brig.report()["outcome"]["given"], serde_json::Value::Null, "{brig}");
        assert!(brig.stderr_text().contains("/dev/fd/4: No such file or directory"), "{brig}");
        // Where the kernel tells how a process ended (Linux 6.15), it is known that a program failed.
        if brig.report()["outcome"]["closed"] != serde_json::Value::Null {
            assert_eq!(brig.report()["outcome"]["closed"], serde_json::json!([3, 4, 5]), "{brig}");
            assert!(brig.stderr_text().contains("a program failed, and did not get what was open at descriptor 3, 4, 5: "), "{brig}");
        }
        drop(ours);
    }
}

/// A log that cargo writes to is the program's own output: opened once more for writing it is the same file, with the same outcome, be it that it is cut
/// off. Read it cannot be, and no alarm is made of that.
#[test]
fn standard_output_opened_once_more() {
    const RUN: &[&str] = &["run", "--offline", "-q"];
    for who in Who::all() {
        let place = place(who);
        // Where nobody is granted anything.
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(if who.is_root() { "log-of-root.txt" } else { "log.txt" });
        let go = |run: Run, how: &str| {
            fs::write(&log, "what was there before, and is longer than that\n").unwrap();
            fs::set_permissions(&log, PermissionsExt::from_mode(0o666)).unwrap();
            let out = File::options().write(true).open(&log).unwrap();
            let outcome = with(run.env("ZOO_STDOUT", how), vec![(out.into(), 1)]);
            (fs::read_to_string(&log).unwrap(), outcome)
        };
        for how in ["append", "write", "create", "read"] {
            let (expected, plain) = go(cargo(&place, RUN), how);
            plain.exits(0);
            assert!(how == "read" || expected.contains(how), "{how}: {expected:?}\n{plain}");
            let (written, brig) = go(guarded(&place, &[], RUN), how);
            expect_silence(brig.exits(0));
            if how == "read" {
                assert!(
                    !expected.contains("PermissionDenied") && written.starts_with("first\nread: PermissionDenied\n"),
                    "{written:?}\n{brig}"
                );
            } else {
                assert_eq!(written, expected, "{how}, as {who:?}\n{brig}");
            }
        }
    }
}
