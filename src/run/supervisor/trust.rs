//! Which tracees are trusted, by the place their program lies in: cargo, its drivers and helpers; and who wraps the compiler. In: what was started, and the
//! places. Out: yes or no. Nothing a build could have put in a place of its own counts.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::judge::Places;
use crate::launch::Tracee;

/// Does the user keep programs of cargo's there? Nothing a build could have put in a place of its own counts.
pub fn is_installed(exe: &Path, started: &Path, places: &Places) -> bool {
    if of_the_build(exe, places) {
        return false;
    }
    let usual = [places.cargo_home.join("bin"), places.toolchain.join("bin"), "/usr/bin".into(), "/usr/local/bin".into()];
    let in_a_toolchain = places.rustup_home.as_ref().is_some_and(|home| exe.starts_with(home.join("toolchains")));
    exe == started || in_a_toolchain || is_linked(exe, places) || exe.parent().is_some_and(|parent| usual.iter().any(|dir| dir == parent))
}

/// `rustup toolchain link`: the user's own toolchain, which rustup knows by a link.
fn is_linked(exe: &Path, places: &Places) -> bool {
    let toolchains = places.rustup_home.as_ref().and_then(|home| std::fs::read_dir(home.join("toolchains")).ok());
    let links = toolchains.into_iter().flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.filter_map(|link| link.path().canonicalize().ok()).any(|toolchain| exe.parent() == Some(&toolchain.join("bin")))
}

/// `cargo-clippy`, `cargo-nextest` …: as trusted as cargo, where the user installed them beside it.
pub fn is_driver(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"cargo-") && !name.as_bytes().starts_with(b"cargo-credential-")
}

/// In a tree that a repository or a package brought along, or that the build writes to.
fn of_the_build(exe: &Path, places: &Places) -> bool {
    let caches = ["registry", "git"].map(|dir| places.cargo_home.join(dir));
    let trees = places.workspace.iter().chain(places.results()).chain(&places.packages).chain([&places.tmp]);
    trees.chain(&caches).any(|tree| tree.is_absolute() && exe.starts_with(tree))
}

/// Neither the build's, nor where anybody could have put it.
pub fn is_the_users(exe: &Path, places: &Places) -> bool {
    let anybodys = ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|tree| exe.starts_with(tree));
    let of_the_user = places.home.iter().chain([&places.cargo_home]).any(|home| home.is_absolute() && exe.starts_with(home));
    (!anybodys || of_the_user) && !of_the_build(exe, places)
}

/// The toolchain's own programs that run no code of the build (rustfmt) keep cargo's trust.
pub fn is_of_the_toolchain(tracee: &Tracee, places: &Places) -> bool {
    tracee.exe.parent() == Some(&places.toolchain.join("bin"))
}

/// Those who help cargo fetch keep its trust, too: git (it works in cargo's home) and credential providers. Not what a repository brought
/// along: its configuration can name any provider.
pub fn helps_to_fetch(tracee: &Tracee, places: &Places) -> bool {
    let (exe, file) = (&tracee.exe, tracee.exe.file_name().unwrap_or_default());
    let fetches = file == "git" && !places.cargo_home.as_os_str().is_empty() && tracee.cwd.starts_with(places.cargo_home.join("git"));
    let provides = file.as_bytes().starts_with(b"cargo-credential-");
    (fetches || provides) && is_the_users(exe, places)
}

/// A wrapper gets the compiler as its first argument (a script has its own name before that), and may hand the work to a server outside
/// every wall, as sccache does.
pub fn wraps_the_compiler(tracee: &Tracee, places: &Places) -> bool {
    let is_compiler = |word: &OsString| Path::new(word).file_name() == Some(OsStr::new("rustc"));
    let compiles = tracee.argv.iter().any(|word| word == "--crate-name" || word == "-vV");
    let known = ["rustc", "clippy-driver", "rustup"].iter().any(|name| tracee.exe.file_name() == Some(OsStr::new(name)));
    !known && compiles && places.result(tracee.exe.as_os_str().as_bytes()).is_none() && tracee.argv.iter().skip(1).take(2).any(is_compiler)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_trusted_by_name() {
        let places = Places {
            workspace: Some("/home/u/app".into()),
            target: "/home/u/app/target".into(),
            build: "/var/build/app".into(),
            packages: vec!["/home/u/lib".into()],
            cargo_home: "/home/u/.cargo".into(),
            rustup_home: Some("/home/u/.rustup".into()),
            toolchain: "/home/u/.rustup/toolchains/stable".into(),
            tmp: "/tmp/brig-1".into(),
            ..Places::default()
        };
        for (exe, built) in [
            ("/home/u/.rustup/toolchains/stable/bin/cargo", false),
            ("/home/u/.cargo/bin/cargo", false),
            ("/home/u/.cargo/registry/src/idx/x-1.0.0/cargo", true),
            ("/home/u/.cargo/git/checkouts/x/1/cargo-credential-x", true),
            ("/home/u/app/tools/cargo-credential-x", true),
            ("/home/u/lib/cargo", true),
            ("/var/build/app/debug/cargo", true),
            ("/tmp/brig-1/3/cargo", true),
        ] {
            assert_eq!(of_the_build(Path::new(exe), &places), built, "{exe}");
        }
        let helps = |exe: &str, cwd: &str| {
            let tracee = Tracee { pid: 1, in_place: false, exe: exe.into(), argv: &[], env: Vec::new(), cwd: cwd.into() };
            helps_to_fetch(&tracee, &places)
        };
        assert!(helps("/usr/bin/git", "/home/u/.cargo/git/db/x") && !helps("/usr/bin/git", "/home/u/app"));
        assert!(helps("/usr/libexec/cargo-credential-libsecret", "/") && !helps("/home/u/app/tools/cargo-credential-x", "/"));
        assert!(!helps("/dev/shm/cargo-credential-x", "/") && !helps("/tmp/git", "/home/u/.cargo/git/db/x"));
    }
}
