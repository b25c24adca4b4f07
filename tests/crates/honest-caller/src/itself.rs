//! A process looks at itself and its own children, and asks for what it can do without.

use std::fs;
use std::os::fd::AsRawFd;

use crate::c::*;

const PR_GET_DUMPABLE: c_int = 3;
const PR_SET_DUMPABLE: c_int = 4;
const EINVAL: i32 = 22;
const ENOSYS: i32 = 38;
const IO_URING_SETUP: c_long = 425;
#[cfg(target_arch = "x86_64")]
const CALLS: [c_long; 3] = [272, 312, 310];
#[cfg(target_arch = "aarch64")]
const CALLS: [c_long; 3] = [97, 272, 270];
const UNSHARE: c_long = CALLS[0];
const KCMP: c_long = CALLS[1];
const READ_MEMORY: c_long = CALLS[2];

fn dumpable(option: c_int, value: c_long) -> c_int {
    unsafe { prctl(option, value, 0 as c_long, 0 as c_long, 0 as c_long) }
}

/// Somebody to look at until the descriptor is closed.
fn sleeper() -> (c_int, std::io::PipeWriter) {
    let (mut wait, kept) = std::io::pipe().unwrap();
    let fd = kept.as_raw_fd();
    let pid = child(|| {
        unsafe { close(fd) };
        std::io::Read::read(&mut wait, &mut [0]).unwrap_or(9) as i32
    });
    (pid, kept)
}

#[test]
fn its_own_memory() {
    let (there, mut here) = (5_u64, 0_u64);
    let local = [&raw mut here as usize, 8];
    let remote = [&raw const there as usize, 8];
    let read = unsafe { syscall(READ_MEMORY, getpid(), &raw const local, 1_usize, &raw const remote, 1_usize, 0_usize) };
    assert_eq!((read, here), (8, 5), "{}", errno());
}

#[test]
fn descriptors_are_compared() {
    let file = fs::File::open("/dev/null").unwrap();
    let same = file.try_clone().unwrap();
    let compare = |one: c_int, other: c_int| unsafe { syscall(KCMP, one, other, 0 as c_int, file.as_raw_fd(), same.as_raw_fd()) };
    let (pid, kept) = sleeper();
    assert_eq!((compare(unsafe { getpid() }, unsafe { getpid() }), compare(pid, unsafe { getpid() })), (0, 0), "{}", errno());
    drop(kept);
    assert_eq!(ends(pid), 0);
}

#[test]
fn directories_of_processes() {
    let (pid, kept) = sleeper();
    let thread = std::thread::spawn(|| fs::read_link("/proc/thread-self").unwrap());
    let itself = [std::process::id().to_string(), pid.to_string(), "self".into(), thread.join().unwrap().display().to_string()];
    for who in &itself[..3] {
        for file in ["status", "stat", "cmdline", "environ", "maps", "limits", "mountinfo", "cgroup", "auxv"] {
            assert!(!fs::read(format!("/proc/{who}/{file}")).unwrap_or_else(|error| panic!("{who}/{file}: {error}")).is_empty(), "{file}");
        }
        for list in ["fd", "fdinfo", "task"] {
            assert!(fs::read_dir(format!("/proc/{who}/{list}")).unwrap_or_else(|error| panic!("{who}/{list}: {error}")).count() > 0);
        }
        let program = fs::read_link(format!("/proc/{who}/exe")).unwrap();
        assert_eq!(program, std::env::current_exe().unwrap());
        assert_eq!(fs::read(format!("/proc/{who}/exe")).unwrap()[..4], *b"\x7fELF");
    }
    drop(kept);
    assert_eq!(ends(pid), 0);
}

/// A task manager looks at everybody, and shows what it is told.
#[test]
fn all_processes_are_listed() {
    let mut told = 0;
    for entry in fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()).is_none() {
            continue;
        }
        for file in ["stat", "status", "cmdline", "io", "environ"] {
            told += usize::from(fs::read(path.join(file)).is_ok());
        }
        told += ["fd", "fdinfo", "task"].iter().filter_map(|list| fs::read_dir(path.join(list)).ok()).count();
        told += usize::from(fs::read_link(path.join("exe")).is_ok());
    }
    assert!(told >= 9, "not even about itself: {told}");
}

#[test]
fn keys_are_not_dumped() {
    let file = place("undumpable").join("file");
    let one = child(|| {
        let before = dumpable(PR_GET_DUMPABLE, 0);
        let asked = (dumpable(PR_SET_DUMPABLE, 2), errno());
        let none = (dumpable(PR_SET_DUMPABLE, 0), dumpable(PR_GET_DUMPABLE, 0));
        // What it does afterwards is done as ever, and by its children, too.
        let works = || fs::write(&file, "x").is_ok() && fs::read(&file).is_ok_and(|text| text == b"x");
        let fork = ends(child(|| !(works() && dumpable(PR_GET_DUMPABLE, 0) == 0) as i32));
        let again = (dumpable(PR_SET_DUMPABLE, 1), dumpable(PR_GET_DUMPABLE, 0));
        let right = (before, asked, none, again) == (1, (-1, EINVAL), (0, 0), (0, 1));
        !(right && works() && fork == 0) as i32
    });
    assert_eq!(ends(one), 0);
}

#[test]
fn a_thread_works_in_a_directory_of_its_own() {
    const CLONE_FS: c_long = 0x200;
    let here = std::env::current_dir().unwrap();
    std::thread::spawn(|| {
        assert_eq!(unsafe { syscall(UNSHARE, CLONE_FS) }, 0, "{}", errno());
        std::env::set_current_dir("/usr").unwrap();
        assert!(fs::read_dir("bin").unwrap().count() > 0);
        assert!(fs::read("src/lib.rs").is_err());
    })
    .join()
    .unwrap();
    assert_eq!(std::env::current_dir().unwrap(), here);
    assert!(fs::read("src/lib.rs").is_ok());
}

#[test]
fn a_ring_is_asked_for() {
    let mut parameters = [0_u8; 120];
    let ring = unsafe { syscall(IO_URING_SETUP, 4 as c_int, parameters.as_mut_ptr()) };
    assert!(ring >= 0 || [ENOSYS, EPERM].contains(&errno()), "{}", errno());
}
