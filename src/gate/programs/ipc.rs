//! System V IPC and POSIX message queues: objects without a path that any process of the user can open, past every file right (no scope
//! of Landlock's covers them). Nothing that builds uses them, so for what is being built they do not exist; a program the user runs may have them.

use crate::gate::{Answer, Call};

/// Answers the calls of sysvipc(7), and those of mq_overview(7) that name a queue. `name` is the system call's.
pub fn ipc(call: &Call, name: &'static str) -> Answer {
    if !call.watched.policy.is_build_time() {
        return Answer::Continue;
    }
    // `configure` scripts ask whether there is such a thing; a new object of one's own harms nobody.
    let own = matches!(call.number, libc::SYS_shmget | libc::SYS_semget | libc::SYS_msgget) && call.int(0) == libc::IPC_PRIVATE;
    if own {
        // As on a kernel built without CONFIG_SYSVIPC.
        return Answer::Errno(libc::ENOSYS);
    }
    call.tamper(name, "objects shared with other processes of the user")
}
