//! `cargo brig doctor`: a host's abilities as text, and the exit code that follows. Pure: the facts come from `host`.

use std::fmt::Write;

use super::host::{Host, abilities};
use crate::model::Exit;

/// What is asked for: a profile, and the Landlock ABI it requires (0 where anything will do).
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub profile: &'a str,
    pub landlock: u32,
}

/// The page `doctor` prints.
pub fn text(host: &Host, asked: Asked) -> String {
    let mut page = String::new();
    for ability in abilities(host) {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{:>12} {}", ability.state.word(), ability.what);
        let _ = writeln!(page, "{:>12} {}", "", ability.means);
        if !ability.change.is_empty() {
            let _ = writeln!(page, "{:>12} help: {}", "", ability.change);
        }
    }
    let _ = match (host.able(), host.require(asked.landlock)) {
        (Ok(()), Ok(())) => writeln!(page, "\nThe profile `{}` can be enforced here.", asked.profile),
        (Ok(()), Err(shortfall)) => writeln!(page, "\nThe profile `{}` cannot be enforced here: {shortfall}", asked.profile),
        (Err(_), _) => writeln!(page, "\nThe profile `{}` cannot be enforced here.", asked.profile),
    };
    page
}

/// 0 when the profile can be enforced, else 104.
pub fn exit(host: &Host, asked: Asked) -> Exit {
    if host.able().is_ok() && host.require(asked.landlock).is_ok() { Exit::Success } else { Exit::NoWall }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::host::{FEWEST_DESCRIPTORS, NoLandlock, Obstacle, Proc, Sockets, State, Tracing, Walls};

    fn host(landlock: Result<u32, NoLandlock>) -> Host {
        Host {
            kernel: "6.8.0-1021-azure".into(),
            arch: "x86_64".into(),
            landlock,
            listeners: true,
            proc: Proc::Ours,
            refused: Vec::new(),
            descriptors: 1024,
            yama: Some(1),
            root: false,
            tracing: Some(Tracing::Works),
            sockets: Some(Sockets::PrivateNetwork),
            obstacle: None,
            walls: Some(Walls::Hold { unheard: Vec::new() }),
        }
    }

    const DEFAULT: Asked = Asked { profile: "default", landlock: 2 };

    fn lines(host: &Host, state: State) -> Vec<String> {
        abilities(host).into_iter().filter(|ability| ability.state == state).map(|ability| ability.what).collect()
    }

    #[test]
    fn a_current_kernel_has_no_weakness() {
        assert_eq!(host(Ok(10)).weaknesses(Sockets::PrivateNetwork), []);
        assert_eq!(exit(&host(Ok(10)), DEFAULT), Exit::Success);
    }

    #[test]
    fn each_level_is_named() {
        let weak = |abi, sockets| {
            let host = Host { sockets: Some(sockets), ..host(Ok(abi)) };
            lines(&host, State::Weaker)
                .iter()
                .map(|what| what.split(" is").next().unwrap().split(" are").next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let unix = "unix sockets with a path";
        assert_eq!(weak(7, Sockets::PrivateNetwork), [unix]);
        assert_eq!(weak(7, Sockets::LoopbackDevice), [unix, "UDP", "no private network"]);
        assert_eq!(weak(4, Sockets::PrivateNetwork), ["device commands", "signals", "abstract unix sockets", unix]);
        assert_eq!(
            weak(2, Sockets::NoSockets),
            ["truncating by path", "TCP", "device commands", "signals", "abstract unix sockets", unix, "UDP", "no private network"]
        );
    }

    #[test]
    fn what_is_missing_stops_the_build() {
        let cases = [
            host(Err(NoLandlock::Absent)),
            host(Err(NoLandlock::Disabled)),
            host(Err(NoLandlock::BadOverride)),
            host(Ok(1)),
            Host { kernel: "5.15.0".into(), ..host(Ok(2)) },
            Host { kernel: "gvisor".into(), ..host(Ok(2)) },
            Host { listeners: false, ..host(Ok(7)) },
            Host { yama: Some(3), ..host(Ok(7)) },
            Host { yama: Some(3), tracing: Some(Tracing::Refused), root: true, ..host(Ok(7)) },
            Host { yama: Some(2), tracing: None, ..host(Ok(7)) },
            Host { yama: Some(2), tracing: Some(Tracing::Refused), ..host(Ok(7)) },
            Host { tracing: Some(Tracing::Refused), ..host(Ok(7)) },
            Host { tracing: Some(Tracing::NoRoom), ..host(Ok(7)) },
            Host { proc: Proc::Absent, ..host(Ok(7)) },
            Host { proc: Proc::Foreign, ..host(Ok(7)) },
            Host { refused: vec!["openat2"], ..host(Ok(7)) },
            Host { descriptors: FEWEST_DESCRIPTORS - 1, ..host(Ok(7)) },
            Host { walls: Some(Walls::Listened), ..host(Ok(7)) },
            Host { walls: Some(Walls::Fail("enter a landlock domain: Operation not permitted".into())), ..host(Ok(7)) },
        ];
        for case in cases {
            assert_eq!((lines(&case, State::Missing).len(), exit(&case, DEFAULT)), (1, Exit::NoWall), "{case:?}");
            assert!(!case.able().unwrap_err().change.is_empty());
        }
        assert_eq!(host(Ok(4)).require(4), Ok(()));
        assert!(host(Ok(4)).require(6).unwrap_err().to_string().contains("use Linux 6.12 or newer"));
    }

    #[test]
    fn a_profile_may_require_more() {
        let ci = Asked { profile: "ci", landlock: 4 };
        assert_eq!(exit(&host(Ok(4)), ci), Exit::Success);
        assert_eq!(exit(&host(Ok(2)), ci), Exit::NoWall);
        assert_eq!(exit(&host(Ok(2)), DEFAULT), Exit::Success);
        let page = text(&host(Ok(2)), ci);
        assert!(
            page.contains("The profile `ci` cannot be enforced here: this kernel has Landlock ABI 2, the profile requires 4"),
            "{page}"
        );
        assert!(page.contains("help: use Linux 6.7 or newer, or accept less with `--allow-degraded`"), "{page}");
    }

    /// Yama's levels (Documentation/admin-guide/LSM/Yama.rst): 1 is for descendants, which actors are; 2 is for whoever has CAP_SYS_PTRACE,
    /// which a container's root has not; 3 is for nobody.
    #[test]
    fn yama_is_told_by_what_came_of_trying() {
        let tells = |yama, root, tracing| {
            let host = Host { yama: Some(yama), root, tracing: Some(tracing), ..host(Ok(7)) };
            host.able().err().map(|shortfall| shortfall.to_string())
        };
        for level in [0, 1] {
            assert_eq!(tells(level, false, Tracing::Works), None);
        }
        assert_eq!(tells(2, true, Tracing::Works), None);
        assert!(tells(2, false, Tracing::Refused).unwrap().contains("ptrace_scope=1"));
        assert!(tells(2, true, Tracing::Refused).unwrap().contains("--cap-add=SYS_PTRACE"));
        assert!(tells(3, true, Tracing::Refused).unwrap().contains("set it to 0, 1 or 2 and reboot"));
    }

    #[test]
    fn the_page() {
        let host = Host { sockets: Some(Sockets::LoopbackDevice), obstacle: Some(Obstacle::AppArmor), ..host(Ok(6)) };
        assert_eq!(
            text(&host, DEFAULT),
            "          ok kernel 6.8.0-1021-azure on x86_64
             Linux 5.19 is the oldest that will do
          ok Landlock ABI 6
             files are walled off by the kernel, for each actor on its own
      weaker unix sockets with a path are not walled
             the gate alone judges connections to them
             help: use Linux 7.1 or newer
      weaker UDP is not walled
             the gate, and how sockets are made, are all that keeps UDP in
             help: use Linux 7.2 or newer
          ok seccomp listeners
             every call that matters is shown to the gate before it is run
          ok tracing of our own children
             programs are walled in before their first instruction
      weaker no private network
             actors' sockets are bound to the loopback device instead, and Landlock refuses what it can of TCP and UDP even there: tests that use loopback may fail
             help: give cargo-brig an AppArmor profile with `userns,`, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`
          ok the walls hold
             they were raised around a thread of ours, which was refused what it must be

The profile `default` can be enforced here.
"
        );
    }
}
