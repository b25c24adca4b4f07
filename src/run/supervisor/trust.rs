//! Which tracees are trusted, by the place their program lies in: cargo, its drivers and helpers; and who wraps the compiler. In: what was started, and the
//! places. Out: yes or no. Nothing a build could have put in a place of its own counts.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::attribute::identity::compiler_named;
use crate::judge::Places;
use crate::launch::Tracee;
use crate::plan::file_url;
use crate::plan::placeholders::programs_named;
use crate::plan::rustup::is_rustup;

/// Does the user keep programs of cargo's there? Nothing a build could have put in a place of its own counts.
pub fn is_installed(exe: &Path, started: &Path, places: &Places) -> bool {
    if places.is_of_the_build(exe) {
        return false;
    }
    let usual = [places.cargo_home.join("bin"), places.toolchain.join("bin"), "/usr/bin".into(), "/usr/local/bin".into()];
    let in_a_toolchain = places.rustup_home.as_ref().is_some_and(|home| exe.starts_with(home.join("toolchains")));
    let is_usual = exe.parent().is_some_and(|parent| usual.iter().any(|dir| dir == parent));
    exe == started || in_a_toolchain || is_usual || is_linked(exe, places) || is_with_rustup(exe, places)
}

/// The rustup that the user's path leads to, and what is kept in the directory of that path where it lies: the programs of cargo's that an image or
/// a distribution brings, where cargo's home is another one.
fn is_with_rustup(exe: &Path, places: &Places) -> bool {
    let shims = ["cargo", "rustc"].iter().flat_map(|name| programs_named(name, places));
    let kept = |rustup: &Path| exe.parent() == rustup.parent() && places.path_dirs.iter().any(|dir| exe.parent() == Some(dir));
    is_the_users(exe, places) && shims.filter(|shim| is_rustup(shim)).any(|rustup| exe == rustup || kept(&rustup))
}

/// `rustup toolchain link`: the user's own toolchain, which rustup knows by a link.
fn is_linked(exe: &Path, places: &Places) -> bool {
    let toolchains = places.rustup_home.as_ref().and_then(|home| std::fs::read_dir(home.join("toolchains")).ok());
    let links = toolchains.into_iter().flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.filter_map(|link| link.path().canonicalize().ok()).any(|toolchain| exe.parent() == Some(&toolchain.join("bin")))
}

/// Neither the build's, nor where anybody could have put it.
pub fn is_the_users(exe: &Path, places: &Places) -> bool {
    let anybodys = ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|tree| exe.starts_with(tree));
    let of_the_user = places.home.iter().chain([&places.cargo_home]).any(|home| home.is_absolute() && exe.starts_with(home));
    (!anybodys || of_the_user) && !places.is_of_the_build(exe)
}

/// Those who help cargo fetch keep its trust: git (it works in cargo's home), and credential providers by their usual name, asked as
/// cargo asks them. Not what a repository brought along, nor what it wants the user's own to be told: its configuration can name any provider.
pub fn helps_to_fetch(tracee: &Tracee, places: &Places) -> bool {
    let (exe, called) = (&tracee.exe, &tracee.called);
    let fetches = || {
        let of_cargo = !places.cargo_home.as_os_str().is_empty() && tracee.cwd.starts_with(places.cargo_home.join("git"));
        of_cargo && [exe, called].iter().all(|path| path.file_name() == Some(OsStr::new("git")))
    };
    let provides = || {
        let named = |path: &&PathBuf| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"cargo-credential-"));
        [exe, called].iter().all(named) && tracee.argv.get(1..).is_some_and(|words| words == ["--cargo-plugin"])
    };
    (fetches() || provides()) && [exe, called].iter().all(|path| is_the_users(path, places))
}

/// Repositories on this machine that git is told to fetch from. A manifest of a dependency, or a submodule, can name any of the user's, and a copy of
/// it would lie where every build script reads: git keeps its trust for those that cargo itself may read.
pub fn local_repositories(argv: &[OsString]) -> Vec<PathBuf> {
    let path = |word: &OsString| file_url::path_of(word.as_bytes()).or_else(|| Some(PathBuf::from(word)).filter(|path| path.is_absolute()));
    argv.iter().skip(1).filter_map(path).collect()
}

/// Of a script the kernel says: its interpreter, perhaps one argument, the script by the path it was started by (execve(2)). Which word that is.
fn script_at(tracee: &Tracee) -> Option<usize> {
    tracee.argv.iter().take(3).skip(1).position(|word| tracee.cwd.join(word) == tracee.called)
}

/// The script cargo started, where it is the user's own.
pub fn users_script(tracee: &Tracee, places: &Places) -> Option<PathBuf> {
    script_at(tracee).filter(|_| tracee.exe != tracee.called)?;
    tracee.called.canonicalize().ok().filter(|script| is_the_users(script, places))
}

/// What stands between cargo and the compiler where neither Brig nor the build put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Between {
    /// A wrapper, which gets the compiler as its first argument and may hand the work to a server outside every wall, as sccache does.
    Wrapper(PathBuf),
    /// A script that bears the compiler's name.
    Script(PathBuf),
}

/// Who was started where cargo starts the compiler, and is none.
pub fn between(tracee: &Tracee, places: &Places) -> Option<Between> {
    let compiles = tracee.argv.iter().any(|word| word == "--crate-name" || word == "-vV");
    let (called, exe) = (&tracee.called, &tracee.exe);
    let is_compiler = |path: &Path| is_rustup(path) || compiler_named(path).is_some();
    if !compiles || is_compiler(exe) || [called, exe].iter().any(|path| places.result(path.as_os_str().as_bytes()).is_some()) {
        return None;
    }
    let own = script_at(tracee);
    let first = tracee.argv.get(own.map_or(1, |at| at + 2))?;
    if Path::new(first).file_name() == Some(OsStr::new("rustc")) {
        return Some(Between::Wrapper(called.clone()));
    }
    (own.is_some() && compiler_named(called).is_some()).then(|| Between::Script(called.clone()))
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
            assert_eq!(places.is_of_the_build(Path::new(exe)), built, "{exe}");
        }
        let helps = |exe: &str, cwd: &str| {
            let argv = [exe, "--cargo-plugin"].map(OsString::from);
            let tracee = Tracee {
                pid: 1,
                in_place: false,
                parent: 0,
                exe: exe.into(),
                called: exe.into(),
                argv: &argv,
                env: Vec::new(),
                cwd: cwd.into(),
            };
            helps_to_fetch(&tracee, &places)
        };
        assert!(helps("/usr/bin/git", "/home/u/.cargo/git/db/x") && !helps("/usr/bin/git", "/home/u/app"));
        assert!(helps("/usr/libexec/cargo-credential-libsecret", "/") && !helps("/home/u/app/tools/cargo-credential-x", "/"));
        assert!(!helps("/dev/shm/cargo-credential-x", "/") && !helps("/tmp/git", "/home/u/.cargo/git/db/x"));
    }

    #[test]
    fn the_rustup_on_the_users_path_and_what_lies_with_it_there() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let at = |path: &str| home.join(path);
        let lay = |path: &str, text: &str| {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), text).unwrap();
            std::fs::set_permissions(at(path), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        };
        for bin in ["image", "off-the-path", "other", "unknown", "app/.cargo/bin"] {
            lay(&format!("{bin}/cargo-clippy"), "a driver");
            lay(&format!("{bin}/rustup"), "rustup");
        }
        for bin in ["image", "unknown", "app/.cargo/bin"] {
            std::fs::hard_link(at(bin).join("rustup"), at(bin).join("cargo")).unwrap();
        }
        lay("other/cargo", "not rustup, which lies beside it");
        lay("linked/cargo-fmt", "a driver");
        std::os::unix::fs::symlink("../off-the-path/rustup", at("linked/rustc")).unwrap();
        let places = Places {
            workspace: Some(at("app")),
            target: at("app/target"),
            build: at("app/target"),
            cargo_home: at("app/.cargo"),
            home: Some(home.clone()),
            path_dirs: ["image", "linked", "other", "app/.cargo/bin"].map(at).into(),
            ..Places::default()
        };
        for (exe, is) in [
            ("image/cargo", true),
            ("image/rustup", true),
            ("image/cargo-clippy", true),
            ("off-the-path/rustup", true),
            ("off-the-path/cargo-clippy", false),
            ("linked/cargo-fmt", false),
            ("other/rustup", false),
            ("other/cargo-clippy", false),
            ("unknown/cargo", false),
            ("app/.cargo/bin/cargo", false),
            ("app/.cargo/bin/cargo-clippy", false),
        ] {
            assert_eq!(is_installed(&at(exe), Path::new("/nowhere"), &places), is, "{exe}");
        }
        // Where anybody may leave files nothing is kept.
        let places = Places { home: None, ..places };
        assert_eq!(
            is_installed(&at("image/cargo"), Path::new("/nowhere"), &places),
            !["/tmp", "/var/tmp", "/dev/shm"].iter().any(|tree| home.starts_with(tree))
        );
    }

    #[test]
    fn repositories_of_this_machine_are_seen_in_gits_words() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let found = local_repositories(&words("git fetch --no-tags --force file:///home/u/a%20b +HEAD:refs/remotes/origin/HEAD"));
        assert_eq!(found, [PathBuf::from("/home/u/a b")]);
        assert_eq!(
            local_repositories(&words("/usr/bin/git fetch FILE://host/srv/x /home/u/y")),
            ["/srv/x", "/home/u/y"].map(PathBuf::from)
        );
        assert!(local_repositories(&words("git fetch https://example.invalid/home/u/x +HEAD:refs/x")).is_empty());
    }
}
