//! What this kernel can do. In: the kernel's own answers. Out: `Host` — plain facts, from which follow the abilities `doctor` lists, the weaknesses a
//! report admits to, and whether the walls a profile requires can be built at all.
//!
//! `look` asks only what is free; `examine` also forks children to try things (see `tries`), and puts somebody behind the walls. A build and
//! `doctor` ask the same questions of the same code, so that one predicts the other.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use thiserror::Error;

use super::doctor::{Ability, GATE_ALONE, State, abilities};
use super::tries;
use crate::model::report::Weakness;
use crate::sys::{attempt, landlock, seccomp};
use crate::wall::probe::{Unproved, probe};
use crate::wall::ruleset::Network;

/// The oldest kernel Brig runs on: REFER for rustc's renames, `WAIT_KILLABLE_RECV` for a gate that signals cannot fool.
pub const KERNEL_FLOOR: (u32, u32) = (5, 19);

/// Lets tests pretend an older Landlock; it can only lower what the kernel has.
pub const LOWER_ABI: &str = "BRIG_LANDLOCK_ABI";

/// The same for how sockets are kept in.
pub const LOWER_SOCKETS: &str = "BRIG_TEST_SOCKETS";

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
    /// How many files may be open at once (`RLIMIT_NOFILE`).
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

/// A setting that forbids user namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`.
    AppArmor,
    /// Debian's `kernel.unprivileged_userns_clone`.
    UsernsClone,
    /// `user.max_user_namespaces` is 0.
    MaxNamespaces,
}

/// Why the walls cannot be built here: exit code 104.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}: {means}\n  help: {change}")]
pub struct Shortfall {
    pub what: String,
    pub means: String,
    pub change: String,
}

impl Host {
    /// The facts that cost nothing (well below a millisecond).
    pub fn look() -> Host {
        let kernel = nix::sys::utsname::uname().map_or_else(|_| String::new(), |name| name.release().to_string_lossy().into_owned());
        let sizes = seccomp::notification_sizes();
        Host {
            kernel,
            arch: std::env::consts::ARCH.to_owned(),
            landlock: lowered(landlock::abi(), std::env::var_os(LOWER_ABI).map(|value| value.to_string_lossy().into_owned()).as_deref()),
            listeners: seccomp::knows_flags(seccomp::LISTENER_FLAGS) && sizes.is_ok(),
            proc: tries::proc(),
            refused: attempt::refused_to_us(),
            descriptors: getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft),
            yama: tries::setting("kernel/yama/ptrace_scope"),
            root: nix::unistd::geteuid().is_root(),
            tracing: None,
            sockets: None,
            obstacle: None,
            walls: None,
        }
    }

    /// `look`, and the things that must be tried to be known: in children, and behind the walls, raised in a fresh directory below `dir`. A few
    /// milliseconds; not while another thread waits for any child (it would take ours).
    pub fn examine(dir: &Path) -> Host {
        let mut host = Host::look();
        host.tracing = Some(if tries::room() { tries::tracing() } else { Tracing::NoRoom });
        let sockets = lowered_sockets(tries::sockets());
        host.sockets = Some(sockets);
        if sockets != Sockets::PrivateNetwork {
            host.obstacle = tries::obstacle();
        }
        if host.able().is_ok() {
            host.walls = Some(match probe(dir, host.abi(), sockets.network()) {
                Ok(proof) => Walls::Hold { unheard: proof.unheard },
                Err(Unproved::Listened) => Walls::Listened,
                Err(error) => Walls::Fail(error.to_string()),
            });
        }
        host
    }

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

    /// Whether walls can be built here at all.
    ///
    /// # Errors
    /// The first thing that is missing.
    pub fn able(&self) -> Result<(), Shortfall> {
        match abilities(self).into_iter().find(|ability| ability.state == State::Missing) {
            None => Ok(()),
            Some(Ability { what, means, change, .. }) => Err(Shortfall { what, means, change }),
        }
    }

    /// Whether the profile's `require = { landlock = … }` is met.
    ///
    /// # Errors
    /// When it is not.
    pub fn require(&self, landlock: u32) -> Result<(), Shortfall> {
        if self.abi() >= landlock {
            return Ok(());
        }
        Err(Shortfall {
            what: format!("this kernel has Landlock ABI {}, the profile requires {landlock}", self.abi()),
            means: "the walls the profile asks for cannot be built here".into(),
            change: format!("{}, or accept less with `--allow-degraded`", since(landlock)),
        })
    }

    /// What is weaker here than on a current kernel, for the report. With a private network, what Landlock knows of TCP and UDP is moot.
    pub fn weaknesses(&self, sockets: Sockets) -> Vec<Weakness> {
        let known = Host { sockets: Some(sockets), ..self.clone() };
        abilities(&known)
            .into_iter()
            .filter(|ability| ability.state != State::Good)
            .map(|ability| Weakness { covered: ability.means == GATE_ALONE, what: ability.what, means: ability.means })
            .collect()
    }
}

/// The kernel that brought an ABI, as advice.
pub(super) fn since(abi: u32) -> String {
    let kernel = match abi {
        0 | 1 => "5.13",
        2 => "5.19",
        3 => "6.2",
        4 => "6.7",
        5 => "6.10",
        6 => "6.12",
        7 => "6.15",
        8 => "7.0",
        9 => "7.1",
        10 => "7.2",
        _ => return "use a newer kernel".into(),
    };
    format!("use Linux {kernel} or newer")
}

/// For tests: pretends the means that `BRIG_TEST_SOCKETS` names, where they are worse than what there is.
fn lowered_sockets(has: Sockets) -> Sockets {
    let wish = std::env::var_os(LOWER_SOCKETS).unwrap_or_default();
    [Sockets::LoopbackDevice, Sockets::NoSockets].into_iter().find(|means| *means > has && wish == means.name()).unwrap_or(has)
}

fn lowered(kernel: std::io::Result<u32>, wish: Option<&str>) -> Result<u32, NoLandlock> {
    let has = kernel.map_err(|error| match error.raw_os_error() {
        Some(libc::EOPNOTSUPP) => NoLandlock::Disabled,
        Some(libc::EPERM | libc::EACCES) => NoLandlock::Refused,
        _ => NoLandlock::Absent,
    })?;
    match wish.map(str::parse::<u32>) {
        None => Ok(has),
        Some(Ok(wish)) => Ok(has.min(wish)),
        Some(Err(_)) => Err(NoLandlock::BadOverride),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use super::*;

    #[test]
    fn an_override_only_lowers() {
        assert_eq!(lowered(Ok(7), None), Ok(7));
        assert_eq!(lowered(Ok(7), Some("4")), Ok(4));
        assert_eq!(lowered(Ok(7), Some("9")), Ok(7));
        assert_eq!(lowered(Ok(7), Some("four")), Err(NoLandlock::BadOverride));
        let disabled = io::Error::from_raw_os_error(libc::EOPNOTSUPP);
        assert_eq!(lowered(Err(disabled), Some("4")), Err(NoLandlock::Disabled));
        assert_eq!(lowered(Err(io::Error::from_raw_os_error(libc::EPERM)), None), Err(NoLandlock::Refused));
        assert_eq!(lowered(Err(io::Error::from_raw_os_error(libc::ENOSYS)), None), Err(NoLandlock::Absent));
    }

    #[test]
    fn this_machine_is_understood() {
        let begin = Instant::now();
        let host = Host::look();
        println!("look: {:?}", begin.elapsed());
        assert!(host.version().is_some_and(|version| version >= KERNEL_FLOOR), "{host:?}");
        assert!(host.listeners && host.abi() >= 2, "{host:?}");
        let begin = Instant::now();
        let dir = tempfile::tempdir().unwrap();
        let examined = Host::examine(dir.path());
        println!("examine: {:?} {examined:?}", begin.elapsed());
        assert_eq!(examined.tracing, Some(Tracing::Works));
        assert!(matches!(examined.walls, Some(Walls::Hold { .. })), "{examined:?}");
        assert_eq!(examined.able(), Ok(()));
        assert!(examined.require(2).is_ok() && examined.require(99).is_err());
    }

    #[test]
    fn odd_releases() {
        let version = |kernel: &str| Host { kernel: kernel.into(), ..Host::look() }.version();
        assert_eq!(version("6.18.44-fc-v595"), Some((6, 18)));
        assert_eq!(version("5.19-rc1"), Some((5, 19)));
        assert_eq!(version("7.2+"), Some((7, 2)));
        assert_eq!(version("unknown"), None);
    }
}
