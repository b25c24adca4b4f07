//! Placeholders of profiles and what they stand for. In: an entry as written. Out: real paths, which may be none, one or many.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::judge::Places;
use crate::judge::paths::{self, glob};
use crate::judge::records;
use crate::judge::rules::must_be_named;
use crate::model::is_interpreter;
use crate::plan::actor_facts::ActorFacts;
use crate::plan::document::suggestion;

/// Placeholder and what it means, for `profile show` and for errors.
pub const KNOWN: [(&str, &str); 20] = [
    ("package", "the actor's own package"),
    ("out", "where this actor leaves results: OUT_DIR, or the compiler's output directories"),
    ("self", "the program cargo started: a build script that runs itself again"),
    ("tmp", "the actor's private temporary directory"),
    ("target", "the target directory, and `build.build-dir` where it is another one"),
    ("workspace", "the workspace"),
    ("packages", "path packages outside the workspace"),
    ("toolchain", "the Rust toolchain (sysroot)"),
    ("system", "what the distribution installed, and its configuration"),
    ("programs", "where the distribution installed programs"),
    ("devices", "/dev/null and the like, the terminal"),
    ("registry", "unpacked sources of registry and git packages"),
    ("cargo-home", "CARGO_HOME"),
    ("rustup-home", "RUSTUP_HOME"),
    ("home", "the user's home"),
    (
        "path",
        "directories of the user's PATH outside the build, programs that the user named (RUSTC, CC …), and the installations they belong to",
    ),
    ("linker", "programs a link runs"),
    ("sysroot-programs", "programs of the toolchain"),
    ("root", "everything"),
    ("loader", "the dynamic loader"),
];

/// What only cargo's own table knows, see `plan::cargo_wall`.
pub const CARGOS: [(&str, &str); 10] = [
    ("lock", "the workspace's lock file"),
    ("sources", "Rust sources of the workspace that are there already"),
    ("proc", "/proc; while cargo holds credentials, what tells of the machine and of cargo's own limits"),
    ("rewritten", "the workspace and the directory cargo works in, secrets included: manifests are replaced and read again"),
    ("vendored", "where `cargo vendor` leaves what it copies"),
    ("above", "manifests, configuration and toolchain files in the directories above, and the repository's own directory"),
    ("outside", "path packages, overrides and vendored sources outside the workspace that manifests and configuration name"),
    ("here", "the directory cargo was started in, and the one it was told to make"),
    ("install-root", "where `cargo install` puts programs"),
    ("outputs", "what `--artifact-dir` and its like name"),
];

/// Programs, libraries, shared data and configuration of the distribution (Debian, Fedora, Arch, Alpine, Nix, Guix, snap).
const SYSTEM: [&str; 40] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/sys",
    "/snap",
    "/run/current-system",
    "/run/opengl-driver",
    "/run/wrappers",
    "/nix/var/nix/profiles",
    "/run/systemd/resolve/resolv.conf",
    "/run/systemd/resolve/stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/resolvconf/resolv.conf",
    "/run/connman/resolv.conf",
    "/run/host/usr",
    "/run/host/fonts",
    "/run/host/font-cache",
    "/run/host/share",
    "/run/host/os-release",
    "/var/lib/dpkg",
    "/var/lib/rpm",
    "/var/lib/pacman/local",
    "/var/lib/ca-certificates",
    "/var/lib/alternatives",
    "/var/cache/fontconfig",
    "/var/cache/ldconfig",
    "/var/lib/texmf",
    "/var/lib/snapd/snap",
    "/var/lib/locales",
    "/var/db/pkg",
    "/home/linuxbrew/.linuxbrew",
];

/// Of these, where programs are.
const PROGRAMS: [&str; 14] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/snap",
    "/run/current-system",
    "/run/wrappers",
    "/home/linuxbrew/.linuxbrew",
];

const DEVICES: [&str; 9] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/console"];

/// Names of programs that link or that linkers start, as globs on the real file's name.
const LINKERS: [&str; 24] = [
    "cc",
    "c++",
    "gcc",
    "g++",
    "gcc-[0-9]*",
    "*-gcc",
    "*-gcc-*",
    "*-g++",
    "*-g++-*",
    "clang",
    "clang++",
    "clang-*",
    "clang++-*",
    "ld",
    "ld.*",
    "*-ld",
    "*-ld.*",
    "lld",
    "lld-*",
    "*lld",
    "mold",
    "wild",
    "wasm-ld*",
    "collect2",
];
/// Used by compilers' drivers and by rustc for archives, import libraries and stripping.
const LINK_TOOLS: [&str; 8] = ["as", "*-as", "ar", "*-ar", "strip", "*-strip", "dlltool", "*-dlltool"];

/// Longer ones name nothing anybody has, and are work for whoever compiles them.
const LONGEST_GLOB: usize = 1000;

/// Is this entry well formed?
///
/// # Errors
/// With what is wrong, as a lowercase fragment.
pub fn check(list: &str, entry: &str) -> Result<(), String> {
    match list {
        "connect" => return check_destination(entry),
        "record" => return records::check(entry),
        "data" if !entry.is_empty() && entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) => {
            return Ok(());
        }
        "data" => return Err(format!("`{entry}` must be the ending of a file's name, without a dot")),
        _ => {}
    }
    check_path(list, entry, KNOWN.iter())
}

/// Is this entry of cargo's own table well formed?
///
/// # Errors
/// As for [`check`].
pub fn check_cargo(entry: &str) -> Result<(), String> {
    if is_individual(entry) && !entry.starts_with("{tmp}") {
        return Err(format!("`{entry}` differs from actor to actor: cargo is none of them"));
    }
    check_path("", entry, CARGOS.iter().chain(&KNOWN))
}

fn check_path<'k>(list: &str, entry: &str, known: impl Iterator<Item = &'k (&'k str, &'k str)>) -> Result<(), String> {
    let known: Vec<&str> = known.map(|(name, _)| *name).collect();
    if let Some(rest) = entry.strip_prefix('{') {
        let Some((name, rest)) = rest.split_once('}') else { return Err(format!("`{entry}` lacks a closing `}}`")) };
        if !known.contains(&name) {
            return Err(unknown(name, &known));
        }
        return if rest.is_empty() || (rest.starts_with('/') && is_clean(rest)) { Ok(()) } else { Err(unclean(entry)) };
    }
    if entry.contains(['{', '}']) {
        return Err(format!("`{entry}`: a placeholder can only stand at the start"));
    }
    if entry.starts_with('/') || entry.starts_with("~/") {
        return if is_clean(entry.trim_start_matches('~')) { Ok(()) } else { Err(unclean(entry)) };
    }
    if list == "exec" && !entry.contains('/') {
        return Ok(());
    }
    let bare = if list == "exec" { ", or the bare name of a program" } else { "" };
    Err(format!("`{entry}` must be an absolute path or start with a placeholder{bare}"))
}

/// A glob of `secrets`: its placeholder, if any, and its syntax.
///
/// # Errors
/// As for [`check`].
pub fn check_glob(entry: &str) -> Result<(), String> {
    let rest = match split_glob(entry) {
        Some((name, _)) if is_individual(entry) => return Err(format!("`{{{name}}}` differs from actor to actor: secrets are everyone's")),
        Some((name, _)) if !KNOWN.iter().any(|(known, _)| *known == name) => return Err(unknown(name, &KNOWN.map(|(known, _)| known))),
        Some((_, rest)) if rest.is_empty() || rest.starts_with('/') => rest,
        Some(_) => return Err(format!("`{entry}`: a placeholder is a whole directory, a slash follows it")),
        None => entry,
    };
    if entry.chars().count() > LONGEST_GLOB {
        return Err(format!("a glob is longer than {LONGEST_GLOB} characters"));
    }
    crate::judge::secrets::check_glob(rest)
}

/// A glob's placeholder and what follows it. `{a,b}` is no placeholder but a choice.
pub(crate) fn split_glob(glob: &str) -> Option<(&str, &str)> {
    let (name, rest) = match glob.strip_prefix("~/") {
        Some(_) => ("home", &glob[1..]),
        None => glob.strip_prefix('{')?.split_once('}')?,
    };
    name.chars().all(|c| c.is_ascii_lowercase() || c == '-').then_some((name, rest))
}

fn unknown(name: &str, known: &[&str]) -> String {
    format!("unknown placeholder `{{{name}}}`{}", suggestion(name, known))
}

fn is_clean(path: &str) -> bool {
    path == "/" || paths::is_clean(path.as_bytes())
}

fn unclean(entry: &str) -> String {
    format!("`{entry}` must be a path without `..`, `.`, `//` or a `/` at the end")
}

fn check_destination(entry: &str) -> Result<(), String> {
    if entry == "loopback" {
        return Ok(());
    }
    let wanted = || format!("`{entry}` must be `host:port`, `address:port`, `*` for either part, or `loopback`");
    let (host, port) = entry.rsplit_once(':').ok_or_else(wanted)?;
    let v6 = host.starts_with('[') && host.ends_with(']') && host[1..host.len() - 1].parse::<std::net::Ipv6Addr>().is_ok();
    let name = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*'));
    let number = port == "*" || port.parse::<u16>().is_ok_and(|port| port > 0);
    if (v6 || name) && number { Ok(()) } else { Err(wanted()) }
}

/// Does this entry differ from actor to actor?
pub(crate) fn is_individual(entry: &str) -> bool {
    ["{package}", "{out}", "{self}", "{tmp}", "{linker}"].iter().any(|placeholder| entry.starts_with(placeholder))
}

/// The paths an entry stands for. Individual placeholders need `facts`; without them they stand for nothing.
pub(crate) fn expand(entry: &str, places: &Places, facts: Option<&ActorFacts>) -> Vec<PathBuf> {
    let (trees, rest): (Vec<PathBuf>, &str) = match entry.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((name, rest)) => (stands_for(name, places, facts), rest.trim_start_matches('/')),
        None => match entry.strip_prefix("~/") {
            Some(rest) => (places.home.iter().cloned().collect(), rest),
            None if entry.starts_with('/') => (vec![PathBuf::from(entry)], ""),
            None => (programs_named(entry, places), ""),
        },
    };
    let trees = trees.into_iter().filter(|tree| tree.is_absolute());
    trees.map(|tree| if rest.is_empty() { tree } else { tree.join(rest) }).collect()
}

fn stands_for(name: &str, places: &Places, facts: Option<&ActorFacts>) -> Vec<PathBuf> {
    let paths = |texts: &[&str]| texts.iter().map(PathBuf::from).collect();
    match name {
        "package" => facts.and_then(|facts| facts.package_dir.clone()).into_iter().collect(),
        "out" => facts.map(|facts| facts.outputs.clone()).unwrap_or_default(),
        "self" => facts.and_then(|facts| facts.program.clone()).into_iter().collect(),
        "tmp" => facts.map(|facts| facts.tmp.clone()).into_iter().collect(),
        "linker" => places.linkers.iter().cloned().chain(facts.iter().flat_map(|facts| chosen_linker(facts, places))).collect(),
        "target" => places.results().cloned().collect(),
        "workspace" => places.workspace.iter().cloned().collect(),
        "packages" => places.packages.clone(),
        "toolchain" => vec![places.toolchain.clone()],
        "sysroot-programs" => vec![places.toolchain.join("bin"), places.toolchain.join("lib/rustlib")],
        "registry" => vec![places.cargo_home.join("registry/src"), places.cargo_home.join("git/checkouts")],
        "cargo-home" => vec![places.cargo_home.clone()],
        "rustup-home" => places.rustup_home.iter().cloned().collect(),
        "home" => places.home.iter().cloned().collect(),
        "path" => places.path_dirs.iter().chain(&places.installed).cloned().collect(),
        "system" => paths(&SYSTEM),
        "programs" => paths(&PROGRAMS),
        "devices" => paths(&DEVICES),
        "loader" => paths(&["/lib64", "/lib"]),
        "root" => vec![PathBuf::from("/")],
        _ => Vec::new(),
    }
}

/// What `linker = …` names in cargo's configuration: a path, or a program that the compiler looks for on its path. That configuration may be
/// the repository's: a downloader stays one, and a shell is no linker.
pub(super) fn chosen_linker(facts: &ActorFacts, places: &Places) -> Vec<PathBuf> {
    let mut chosen = match &facts.linker {
        Some(name) if name.parent() == Some(Path::new("")) => programs_named(&name.to_string_lossy(), places),
        path => path.iter().cloned().collect(),
    };
    chosen.retain(|path| !must_be_named(path.as_os_str().as_bytes()) && !is_interpreter(paths::name(path.as_os_str().as_bytes())));
    chosen
}

/// Every executable of this name on the user's path and in the usual places, by its real path and as it is named there.
pub fn programs_named(name: &str, places: &Places) -> Vec<PathBuf> {
    let usual = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = places.path_dirs.iter().chain(&usual).map(|dir| dir.join(name)).filter(|path| is_program(path));
    let mut programs: Vec<PathBuf> = found.filter_map(|path| path.canonicalize().ok()).collect();
    programs.sort();
    programs.dedup();
    programs
}

pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Directories of a `PATH` that a build may run programs from: existing, real, not the build's own (workspace, target, temporary
/// directories), not home or the root itself. For `Places::path_dirs`.
pub fn path_dirs(path: &OsStr, places: &Places) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .filter_map(|dir| dir.canonicalize().ok())
        .filter(|dir| dir.is_dir() && !is_builds_own(dir, places))
        .collect();
    let mut seen = std::collections::HashSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    dirs
}

pub(super) fn is_builds_own(dir: &Path, places: &Places) -> bool {
    let scratch = ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|tree| dir.starts_with(tree));
    let own = places.workspace.iter().chain(places.results()).chain([&places.tmp]).chain(&places.packages);
    let above = places.all().chain(&places.home).chain([&places.cargo_home]).any(|place| place.starts_with(dir));
    scratch || above || own.filter(|tree| tree.is_absolute()).any(|tree| dir.starts_with(tree))
}

/// What a link runs: linkers and their helpers found on the path and in the system, gcc's and clang's private directories, the
/// toolchain's own programs, the loader that starts them all. For `Places::linkers`; looks at a few directories once.
pub fn linkers(places: &Places) -> Vec<PathBuf> {
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    let mut found: Vec<PathBuf> = Vec::new();
    let mut dirs: Vec<PathBuf> = places.path_dirs.iter().chain(&usual).filter_map(|dir| dir.canonicalize().ok()).collect();
    dirs.sort();
    dirs.dedup();
    for dir in dirs {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let matches = LINKERS.iter().chain(&LINK_TOOLS).any(|pattern| is_named(pattern, name.as_encoded_bytes()));
            // The directory is real: what is no link in it is real, too.
            let is_link = || entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if matches && is_program(&entry.path()) {
                found.extend(if is_link() { entry.path().canonicalize().ok() } else { Some(entry.path()) });
            }
        }
    }
    let private = ["/usr/lib/gcc", "/usr/libexec/gcc", "/usr/lib/llvm", "/usr/libexec/lld", "/usr/lib/gcc-cross"];
    found.extend(private.iter().map(PathBuf::from).filter(|dir| dir.is_dir()).filter_map(|dir| dir.canonicalize().ok()));
    found.push(places.toolchain.join("lib/rustlib"));
    // Of a toolchain that is named by its compiler, or lies on the path.
    found.extend(places.installed.iter().map(|dir| dir.join("rustlib")).filter(|dir| dir.is_dir()));
    found.extend(loaders());
    found.sort();
    found.dedup();
    found
}

/// `gcc-[0-9]*` is the only class in use: a digit after the dash keeps `gcc-ar` wrappers apart from compilers.
fn is_named(pattern: &str, name: &[u8]) -> bool {
    match pattern.split_once("[0-9]*") {
        Some((head, _)) => name.strip_prefix(head.as_bytes()).is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit)),
        None => glob(pattern.as_bytes(), name),
    }
}

/// The kernel asks for the right to execute the interpreter of a dynamic program, too.
fn loaders() -> Vec<PathBuf> {
    let dirs = ["/lib64", "/lib", "/usr/lib64", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"];
    let entries = dirs.iter().flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let is_loader = |name: &[u8]| name.starts_with(b"ld-linux") || name.starts_with(b"ld-musl") || name.starts_with(b"ld64.so");
    entries.filter(|entry| is_loader(entry.file_name().as_encoded_bytes())).filter_map(|entry| entry.path().canonicalize().ok()).collect()
}
