//! `cargo brig doctor`: a host's facts as abilities — good, weaker, missing — and as text. Pure: the facts come from `host`.
//!
//! Every sentence here must be true of what the gate and the walls do; `weaker` lines go into each report, so they say what still holds.

use std::fmt::Write;

use super::host::{FEWEST_DESCRIPTORS, Host, KERNEL_FLOOR, NoLandlock, Obstacle, Proc, Sockets, Tracing, Walls, since};
use crate::model::Exit;
use crate::wall::ruleset::LEAST_ABI;

/// One ability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    pub state: State,
    pub what: String,
    /// What follows here.
    pub means: String,
    /// What to change; empty when good.
    pub change: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Good,
    /// Something else holds what the kernel cannot, or part of it.
    Weaker,
    /// Nothing can be enforced.
    Missing,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Weaker => "weaker",
            State::Missing => "missing",
        }
    }
}

/// What the gate holds by itself: it performs such connections itself, on what it judged, so nothing is lost but a second wall.
pub const GATE_ALONE: &str = "the gate alone judges connections to them";

/// All abilities that are known of this host, in the order they are needed.
pub fn abilities(host: &Host) -> Vec<Ability> {
    let mut all = vec![kernel(host)];
    all.extend(surroundings(host));
    all.push(landlock(host));
    if host.landlock.is_ok_and(|abi| abi >= LEAST_ABI) {
        all.extend(levels(host));
    }
    all.push(listeners(host));
    all.push(tracing(host));
    all.extend(host.sockets.map(|how| sockets(host, how)));
    all.extend(host.walls.as_ref().map(walls));
    all
}

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

fn good(what: impl Into<String>, means: impl Into<String>) -> Ability {
    Ability { state: State::Good, what: what.into(), means: means.into(), change: String::new() }
}

fn weaker(what: impl Into<String>, means: impl Into<String>, change: impl Into<String>) -> Ability {
    Ability { state: State::Weaker, what: what.into(), means: means.into(), change: change.into() }
}

fn missing(what: impl Into<String>, means: impl Into<String>, change: impl Into<String>) -> Ability {
    Ability { state: State::Missing, what: what.into(), means: means.into(), change: change.into() }
}

fn kernel(host: &Host) -> Ability {
    let what = format!("kernel {} on {}", host.kernel, host.arch);
    let (major, minor) = KERNEL_FLOOR;
    match host.version() {
        Some(version) if version >= KERNEL_FLOOR => good(what, format!("Linux {major}.{minor} is the oldest that will do")),
        Some(_) => missing(what, format!("older than {major}.{minor}: the walls cannot be built"), since(LEAST_ABI)),
        None => missing(what, "its version could not be told", since(LEAST_ABI)),
    }
}

/// What Brig itself needs of the place it runs in. Only what is missing is worth a line.
fn surroundings(host: &Host) -> Vec<Ability> {
    let mut all = Vec::new();
    let blind = "Brig could not see who its actors are";
    match host.proc {
        Proc::Ours => {}
        Proc::Absent => all.push(missing("no /proc", blind, "mount it: `mount -t proc proc /proc`")),
        Proc::Foreign => all.push(missing(
            "/proc belongs to another process namespace",
            blind,
            "mount one of this namespace's own (`unshare --mount-proc`, not a bind mount of the host's)",
        )),
    }
    if !host.refused.is_empty() {
        let calls = host.refused.join("`, `");
        let change = format!("use a container profile that lets `{calls}` through");
        all.push(missing(format!("`{calls}` refused to Brig itself"), "Brig cannot do its work without", change));
    }
    if host.descriptors < FEWEST_DESCRIPTORS {
        all.push(missing(
            format!("no more than {} open files", host.descriptors),
            "Brig holds several for each actor at work",
            format!("raise the limit: `ulimit -n 1024` (at least {FEWEST_DESCRIPTORS})"),
        ));
    }
    all
}

fn landlock(host: &Host) -> Ability {
    let nothing = "nothing would hold files back if the gate were deceived";
    match host.landlock {
        Ok(abi) if abi >= LEAST_ABI => good(format!("Landlock ABI {abi}"), "files are walled off by the kernel, for each actor on its own"),
        Ok(abi) => missing(format!("Landlock ABI {abi}"), "rustc could not rename files between directories", since(LEAST_ABI)),
        Err(NoLandlock::Absent) => missing(
            "no Landlock",
            nothing,
            "use a kernel built with CONFIG_SECURITY_LANDLOCK, or a container profile that lets `landlock_*` through",
        ),
        Err(NoLandlock::Refused) => missing(
            "Landlock is refused to us",
            nothing,
            "use a container profile that lets `landlock_*` through (Docker's own does from 23.0)",
        ),
        Err(NoLandlock::Disabled) => {
            missing("Landlock is switched off", nothing, "add `landlock` to the `lsm=` list on the kernel command line")
        }
        Err(NoLandlock::BadOverride) => missing("BRIG_LANDLOCK_ABI is not a number", nothing, "unset it: it is for tests"),
    }
}

/// What newer ABIs hold that this one does not.
fn levels(host: &Host) -> Vec<Ability> {
    let abi = host.abi();
    let open_network = host.sockets.is_some_and(|how| how != Sockets::PrivateNetwork);
    let mut all = Vec::new();
    let mut from = |needed: u32, what: &str, means: &str| {
        if abi < needed {
            all.push(weaker(what, means, since(needed)));
        }
    };
    from(3, "truncating by path is not walled", "the gate alone judges `truncate`; opening a file for writing stays walled");
    if open_network {
        from(4, "TCP is not walled", "the gate, and how sockets are made, are all that keeps TCP in");
    }
    from(
        5,
        "device commands are not walled",
        "an actor may send `ioctl` commands to devices it can open; typing into a terminal (TIOCSTI, TIOCLINUX) is refused all the same",
    );
    from(6, "signals are not walled", "the gate alone keeps an actor from signalling processes that are not its own");
    from(6, "abstract unix sockets are not walled", GATE_ALONE);
    from(9, "unix sockets with a path are not walled", GATE_ALONE);
    if open_network {
        from(10, "UDP is not walled", "the gate, and how sockets are made, are all that keeps UDP in");
    }
    all
}

fn listeners(host: &Host) -> Ability {
    if host.listeners {
        return good("seccomp listeners", "every call that matters is shown to the gate before it is run");
    }
    missing(
        "no seccomp listeners",
        "the gate would see nothing",
        "use Linux 5.19 or newer with CONFIG_SECCOMP_FILTER, or a container profile that lets `seccomp` through; Brig cannot run inside Brig",
    )
}

fn tracing(host: &Host) -> Ability {
    let means = "programs could not be stopped before their first instruction, to put the walls around them";
    match (host.tracing, host.yama) {
        (Some(Tracing::NoRoom), _) => missing(
            "too few processes may be started",
            "a build needs two dozen and more at once, threads counted",
            "raise the limit: `ulimit -u`, or the container's on processes",
        ),
        (_, Some(3)) => missing("tracing is forbidden (kernel.yama.ptrace_scope = 3)", means, "set it to 0, 1 or 2 and reboot"),
        (Some(Tracing::Works), _) => good("tracing of our own children", "programs are walled in before their first instruction"),
        (Some(Tracing::Refused), Some(2)) => missing(
            "tracing is for those with CAP_SYS_PTRACE only (kernel.yama.ptrace_scope = 2)",
            means,
            "`sysctl kernel.yama.ptrace_scope=1`, or run as root (a container's needs `--cap-add=SYS_PTRACE`)",
        ),
        (None, Some(2)) if !host.root => {
            missing("tracing is for root only (kernel.yama.ptrace_scope = 2)", means, "`sysctl kernel.yama.ptrace_scope=1`, or run as root")
        }
        (Some(Tracing::Refused), _) => missing(
            "tracing of our own children is refused",
            means,
            "use a container profile that lets `ptrace`, `process_vm_readv` and `process_vm_writev` through; Brig cannot run under a debugger",
        ),
        (None, _) => good("tracing of our own children", "nothing known forbids it"),
    }
}

fn sockets(host: &Host, how: Sockets) -> Ability {
    let change = match host.obstacle {
        Some(Obstacle::AppArmor) => {
            "give cargo-brig an AppArmor profile with `userns,`, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
        }
        Some(Obstacle::UsernsClone) => "`sysctl kernel.unprivileged_userns_clone=1`",
        Some(Obstacle::MaxNamespaces) => "raise `user.max_user_namespaces` above 0",
        None => "allow user namespaces; in a container, a profile that lets `unshare` and `clone` make them",
    };
    match how {
        Sockets::PrivateNetwork => {
            good("private network", "actors' sockets are made in a network of their own, where only loopback exists")
        }
        Sockets::LoopbackDevice => weaker(
            "no private network",
            "actors' sockets are bound to the loopback device instead, and Landlock refuses what it can of TCP and UDP even there: tests that use loopback may fail",
            change,
        ),
        Sockets::NoSockets => {
            weaker("no private network", "actors get no internet sockets at all; tests that use loopback will fail", change)
        }
    }
}

/// What came of trying the walls themselves.
fn walls(walls: &Walls) -> Ability {
    match walls {
        Walls::Hold { unheard } if unheard.is_empty() => {
            good("the walls hold", "they were raised around a thread of ours, which was refused what it must be")
        }
        Walls::Hold { unheard } => weaker(
            format!("refused before the gate is asked: {}", unheard.join(", ")),
            "whatever surrounds Brig, a container's filter perhaps, refuses such calls by itself: an actor that tries them is stopped, but not recorded",
            "to have attempts recorded, use a container profile that lets these calls through: the gate refuses them all",
        ),
        Walls::Listened => missing(
            "another supervisor already listens to our system calls",
            "the kernel allows one for a process and all that it starts",
            "run outside of it: a container without seccomp notification (no `SCMP_ACT_NOTIFY` in its profile), no bypass4netns, no Brig around Brig",
        ),
        Walls::Fail(why) => missing(
            "the walls were tried and do not stand",
            why.as_str(),
            "use a container profile that lets `landlock_*`, `seccomp` and `prctl` through; where there is none, please report this",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
