//! What `/proc` says about a thread: whose it is and in whose name it acts. In: a thread id. Out: plain numbers, none of which an actor
//! can forge.

use std::fs::File;
use std::io::{self, Read};

use super::identity::{FILES, Person};

/// What `/proc/<tid>/status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    pub pid: u32,
    pub parent: u32,
    /// `None` of one that has ended and only waits to be asked how.
    pub umask: Option<u32>,
}

/// Reads it; `None` when the thread is gone.
pub fn status(tid: u32) -> Option<Status> {
    // One read: procfs gives a page at a time, and all that is wanted stands in the first lines.
    let mut text = [0; 1024];
    let length = File::open(format!("/proc/{tid}/status")).ok()?.read(&mut text).ok()?;
    parse_status(&text[..length])
}

fn parse_status(text: &[u8]) -> Option<Status> {
    let (mut pid, mut parent, mut umask) = (None, None, None);
    // The first line is the program's name, which the kernel escapes: no newline of the actor's making can start a line of its own.
    for line in text.split(|byte| *byte == b'\n').take(16) {
        let field = |name: &[u8]| std::str::from_utf8(line.strip_prefix(name)?).ok().map(str::trim);
        if let Some(value) = field(b"Umask:") {
            umask = u32::from_str_radix(value, 8).ok();
        } else if let Some(value) = field(b"Tgid:") {
            pid = value.parse().ok();
        } else if let Some(value) = field(b"PPid:") {
            parent = value.parse().ok();
            break;
        }
    }
    Some(Status { pid: pid?, parent: parent?, umask })
}

/// What `/proc/<pid>/stat` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Is it dead, and only waits to be asked how it ended?
    pub ended: bool,
    /// Process group.
    pub group: u32,
    pub session: u32,
    /// When it began, as [`now`] counts.
    pub started: u64,
}

/// Reads it; `None` when there is no such process or thread.
pub fn stat(pid: u32) -> Option<Stat> {
    let mut text = [0; 1024];
    let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut text).ok()?;
    parse_stat(&text[..length])
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    // The name stands in brackets and may hold more of them (proc_pid_stat(5)); nothing behind it does.
    let fields = text.rsplit(|byte| *byte == b')').next()?;
    let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
    // Fields 3, 5, 6 and 22.
    let ended = matches!(fields.next()?, "Z" | "X");
    Some(Stat { ended, group: fields.nth(1)?.parse().ok()?, session: fields.next()?.parse().ok()?, started: fields.nth(15)?.parse().ok()? })
}

/// The strings of `/proc/<pid>/cmdline` or `environ`; none when the process is gone.
pub fn strings(pid: u32, file: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    if text.is_empty() { Vec::new() } else { text.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect() }
}

/// Clock ticks since the machine was started (and slept or not).
pub fn now() -> u64 {
    /// `USER_HZ`, which is what /proc counts in on every architecture we run on.
    const TICKS: u64 = 100;
    let since = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map(std::time::Duration::from);
    since.map_or(0, |since| since.as_secs() * TICKS + u64::from(since.subsec_nanos()) / (1_000_000_000 / TICKS))
}

/// How a thread has a descriptor open: `flags:` of proc_pid_fdinfo(5), octal, close-on-exec included.
pub fn descriptor_flags(tid: u32, number: i32) -> Option<i32> {
    flags_in(&std::fs::read_to_string(format!("/proc/{tid}/fdinfo/{number}")).ok()?)
}

/// `flags:` of what such a file says.
pub fn flags_in(text: &str) -> Option<i32> {
    i32::from_str_radix(text.lines().find_map(|line| line.strip_prefix("flags:"))?.trim(), 8).ok()
}

/// Every process there is to see.
pub fn all() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// How long a file it may make (`RLIMIT_FSIZE`, the soft limit), in bytes; `None` when the thread is gone. Not by prlimit(2), which asks for
/// the same user on both sides.
pub fn file_size_limit(tid: u32) -> Option<u64> {
    parse_limit(&std::fs::read_to_string(format!("/proc/{tid}/limits")).ok()?, "Max file size")
}

/// How many bytes its user's message queues may take (`RLIMIT_MSGQUEUE`, the soft limit); `None` when the thread is gone.
pub fn queues_limit(tid: u32) -> Option<u64> {
    parse_limit(&std::fs::read_to_string(format!("/proc/{tid}/limits")).ok()?, "Max msgqueue size")
}

/// The length of core dumps that makes none, neither a file nor one piped into a program (0 keeps the kernel from files alone: `do_coredump`).
pub const NO_CORE: u64 = 1;

/// Sets how long a process's core dumps may be (`RLIMIT_CORE`, the soft limit) in bytes, or as long as its hard limit says; what it was.
///
/// # Errors
/// `EPERM` towards another user's process; `ESRCH`. `EPERM` as well where the hard limit is 0, so that piped dumps cannot be kept off.
pub fn limit_core(pid: u32, soft: u64) -> io::Result<u64> {
    let mut before = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one structure, which is ours.
    let read = unsafe { libc::prlimit64(pid as libc::pid_t, libc::RLIMIT_CORE, std::ptr::null(), &raw mut before) };
    if read != 0 {
        return Err(io::Error::last_os_error());
    }
    if before.rlim_max < soft.min(NO_CORE) {
        return Err(io::Error::from_raw_os_error(libc::EPERM));
    }
    let wanted = libc::rlimit64 { rlim_cur: soft.min(before.rlim_max), rlim_max: before.rlim_max };
    // SAFETY: the kernel reads one structure, which is ours.
    let set = unsafe { libc::prlimit64(pid as libc::pid_t, libc::RLIMIT_CORE, &raw const wanted, std::ptr::null_mut()) };
    if set == 0 { Ok(before.rlim_cur) } else { Err(io::Error::last_os_error()) }
}

/// Signals one thread of a process (tgkill(2)). A thread that is gone needs none.
pub fn signal_thread(pid: u32, tid: u32, signal: i32) {
    // SAFETY: three numbers, no memory.
    unsafe { libc::syscall(libc::SYS_tgkill, pid as libc::pid_t, tid as libc::pid_t, signal) };
}

/// Does a signal with a handler wait for this thread, which does not hold it back? A signal to the whole process counts as its own: the kernel
/// wakes one thread for it, and the others do not see it.
pub fn is_signalled(tid: u32) -> bool {
    let mut text = [0; 4096];
    let length = File::open(format!("/proc/{tid}/status")).and_then(|mut file| file.read(&mut text)).unwrap_or(0);
    parse_signals(&text[..length]).unwrap_or(false)
}

fn parse_signals(text: &[u8]) -> Option<bool> {
    let set = |name: &[u8]| {
        let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(std::str::from_utf8(line).ok()?.trim(), 16).ok()
    };
    let pending = set(b"SigPnd:")? | set(b"ShdPnd:")?;
    Some(pending & !set(b"SigBlk:")? & set(b"SigCgt:")? != 0)
}

/// What ends a call that a thread of ours waits in: ignored unless somebody has a handler for it.
const WAKE: libc::c_int = libc::SIGURG;

/// The calling thread's waits can be ended from now on ([`end_wait`]).
pub fn let_waits_end() {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
    extern "C" fn nothing(_: libc::c_int) {}
    // Without SA_RESTART, so that the call ends.
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, which is async-signal-safe; nobody else in this program handles this signal.
    let _ = unsafe { sigaction(Signal::SIGURG, &action) };
    let _ = SigSet::from_iter([Signal::SIGURG]).thread_unblock();
}

/// Ends the wait of a thread of ours, if it waits right now: to be repeated until it has.
pub fn end_wait(tid: u32) {
    // Not there yet.
    if tid == 0 {
        return;
    }
    signal_thread(std::process::id(), tid, WAKE);
}

fn parse_limit(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_ascii_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// In whose name a thread acts towards others (`struct ucred`, unix(7)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    pub user: u32,
    pub group: u32,
    pub groups: Vec<u32>,
}

/// Reads it; `None` when the thread is gone.
pub fn effective(tid: u32) -> Option<Effective> {
    parse_effective(&std::fs::read(format!("/proc/{tid}/status")).ok()?)
}

fn parse_effective(text: &[u8]) -> Option<Effective> {
    let line = |name: &[u8]| text.split(|byte| *byte == b'\n').find_map(|line| std::str::from_utf8(line.strip_prefix(name)?).ok());
    let second = |name: &[u8]| line(name)?.split_ascii_whitespace().nth(1)?.parse().ok();
    let groups = line(b"Groups:")?.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Effective { user: second(b"Uid:")?, group: second(b"Gid:")?, groups })
}

/// In whose name a thread opens files.
pub fn person(tid: u32) -> Option<Person> {
    let path = format!("/proc/{tid}/status");
    let mut text = [0; 4096];
    let length = File::open(&path).ok()?.read(&mut text).ok()?;
    // Only with hundreds of groups is there more.
    if length < text.len() { parse_person(&text[..length]) } else { parse_person(&std::fs::read(path).ok()?) }
}

fn parse_person(text: &[u8]) -> Option<Person> {
    let line = |name: &[u8]| text.split(|byte| *byte == b'\n').find_map(|line| std::str::from_utf8(line.strip_prefix(name)?).ok());
    let fourth = |name: &[u8]| line(name)?.split_ascii_whitespace().nth(3)?.parse().ok();
    let groups = line(b"Groups:")?.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let capabilities = u64::from_str_radix(line(b"CapEff:")?.trim(), 16).ok()? & FILES;
    Some(Person { user: fourth(b"Uid:")?, group: fourth(b"Gid:")?, groups, capabilities })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_from_the_right_lines() {
        let text = b"Name:\ta\\nTgid:\t7\nUmask:\t0027\nState:\tR (running)\nTgid:\t42\nNgid:\t0\nPid:\t43\nPPid:\t6\nTracerPid:\t0\nUid:\t1\t2\t3\t4\n";
        assert_eq!(parse_status(text), Some(Status { pid: 42, parent: 6, umask: Some(0o27) }));
        assert_eq!(parse_status(b""), None);
        let text = b"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t9 10 \nCapEff:\t0000000000000403\n";
        assert_eq!(parse_person(text), Some(Person { user: 4, group: 8, groups: vec![9, 10], capabilities: 3 }));
        assert_eq!(parse_effective(text), Some(Effective { user: 2, group: 6, groups: vec![9, 10] }));
        let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC;
        assert_eq!(flags_in("pos:\t0\nflags:\t02004002\nmnt_id:\t9\n"), Some(flags));
        assert_eq!(flags_in("pos:\t0\n"), None);
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax cpu time   unlimited  unlimited  seconds\nMax file size   4096   unlimited   bytes\n";
        assert_eq!(parse_limit(limits, "Max file size"), Some(4096));
        assert_eq!(parse_limit(limits, "Max cpu time"), Some(u64::MAX));
        assert!(file_size_limit(std::process::id()).is_some() && queues_limit(std::process::id()).is_some());
        let signals = |pending: &str, shared: &str, blocked: &str, caught: &str| {
            parse_signals(
                format!("SigQ:\t0/1\nSigPnd:\t{pending}\nShdPnd:\t{shared}\nSigBlk:\t{blocked}\nSigIgn:\t0\nSigCgt:\t{caught}\n")
                    .as_bytes(),
            )
        };
        assert_eq!(signals("0000000000000200", "0", "0", "0000000000000200"), Some(true));
        assert_eq!(signals("0", "2000", "0", "2000"), Some(true));
        assert_eq!(signals("200", "0", "200", "200"), Some(false));
        assert_eq!(signals("200", "0", "0", "400"), Some(false));
        assert_eq!(parse_signals(b"Name:\tx\n"), None);
        assert_eq!(status(std::process::id()).unwrap().pid, std::process::id());
        let text = b"42 (a) 1 2 (b)) S 6 7 8 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 99 1";
        assert_eq!(parse_stat(text), Some(Stat { ended: false, group: 7, session: 8, started: 12345 }));
        assert_eq!(parse_stat(b"42 (a"), None);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let began = stat(child.id()).unwrap();
        child.wait().unwrap();
        assert!(began.started <= now() && now() < began.started + 100 * 60, "{began:?}, now {}", now());
        assert_eq!(began.group, nix::unistd::getpgrp().as_raw() as u32);
        assert!(all().any(|pid| pid == std::process::id()));
    }
}
