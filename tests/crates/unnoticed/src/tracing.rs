//! A test traces what is its own: a child that asks for it, as debuggers have it, and a child traces the test, as a leak checker does at the
//! end of a program.

use std::io::Error;

unsafe extern "C" {
    fn ptrace(request: i64, ...) -> i64;
    fn prctl(option: i32, ...) -> i32;
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn gettid() -> i32;
    fn getppid() -> i32;
    fn raise(signal: i32) -> i32;
    fn _exit(code: i32) -> !;
}

const TRACEME: i64 = 0;
const CONT: i64 = 7;
const ATTACH: i64 = 16;
const DETACH: i64 = 17;
const SETOPTIONS: i64 = 0x4200;
const GETSIGINFO: i64 = 0x4202;
const SET_PTRACER: i32 = 0x5961_6d61;
const WALL: i32 = 0x4000_0000;
const STOP: i32 = 19;
const EPERM: i32 = 1;
const EINVAL: i32 = 22;

fn in_a_child(act: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child makes calls of the kernel alone.
    match unsafe { fork() } {
        0 => {
            let code = act();
            // SAFETY: it is a child.
            unsafe { _exit(code) }
        }
        child => child,
    }
}

/// Its exit code, once it has ended; 256 and more where it stopped.
fn outcome(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the kernel writes one int.
    assert_eq!(unsafe { waitpid(child, &mut status, WALL) }, child);
    if status & 0xff == 0x7f { 256 + (status >> 8) } else { status >> 8 }
}

#[test]
fn a_child_that_asks_for_it() {
    let child = in_a_child(|| {
        // SAFETY: numbers only.
        unsafe {
            if ptrace(TRACEME, 0, 0usize, 0usize) != 0 {
                return 9;
            }
            raise(STOP);
        }
        // While it is traced it opens files as ever.
        if std::fs::read("/proc/self/comm").is_ok() { 7 } else { 8 }
    });
    assert_eq!(outcome(child), 256 + STOP);
    // As debuggers set their breakpoints.
    let memory = format!("/proc/{child}/task/{child}/mem");
    std::fs::OpenOptions::new().read(true).write(true).open(&memory).unwrap_or_else(|error| panic!("{memory}: {error}"));
    let mut about = [0u64; 16];
    // SAFETY: the kernel writes 128 bytes.
    assert_eq!(unsafe { ptrace(GETSIGINFO, child as i64, 0usize, about.as_mut_ptr()) }, 0);
    // SAFETY: numbers only.
    assert_eq!(unsafe { ptrace(CONT, child as i64, 0usize, 0usize) }, 0);
    assert_eq!(outcome(child), 7);
}

#[test]
fn by_a_child() {
    // SAFETY: numbers only; anybody may, where the machine restricts it to ancestors.
    let asked = unsafe { prctl(SET_PTRACER, usize::MAX, 0usize, 0usize, 0usize) };
    assert!(asked == 0 || Error::last_os_error().raw_os_error() == Some(EINVAL), "{}", Error::last_os_error());
    // SAFETY: numbers only.
    let whom = unsafe { gettid() };
    let child = in_a_child(|| {
        // SAFETY: takes nothing.
        let threads = format!("/proc/{}/task", unsafe { getppid() });
        if !std::fs::read_dir(threads).is_ok_and(|threads| threads.count() > 0) {
            return 4;
        }
        // SAFETY: numbers only.
        unsafe {
            if ptrace(ATTACH, whom as i64, 0usize, 0usize) != 0 {
                return 1;
            }
            if outcome(whom) != 256 + STOP {
                return 2;
            }
            if ptrace(DETACH, whom as i64, 0usize, 0usize) != 0 { 3 } else { 0 }
        }
    });
    assert_eq!(outcome(child), 0);
}

/// What is nobody's to do: to trace cargo, or to be traced by it, and to put the filters of a tracee aside.
#[test]
#[ignore = "asked for by name"]
fn what_is_not_its_own() {
    const SUSPEND: usize = 1 << 21;
    let refused = |result: i64| result == -1 && Error::last_os_error().raw_os_error() == Some(EPERM);
    // SAFETY: numbers only.
    unsafe {
        assert!(refused(ptrace(ATTACH, getppid() as i64, 0usize, 0usize)));
        assert!(refused(ptrace(TRACEME, 0, 0usize, 0usize)));
    }
    // SAFETY: numbers only.
    let child = in_a_child(|| unsafe { if ptrace(TRACEME, 0, 0usize, 0usize) == 0 { raise(STOP) } else { 9 } });
    assert_eq!(outcome(child), 256 + STOP);
    // SAFETY: numbers only.
    unsafe {
        assert!(refused(ptrace(SETOPTIONS, child as i64, 0usize, SUSPEND)));
        ptrace(CONT, child as i64, 0usize, 0usize);
    }
    assert_eq!(outcome(child), 0);
}
