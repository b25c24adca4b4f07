//! Each call with arguments that are harmless or wrong: a way won when the kernel looked at them, whatever it said then.

use std::os::unix::fs::MetadataExt;

use trick::near::parent;
use trick::sys::{call, in_child};

const EPERM: i32 = 1;
const ENOSYS: i32 = 38;
/// No address.
const BAD: i64 = 1;

fn main() {
    let own = i64::from(std::process::id());
    let page = vec![0_u64; 512];
    let page = page.as_ptr() as i64;
    let probes: &[(&str, i64, &[i64])] = &[
        ("process_vm_readv", 310, &[parent(), 0, 0, 0, 0, 0]),
        ("process_vm_writev", 311, &[own, 0, 0, 0, 0, 0]),
        ("process_madvise", 440, &[-1, BAD, 1, 4, 0]),
        ("process_mrelease", 448, &[-1, 0]),
        ("pidfd_getfd", 438, &[-1, 0, 0]),
        ("kcmp", 312, &[own, parent(), 0, 0, 0]),
        ("move_pages", 279, &[own, 0, 0, 0, 0, 0]),
        ("migrate_pages", 256, &[own, 0, 0, 0]),
        ("io_uring_setup", 425, &[1, BAD]),
        ("io_uring_enter", 426, &[-1, 0, 0, 0, 0, 0]),
        ("io_uring_register", 427, &[-1, 0, 0, 0]),
        ("bpf", 321, &[0, BAD, 8]),
        ("perf_event_open", 298, &[BAD, 0, -1, -1, 0]),
        ("userfaultfd", 323, &[1]),
        ("memfd_secret", 447, &[-1]),
        ("seccomp-listener", 317, &[1, 8, BAD]),
        ("fanotify_init", 300, &[0x200, 0]),
        ("lookup_dcookie", 212, &[0, BAD, 1]),
        ("open_by_handle_at", 304, &[-1, BAD, 0]),
        ("name_to_handle_at", 303, &[-1, BAD, BAD, BAD, 0]),
        ("add_key", 248, &[BAD, BAD, 0, 0, -2]),
        ("keyctl", 250, &[0, -3, 0]),
        ("request_key", 249, &[BAD, BAD, 0, -2]),
        ("mount", 165, &[BAD, BAD, BAD, 0, 0]),
        ("umount2", 166, &[BAD, 0]),
        ("fsopen", 430, &[BAD, 0]),
        ("fsmount", 432, &[-1, 0, 0]),
        ("fsconfig", 431, &[-1, 0, 0, 0, 0]),
        ("fspick", 433, &[-1, BAD, 0]),
        ("move_mount", 429, &[-1, BAD, -1, BAD, 0]),
        ("open_tree", 428, &[-1, BAD, 0]),
        ("open_tree_attr", 467, &[-1, BAD, 0, 0, 0]),
        ("mount_setattr", 442, &[-1, BAD, 0, page, 32]),
        ("pivot_root", 155, &[BAD, BAD]),
        ("chroot", 161, &[BAD]),
        ("unshare", 272, &[0x1000_0000 | 0x0001_0000]),
        ("setns", 308, &[-1, 0]),
        ("clone-namespace", 56, &[0x1000_0000 | 0x200, 0, 0, 0, 0]),
        ("init_module", 175, &[BAD, 8, BAD]),
        ("finit_module", 313, &[-1, BAD, 0]),
        ("delete_module", 176, &[BAD, 0]),
        ("kexec_load", 246, &[0, 0, 0, 0xffff_0000_u32 as i64]),
        ("kexec_file_load", 320, &[-1, -1, 0, BAD, 0xff00]),
        ("quotactl", 179, &[0x8000_0700, BAD, 0, 0]),
        ("quotactl_fd", 443, &[-1, 0, 0, 0]),
        ("acct", 163, &[BAD]),
        ("swapon", 167, &[BAD, 0]),
        ("swapoff", 168, &[BAD]),
        ("reboot", 169, &[0, 0, 0, 0]),
        ("settimeofday", 164, &[BAD, 0]),
        ("clock_settime", 227, &[0, BAD]),
        ("sethostname", 170, &[BAD, 1000]),
        ("setdomainname", 171, &[BAD, 1000]),
        ("nfsservctl", 180, &[0, 0, 0]),
        ("iopl", 172, &[0]),
        ("ioperm", 173, &[0, 0, 0]),
        ("prctl-mm", 157, &[35, 0, 0, 0, 0]),
        ("prctl-ptracer", 157, &[0x5961_6d61, own, 0, 0, 0]),
    ];
    // Whoever really is not dumpable, nobody but root can look into: to whom its entries in /proc belong then. A root becomes somebody first. Tried
    // before any other: one leads into a namespace where all users look the same.
    let closed = in_child(|| {
        let user = std::fs::metadata("/proc/self").map_or(0, |own| own.uid());
        if user == 0 {
            let _ = call(117, &[65534, 65534, 65534]);
        }
        let set = |dumpable: i64| call(157, &[4, dumpable]).is_ok();
        let owner = || std::fs::metadata("/proc/self/auxv").map_or(0, |own| own.uid());
        let before = (set(1), owner());
        i32::from(!(before.0 && before.1 != 0 && set(0) && owner() == 0))
    });
    if closed == 0 {
        trick::won("prctl-dumpable");
    }
    for (way, number, args) in probes {
        if !matches!(call(*number, args), Err(EPERM | ENOSYS)) {
            trick::won(way);
        }
    }
    // This changes who asks, so somebody else asks.
    if in_child(|| i32::from(call(101, &[0, 0]).is_err())) == 0 {
        trick::won("ptrace");
    }
}
