//! `fs/read-outside`: a read outside the grants, of something that is no known secret. Honest tools look for their settings all over
//! the place, so what they look for is refused without a word; what nobody looks for by habit is an alarm.

use libc::EACCES;

use crate::judge::paths::{below, below_bytes, components, is_ancestor, is_drawn, name, parent};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm, is_directory};
use crate::model::act::ObjectKind;
use crate::model::{ActorKind, Object, Rule, Severity};

/// Devices everyone may open.
const DEVICES: [&[u8]; 10] = [b"null", b"zero", b"full", b"random", b"urandom", b"stdin", b"stdout", b"stderr", b"ptmx", b"pts/ptmx"];

/// `/dev`: the harmless devices, the terminal for programs the user talks to, nothing else by this rule.
pub(crate) fn device(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let rest = below_bytes(path, b"/dev")?;
    if rest.is_empty() || DEVICES.contains(&rest) || matches!(rest, b"fd" | b"pts" | b"shm") {
        return Some(Ruling::Allow);
    }
    foreign_terminal(policy, rest)
}

/// A terminal that is not the actor's own (the gate knows which are): what somebody types there, or reads there as if others had written
/// it. The one name everybody tries is that of the controlling terminal: git and ssh do, and cope without.
pub(crate) fn foreign_terminal(policy: &Policy, rest: &[u8]) -> Option<Ruling> {
    if rest == b"tty" {
        return Some(Ruling::Quiet(libc::ENXIO));
    }
    is_terminal(rest).then(|| alarm(policy, Rule::ProcTamper, Severity::High, "terminals that are not its own"))
}

pub(crate) fn is_terminal(rest: &[u8]) -> bool {
    rest == b"tty" || rest == b"console" || rest.starts_with(b"pts/") && rest != b"pts/ptmx"
}

/// Files tools look for in every directory above the one they work on.
const UPWARD: [&[u8]; 22] = [
    b"Cargo.toml",
    b"Cargo.lock",
    b"rust-toolchain",
    b"rust-toolchain.toml",
    b"rustfmt.toml",
    b".rustfmt.toml",
    b"clippy.toml",
    b".clippy.toml",
    b".gitignore",
    b".gitattributes",
    b".ignore",
    b".editorconfig",
    b".clang-format",
    b".clang-tidy",
    b".clangd",
    b"sqlx.toml",
    b"package.json",
    b".python-version",
    b".tool-versions",
    b"HEAD",
    b"pyvenv.cfg",
    b"askama.toml",
];

/// First components below home that honest tools probe for settings of their own. None holds a secret the catalogue does not know.
const PROBED: [&[u8]; 40] = [
    b".cmake",
    b".terminfo",
    b".inputrc",
    b".rustup",
    b".cargo",
    b".pyenv",
    b".rbenv",
    b".nvm",
    b".asdf",
    b".volta",
    b".conda",
    b".condarc",
    b".vcpkg",
    b".perl5",
    b".pydistutils.cfg",
    b".pythonrc.py",
    b".python",
    b".ccache",
    b".gitignore",
    b".gitignore_global",
    b".gitattributes",
    b".gitmessage",
    b".clang-format",
    b".hushlogin",
    b".bashrc",
    b".profile",
    b".bash_profile",
    b".zshenv",
    b".nix-profile",
    b".nix-defexpr",
    b".local",
    b".cache",
    b".android",
    b".emscripten",
    b".gdbinit",
    b".lldbinit",
    b".fonts",
    b".fontconfig",
    b".icons",
    b".wgetrc",
];

/// Below `~/.config`, the same.
const PROBED_CONFIG: [&[u8]; 14] = [
    b"pkgconfig",
    b"git",
    b"fontconfig",
    b"mise",
    b"asdf",
    b"nix",
    b"ccache",
    b"clangd",
    b"matplotlib",
    b"python",
    b"rustfmt",
    b"cargo",
    b"user-dirs.dirs",
    b"locale.conf",
];

pub(crate) fn read(policy: &Policy, path: &[u8], object: Option<Object>) -> Ruling {
    if is_jobserver(path, object) || is_argument_file(policy, path) {
        return Ruling::Allow;
    }
    // The names at the top are the distribution's. Cap'n Proto's compiler begins every path there by itself, and ends where it cannot.
    if path == b"/" && is_directory(object) {
        return Ruling::Allow;
    }
    // What leads to something readable: whoever follows a link asks there whether it goes in a circle (walkdir), and leaves out what it cannot ask.
    // Such a directory lists names, as `stat` confirms them for anybody; none of what it lists can be read by this.
    let leads = || policy.read.iter().any(|tree| is_ancestor(path, tree));
    if is_directory(object) && leads() {
        return Ruling::Allow;
    }
    // A listing tells names, and globs over `/opt` are common; what is listed still cannot be read.
    if is_directory(object) || is_looked_for_upwards(policy, path) {
        return Ruling::Quiet(EACCES);
    }
    let places = &policy.places;
    if below(path, &places.cargo_home).is_some() || places.rustup_home.as_ref().is_some_and(|tree| below(path, tree).is_some()) {
        return Ruling::Quiet(EACCES);
    }
    if let Some(rest) = places.home.as_ref().and_then(|home| below(path, home)) {
        return at_home(policy, rest);
    }
    if path.starts_with(b"/home/") || path.starts_with(b"/root/") {
        return alarm(policy, Rule::FsReadOutside, Severity::High, "read (another user's home)");
    }
    if object.is_some_and(|object| object.kind == ObjectKind::Special) || path.starts_with(b"/var/") || path.starts_with(b"/run/") {
        return Ruling::Quiet(EACCES);
    }
    alarm(policy, Rule::FsReadOutside, severity_elsewhere(policy), "read")
}

/// A line that is longer than the kernel takes cargo hands to the compiler in a file of its own temporary directory (cargo-util,
/// `ProcessBuilder::build_command_with_argfile`), which is the first of the run's and nobody else's.
fn is_argument_file(policy: &Policy, path: &[u8]) -> bool {
    let Some(rest) = below(path, &policy.places.tmp).filter(|_| matches!(policy.kind, ActorKind::Rustc | ActorKind::Rustdoc)) else {
        return false;
    };
    let in_cargos = parent(rest).iter().all(|byte| *byte == b'0') && !parent(rest).is_empty();
    in_cargos && name(rest).strip_prefix(b"cargo-argfile.").is_some_and(is_drawn)
}

/// GNU make 4.4 and newer hand job tokens through a named pipe.
pub(crate) fn is_jobserver(path: &[u8], object: Option<Object>) -> bool {
    name(path).starts_with(b"GMfifo") && object.is_some_and(|object| object.kind == ObjectKind::Special)
}

fn severity_elsewhere(policy: &Policy) -> Severity {
    if policy.is_program() { Severity::Low } else { Severity::Medium }
}

fn at_home(policy: &Policy, rest: &[u8]) -> Ruling {
    let mut parts = components(rest);
    let first = parts.next().unwrap_or_default();
    let probed = match first {
        b".config" => parts.next().is_some_and(|second| PROBED_CONFIG.contains(&second)),
        _ => PROBED.contains(&first),
    };
    match (probed, first.starts_with(b".")) {
        (true, _) => Ruling::Quiet(EACCES),
        // Settings of a tool we do not know: shown, no violation.
        (false, true) => alarm(policy, Rule::FsReadOutside, Severity::Info, "read (settings in the home directory)"),
        (false, false) => alarm(policy, Rule::FsReadOutside, Severity::Medium, "read (home directory)"),
    }
}

fn is_looked_for_upwards(policy: &Policy, path: &[u8]) -> bool {
    let dir = parent(path);
    let dir = if matches!(name(dir), b".git" | b".cargo" | b".config") { parent(dir) } else { dir };
    let upward = UPWARD.contains(&name(path)) || path.ends_with(b"/.git") || matches!(name(parent(path)), b".git");
    upward && policy.places.workspace.iter().chain(&policy.own.package).chain(&policy.places.packages).any(|place| is_ancestor(dir, place))
}
