//! The facts themselves: what is known of a host, in words of our own. Out: [`Host`].

use crate::wall::ruleset::Network;

/// The oldest kernel Brig runs on: REFER for rustc's renames, `WAIT_KILLABLE_RECV` for a gate that signals cannot fool.
pub const KERNEL_FLOOR: (u32, u32) = (5, 19);

/// Fewer open files than this, and a build of a few actors at once runs out of descriptors: handles on what every ruleset names, and a
/// handful for each actor.
pub const FEWEST_DESCRIPTORS: u64 = 256;

/// What this kernel can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// `uname -r`.
    pub kernel: String,
    pub arch: String,
    /// The Landlock ABI to use: the kernel's, or less where `BRIG_LANDLOCK_ABI` says so. The error is why there is none.
    pub landlock: Result<u32, NoLandlock>,
    /// Filters with a listener whose calls only a fatal signal interrupts.
    pub listeners: bool,
    /// Whose processes `/proc` shows.
    pub proc: Proc,
    /// Calls Brig itself cannot do without, and that something around it refuses.
    pub refused: Vec<&'static str>,
    /// How many files may be open at once (`RLIMIT_NOFILE`, the soft limit).
    pub descriptors: u64,
    /// `kernel.yama.ptrace_scope`; `None` without Yama.
    pub yama: Option<u8>,
    /// Whether we are root: Yama's scope 2 and some advice depend on it.
    pub root: bool,
    /// Tried only by `examine`: a child of ours can be traced, its memory read and written.
    pub tracing: Option<Tracing>,
    /// Tried only by `examine`: how sockets can be kept from the network.
    pub sockets: Option<Sockets>,
    /// What forbids user namespaces, where it is a known setting.
    pub obstacle: Option<Obstacle>,
    /// Tried only by `examine`, and only where nothing is known to be missing.
    pub walls: Option<Walls>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLandlock {
    /// Not built into the kernel, or hidden by a container's filter.
    Absent,
    /// Refused to us, which no kernel does.
    Refused,
    /// Built in, but not in the list of security modules at boot.
    Disabled,
    /// `BRIG_LANDLOCK_ABI` is not a number.
    BadOverride,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// Ours, by the numbers we know them by.
    Ours,
    /// Nobody's: it is not mounted.
    Absent,
    /// Those of another process namespace, by other numbers.
    Foreign,
}

/// What came of tracing a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracing {
    Works,
    Refused,
    /// Not tried: no room for as many processes as a build needs.
    NoRoom,
}

/// What came of putting somebody behind the walls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walls {
    /// They hold. These calls are refused from outside before the gate hears of them.
    Hold { unheard: Vec<&'static str> },
    /// Another supervisor listens already.
    Listened,
    /// They could not be raised, or do not hold; in words.
    Fail(String),
}

/// How actors' sockets are kept from the network, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sockets {
    PrivateNetwork,
    LoopbackDevice,
    NoSockets,
}

impl Sockets {
    /// As it stands in the report.
    pub fn name(self) -> &'static str {
        match self {
            Sockets::PrivateNetwork => "private-network",
            Sockets::LoopbackDevice => "loopback-device",
            Sockets::NoSockets => "no-sockets",
        }
    }

    /// What rulesets must handle then. A socket bound to `lo` still reaches every server on this machine, so Landlock refuses there too.
    pub fn network(self) -> Network {
        match self {
            Sockets::PrivateNetwork => Network::Private,
            Sockets::LoopbackDevice | Sockets::NoSockets => Network::Wall,
        }
    }
}

/// What forbids user namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`.
    AppArmor,
    /// Debian's `kernel.unprivileged_userns_clone`.
    UsernsClone,
    /// `user.max_user_namespaces` is 0.
    MaxNamespaces,
    /// Whoever has another root than the mount namespace's own makes none (user_namespaces(7), `EPERM`).
    Chroot,
}

impl Host {
    /// Major and minor number of the kernel; `None` when its release does not begin with them.
    pub fn version(&self) -> Option<(u32, u32)> {
        let mut numbers = self.kernel.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
            _ => None,
        }
    }

    /// The ABI rulesets are built for; 0 without Landlock.
    pub fn abi(&self) -> u32 {
        self.landlock.unwrap_or(0)
    }
}
