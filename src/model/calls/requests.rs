//! What calls with many purposes were asked for, by name: `PTRACE_ATTACH`, `CLONE_NEWNS|CLONE_NEWPID`. For the record only: the other registers are addresses
//! and numbers that differ from run to run, and tell nobody anything.

/// Of one call: where the wish stands, and what it may be.
struct Request {
    number: i64,
    /// Which argument.
    at: usize,
    /// Another argument that has to be this: the same number means other things elsewhere.
    beside: Option<(usize, u32)>,
    /// Bits, each with a name of its own.
    flags: bool,
    names: &'static [(u32, &'static str)],
}

macro_rules! names {
    ($($constant:ident)+) => { &[$((libc::$constant as u32, stringify!($constant))),+] };
}

const fn value(number: i64, at: usize, names: &'static [(u32, &'static str)]) -> Request {
    Request { number, at, beside: None, flags: false, names }
}

const fn bits(number: i64, at: usize, names: &'static [(u32, &'static str)]) -> Request {
    Request { number, at, beside: None, flags: true, names }
}

const fn option(level: i32, names: &'static [(u32, &'static str)]) -> Request {
    Request { number: libc::SYS_setsockopt, at: 2, beside: Some((1, level as u32)), flags: false, names }
}

const NAMESPACES: &[(u32, &str)] = names!(CLONE_NEWNS CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET);

const TABLE: &[Request] = &[
    value(
        libc::SYS_ptrace,
        0,
        names!(PTRACE_TRACEME PTRACE_PEEKTEXT PTRACE_PEEKDATA PTRACE_PEEKUSER PTRACE_POKETEXT PTRACE_POKEDATA PTRACE_POKEUSER PTRACE_CONT
            PTRACE_KILL PTRACE_SINGLESTEP PTRACE_ATTACH PTRACE_DETACH PTRACE_SYSCALL PTRACE_SETOPTIONS PTRACE_GETEVENTMSG PTRACE_GETSIGINFO
            PTRACE_SETSIGINFO PTRACE_GETREGSET PTRACE_SETREGSET PTRACE_SEIZE PTRACE_INTERRUPT PTRACE_LISTEN PTRACE_PEEKSIGINFO),
    ),
    value(libc::SYS_prctl, 0, names!(PR_SET_DUMPABLE PR_GET_DUMPABLE PR_SET_PTRACER PR_SET_MM)),
    bits(libc::SYS_seccomp, 1, names!(SECCOMP_FILTER_FLAG_NEW_LISTENER)),
    bits(libc::SYS_unshare, 0, NAMESPACES),
    bits(libc::SYS_clone, 0, NAMESPACES),
    bits(libc::SYS_setns, 1, NAMESPACES),
    option(libc::SOL_SOCKET, names!(SO_BINDTODEVICE SO_BINDTOIFINDEX)),
    option(libc::IPPROTO_IP, names!(IP_OPTIONS)),
    option(libc::IPPROTO_IPV6, names!(IPV6_RTHDR IPV6_2292PKTOPTIONS)),
    // `linux/bpf.h`.
    value(
        libc::SYS_bpf,
        0,
        &[
            (0, "BPF_MAP_CREATE"),
            (1, "BPF_MAP_LOOKUP_ELEM"),
            (2, "BPF_MAP_UPDATE_ELEM"),
            (5, "BPF_PROG_LOAD"),
            (6, "BPF_OBJ_PIN"),
            (7, "BPF_OBJ_GET"),
            (8, "BPF_PROG_ATTACH"),
            (28, "BPF_LINK_CREATE"),
        ],
    ),
    // `linux/keyctl.h`.
    value(
        libc::SYS_keyctl,
        0,
        &[
            (0, "KEYCTL_GET_KEYRING_ID"),
            (1, "KEYCTL_JOIN_SESSION_KEYRING"),
            (2, "KEYCTL_UPDATE"),
            (3, "KEYCTL_REVOKE"),
            (4, "KEYCTL_CHOWN"),
            (5, "KEYCTL_SETPERM"),
            (6, "KEYCTL_DESCRIBE"),
            (8, "KEYCTL_LINK"),
            (10, "KEYCTL_SEARCH"),
            (11, "KEYCTL_READ"),
        ],
    ),
    // syslog(2).
    value(
        libc::SYS_syslog,
        0,
        &[
            (2, "SYSLOG_ACTION_READ"),
            (3, "SYSLOG_ACTION_READ_ALL"),
            (4, "SYSLOG_ACTION_READ_CLEAR"),
            (5, "SYSLOG_ACTION_CLEAR"),
            (9, "SYSLOG_ACTION_SIZE_UNREAD"),
            (10, "SYSLOG_ACTION_SIZE_BUFFER"),
        ],
    ),
    // `linux/kcmp.h`.
    value(libc::SYS_kcmp, 2, &[(0, "KCMP_FILE"), (1, "KCMP_VM"), (2, "KCMP_FILES"), (3, "KCMP_FS")]),
    // `asm-generic/ioctls.h`, `asm-generic/sockios.h`, `linux/fs.h`, `linux/btrfs.h`.
    value(
        libc::SYS_ioctl,
        1,
        &[
            (0x5412, "TIOCSTI"),
            (0x541c, "TIOCLINUX"),
            (0x541d, "TIOCCONS"),
            (0x5423, "TIOCSETD"),
            (0x5437, "TIOCVHANGUP"),
            (0x540e, "TIOCSCTTY"),
            (0x8901, "FIOSETOWN"),
            (0x8902, "SIOCSPGRP"),
            (0x4008_6602, "FS_IOC_SETFLAGS"),
            (0x401c_5820, "FS_IOC_FSSETXATTR"),
            (0xc018_9436, "FIDEDUPERANGE"),
            (0x5000_9401, "BTRFS_IOC_SNAP_CREATE"),
            (0x5000_940e, "BTRFS_IOC_SUBVOL_CREATE"),
            (0x5000_940f, "BTRFS_IOC_SNAP_DESTROY"),
            (0x5000_9417, "BTRFS_IOC_SNAP_CREATE_V2"),
            (0x5000_9418, "BTRFS_IOC_SUBVOL_CREATE_V2"),
        ],
    ),
];

/// What a call was asked for. Where that has no name, its number; nothing where the call has but one purpose.
pub fn request(number: i64, args: &[u64; 6]) -> Option<String> {
    let mut all = TABLE.iter().filter(|one| one.number == number).peekable();
    let at = all.peek()?.at;
    // The upper half of the register is none of an `int`.
    let is_beside = |one: &&Request| one.beside.is_none_or(|(at, value)| args[at] as u32 == value);
    let asked = args[at] as u32;
    let found = all.find(is_beside);
    let names: Vec<&str> =
        found.iter().flat_map(|one| one.names.iter().filter(|(value, _)| is_asked(one, asked, *value))).map(|(_, name)| *name).collect();
    Some(if names.is_empty() { format!("request {asked:#x}") } else { names.join("|") })
}

fn is_asked(request: &Request, asked: u32, value: u32) -> bool {
    if request.flags { asked & value != 0 } else { asked == value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_by_name() {
        const HIGH: u64 = 0xffff_ffff_0000_0000;
        for (number, args, expected) in [
            (libc::SYS_ptrace, [16, 4711, 0, 0], Some("PTRACE_ATTACH")),
            (libc::SYS_ptrace, [HIGH | 16, 4711, 0, 0], Some("PTRACE_ATTACH")),
            (libc::SYS_ptrace, [0, 0, 0, 0], Some("PTRACE_TRACEME")),
            (libc::SYS_ptrace, [0x4321, 0, 0, 0], Some("request 0x4321")),
            (libc::SYS_prctl, [0x5961_6d61, 0, 0, 0], Some("PR_SET_PTRACER")),
            (libc::SYS_unshare, [0x2002_0000, 0, 0, 0], Some("CLONE_NEWNS|CLONE_NEWPID")),
            (libc::SYS_unshare, [0x80, 0, 0, 0], Some("request 0x80")),
            (libc::SYS_setsockopt, [3, 1, 25, 0], Some("SO_BINDTODEVICE")),
            (libc::SYS_setsockopt, [3, 0, 25, 0], Some("request 0x19")),
            (libc::SYS_setsockopt, [3, 17, 25, 0], Some("request 0x19")),
            (libc::SYS_ioctl, [3, 0x5412, 0x7ffd_0000, 0], Some("TIOCSTI")),
            (libc::SYS_mount, [0x7ffd_0000, 0, 0, 0], None),
        ] {
            let args = [args[0], args[1], args[2], args[3], 0, 0];
            assert_eq!(request(number, &args).as_deref(), expected, "{number} {args:x?}");
        }
    }

    /// Whatever is refused for its request has the name of that.
    #[test]
    fn what_the_table_of_calls_names_has_a_name_here() {
        use super::super::{When, table};
        for row in table() {
            let at = TABLE.iter().find(|one| one.number == row.number && !one.flags && row.number != libc::SYS_ioctl).map(|one| one.at);
            let all = if let When::All(all) = row.when { all } else { std::slice::from_ref(&row.when) };
            for (at, when) in at.iter().flat_map(|at| all.iter().map(move |when| (*at, when))) {
                if let When::Equals { index, value, .. } = when
                    && usize::from(*index) == at
                {
                    assert!(
                        TABLE.iter().any(|one| one.number == row.number && one.names.iter().any(|(known, _)| u64::from(*known) == *value))
                    );
                }
            }
        }
    }
}
