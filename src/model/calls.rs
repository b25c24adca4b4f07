//! The one table of system calls: from it follow both the seccomp program and the gate's dispatch.
//!
//! What is *not* here runs untouched and unseen. Left out on purpose: `close`, `dup*`, `fork`, `vfork`, `wait*`, `read`, `write`, `mmap` (a
//! signal between queueing and receiving loses the call and programs hang), `stat*` and `readlink*` (three quarters of all calls,
//! and they say little), `socketpair` (every `std::process::Command` may use it), the `setuid` family (GNU make calls `setresuid` at
//! each start), `pidfd_open` (gcc), `adjtimex` (reading is honest).

use std::ops::Range;

use self::ioctls::{IOCTLS, TIOCSCTTY};

use Treatment::{
    Absent, Bind, Change, Clock, Connect, Device, Exec, Ipc, Itself, Memfd, Open, Peer, Restrict, Schedule, Send, Signal, Socket, Tamper,
    Watch,
};

/// What is done about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// open, openat, openat2, creat.
    Open,
    /// A write that is not an open: rename, link, unlink, mkdir, truncate, chmod, chown, utimes, xattr, mknod …
    Change,
    /// inotify_add_watch: judged as the read it stands for.
    Watch,
    /// execve, execveat.
    Exec,
    Socket,
    Connect,
    /// sendto with an address, sendmsg, sendmmsg.
    Send,
    Bind,
    /// getsockopt, where it asks who is at the other end.
    Peer,
    /// memfd_create: granted only sealed against exec.
    Memfd,
    /// kill and its kin: free among the actor's own processes.
    Signal,
    /// Priority, processors and limits: free among the actor's own processes.
    Schedule,
    /// System V IPC and POSIX message queues: not during a build.
    Ipc,
    /// ioctl, but for requests everybody may make: refused, and recorded unless honest programs try it and do without.
    Device,
    /// What says the time, or the machine's name: only of those for whom it is made up (see [`clocks`]).
    Clock,
    /// landlock_restrict_self: what is done on the caller's behalf is done behind its own sandbox from then on.
    Restrict,
    /// Free towards the caller itself, what only compares towards its children too, and a program traces its own; towards everybody else as `Tamper`.
    Itself,
    /// Refused with EPERM by the gate and recorded.
    Tamper,
    /// Answered ENOSYS in the kernel, unrecorded: libcs fall back (clone3).
    Absent,
}

/// When the row applies: a test on registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// `(args[index] & mask) != 0`
    AnyBit {
        index: u8,
        mask: u64,
    },
    /// `args[index] == value`, compared on 32 bits when `dword`.
    Equals {
        index: u8,
        value: u64,
        dword: bool,
    },
    /// `args[index]` is none of these, compared on 32 bits.
    NoneOf {
        index: u8,
        values: &'static [u32],
    },
    /// `args[index] != 0`, on all 64 bits: never narrower than what the kernel sees.
    NonZero {
        index: u8,
    },
    /// All of these hold.
    All(&'static [When]),
}

impl When {
    /// Whether the registers of a call satisfy this test: the same answer the seccomp program gives.
    pub fn holds(self, args: &[u64; 6]) -> bool {
        let register = |index: u8| args.get(usize::from(index)).copied().unwrap_or(0);
        match self {
            When::Always => true,
            When::AnyBit { index, mask } => register(index) & mask != 0,
            When::Equals { index, value, dword: true } => register(index) & 0xffff_ffff == value & 0xffff_ffff,
            When::Equals { index, value, dword: false } => register(index) == value,
            When::NoneOf { index, values } => !values.contains(&(register(index) as u32)),
            When::NonZero { index } => register(index) != 0,
            When::All(tests) => tests.iter().all(|test| test.holds(args)),
        }
    }
}

/// One row. A call may have several rows; any that applies sends it to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub number: i64,
    pub name: &'static str,
    pub treatment: Treatment,
    pub when: When,
}

/// The last call this table was written for: 472 is `fchroot` (Linux 7.3). A newer one does not exist for an actor until
/// somebody has read what it does; libcs fall back as they do on an older kernel.
pub const LAST_KNOWN: u32 = 472;

/// Numbers of the x32 ABI, which carry the mark of the native one: bit 30 (`__X32_SYSCALL_BIT`).
pub const X32: Option<Range<u32>> = if cfg!(target_arch = "x86_64") { Some(0x4000_0000..0x8000_0000) } else { None };

/// Whether a notified call is of another ABI than this machine's own, so that its number must not be looked up in the table.
pub fn is_foreign(native: bool, number: i64) -> bool {
    !native || X32.is_some_and(|range| u32::try_from(number).is_ok_and(|number| range.contains(&number)))
}

/// All rows for this architecture.
pub fn table() -> &'static [Row] {
    TABLE
}

/// Calls that say when and where it is: by the clock on the wall, on a machine of which name. Rows beside the table, for runs in which either is made
/// up; nobody else's calls of these stop.
pub fn clocks() -> &'static [Row] {
    CLOCKS
}

/// The row of a notified call: the first with this number (rows of one number share a treatment).
pub fn row(number: i64) -> Option<&'static Row> {
    table().iter().chain(CLOCKS).find(|row| row.number == number)
}

/// A row whose number is libc's constant, and whose name is that constant's name: the two cannot disagree.
macro_rules! row {
    ($treatment:ident $constant:ident) => {
        row!($treatment $constant when When::Always)
    };
    ($treatment:ident $constant:ident when $when:expr) => {
        Row { number: libc::$constant, name: stringify!($constant).split_at("SYS_".len()).1, treatment: $treatment, when: $when }
    };
    ($treatment:ident $name:literal = $number:literal) => {
        Row { number: $number, name: $name, treatment: $treatment, when: When::Always }
    };
}

/// A `prctl` option, socket option or ioctl: an `int` or `unsigned int` for the kernel, so the upper half of the register is ignored.
const fn int(index: u8, value: u64) -> When {
    When::Equals { index, value, dword: true }
}

/// Every namespace flag `clone` takes. CLONE_NEWTIME is not one of them: its bit is part of the exit signal here.
const CLONE_NEW: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32 as u64;

pub const MSG_FASTOPEN: u64 = 0x2000_0000;
/// `asm-generic/fcntl.h`.
pub const F_SETOWN_EX: i32 = 15;
/// `F_LINUX_SPECIFIC_BASE` + 16 (`linux/fcntl.h`).
const F_SETDELEG: i32 = 1040;
/// Linux 6.5; libc does not declare it for every target.
const SO_PEERPIDFD: u64 = 77;

const TABLE: &[Row] = &[
    // The hottest first: the gate looks rows up in this order.
    row!(Open SYS_openat),
    #[cfg(target_arch = "x86_64")]
    row!(Open SYS_open),
    row!(Open SYS_openat2),
    #[cfg(target_arch = "x86_64")]
    row!(Open SYS_creat),
    row!(Exec SYS_execve),
    row!(Exec SYS_execveat),
    // Writes that are not opens. Those that work on a descriptor are here too where reading rights suffice to obtain it.
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_rename),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_renameat),
    // aarch64 still has it (asm-generic 38); libc 0.2 does not name it there.
    #[cfg(target_arch = "aarch64")]
    row!(Change "renameat" = 38),
    row!(Change SYS_renameat2),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_link),
    row!(Change SYS_linkat),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_symlink),
    row!(Change SYS_symlinkat),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_unlink),
    row!(Change SYS_unlinkat),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_rmdir),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_mkdir),
    row!(Change SYS_mkdirat),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_mknod),
    row!(Change SYS_mknodat),
    row!(Change SYS_truncate),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_chmod),
    row!(Change SYS_fchmod),
    row!(Change SYS_fchmodat),
    // Linux 6.6.
    row!(Change "fchmodat2" = 452),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_chown),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_lchown),
    row!(Change SYS_fchown),
    row!(Change SYS_fchownat),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_utime),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_utimes),
    #[cfg(target_arch = "x86_64")]
    row!(Change SYS_futimesat),
    row!(Change SYS_utimensat),
    row!(Change SYS_setxattr),
    row!(Change SYS_lsetxattr),
    row!(Change SYS_fsetxattr),
    // Linux 6.13.
    row!(Change "setxattrat" = 463),
    row!(Change SYS_removexattr),
    row!(Change SYS_lremovexattr),
    row!(Change SYS_fremovexattr),
    // Linux 6.13.
    row!(Change "removexattrat" = 466),
    // Linux 6.17.
    row!(Change "file_setattr" = 469),
    row!(Watch SYS_inotify_add_watch),
    row!(Socket SYS_socket),
    row!(Connect SYS_connect),
    row!(Send SYS_sendto when When::NonZero { index: 4 }),
    row!(Send SYS_sendto when When::AnyBit { index: 3, mask: MSG_FASTOPEN }),
    row!(Send SYS_sendmsg),
    row!(Send SYS_sendmmsg),
    row!(Bind SYS_bind),
    // Who is at the other end of a unix socket. The second since Linux 6.5.
    row!(Peer SYS_getsockopt when When::All(&[int(1, libc::SOL_SOCKET as u64), int(2, libc::SO_PEERCRED as u64)])),
    row!(Peer SYS_getsockopt when When::All(&[int(1, libc::SOL_SOCKET as u64), int(2, SO_PEERPIDFD)])),
    row!(Peer SYS_getsockopt when When::All(&[int(1, libc::SOL_SOCKET as u64), int(2, libc::SO_PEERGROUPS as u64)])),
    row!(Memfd SYS_memfd_create),
    row!(Restrict SYS_landlock_restrict_self),
    // From Landlock ABI 6 on the kernel keeps them inside as well, but tells nobody.
    row!(Signal SYS_kill),
    row!(Signal SYS_tkill),
    row!(Signal SYS_tgkill),
    row!(Signal SYS_rt_sigqueueinfo),
    row!(Signal SYS_rt_tgsigqueueinfo),
    row!(Signal SYS_pidfd_send_signal),
    // Whom the kernel is to signal when a descriptor has news; the second with a structure behind a pointer.
    row!(Signal SYS_fcntl when int(1, libc::F_SETOWN as u64)),
    row!(Signal SYS_fcntl when int(1, F_SETOWN_EX as u64)),
    // Whoever opens a leased file waits for the holder, up to 45 seconds (fcntl(2), `lease-break-time`), and has told it so: that would be
    // the gate. The second since Linux 6.19, for directories too.
    row!(Signal SYS_fcntl when int(1, libc::F_SETLEASE as u64)),
    row!(Signal SYS_fcntl when int(1, F_SETDELEG as u64)),
    // What processes of a user share by number or name.
    row!(Ipc SYS_shmget),
    row!(Ipc SYS_shmat),
    row!(Ipc SYS_shmctl),
    row!(Ipc SYS_semget),
    row!(Ipc SYS_semop),
    row!(Ipc SYS_semtimedop),
    row!(Ipc SYS_semctl),
    row!(Ipc SYS_msgget),
    row!(Ipc SYS_msgsnd),
    row!(Ipc SYS_msgrcv),
    row!(Ipc SYS_msgctl),
    row!(Ipc SYS_mq_open),
    row!(Ipc SYS_mq_unlink),
    // Other processes' memory, descriptors and limits.
    row!(Itself SYS_ptrace),
    row!(Itself SYS_process_vm_readv),
    row!(Tamper SYS_process_vm_writev),
    row!(Tamper SYS_process_madvise),
    row!(Tamper SYS_process_mrelease),
    row!(Tamper SYS_pidfd_getfd),
    row!(Itself SYS_kcmp),
    row!(Tamper SYS_move_pages when When::NonZero { index: 0 }),
    row!(Tamper SYS_migrate_pages when When::NonZero { index: 0 }),
    // Runtimes read and set their own limits (pid 0) and may read another's; setting another's is how cargo would be crippled.
    row!(Schedule SYS_prlimit64 when When::All(&[When::NonZero { index: 0 }, When::NonZero { index: 2 }])),
    row!(Schedule SYS_setpriority when When::NonZero { index: 0 }),
    row!(Schedule SYS_setpriority when When::NonZero { index: 1 }),
    row!(Schedule SYS_ioprio_set when When::AnyBit { index: 0, mask: 2 }),
    row!(Schedule SYS_ioprio_set when When::NonZero { index: 1 }),
    // Threads are named here by their own numbers, too (pthread_setaffinity_np).
    row!(Schedule SYS_sched_setaffinity when When::NonZero { index: 0 }),
    row!(Schedule SYS_sched_setscheduler when When::NonZero { index: 0 }),
    row!(Schedule SYS_sched_setparam when When::NonZero { index: 0 }),
    row!(Schedule SYS_sched_setattr when When::NonZero { index: 0 }),
    // Ways to act that no filter sees, or to stall whoever reads the actor's memory.
    row!(Tamper SYS_io_uring_setup),
    row!(Tamper SYS_io_uring_enter),
    row!(Tamper SYS_io_uring_register),
    row!(Tamper SYS_bpf),
    row!(Tamper SYS_perf_event_open),
    row!(Tamper SYS_userfaultfd),
    row!(Tamper SYS_memfd_secret),
    row!(Tamper SYS_seccomp when When::AnyBit { index: 1, mask: libc::SECCOMP_FILTER_FLAG_NEW_LISTENER }),
    row!(Tamper SYS_fanotify_init),
    row!(Tamper SYS_lookup_dcookie),
    // A process that is not dumpable cannot be read by the gate.
    row!(Itself SYS_prctl when int(0, libc::PR_SET_DUMPABLE as u64)),
    row!(Itself SYS_prctl when int(0, libc::PR_GET_DUMPABLE as u64)),
    row!(Itself SYS_prctl when int(0, libc::PR_SET_PTRACER as u64)),
    // Forges /proc/<pid>/exe and the command line, where it is permitted at all.
    row!(Itself SYS_prctl when int(0, libc::PR_SET_MM as u64)),
    // Files by handle, past every path.
    row!(Tamper SYS_open_by_handle_at),
    row!(Tamper SYS_name_to_handle_at),
    // Keyrings.
    row!(Tamper SYS_add_key),
    row!(Tamper SYS_keyctl),
    row!(Tamper SYS_request_key),
    // Mounts and namespaces.
    row!(Tamper SYS_mount),
    row!(Tamper SYS_umount2),
    row!(Tamper SYS_fsopen),
    row!(Tamper SYS_fsmount),
    row!(Tamper SYS_fsconfig),
    row!(Tamper SYS_fspick),
    row!(Tamper SYS_move_mount),
    row!(Tamper SYS_open_tree),
    // Linux 6.15.
    row!(Tamper "open_tree_attr" = 467),
    row!(Tamper SYS_mount_setattr),
    row!(Tamper SYS_pivot_root),
    row!(Tamper SYS_chroot),
    row!(Tamper "fchroot" = 472),
    row!(Itself SYS_unshare),
    row!(Tamper SYS_setns),
    row!(Tamper SYS_clone when When::AnyBit { index: 0, mask: CLONE_NEW }),
    // The machine: an actor that runs as root must not be able to change it either.
    row!(Tamper SYS_init_module),
    row!(Tamper SYS_finit_module),
    row!(Tamper SYS_delete_module),
    row!(Tamper SYS_kexec_load),
    row!(Tamper SYS_kexec_file_load),
    row!(Tamper SYS_quotactl),
    row!(Tamper SYS_quotactl_fd),
    row!(Tamper SYS_acct),
    row!(Tamper SYS_swapon),
    row!(Tamper SYS_swapoff),
    row!(Tamper SYS_reboot),
    row!(Tamper SYS_settimeofday),
    row!(Tamper SYS_clock_settime),
    row!(Tamper SYS_sethostname),
    row!(Tamper SYS_setdomainname),
    row!(Tamper SYS_vhangup),
    row!(Tamper SYS_nfsservctl),
    #[cfg(target_arch = "x86_64")]
    row!(Tamper SYS_iopl),
    #[cfg(target_arch = "x86_64")]
    row!(Tamper SYS_ioperm),
    row!(Device SYS_ioctl when When::NoneOf { index: 1, values: IOCTLS }),
    // Stealing a terminal from its session; taking one nobody has is what pty tests do.
    row!(Device SYS_ioctl when When::All(&[int(1, TIOCSCTTY as u64), int(2, 1)])),
    // What the kernel has logged: names, addresses, and whatever drivers say.
    row!(Tamper SYS_syslog),
    // With CAP_NET_RAW either would free a socket that was bound to `lo`.
    row!(Tamper SYS_setsockopt when When::All(&[int(1, libc::SOL_SOCKET as u64), int(2, libc::SO_BINDTODEVICE as u64)])),
    row!(Tamper SYS_setsockopt when When::All(&[int(1, libc::SOL_SOCKET as u64), int(2, libc::SO_BINDTOIFINDEX as u64)])),
    // By which other machine a packet goes first: then an address says little.
    row!(Tamper SYS_setsockopt when When::All(&[int(1, libc::IPPROTO_IP as u64), int(2, libc::IP_OPTIONS as u64)])),
    row!(Tamper SYS_setsockopt when When::All(&[int(1, libc::IPPROTO_IPV6 as u64), int(2, libc::IPV6_RTHDR as u64)])),
    row!(Tamper SYS_setsockopt when When::All(&[int(1, libc::IPPROTO_IPV6 as u64), int(2, libc::IPV6_2292PKTOPTIONS as u64)])),
    // Its flags are behind a pointer: libcs fall back to clone, whose flags are in a register.
    row!(Absent SYS_clone3),
];

/// `CLOCK_REALTIME`, `CLOCK_REALTIME_COARSE`, `CLOCK_TAI` (clock_gettime(2)); all others count from somewhere else. The last two read the clock where
/// they do not set it.
static CLOCKS: &[Row] = &[
    row!(Clock SYS_clock_gettime when int(0, libc::CLOCK_REALTIME as u64)),
    row!(Clock SYS_clock_gettime when int(0, libc::CLOCK_REALTIME_COARSE as u64)),
    row!(Clock SYS_clock_gettime when int(0, libc::CLOCK_TAI as u64)),
    row!(Clock SYS_gettimeofday),
    #[cfg(target_arch = "x86_64")]
    row!(Clock SYS_time),
    row!(Clock SYS_uname),
    row!(Clock SYS_adjtimex),
    row!(Clock SYS_clock_adjtime),
];

mod ioctls;
pub mod requests;
#[cfg(test)]
mod tests;
