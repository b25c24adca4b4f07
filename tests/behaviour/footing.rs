//! The ground under a command: namespaces, mounts, limits, missing capabilities, refused system calls, put there between fork and exec.
//! In: steps. Out: a process that stands on weaker ground than the machine offers, made by the kernel's own means wherever there are any.
//!
//! Where the tests run as root, mounts and process namespaces are made by root before the case's user is put on; where they do not, inside
//! a user namespace of their own.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::who::Who;

/// One thing that is taken away.
#[derive(Clone)]
pub enum Step {
    /// A process namespace. The command is its first process, or has one above it that only collects the dead.
    Processes {
        first: bool,
    },
    /// A mount namespace in which nothing that is mounted reaches anybody else.
    Mounts,
    /// Something mounted. Needs [`Step::Mounts`].
    Mount {
        kind: &'static str,
        on: String,
        flags: libc::c_ulong,
        data: &'static str,
    },
    /// What is there, mounted over itself with these flags more.
    Remount {
        on: &'static str,
        flags: libc::c_ulong,
    },
    /// A directory of devices with the barest few in it. Needs [`Step::Mounts`].
    FewDevices,
    /// Capabilities outside this list are gone, for root too.
    Capabilities(&'static [u8]),
    /// The case's user is put on; what stands before this is done as root where the tests run as root.
    Become,
    /// A user namespace that knows only this user.
    Users,
    /// A file written.
    Write(&'static str, &'static str),
    Limit(libc::__rlimit_resource_t, u64),
    NoNewPrivileges,
    Refuse(Refusals),
    /// Somebody already listens to this process's system calls (to one that nobody makes).
    Listener,
}

/// Calls that fail, by number: with which errno, and on which arguments.
#[derive(Clone, Default)]
pub struct Refusals(Vec<(i64, u16, Vec<Test>)>);

/// `argument & mask == value`. All tests of a refusal must hold.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    pub argument: u8,
    pub mask: u64,
    pub value: u64,
}

impl Refusals {
    pub fn of(calls: &[i64], errno: i32) -> Refusals {
        Refusals(calls.iter().map(|call| (*call, errno as u16, Vec::new())).collect())
    }

    pub fn and(mut self, call: i64, errno: i32, tests: &[Test]) -> Refusals {
        self.0.push((call, errno as u16, tests.to_vec()));
        self
    }

    /// A filter has one errno: one program for each.
    fn programs(&self) -> Vec<BpfProgram> {
        let mut by_errno: BTreeMap<u16, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
        for (call, errno, tests) in &self.0 {
            let condition = |test: &Test| {
                SeccompCondition::new(test.argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(test.mask), test.value).unwrap()
            };
            let rules = by_errno.entry(*errno).or_default().entry(*call).or_default();
            if !tests.is_empty() {
                rules.push(SeccompRule::new(tests.iter().map(condition).collect()).unwrap());
            }
        }
        let arch = || TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let compiled = |(errno, rules)| {
            let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(u32::from(errno)), arch()).unwrap();
            BpfProgram::try_from(filter).unwrap()
        };
        by_errno.into_iter().map(compiled).collect()
    }
}

/// A step with everything prepared that must not be made between fork and exec.
enum Ready {
    Step(Step),
    Mount { kind: CString, on: CString, flags: libc::c_ulong, data: CString },
    Remount { on: CString, flags: libc::c_ulong },
    Filters(Vec<BpfProgram>),
}

/// Puts the steps under `command`, which then runs as `who`. Without steps only the user is put on.
pub fn put_under(command: &mut Command, steps: &[Step], who: Who) {
    if steps.is_empty() {
        who.apply(command);
        return;
    }
    let steps: Vec<Ready> = steps.iter().cloned().map(ready).collect();
    let root = Uid::effective().is_root();
    // SAFETY: the closure runs in a forked child. What it calls are system calls; where it allocates, glibc has put its allocator in order
    // for the child of a fork. It touches no lock of ours.
    unsafe {
        command.pre_exec(move || {
            let spaces =
                steps.iter().any(|step| matches!(step, Ready::Step(Step::Processes { .. } | Step::Mounts | Step::Capabilities(_))));
            if !root && spaces {
                own_users()?;
            }
            steps.iter().try_for_each(|step| take(step, who))
        });
    }
}

fn ready(step: Step) -> Ready {
    match step {
        Step::Mount { kind, on, flags, data } => Ready::Mount { kind: text(kind), on: text(&on), flags, data: text(data) },
        Step::Remount { on, flags } => Ready::Remount { on: text(on), flags: flags | kept(on) },
        Step::Refuse(refusals) => Ready::Filters(refusals.programs()),
        other => Ready::Step(other),
    }
}

fn text(text: &str) -> CString {
    CString::new(Path::new(text).as_os_str().as_bytes()).unwrap()
}

/// Flags of a mount that a user namespace may not take away: mount_namespaces(7).
fn kept(on: &str) -> libc::c_ulong {
    let path = text(on);
    // SAFETY: all zeros is a valid value; the kernel fills the structure.
    let facts = unsafe {
        let mut facts: libc::statvfs = std::mem::zeroed();
        assert_eq!(libc::statvfs(path.as_ptr(), &raw mut facts), 0, "{on}");
        facts
    };
    facts.f_flag & (libc::ST_NOSUID | libc::ST_NODEV | libc::ST_NOEXEC | libc::ST_RDONLY)
}

fn take(step: &Ready, who: Who) -> io::Result<()> {
    match step {
        Ready::Mount { kind, on, flags, data } => mount(c"none", on, kind, *flags, data),
        Ready::Remount { on, flags } => {
            mount(on, on, c"", libc::MS_BIND | libc::MS_REC, c"")?;
            mount(c"none", on, c"", libc::MS_BIND | libc::MS_REMOUNT | flags, c"")
        }
        Ready::Filters(programs) => programs.iter().try_for_each(|program| apply_filter(program).map_err(io::Error::other)),
        Ready::Step(step) => take_plain(step, who),
    }
}

fn take_plain(step: &Step, who: Who) -> io::Result<()> {
    match step {
        Step::Processes { first } => processes(*first),
        Step::Mounts => {
            unshare(CloneFlags::CLONE_NEWNS)?;
            mount(c"none", c"/", c"", libc::MS_REC | libc::MS_PRIVATE, c"")
        }
        Step::FewDevices => few_devices(),
        Step::Capabilities(kept) => {
            (0..64).filter(|number| !kept.contains(number)).try_for_each(|number| {
                // SAFETY: no pointers.
                match unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) } {
                    // A number the kernel does not know, or that we may not drop: then there is none to be gained either.
                    -1 if ![Some(libc::EINVAL), Some(libc::EPERM)].contains(&io::Error::last_os_error().raw_os_error()) => {
                        Err(io::Error::last_os_error())
                    }
                    _ => Ok(()),
                }
            })
        }
        Step::Become => {
            if let Who::Ordinary { uid, gid } = who {
                nix::unistd::setgroups(&[])?;
                nix::unistd::setresgid(Gid::from_raw(gid), Gid::from_raw(gid), Gid::from_raw(gid))?;
                nix::unistd::setresuid(Uid::from_raw(uid), Uid::from_raw(uid), Uid::from_raw(uid))?;
                // Or its own files in /proc stay root's until the exec.
                nix::sys::prctl::set_dumpable(true)?;
                // Forgotten at a change of the user.
                nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            }
            Ok(())
        }
        Step::Users => own_users(),
        Step::Write(path, text) => std::fs::write(path, text),
        Step::Limit(resource, most) => {
            let limit = libc::rlimit { rlim_cur: *most, rlim_max: *most };
            // SAFETY: the structure outlives the call, which reads it.
            check(unsafe { libc::setrlimit(*resource, &raw const limit) })
        }
        Step::NoNewPrivileges => Ok(nix::sys::prctl::set_no_new_privs()?),
        Step::Listener => listener(),
        Step::Mount { .. } | Step::Remount { .. } | Step::Refuse(_) => unreachable!("made ready before the fork"),
    }
}

fn own_users() -> io::Result<()> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

/// Goes on in the new namespace; what stays outside hands on how the command ended.
fn processes(first: bool) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWPID)?;
    below()?;
    if first { Ok(()) } else { below() }
}

/// Forks, and goes on as the child. The parent collects the dead and ends as the child does.
fn below() -> io::Result<()> {
    // SAFETY: we are the only thread of a forked child.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?),
        // SAFETY: plain calls on plain numbers; `_exit` ends this process without running anything of the parent's.
        child => unsafe {
            // The end of the pipe by which the exec is told to have worked is the child's alone, and so are the streams.
            libc::close_range(0, libc::c_uint::MAX, 0);
            loop {
                let mut status = 0;
                let ended = libc::waitpid(-1, &raw mut status, 0);
                if ended == child {
                    libc::_exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) });
                }
                if ended == -1 && io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                    libc::_exit(127);
                }
            }
        },
    }
}

fn few_devices() -> io::Result<()> {
    let names = [c"null", c"zero", c"full", c"random", c"urandom", c"tty"];
    let open = |path: &CString| {
        // SAFETY: a C string; the descriptor is closed by the exec.
        let fd = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
        check(fd).map(|()| fd)
    };
    let path = |front: &str, name: &std::ffi::CStr| text(&format!("{front}{}", name.to_str().unwrap()));
    let devices: Vec<RawFd> = names.iter().map(|name| open(&path("/dev/", name))).collect::<Result<_, _>>()?;
    mount(c"none", c"/dev", c"tmpfs", libc::MS_NOSUID | libc::MS_NOEXEC, c"mode=755")?;
    for (name, device) in names.iter().zip(devices) {
        let (from, to) = (text(&format!("/proc/self/fd/{device}")), path("/dev/", name));
        std::fs::write(to.to_str().unwrap(), "")?;
        mount(&from, &to, c"", libc::MS_BIND, c"")?;
    }
    Ok(())
}

fn mount(from: &std::ffi::CStr, on: &std::ffi::CStr, kind: &std::ffi::CStr, flags: libc::c_ulong, data: &std::ffi::CStr) -> io::Result<()> {
    // SAFETY: C strings that outlive the call.
    check(unsafe { libc::mount(from.as_ptr(), on.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) })
}

/// A filter that notifies of a call that is not there any more, and whose listener stays open across the exec.
fn listener() -> io::Result<()> {
    nix::sys::prctl::set_no_new_privs()?;
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let program = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_nfsservctl as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // SAFETY: the program outlives the call. The descriptor it returns is kept open on purpose.
    unsafe {
        let fd = libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) as RawFd;
        check(fd)?;
        check(libc::fcntl(fd, libc::F_SETFD, 0))
    }
}

fn check(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
