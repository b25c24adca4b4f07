//! The one table of system calls: from it follow both the seccomp program and the gate's dispatch.

/// What is done about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// open, openat, openat2, creat.
    Open,
    /// A write that is not an open: rename, link, unlink, mkdir, truncate, chmod, chown, utimes, xattr, mknod …
    Change,
    /// execve, execveat.
    Exec,
    Socket,
    Connect,
    /// sendto with an address, sendmsg, sendmmsg.
    Send,
    Bind,
    /// memfd_create: granted only sealed against exec.
    Memfd,
    /// Refused with EPERM by the gate and recorded.
    Tamper,
    /// Answered ENOSYS in the kernel, unrecorded: libcs fall back (clone3).
    Absent,
}

/// When the row applies: a test on one register.
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
    /// `args[index] != 0`
    NonZero {
        index: u8,
    },
}

/// One row. A call may have several rows; any that applies sends it to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub number: i64,
    pub name: &'static str,
    pub treatment: Treatment,
    pub when: When,
}

/// All rows for this architecture.
pub fn table() -> &'static [Row] {
    &[]
}

/// The row of a notified call: the first with this number (rows of one number share a treatment).
pub fn row(number: i64) -> Option<&'static Row> {
    table().iter().find(|row| row.number == number)
}
