//! The table of weaker grounds: old kernels and containers, made by the kernel's own means or, where this kernel is too new for that, by
//! filters that answer as the old one did. In each: how it is made, how it can be told to be weaker, and what must become of a build there.

use crate::footing::{Refusals, Step, Test};
use crate::place::Place;
use crate::who::Who;

/// One ground.
pub struct Ground {
    pub name: &'static str,
    /// What lies under the command, at this place.
    pub steps: fn(&Place) -> Vec<Step>,
    /// Variables that lower what Brig uses.
    pub lowers: &'static [(&'static str, &'static str)],
    /// A shell command that succeeds here and fails on ordinary ground: the control. Empty where only Brig is told.
    pub tells: String,
    /// What must become of a build as root, and as anybody else.
    pub fates: [Fate; 2],
    /// Processes outside cannot be seen from here, as root and as anybody else.
    alone: [bool; 2],
}

#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// What is weaker, beyond what is on ordinary ground; and how sockets are kept in.
    Holds { sockets: &'static str, weaker: &'static [&'static str] },
    /// Exit code 104, and a message with these words.
    Stops(&'static str),
}

const HOLDS: Fate = Fate::Holds { sockets: PRIVATE, weaker: &[] };
const PRIVATE: &str = "private-network";
const LOOPBACK: &str = "loopback-device";
const NONE: &str = "no-sockets";

const TRUNCATE: &str = "truncating by path is not walled";
const TCP: &str = "TCP is not walled";
const DEVICES: &str = "device commands are not walled";
const SIGNALS: &str = "signals are not walled";
const ABSTRACT: &str = "abstract unix sockets are not walled";
pub const UDP: &str = "UDP is not walled";
const SHARED: &str = "no private network";

impl Ground {
    pub fn fate(&self, who: Who) -> Fate {
        self.fates[usize::from(!who.is_root())]
    }

    /// Can processes outside be seen from here?
    pub fn sees_others(&self, who: Who) -> bool {
        !self.alone[usize::from(!who.is_root())]
    }

    fn alone(self) -> Ground {
        Ground { alone: [true; 2], ..self }
    }

    fn alone_but_for_root(self) -> Ground {
        Ground { alone: [false, true], ..self }
    }
}

fn ground(name: &'static str, tells: impl Into<String>, fate: Fate, steps: fn(&Place) -> Vec<Step>) -> Ground {
    Ground { name, steps, lowers: &[], tells: tells.into(), fates: [fate; 2], alone: [false; 2] }
}

/// Brig pretends an older kernel: there is nothing for anybody else to see.
fn lowered(name: &'static str, lowers: &'static [(&'static str, &'static str)], fate: Fate) -> Ground {
    Ground { name, steps: |_| Vec::new(), lowers, tells: String::new(), fates: [fate; 2], alone: [false; 2] }
}

/// The capabilities Docker leaves to root: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW,
/// SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
const DOCKER: &[u8] = &[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

pub const SECCOMP: &str = include_str!("docker-seccomp.txt");

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

const DOCKER_WEAKER: &[&str] = &[
    UDP,
    SHARED,
    "refused before the gate is asked: bpf, io_uring_setup, keyctl, mount, perf_event_open, pidfd_getfd, setns, unshare, userfaultfd",
];

fn docker_container(first: bool) -> Vec<Step> {
    then(container(first), &[Step::Capabilities(DOCKER), Step::Become, Step::Refuse(docker())])
}

/// In a user namespace, so that what this user runs elsewhere does not count.
fn processes(most: u64) -> Vec<Step> {
    vec![Step::Become, Step::Users, Step::Limit(libc::RLIMIT_NPROC, most)]
}

/// Everything.
pub fn all() -> Vec<Ground> {
    use Fate::{Holds, Stops};
    let loopback = Holds { sockets: LOOPBACK, weaker: &[UDP, SHARED] };
    let in_docker = Holds { sockets: LOOPBACK, weaker: DOCKER_WEAKER };
    let landlock = Stops("`landlock_*` through");
    let listeners = Stops("no seccomp listeners");
    let ptrace = Stops("lets `ptrace`, `process_vm_readv` and `process_vm_writev` through");
    let memory = Stops("`process_vm_readv`, `process_vm_writev` refused to Brig itself");
    let asks_landlock = fails(libc::SYS_landlock_create_ruleset, ", 0, 0, 1");
    let mut all = vec![
        lowered("ordinary", &[], HOLDS),
        lowered("landlock-1", &[(ABI, "1")], Stops("use Linux 5.19 or newer")),
        lowered("landlock-2", &[(ABI, "2")], Holds { sockets: PRIVATE, weaker: &[TRUNCATE, DEVICES, SIGNALS, ABSTRACT] }),
        lowered("landlock-4", &[(ABI, "4")], Holds { sockets: PRIVATE, weaker: &[DEVICES, SIGNALS, ABSTRACT] }),
        lowered("landlock-6", &[(ABI, "6")], HOLDS),
        lowered("loopback-device", &[(SOCKETS, LOOPBACK)], loopback),
        lowered("no-sockets", &[(SOCKETS, NONE)], Holds { sockets: NONE, weaker: &[UDP, SHARED] }),
        lowered(
            "landlock-2-loopback-device",
            &[(ABI, "2"), (SOCKETS, LOOPBACK)],
            Holds { sockets: LOOPBACK, weaker: &[TRUNCATE, TCP, DEVICES, SIGNALS, ABSTRACT, UDP, SHARED] },
        ),
        // Root has every right in its own namespace, and so needs no other for a private network.
        Ground {
            fates: [HOLDS, loopback],
            ..ground("no-user-namespaces", NO_USERS, loopback, |_| {
                vec![Step::Become, Step::Users, Step::Write("/proc/sys/user/max_user_namespaces", "0")]
            })
        },
        ground(
            "no-namespaces",
            NO_USERS,
            Holds { sockets: LOOPBACK, weaker: &[UDP, SHARED, "refused before the gate is asked: setns, unshare"] },
            |_| refusing(no_namespaces()),
        ),
        // The second is `docker run --init`.
        ground("docker", NO_USERS, in_docker, |_| docker_container(true)).alone(),
        ground("docker-init", NO_USERS, in_docker, |_| docker_container(false)).alone(),
        ground("docker-capabilities", "grep -q '^CapBnd:.*00000000a80425fb$' /proc/self/status", HOLDS, |_| {
            vec![Step::Capabilities(DOCKER), Step::Become]
        }),
        ground("no-capabilities", "grep -q '^CapBnd:.*0000000000000000$' /proc/self/status", HOLDS, |_| {
            vec![Step::Capabilities(&[]), Step::Become]
        }),
        ground("first-process", "test $$ = 1", HOLDS, |_| then(container(true), &[Step::Become])).alone(),
        ground("second-process", "test $$ = 2", HOLDS, |_| then(container(false), &[Step::Become])).alone(),
        ground("proc-hidepid", "grep -q '^none /proc .*hidepid' /proc/mounts", HOLDS, |_| {
            vec![Step::Mounts, proc_mount("hidepid=2"), Step::Become]
        })
        // Whom one may not trace one does not see there, and across Landlock's domains nobody traces. Root's group is exempt (`gid=0`).
        .alone_but_for_root(),
        ground("proc-subset", "! test -e /proc/meminfo && test -e /proc/self", HOLDS, |_| {
            vec![Step::Mounts, Step::Processes { first: false }, proc_mount("subset=pid"), Step::Become]
        })
        .alone(),
        ground("no-proc", "! test -e /proc/self", Stops("mount -t proc proc /proc"), |_| {
            let empty = Step::Mount { kind: "tmpfs", on: "/proc".into(), flags: 0, data: "" };
            vec![Step::Mounts, empty, Step::Become]
        }),
        ground(
            "foreign-proc",
            "! test \"$(readlink /proc/$$/exe)\" = \"$(readlink -f /bin/sh)\"",
            Stops("/proc belongs to another process namespace"),
            |_| vec![Step::Processes { first: false }, Step::Become],
        ),
        ground("read-only-sys", "grep -q ' /sys sysfs ro' /proc/mounts", HOLDS, |_| {
            vec![Step::Mounts, Step::Remount { on: "/sys", flags: libc::MS_RDONLY }, Step::Become]
        }),
        ground("few-devices", "! test -e /dev/shm", HOLDS, |_| vec![Step::Mounts, Step::FewDevices, Step::Become]),
        ground("noexec-tmp", "grep -q '/tmp tmpfs .*noexec' /proc/mounts", HOLDS, |place| {
            let on = place.path("tmp").to_str().unwrap().to_owned();
            let tmp = Step::Mount { kind: "tmpfs", on, flags: libc::MS_NOEXEC | libc::MS_NOSUID | libc::MS_NODEV, data: "mode=1777" };
            vec![Step::Mounts, tmp, Step::Become]
        }),
        ground("no-new-privileges", "grep -q '^NoNewPrivs:.1' /proc/self/status", HOLDS, |_| vec![Step::Become, Step::NoNewPrivileges]),
        ground("descriptors-256", "test $(ulimit -Hn) = 256", HOLDS, |_| vec![Step::Become, Step::Limit(libc::RLIMIT_NOFILE, 256)]),
        ground("descriptors-255", "test $(ulimit -Hn) = 255", Stops("ulimit -n 1024"), |_| {
            vec![Step::Become, Step::Limit(libc::RLIMIT_NOFILE, 255)]
        }),
        ground("descriptors-20", "test $(ulimit -Hn) = 20", Stops("ulimit -n 1024"), |_| {
            vec![Step::Become, Step::Limit(libc::RLIMIT_NOFILE, 20)]
        }),
        ground("no-ptrace", fails(libc::SYS_ptrace, ", 0, 0, 0, 0"), ptrace, |_| refusing(Refusals::of(&[libc::SYS_ptrace], libc::EPERM))),
        ground("old-docker", fails(libc::SYS_process_vm_readv, ", 0+$$, 0, 0, 0, 0, 0"), memory, |_| {
            refusing(Refusals::of(&[&VM[..], &[libc::SYS_ptrace]].concat(), libc::EPERM))
        }),
        ground("no-process-memory", fails(libc::SYS_process_vm_readv, ", 0+$$, 0, 0, 0, 0, 0"), memory, |_| {
            refusing(Refusals::of(&VM, libc::ENOSYS))
        }),
        ground("no-landlock", asks_landlock.clone(), landlock, |_| refusing(Refusals::of(&LANDLOCK, libc::ENOSYS))),
        ground("landlock-off", asks_landlock.clone(), Stops("add `landlock` to the `lsm=` list"), |_| {
            refusing(Refusals::of(&LANDLOCK, libc::EOPNOTSUPP))
        }),
        ground("landlock-refused", asks_landlock, landlock, |_| refusing(Refusals::of(&LANDLOCK, libc::EPERM))),
        ground(
            "landlock-half",
            refused(libc::SYS_landlock_add_rule, ", -1, 1, 0, 0"),
            Stops("lets `landlock_*`, `seccomp` and `prctl` through"),
            |_| refusing(Refusals::of(&LANDLOCK[1..], libc::EPERM)),
        ),
        ground("no-listeners", asks_seccomp(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER), listeners, |_| {
            refusing(flag(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER))
        }),
        ground("no-killable-wait", asks_seccomp(40), Stops("use Linux 5.19 or newer"), |_| {
            refusing(flag(libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV))
        }),
        ground("no-seccomp", refused(libc::SYS_seccomp, ", 2, 0, 0"), listeners, |_| {
            refusing(Refusals::of(&[libc::SYS_seccomp], libc::EPERM))
        }),
        ground("listened-to", "grep -q '^Seccomp:.2' /proc/self/status", Stops("another supervisor already listens"), |_| {
            vec![Step::Become, Step::Listener]
        }),
        ground("no-close-range", fails(libc::SYS_close_range, ", 999, 999, 0"), Stops("lets `close_range` through"), |_| {
            refusing(Refusals::of(&[libc::SYS_close_range], libc::EPERM))
        }),
        ground("no-openat2", refused(libc::SYS_openat2, ", -100, 0, 0, 0"), Stops("lets `openat2` through"), |_| {
            refusing(Refusals::of(&[libc::SYS_openat2], libc::EPERM))
        }),
        ground(
            "no-pidfd",
            fails(libc::SYS_pidfd_open, ", 0+$$, 0"),
            Holds { sockets: PRIVATE, weaker: &["refused before the gate is asked: pidfd_getfd"] },
            |_| refusing(Refusals::of(&[libc::SYS_pidfd_getfd, libc::SYS_pidfd_open], libc::EPERM)),
        ),
    ];
    // Root is not limited in the number of its processes.
    let few = |name, tells: &str, steps| Ground { fates: [HOLDS, Stops("`ulimit -u`")], ..ground(name, tells, HOLDS, steps) };
    all.extend([
        few("processes-1", "exec grep -q '^Max processes *1 ' /proc/self/limits", |_| processes(1)),
        few("processes-3", "exec grep -q '^Max processes *3 ' /proc/self/limits", |_| processes(3)),
        few("processes-12", "exec grep -q '^Max processes *12 ' /proc/self/limits", |_| processes(12)),
        ground("processes-40", "exec grep -q '^Max processes *40 ' /proc/self/limits", HOLDS, |_| processes(40)),
    ]);
    all
}
