//! A host's facts as abilities: good, weaker, missing. In: `Host`. Out: what can be enforced, what is weaker, what stops a build. Pure.
//!
//! Every sentence here must be true of what the gate and the walls do; `weaker` lines go into each report, so they say what still holds.

use thiserror::Error;

use super::facts::{FEWEST_DESCRIPTORS, Host, KERNEL_FLOOR, NoLandlock, Obstacle, Proc, Sockets, Tracing, Walls};
use crate::model::report::Weakness;
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
    pub fn word(self) -> &'static str {
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

/// Why the walls cannot be built here: exit code 104.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}: {means}\n  help: {change}")]
pub struct Shortfall {
    pub what: String,
    pub means: String,
    pub change: String,
}

impl Host {
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

/// The kernel that brought a Landlock ABI (Documentation/userspace-api/landlock.rst), as advice.
fn since(abi: u32) -> String {
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
            "use a container profile that lets `landlock_*` through: Docker's own does from 23.0; for systemd-nspawn \
             `--system-call-filter=\"landlock_create_ruleset landlock_add_rule landlock_restrict_self\"`",
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
            "use a container profile that lets `ptrace`, `process_vm_readv` and `process_vm_writev` through (Docker before 23.0: \
             `--cap-add SYS_PTRACE`); Brig cannot run under a debugger",
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
        Some(Obstacle::Chroot) => {
            "in a chroot the kernel makes no user namespace: run outside, as root, or enter it by a container (`bwrap`, `systemd-nspawn`)"
        }
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
            "run outside of it: a container without seccomp notification (no `SCMP_ACT_NOTIFY` in its profile), no bypass4netns, \
             no Brig around Brig; WSL 2 has one for mirrored networking (`networkingMode=nat` in `.wslconfig` has none)",
        ),
        Walls::Fail(why) => missing(
            "the walls were tried and do not stand",
            why.as_str(),
            "use a container profile that lets `landlock_*`, `seccomp` and `prctl` through; where there is none, please report this",
        ),
    }
}
