//! A program that puts itself behind Landlock, in rights or in limits is held there.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::c::*;

const CREATE_RULESET: c_long = 444;
const ADD_RULE: c_long = 445;
const RESTRICT_SELF: c_long = 446;
const READING: u64 = 1 | 4 | 8;
/// Of the first ABI.
const ALL: u64 = 0x1fff;
const CONNECT_TCP: u64 = 2;

/// Only reading below this place, if any of it is handled; `net` is what of the network is forbidden.
fn enter(files: u64, net: u64, place: Option<&Path>) {
    unsafe {
        let attributes = [files, net];
        let size: usize = if net == 0 { 8 } else { 16 };
        let ruleset = syscall(CREATE_RULESET, attributes.as_ptr(), size, 0 as c_uint);
        assert!(ruleset >= 0, "{}", errno());
        if let Some(place) = place {
            let place = std::fs::File::open(place).unwrap();
            let mut rule = [0u8; 12];
            rule[..8].copy_from_slice(&READING.to_ne_bytes());
            rule[8..].copy_from_slice(&place.as_raw_fd().to_ne_bytes());
            assert_eq!(syscall(ADD_RULE, ruleset, 1 as c_int, rule.as_ptr(), 0 as c_uint), 0, "{}", errno());
        }
        const NO_NEW_PRIVS: c_int = 38;
        assert_eq!(prctl(NO_NEW_PRIVS, 1 as c_long, 0 as c_long, 0 as c_long, 0 as c_long), 0);
        assert_eq!(syscall(RESTRICT_SELF, ruleset, 0 as c_uint), 0, "{}", errno());
        close(ruleset as c_int);
    }
}

fn forbidden<T>(result: std::io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// What is held of a program that may only read system files; a number for what is not.
fn held(place: &Path) -> i32 {
    use std::fs;
    let there = place.join("there");
    let made = place.join("made");
    let results = [
        forbidden(fs::read(&there)),
        forbidden(fs::write(&there, "x")),
        forbidden(fs::write(&made, "x")),
        forbidden(fs::create_dir(&made)),
        forbidden(std::os::unix::fs::symlink("x", &made)),
        forbidden(fs::remove_file(&there)),
        forbidden(fs::rename(&there, &made)),
        forbidden(fs::hard_link(&there, &made)),
        forbidden(fs::read_dir(place)),
        forbidden(std::os::unix::net::UnixListener::bind(&made)),
        unsafe { mkfifo(path(&made).as_ptr(), 0o600) } == -1 && errno() == EACCES,
        fs::read("/usr/bin/env").is_ok() && fs::read_dir("/usr").is_ok(),
    ];
    results.iter().position(|held| !held).map_or(0, |at| at as i32 + 1)
}

#[test]
fn files_are_held_and_for_children_too() {
    let place = place("sandbox");
    std::fs::write(place.join("there"), "x").unwrap();
    let inner = child(|| {
        enter(ALL, 0, Some(Path::new("/usr")));
        match held(&place) {
            0 => ends(child(|| held(&place))),
            at => 50 + at,
        }
    });
    assert_eq!(ends(inner), 0);
    assert!(std::fs::read(place.join("there")).is_ok(), "who made it is free");
}

#[test]
fn who_was_there_before_is_free() {
    let place = place("before");
    std::fs::write(place.join("there"), "x").unwrap();
    let one = child(|| {
        let (there, other) = (place.join("there"), std::sync::mpsc::channel::<()>());
        let (tell, told) = std::sync::mpsc::channel();
        let wait = other.1;
        let thread = std::thread::spawn(move || {
            wait.recv().unwrap();
            tell.send(std::fs::read(there).is_ok()).unwrap();
        });
        enter(ALL, 0, Some(Path::new("/usr")));
        if !forbidden(std::fs::read(place.join("there"))) {
            return 1;
        }
        other.0.send(()).unwrap();
        let free = told.recv().unwrap();
        thread.join().unwrap();
        // A second one within the first.
        enter(ALL, 0, None);
        if free && forbidden(std::fs::read("/usr/bin/env")) { 0 } else { 2 }
    });
    assert_eq!(ends(one), 0);
}

#[test]
fn connections_are_held() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let one = child(|| {
        enter(0, CONNECT_TCP, None);
        !forbidden(TcpStream::connect(at)) as i32
    });
    assert_eq!(ends(one), 0);
    assert!(TcpStream::connect(at).is_ok());
}

#[test]
fn limits_are_the_callers() {
    const FSIZE: c_uint = 1;
    const NOFILE: c_uint = 7;
    let file = place("limits").join("file");
    let size = child(|| unsafe {
        signal(SIGXFSZ, 1);
        assert_eq!(setrlimit(FSIZE, &[100, 100]), 0);
        let made = std::fs::File::create(&file).unwrap();
        let grown = made.set_len(1000).unwrap_err().raw_os_error();
        let cut = (truncate(path(&file).as_ptr(), 1000), errno());
        let written = std::io::Write::write(&mut &made, &[0; 1000]).unwrap();
        !(grown == Some(EFBIG) && cut == (-1, EFBIG) && written == 100) as i32
    });
    assert_eq!(ends(size), 0);
    let count = child(|| unsafe {
        assert_eq!(setrlimit(NOFILE, &[16, 16]), 0);
        let mut kept = Vec::new();
        let full = loop {
            match std::fs::File::open("/dev/null") {
                Ok(file) => kept.push(file),
                Err(error) => break error.raw_os_error(),
            }
        };
        let none = (socket(2, 1, 0), errno());
        !(full == Some(EMFILE) && none == (-1, EMFILE)) as i32
    });
    assert_eq!(ends(count), 0);
}

#[test]
fn files_are_opened_as_whoever_it_has_become() {
    if unsafe { geteuid() } != 0 {
        return;
    }
    let file = place("user").join("mine");
    std::fs::write(&file, "x").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let one = child(|| unsafe {
        setfsuid(65534);
        let other = forbidden(std::fs::read(&file));
        setfsuid(0);
        !(other && std::fs::read(&file).is_ok()) as i32
    });
    assert_eq!(ends(one), 0);
}
