//! A leader of a session without a terminal gets the one it opens for its own (tty(4)).

use crate::c::*;

/// The end one types at, and the name of the other.
fn terminal() -> (c_int, CString) {
    let mut name = [0 as c_char; 64];
    unsafe {
        let end = posix_openpt(O_RDWR | O_NOCTTY);
        assert!(end >= 0 && grantpt(end) == 0 && unlockpt(end) == 0);
        assert_eq!(ptsname_r(end, name.as_mut_ptr(), name.len()), 0);
        (end, std::ffi::CStr::from_ptr(name.as_ptr()).to_owned())
    }
}

#[test]
fn what_is_typed_reaches_the_program_at_the_terminal() {
    let (end, name) = terminal();
    let pid = child(|| unsafe {
        // Whoever runs in the background inherits an ignored SIGINT (POSIX shells, asynchronous lists).
        signal(SIGINT, SIG_DFL);
        setsid();
        let line = open(name.as_ptr(), O_RDWR);
        if line < 0 || tcgetpgrp(line) != getpid() {
            return 91;
        }
        // By the name that stands for it.
        let same = open(c"/dev/tty".as_ptr(), O_RDWR);
        if same < 0 || tcgetpgrp(same) != getpid() {
            return 92;
        }
        write(same, c"!".as_ptr().cast(), 1);
        // Until it is ended.
        let mut byte = 0u8;
        read(line, (&raw mut byte).cast(), 1);
        93
    });
    let mut byte = 0u8;
    assert_eq!(unsafe { read(end, (&raw mut byte).cast(), 1) }, 1);
    assert_eq!(byte, b'!');
    unsafe { write(end, c"\x03".as_ptr().cast(), 1) };
    assert_eq!(ends(pid), -SIGINT);
}

#[test]
fn nobody_else_gets_one() {
    let (_end, name) = terminal();
    let none = || unsafe { (open(c"/dev/tty".as_ptr(), O_RDWR) < 0) as i32 };
    // No leader of a session.
    let member = child(|| unsafe {
        setsid();
        ends(child(|| if open(name.as_ptr(), O_RDWR) < 0 { 91 } else { none() }))
    });
    assert_eq!(ends(member), 1);
    let unwilling = child(|| unsafe {
        setsid();
        if open(name.as_ptr(), O_RDWR | O_NOCTTY) < 0 { 91 } else { none() }
    });
    assert_eq!(ends(unwilling), 1);
    // One that has another already.
    let (_other_end, other) = terminal();
    let content = child(|| unsafe {
        setsid();
        let (first, second) = (open(name.as_ptr(), O_RDWR), open(other.as_ptr(), O_RDWR));
        (first >= 0 && tcgetpgrp(first) == getpid() && tcgetpgrp(second) < 0) as i32
    });
    assert_eq!(ends(content), 1);
}
