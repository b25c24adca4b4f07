//! What this kernel can do. In: the kernel's own answers. Out: `Host` — plain facts, from which follow the abilities `doctor` lists, the weaknesses a
//! report admits to, and whether the walls a profile requires can be built at all.
//!
//! `look` asks only what is free; `examine` also forks children to try things (see `probes`), and puts somebody behind the walls. A build and
//! `doctor` ask the same questions of the same code, so that one predicts the other.

mod abilities;
mod facts;
mod probes;

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

use crate::sys::{attempt, landlock, seccomp};
use crate::wall::probe::{Unproved, probe};
pub use abilities::{Ability, Shortfall, State, abilities};
pub use facts::{FEWEST_DESCRIPTORS, Host, KERNEL_FLOOR, NoLandlock, Obstacle, Proc, Sockets, Tracing, Walls};

/// Lets tests pretend an older Landlock; it can only lower what the kernel has.
pub const LOWER_ABI: &str = "BRIG_LANDLOCK_ABI";

/// The same for how sockets are kept in.
pub const LOWER_SOCKETS: &str = "BRIG_TEST_SOCKETS";

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
            proc: probes::proc(),
            refused: attempt::refused_to_us(),
            descriptors: getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft),
            yama: probes::setting("kernel/yama/ptrace_scope"),
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
        host.tracing = Some(if probes::room() { probes::tracing() } else { Tracing::NoRoom });
        let sockets = lowered_sockets(probes::sockets());
        host.sockets = Some(sockets);
        if sockets != Sockets::PrivateNetwork {
            host.obstacle = probes::obstacle();
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
