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

/// A tracer puts another call in the place of the one its child makes: where the filters ask it, and where every call stops. Either way the filters
/// come behind that.
#[test]
#[ignore = "asked for by name"]
#[cfg(target_arch = "x86_64")]
fn a_call_that_is_exchanged() {
    const SYSCALL: i64 = 24;
    const GETREGS: i64 = 12;
    const SETREGS: i64 = 13;
    const SYSGOOD: usize = 1;
    const TRACESECCOMP: usize = 1 << 7;
    const GETPPID: u32 = 110;
    const OPENAT: u64 = 257;
    // By their places in `user_regs_struct`.
    const RAX: usize = 10;
    const RDX: usize = 12;
    const RSI: usize = 13;
    const RDI: usize = 14;
    const CALL: usize = 15;
    let refused = std::env::var_os("ZOO_REFUSED").is_some();
    for by_filter in [true, false] {
        let child = in_a_child(|| {
            // SAFETY: the filter is four instructions long; the rest is numbers.
            unsafe {
                if ptrace(TRACEME, 0, 0usize, 0usize) != 0 {
                    return 9;
                }
                // `getppid` is asked of the tracer, all else allowed.
                let filter = [0x20u64, 0x15 | 1 << 24 | (GETPPID as u64) << 32, 0x06 | 0x7ff0_0000 << 32, 0x06 | 0x7fff_0000 << 32];
                let program = (4u16, filter.as_ptr());
                if by_filter && (prctl(38, 1usize, 0usize, 0usize, 0usize) != 0 || prctl(22, 2usize, &program) != 0) {
                    return 8;
                }
                raise(STOP);
                getppid();
            }
            0
        });
        assert_eq!(outcome(child), 256 + STOP);
        let (go, options) = if by_filter { (CONT, TRACESECCOMP) } else { (SYSCALL, SYSGOOD) };
        // The child has it at the same place.
        let path = c".env".as_ptr() as u64;
        let mut registers = [0u64; 27];
        // SAFETY: the kernel reads and writes one structure.
        unsafe {
            assert_eq!(ptrace(SETOPTIONS, child as i64, 0usize, options), 0);
            loop {
                assert_eq!(ptrace(go, child as i64, 0usize, 0usize), 0);
                let stopped = outcome(child);
                assert!(stopped >= 256, "by_filter: {by_filter}, ended with {stopped}");
                assert_eq!(ptrace(GETREGS, child as i64, 0usize, registers.as_mut_ptr()), 0);
                if registers[CALL] == u64::from(GETPPID) {
                    break;
                }
            }
            registers[CALL] = OPENAT;
            (registers[RDI], registers[RSI], registers[RDX]) = (-100i64 as u64, path, 0);
            assert_eq!(ptrace(SETREGS, child as i64, 0usize, registers.as_ptr()), 0);
            // To its end.
            assert_eq!(ptrace(SYSCALL, child as i64, 0usize, 0usize), 0);
            assert!(outcome(child) >= 256);
            assert_eq!(ptrace(GETREGS, child as i64, 0usize, registers.as_mut_ptr()), 0);
            let result = registers[RAX] as i64;
            assert!(if refused { result == -13 } else { result >= 0 }, "by_filter: {by_filter}, {result}");
            ptrace(CONT, child as i64, 0usize, 0usize);
        }
        assert_eq!(outcome(child), 0);
    }
}
