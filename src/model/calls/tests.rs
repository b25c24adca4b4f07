//! The table is whole: what it holds, and what it leaves out.

use super::*;

/// The whole table as text, sorted: a change to what is mediated must be made here too, and so be seen in review.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_table_is_what_was_agreed() {
    let mut groups: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for row in table() {
        let name = if row.when == When::Always { row.name.to_owned() } else { format!("{}?", row.name) };
        groups.entry(format!("{:?}", row.treatment)).or_default().push(name);
    }
    let text: Vec<String> = groups
        .into_iter()
        .map(|(treatment, mut names)| {
            names.sort();
            format!("{treatment}: {}", names.join(" "))
        })
        .collect();
    let expected = [
        "Absent: clone3",
        "Bind: bind",
        "Change: chmod chown fchmod fchmodat fchmodat2 fchown fchownat file_setattr fremovexattr fsetxattr futimesat lchown link linkat \
         lremovexattr lsetxattr mkdir mkdirat mknod mknodat removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat \
         symlink symlinkat truncate unlink unlinkat utime utimensat utimes",
        "Connect: connect",
        "Device: ioctl? ioctl?",
        "Exec: execve execveat",
        "Ipc: mq_open mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmget",
        "Itself: kcmp prctl? prctl? prctl? prctl? process_vm_readv ptrace unshare",
        "Memfd: memfd_create",
        "Open: creat open openat openat2",
        "Peer: getsockopt? getsockopt? getsockopt?",
        "Restrict: landlock_restrict_self",
        "Schedule: ioprio_set? ioprio_set? prlimit64? sched_setaffinity? sched_setattr? sched_setparam? sched_setscheduler? setpriority? \
         setpriority?",
        "Send: sendmmsg sendmsg sendto? sendto?",
        "Signal: fcntl? fcntl? fcntl? fcntl? kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill",
        "Socket: socket",
        "Tamper: acct add_key bpf chroot clock_settime clone? delete_module fanotify_init fchroot finit_module fsconfig fsmount fsopen fspick \
         init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load \
         kexec_load keyctl lookup_dcookie memfd_secret migrate_pages? mount mount_setattr move_mount move_pages? name_to_handle_at nfsservctl \
         open_by_handle_at open_tree open_tree_attr perf_event_open pidfd_getfd pivot_root process_madvise \
         process_mrelease process_vm_writev quotactl quotactl_fd reboot request_key seccomp? setdomainname sethostname \
         setns setsockopt? setsockopt? setsockopt? setsockopt? setsockopt? settimeofday swapoff swapon syslog umount2 userfaultfd vhangup",
        "Watch: inotify_add_watch",
    ];
    assert_eq!(text, expected);
}

#[test]
fn a_number_has_one_name_one_treatment_and_no_row_twice() {
    for (index, row) in table().iter().enumerate() {
        assert!(row.number >= 0 && row.number <= i64::from(LAST_KNOWN), "{} is beyond the last known call", row.name);
        for other in &table()[index + 1..] {
            assert_eq!(row.number == other.number, row.name == other.name, "{} and {}", row.name, other.name);
            if row.number == other.number {
                assert_eq!(row.treatment, other.treatment, "{}", row.name);
                assert_ne!(row.when, other.when, "{} twice", row.name);
                assert!(row.when != When::Always && other.when != When::Always, "{}: a test beside `Always` is dead", row.name);
            }
        }
    }
}

#[test]
fn calls_that_must_never_wait_for_us_are_not_mediated() {
    let never = [
        libc::SYS_close,
        libc::SYS_dup,
        libc::SYS_dup3,
        libc::SYS_wait4,
        libc::SYS_waitid,
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_mmap,
        libc::SYS_socketpair,
        libc::SYS_setresuid,
        libc::SYS_pidfd_open,
        libc::SYS_statx,
        libc::SYS_newfstatat,
        libc::SYS_readlinkat,
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
        libc::SYS_recvmsg,
    ];
    assert!(never.iter().all(|number| row(*number).is_none()));
    let plain_thread = [(libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::SIGCHLD) as u64, 0, 0, 0, 0, 0];
    assert!(!row(libc::SYS_clone).unwrap().when.holds(&plain_thread));
}

/// The numbers written as literals, against libc where it has them.
#[test]
#[cfg(target_arch = "x86_64")]
fn literal_numbers() {
    assert_eq!(row(libc::SYS_fchmodat2).unwrap().name, "fchmodat2");
    assert_eq!(libc::SYS_mseal, 462, "setxattrat follows mseal");
}
