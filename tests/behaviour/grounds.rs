//! The table of weaker grounds: old kernels and containers, made by the kernel's own means or, where this kernel is too new for that, by
//! filters that answer as the old one did. In each: how it is made, how it can be told to be weaker, and what must become of a build there.

use crate::footing::{Refusals, Step, Test};
use crate::place::Place;

/// One ground.
pub struct Ground {
    pub name: &'static str,
    /// What lies under the command, at this place.
    pub steps: fn(&Place) -> Vec<Step>,
    /// Variables that lower what Brig uses.
    pub lowers: &'static [(&'static str, &'static str)],
    /// A shell command that fails on ordinary ground and succeeds on this one: the control.
    pub tells: String,
}

fn ground(name: &'static str, tells: impl Into<String>, steps: fn(&Place) -> Vec<Step>) -> Ground {
    Ground { name, steps, lowers: &[], tells: tells.into() }
}

/// Brig pretends an older kernel: there is nothing for anybody else to see.
fn lowered(name: &'static str, lowers: &'static [(&'static str, &'static str)]) -> Ground {
    Ground { name, steps: |_| Vec::new(), lowers, tells: String::new() }
}

/// The capabilities Docker leaves to root: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW,
/// SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
const DOCKER: &[u8] = &[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

const SECCOMP: &str = include_str!("docker-seccomp.txt");

/// Docker's profile, as the file beside this one tells it.
pub fn docker() -> Refusals {
    let mut refusals = Refusals::default();
    for line in SECCOMP.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, x86_64, aarch64, errno, tests @ ..] = words.as_slice() else { panic!("{line}") };
        let number = if cfg!(target_arch = "x86_64") { x86_64 } else { aarch64 };
        let Ok(number) = number.parse() else { continue };
        let errno = if *errno == "ENOSYS" { libc::ENOSYS } else { libc::EPERM };
        let tests: Vec<Test> = tests.iter().filter_map(|test| test.strip_prefix('a')).map(test).collect();
        refusals = refusals.and(number, errno, &tests);
    }
    refusals
}

/// `N&MASK=VALUE`
fn test(text: &str) -> Test {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
        None => text.parse().unwrap(),
    };
    let (argument, rest) = text.split_once('&').unwrap();
    let (mask, value) = rest.split_once('=').unwrap();
    Test { argument: number(argument) as u8, mask: number(mask), value: number(value) }
}

fn proc_mount(data: &'static str) -> Step {
    Step::Mount { kind: "proc", on: "/proc".into(), flags: libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC, data }
}

/// A container's namespaces.
fn container(first: bool) -> Vec<Step> {
    vec![Step::Mounts, Step::Processes { first }, proc_mount(""), Step::Remount { on: "/sys", flags: libc::MS_RDONLY }]
}

fn then(mut steps: Vec<Step>, more: &[Step]) -> Vec<Step> {
    steps.extend_from_slice(more);
    steps
}

fn refusing(refusals: Refusals) -> Vec<Step> {
    vec![Step::Become, Step::Refuse(refusals)]
}

/// Succeeds where this call fails.
fn fails(number: i64, arguments: &str) -> String {
    format!("perl -e 'exit(syscall({number}{arguments}) != -1)'")
}

/// Succeeds where this call is refused, and fails where the kernel has another objection.
fn refused(number: i64, arguments: &str) -> String {
    format!("perl -e 'syscall({number}{arguments}); exit($!{{EPERM}} ? 0 : 1)'")
}

const NEW: &[u64] = &[0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

fn no_namespaces() -> Refusals {
    let none = Refusals::of(&[libc::SYS_unshare, libc::SYS_setns], libc::EPERM).and(libc::SYS_clone3, libc::ENOSYS, &[]);
    NEW.iter().fold(none, |refusals, bit| refusals.and(libc::SYS_clone, libc::EPERM, &[Test { argument: 0, mask: *bit, value: *bit }]))
}

const LANDLOCK: [i64; 3] = [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];
const VM: [i64; 2] = [libc::SYS_process_vm_readv, libc::SYS_process_vm_writev];

fn flag(flag: libc::c_ulong) -> Refusals {
    Refusals::default().and(libc::SYS_seccomp, libc::EINVAL, &[Test { argument: 1, mask: flag, value: flag }])
}

fn asks_seccomp(flags: libc::c_ulong) -> String {
    // A null program: EFAULT from a kernel that knows the flags.
    format!("perl -e 'syscall({}, 1, {flags}, 0); exit($!{{EFAULT}} ? 1 : 0)'", libc::SYS_seccomp)
}

const ABI: &str = "BRIG_LANDLOCK_ABI";
const SOCKETS: &str = "BRIG_TEST_SOCKETS";
const NO_USERS: &str = "! unshare -U true";

/// Everything.
pub fn all() -> Vec<Ground> {
    vec![
        lowered("ordinary", &[]),
        lowered("landlock-1", &[(ABI, "1")]),
        lowered("landlock-2", &[(ABI, "2")]),
        lowered("landlock-4", &[(ABI, "4")]),
        lowered("landlock-6", &[(ABI, "6")]),
        lowered("loopback-device", &[(SOCKETS, "loopback-device")]),
        lowered("no-sockets", &[(SOCKETS, "no-sockets")]),
        lowered("landlock-2-loopback-device", &[(ABI, "2"), (SOCKETS, "loopback-device")]),
        ground("no-user-namespaces", NO_USERS, |_| vec![Step::Become, Step::Users, Step::Write("/proc/sys/user/max_user_namespaces", "0")]),
        ground("no-namespaces", NO_USERS, |_| refusing(no_namespaces())),
        ground("docker", NO_USERS, |_| {
            then(container(true), &[Step::Capabilities(DOCKER), Step::Become, Step::Refuse(docker())])
        }),
        ground("docker-init", NO_USERS, |_| {
            then(container(false), &[Step::Capabilities(DOCKER), Step::Become, Step::Refuse(docker())])
        }),
        ground("docker-capabilities", "grep -q '^CapBnd:.*00000000a80425fb$' /proc/self/status", |_| {
            vec![Step::Capabilities(DOCKER), Step::Become]
        }),
        ground("no-capabilities", "grep -q '^CapBnd:.*0000000000000000$' /proc/self/status", |_| {
            vec![Step::Capabilities(&[]), Step::Become]
        }),
        ground("first-process", "test $$ = 1", |_| then(container(true), &[Step::Become])),
        ground("process-namespace", "test $$ = 2", |_| then(container(false), &[Step::Become])),
        ground("proc-hidepid", "grep -q '^none /proc .*hidepid' /proc/mounts", |_| {
            vec![Step::Mounts, Step::Processes { first: false }, proc_mount("hidepid=2"), Step::Become]
        }),
        ground("proc-subset", "! test -e /proc/meminfo && test -e /proc/self", |_| {
            vec![Step::Mounts, Step::Processes { first: false }, proc_mount("subset=pid"), Step::Become]
        }),
        ground("no-proc", "! test -e /proc/self", |_| {
            let empty = Step::Mount { kind: "tmpfs", on: "/proc".into(), flags: 0, data: "" };
            vec![Step::Mounts, empty, Step::Become]
        }),
        ground("foreign-proc", "! test \"$(readlink /proc/self)\" = \"$(perl -e 'print getppid')\"; true", |_| {
            vec![Step::Processes { first: false }, Step::Become]
        }),
        ground("read-only-sys", "grep -q ' /sys sysfs ro' /proc/mounts", |_| {
            vec![Step::Mounts, Step::Remount { on: "/sys", flags: libc::MS_RDONLY }, Step::Become]
        }),
        ground("few-devices", "! test -e /dev/shm", |_| vec![Step::Mounts, Step::FewDevices, Step::Become]),
        ground("noexec-tmp", "grep -q '/tmp tmpfs .*noexec' /proc/mounts", |place| {
            let on = place.path("tmp").to_str().unwrap().to_owned();
            let tmp = Step::Mount { kind: "tmpfs", on, flags: libc::MS_NOEXEC | libc::MS_NOSUID | libc::MS_NODEV, data: "mode=1777" };
            vec![Step::Mounts, tmp, Step::Become]
        }),
        ground("no-new-privileges", "grep -q '^NoNewPrivs:.1' /proc/self/status", |_| vec![Step::Become, Step::NoNewPrivileges]),
        ground("few-descriptors", "test $(ulimit -Hn) = 256", |_| vec![Step::Become, Step::Limit(libc::RLIMIT_NOFILE, 256)]),
        ground("very-few-descriptors", "test $(ulimit -Hn) = 40", |_| vec![Step::Become, Step::Limit(libc::RLIMIT_NOFILE, 40)]),
        ground("few-processes-1", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 1)]),
        ground("few-processes-2", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 2)]),
        ground("few-processes-3", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 3)]),
        ground("few-processes-4", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 4)]),
        ground("few-processes-6", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 6)]),
        ground("few-processes-8", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 8)]),
        ground("few-processes-10", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 10)]),
        ground("few-processes-12", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 12)]),
        ground("few-processes-16", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 16)]),
        ground("few-processes-20", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 20)]),
        ground("few-processes-30", "test x", |_| vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, 30)]),
        ground("no-ptrace", fails(libc::SYS_ptrace, ", 0, 0, 0, 0"), |_| refusing(Refusals::of(&[libc::SYS_ptrace], libc::EPERM))),
        ground("old-docker-no-ptrace", fails(libc::SYS_process_vm_readv, ", $$, 0, 0, 0, 0, 0"), |_| {
            refusing(Refusals::of(&[&VM[..], &[libc::SYS_ptrace]].concat(), libc::EPERM))
        }),
        ground("no-process-memory", fails(libc::SYS_process_vm_readv, ", $$, 0, 0, 0, 0, 0"), |_| refusing(Refusals::of(&VM, libc::ENOSYS))),
        ground("no-landlock", fails(libc::SYS_landlock_create_ruleset, ", 0, 0, 1"), |_| refusing(Refusals::of(&LANDLOCK, libc::ENOSYS))),
        ground("landlock-off", fails(libc::SYS_landlock_create_ruleset, ", 0, 0, 1"), |_| refusing(Refusals::of(&LANDLOCK, libc::EOPNOTSUPP))),
        ground("landlock-refused", fails(libc::SYS_landlock_create_ruleset, ", 0, 0, 1"), |_| refusing(Refusals::of(&LANDLOCK, libc::EPERM))),
        ground("landlock-half", refused(libc::SYS_landlock_restrict_self, ", -1, 0"), |_| {
            refusing(Refusals::of(&LANDLOCK[1..], libc::EPERM))
        }),
        ground("no-listeners", asks_seccomp(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER), |_| {
            refusing(flag(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER))
        }),
        ground("no-killable-wait", asks_seccomp(40), |_| refusing(flag(libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV))),
        ground("no-seccomp", fails(libc::SYS_seccomp, ", 2, 0, 0"), |_| refusing(Refusals::of(&[libc::SYS_seccomp], libc::EPERM))),
        ground("listened-to", "grep -q '^Seccomp:.2' /proc/self/status", |_| vec![Step::Become, Step::Listener]),
        ground("no-close-range", fails(libc::SYS_close_range, ", 999, 999, 0"), |_| {
            refusing(Refusals::of(&[libc::SYS_close_range], libc::EPERM))
        }),
        ground("no-openat2", refused(libc::SYS_openat2, ", -100, 0, 0, 0"), |_| {
            refusing(Refusals::of(&[libc::SYS_openat2], libc::EPERM))
        }),
        ground("no-pidfd-getfd", refused(libc::SYS_pidfd_getfd, ", -1, 0, 0"), |_| {
            refusing(Refusals::of(&[libc::SYS_pidfd_getfd], libc::EPERM))
        }),
        ground("no-pidfd", fails(libc::SYS_pidfd_open, ", $$, 0"), |_| {
            refusing(Refusals::of(&[libc::SYS_pidfd_getfd, libc::SYS_pidfd_open], libc::EPERM))
        }),
    ]
}
