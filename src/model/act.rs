//! What an actor tried. Paths are the resolved, real ones: what was judged is what was done.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::hostile::Hostile;

/// One thing an actor tried to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// Open a file for reading, or list a directory.
    Read {
        path: Hostile,
    },
    /// Open an existing file for writing, or truncate it.
    Write {
        path: Hostile,
    },
    /// Make a file, directory or node that was not there.
    Create {
        path: Hostile,
    },
    Remove {
        path: Hostile,
    },
    Rename {
        from: Hostile,
        to: Hostile,
    },
    /// Hard link.
    Link {
        from: Hostile,
        to: Hostile,
    },
    Symlink {
        target: Hostile,
        path: Hostile,
    },
    /// chmod, chown, utimes, xattr: `call` is the system call's name.
    Metadata {
        call: String,
        path: Hostile,
    },
    Exec {
        path: Hostile,
        argv: Vec<Hostile>,
    },
    /// A socket of a family or type that is not handed out at all.
    Socket {
        family: String,
        kind: String,
    },
    Connect {
        to: Endpoint,
    },
    /// A datagram to a named address.
    Send {
        to: Endpoint,
    },
    Bind {
        to: Endpoint,
    },
    /// A DNS query.
    Lookup {
        name: Hostile,
        via: Endpoint,
    },
    /// A signal to a process that is not the actor's.
    Signal {
        /// `SIGTERM`; `0` only asks whether there is such a process.
        signal: String,
        /// The program it runs.
        to: Hostile,
    },
    /// A call nothing honest makes (ptrace, io_uring, mount …), or one whose arguments could not be read.
    Tamper {
        call: String,
        detail: Hostile,
    },
    /// A process that outlived the build.
    Survive {
        exe: Hostile,
    },
    /// A process that still ran when the time for the build was over.
    Linger {
        exe: Hostile,
    },
    /// An environment variable that was kept from the actor. Never its value.
    Withhold {
        name: String,
    },
    /// A build script's word to cargo about how other programs are compiled, linked and started. `directive` is its key (`rustc-link-arg`);
    /// of a variable the value is only its name.
    Tell {
        directive: String,
        value: Hostile,
    },
}

impl Act {
    /// Would it blind the record? Then it is refused in every mode.
    pub fn is_hostile(&self) -> bool {
        match self {
            Act::Tamper { .. } => true,
            Act::Signal { signal, .. } => signal != "0",
            _ => false,
        }
    }

    /// The path the act is about: for two-path acts the destination.
    pub fn path(&self) -> Option<&Hostile> {
        match self {
            Act::Read { path }
            | Act::Write { path }
            | Act::Create { path }
            | Act::Remove { path }
            | Act::Symlink { path, .. }
            | Act::Metadata { path, .. }
            | Act::Exec { path, .. }
            | Act::Survive { exe: path }
            | Act::Linger { exe: path } => Some(path),
            Act::Rename { to, .. } | Act::Link { to, .. } => Some(to),
            Act::Socket { .. }
            | Act::Connect { .. }
            | Act::Send { .. }
            | Act::Bind { .. }
            | Act::Lookup { .. }
            | Act::Signal { .. }
            | Act::Tamper { .. }
            | Act::Withhold { .. }
            | Act::Tell { .. } => None,
        }
    }
}

/// Where a connection or datagram was meant to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum Endpoint {
    Ip {
        /// `tcp`, `udp`, `raw` …
        protocol: String,
        address: SocketAddr,
        /// Host name, where a DNS answer or `/etc/hosts` told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Hostile>,
    },
    /// Path-named unix socket, resolved.
    UnixPath {
        path: Hostile,
    },
    UnixAbstract {
        name: Hostile,
    },
    Other {
        name: String,
    },
}

/// The file an act resolved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    pub dev: u64,
    pub ino: u64,
    pub kind: ObjectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    File,
    Directory,
    Symlink,
    /// FIFO, socket or device.
    Special,
}
