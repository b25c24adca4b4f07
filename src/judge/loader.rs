//! Variables that steer programs: which code they load, which tools they start. In: what cargo was given, what an actor is to get, what
//! a build script told cargo. Out: names that somebody other than the user has changed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::judge::paths::{below, components};
use crate::judge::places::Places;
use crate::model::{ActorKind, Severity};

/// Variables that decide which code a process loads or runs.
const LOADER: [&[u8]; 30] = [
    b"PATH",
    b"GCONV_PATH",
    b"GLIBC_TUNABLES",
    b"LOCPATH",
    b"NLSPATH",
    b"HOSTALIASES",
    b"BASH_ENV",
    b"PYTHONPATH",
    b"PYTHONSTARTUP",
    b"PYTHONHOME",
    b"PERL5OPT",
    b"PERL5LIB",
    b"RUBYOPT",
    b"RUBYLIB",
    b"NODE_OPTIONS",
    b"GIT_SSH_COMMAND",
    b"GIT_EXEC_PATH",
    b"COMPILER_PATH",
    b"GCC_EXEC_PREFIX",
    b"COLLECT_LTO_WRAPPER",
    b"COLLECT_GCC",
    b"CCC_OVERRIDE_OPTIONS",
    b"GIT_SSH",
    b"GIT_ASKPASS",
    b"GIT_PROXY_COMMAND",
    b"GIT_EXTERNAL_DIFF",
    b"GIT_CONFIG_GLOBAL",
    b"GIT_CONFIG_SYSTEM",
    b"GIT_CONFIG_COUNT",
    b"GIT_CONFIG_PARAMETERS",
];

/// Variables that steer compilers, and the cargo that a test starts, without making them load anything. Cargo's `[env]` table may set
/// them in all honesty, so they count only where a build script is known to have done it. (`RUSTC_BOOTSTRAP` cargo itself refuses.)
const STEERING: [&[u8]; 15] = [
    b"RUSTC_WRAPPER",
    b"RUSTC_WORKSPACE_WRAPPER",
    b"CARGO_ENCODED_RUSTFLAGS",
    b"CARGO_HOME",
    b"RUSTUP_HOME",
    b"RUSTUP_TOOLCHAIN",
    b"RUST_TARGET_PATH",
    b"RUSTC_LOG",
    b"RUSTC_LOG_OUTPUT_TARGET",
    b"RUSTC_ICE",
    b"LIBRARY_PATH",
    b"SSLKEYLOGFILE",
    b"HOME",
    b"TMPDIR",
    b"_RJEM_MALLOC_CONF",
];

fn is_loader(name: &[u8]) -> bool {
    LOADER.contains(&name) || name.starts_with(b"LD_")
}

fn is_steering(name: &[u8]) -> bool {
    let of_a_target = || [&b"_RUNNER"[..], b"_LINKER", b"_RUSTFLAGS"].iter().any(|end| name.ends_with(end));
    STEERING.contains(&name) || name.starts_with(b"CARGO_BUILD_") || name.starts_with(b"CARGO_TARGET_") && of_a_target()
}

pub type Variable<'a> = (&'a [u8], &'a [u8]);

/// Loader variables of an actor that are neither what cargo was `given` nor what cargo and rustup themselves put in front: they came
/// through a `cargo:rustc-env` directive, or from the `[env]` table of a configuration file. Names, in the order seen. What the user set
/// stays the user's choice. Directives reach compilers and programs, never build scripts or tools.
pub fn loader_tampering(kind: ActorKind, given: &[Variable<'_>], seen: &[Variable<'_>], places: &Places) -> Vec<Vec<u8>> {
    if matches!(kind, ActorKind::Tool | ActorKind::BuildScript) {
        return Vec::new();
    }
    let before = |name: &[u8]| given.iter().find(|variable| variable.0 == name).map(|variable| variable.1);
    let changed = |(name, value): &Variable<'_>| match (before(name), *name) {
        (Some(old), _) if old == *value => false,
        (old, b"PATH") => {
            !is_prefixed(old, value, |dir| below(dir, &places.cargo_home.join("bin")).is_some() || below(dir, &places.toolchain).is_some())
        }
        (old, b"LD_LIBRARY_PATH") => !is_prefixed(old, value, |dir| cargo_adds(kind, dir, places)),
        _ => true,
    };
    seen.iter().filter(|variable| is_loader(variable.0) && changed(variable)).map(|variable| variable.0.to_vec()).collect()
}

/// Variables that a directive may have changed, of which `loader_tampering` cannot tell: all that only steer, and for programs, to which
/// cargo gives libraries of the build, the loader's too.
pub fn changed<'s>(kind: ActorKind, cargos: &[Variable<'_>], seen: &[Variable<'s>]) -> Vec<Variable<'s>> {
    let program = matches!(kind, ActorKind::Program | ActorKind::Rustdoc);
    let steers = |name: &[u8]| is_steering(name) || program && is_loader(name);
    seen.iter().filter(|variable| steers(variable.0) && !cargos.contains(variable)).copied().collect()
}

/// How bad it is that a build script sets this variable for others. Telling them what they have anyway is no attempt.
pub fn directed(variable: Variable<'_>, given: &[Variable<'_>], places: &Places) -> Option<Severity> {
    if !loader_tampering(ActorKind::Rustc, given, &[variable], places).is_empty() {
        return Some(Severity::High);
    }
    (is_steering(variable.0) && !given.contains(&variable)).then_some(Severity::Medium)
}

/// The directories that cargo appended to a compiler's `LD_LIBRARY_PATH`, where it is otherwise what [`loader_tampering`] lets pass. A compiler
/// that loads a macro gets those in which scripts of what the macro is linked with look for native libraries (cargo's `add_plugin_deps`), as far
/// as they lie in the build's output (`filter_dynamic_search_path`). Whether a script said so the value does not tell.
pub fn appended(kind: ActorKind, given: &[Variable<'_>], value: &[u8], places: &Places) -> Option<Vec<PathBuf>> {
    let split = |text: &[u8]| text.split(|b| *b == b':').filter(|dir| !dir.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let old = given.iter().find(|variable| variable.0 == b"LD_LIBRARY_PATH").map_or(Vec::new(), |variable| split(variable.1));
    let new = split(value);
    let front = new.iter().take_while(|dir| cargo_adds(kind, dir, places)).count();
    // What was there before may be a directory of cargo's or rustup's own: a `cargo` that is rustup's shim sets the toolchain's.
    let back = (0..=front).rev().find_map(|front| new[front..].strip_prefix(old.as_slice()))?;
    let native = |dir: &Vec<u8>| {
        let named = places.by_real_name(Path::new(OsStr::from_bytes(dir)));
        let rest = places.result(named.as_os_str().as_bytes())?;
        (!components(rest).any(|part| part == b"..")).then(|| named.clone())
    };
    (!back.is_empty()).then(|| back.iter().map(native).collect())?
}

/// `value` is `old` with directories in front that satisfy `expected`. Cargo and rustup may also repeat or drop empty elements.
fn is_prefixed(old: Option<&[u8]>, value: &[u8], expected: impl Fn(&[u8]) -> bool) -> bool {
    let split = |text: &[u8]| text.split(|b| *b == b':').filter(|dir| !dir.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (split(old.unwrap_or_default()), split(value));
    let Some(extra) = new.len().checked_sub(old.len()) else { return false };
    new.ends_with(&old) && new[..extra].iter().all(|dir| expected(dir))
}

/// Cargo's own directories: the toolchain's libraries, `deps` and the profile directory; for programs and build scripts also native
/// search paths in the target tree. A compiler never gets an `OUT_DIR`.
fn cargo_adds(kind: ActorKind, dir: &[u8], places: &Places) -> bool {
    if below(dir, &places.toolchain).is_some() || places.rustup_home.as_ref().is_some_and(|home| below(dir, home).is_some()) {
        return true;
    }
    // Of a compiler that the user named: what it says of itself.
    let of_installed = |tree: &PathBuf| below(dir, tree).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"rustlib/"));
    if places.installed.iter().any(|tree| tree.ends_with("lib") && of_installed(tree)) && !components(dir).any(|part| part == b"..") {
        return true;
    }
    let named = places.by_real_name(Path::new(OsStr::from_bytes(dir)));
    let Some(rest) = places.result(named.as_os_str().as_bytes()) else { return false };
    // rustdoc runs doctests, which need the native libraries of the build like any program.
    let compiler = matches!(kind, ActorKind::Rustc | ActorKind::Linker | ActorKind::ProcMacro);
    !components(rest).any(|part| part == b".." || compiler && part == b"build")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loader_variables_from_directives() {
        let places = Places {
            target: "/w/target".into(),
            toolchain: "/home/u/.rustup/toolchains/stable".into(),
            cargo_home: "/home/u/.cargo".into(),
            rustup_home: Some("/home/u/.rustup".into()),
            installed: vec!["/home/u/stage1/bin".into(), "/home/u/stage1/lib".into()],
            ..Places::default()
        };
        let given: &[Variable<'_>] =
            &[(b"PATH", b"/usr/bin:/bin"), (b"LD_LIBRARY_PATH", b"/opt/x/lib"), (b"LD_PRELOAD", b"/usr/lib/mold.so")];
        let check = |kind, seen: &[Variable<'_>]| {
            let names = loader_tampering(kind, given, seen, &places);
            names.into_iter().map(|name| String::from_utf8(name).unwrap_or_default()).collect::<Vec<_>>()
        };
        use ActorKind::{Program, Rustc, Tool};
        let none: &[&str] = &[];
        assert_eq!(check(Rustc, given), none);
        let cargos: &[Variable<'_>] = &[
            (b"PATH", b"/home/u/.cargo/bin:/usr/bin:/bin"),
            (b"LD_LIBRARY_PATH", b"/w/target/debug/deps:/home/u/.rustup/toolchains/stable/lib:/opt/x/lib"),
        ];
        assert_eq!(check(Rustc, cargos), none);
        assert_eq!(check(Program, &[(b"LD_LIBRARY_PATH", b"/w/target/debug/build/z-1/out:/w/target/debug/deps:/opt/x/lib")]), none);
        assert_eq!(check(Rustc, &[(b"LD_LIBRARY_PATH", b"/w/target/debug/build/z-1/out:/opt/x/lib")]), ["LD_LIBRARY_PATH"]);
        assert_eq!(
            check(Program, &[(b"LD_LIBRARY_PATH", b"/w/target/debug/deps:/home/u/stage1/lib:/home/u/stage1/lib/rustlib/x/lib:/opt/x/lib")]),
            none
        );
        for other in
            [&b"/home/u/stage1/lib/x:/opt/x/lib"[..], b"/home/u/stage1/bin:/opt/x/lib", b"/home/u/stage1/lib/rustlib/../../x:/opt/x/lib"]
        {
            assert_eq!(check(Program, &[(b"LD_LIBRARY_PATH", other)]), ["LD_LIBRARY_PATH"], "{}", String::from_utf8_lossy(other));
        }
        assert_eq!(check(Rustc, &[(b"LD_LIBRARY_PATH", b"/w/target/../evil:/opt/x/lib")]), ["LD_LIBRARY_PATH"]);
        assert_eq!(check(Rustc, &[(b"PATH", b"/w/target/debug/build/z-1/out:/usr/bin:/bin")]), ["PATH"]);
        assert_eq!(check(Rustc, &[(b"LD_PRELOAD", b"/w/evil.so"), (b"LD_AUDIT", b"x")]), ["LD_PRELOAD", "LD_AUDIT"]);
        assert_eq!(check(Rustc, &[(b"GCONV_PATH", b"/w"), (b"EDITOR", b"vi")]), ["GCONV_PATH"]);
        assert_eq!(check(Tool, &[(b"LD_PRELOAD", b"/w/evil.so")]), none);
        assert_eq!(check(ActorKind::BuildScript, &[(b"LD_LIBRARY_PATH", b"/w/target/debug/build/z-1/out")]), none);
    }

    #[test]
    fn cargo_may_name_its_results_by_a_link() {
        let names = vec![("/by-link/target".into(), "/disk/built".into()), ("/by-link".into(), "/w".into())];
        let places =
            Places { target: "/disk/built".into(), build: "/disk/built".into(), toolchain: "/t".into(), names, ..Places::default() };
        for (name, real) in [
            ("/by-link/target/debug/deps", "/disk/built/debug/deps"),
            ("/by-link/src", "/w/src"),
            ("/by-link", "/w"),
            ("/by-links", "/by-links"),
        ] {
            assert_eq!(places.by_real_name(Path::new(name)), Path::new(real));
        }
        let tampered = |value: &[u8]| !loader_tampering(ActorKind::Rustc, &[], &[(b"LD_LIBRARY_PATH", value)], &places).is_empty();
        assert!(!tampered(b"/by-link/target/debug/deps:/t/lib"));
        for value in
            [&b"/by-link/target/debug/build/z-1/out"[..], b"/by-link/evil", b"/by-link/target/../evil", b"/by-links/target/debug/deps"]
        {
            assert!(tampered(value), "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn directories_of_native_libraries_are_appended() {
        let places = Places { target: "/w/target".into(), toolchain: "/t".into(), ..Places::default() };
        let given: &[Variable<'_>] = &[(b"LD_LIBRARY_PATH", b"/opt/x/lib")];
        let out = || Some(vec![PathBuf::from("/w/target/debug/build/z-1/out")]);
        for (given, value, expected) in [
            (given, &b"/w/target/debug/deps:/t/lib:/opt/x/lib:/w/target/debug/build/z-1/out"[..], out()),
            (&[], b"/w/target/debug/deps:/w/target/debug/build/z-1/out", out()),
            (&[], b"/w/target/debug/deps", None),
            (&[(b"LD_LIBRARY_PATH", b"/t/lib")], b"/w/target/debug/deps:/t/lib:/w/target/debug/build/z-1/out", out()),
            (&[(b"LD_LIBRARY_PATH", b"/t/lib")], b"/w/target/debug/deps:/w/target/debug/build/z-1/out", None),
            (given, b"/w/target/debug/deps:/w/target/debug/build/z-1/out:/opt/x/lib", None),
            (given, b"/w/target/debug/deps:/opt/x/lib:/opt/evil", None),
            (given, b"/w/target/debug/deps:/opt/x/lib:/w/target/../evil", None),
        ] {
            assert_eq!(appended(ActorKind::Rustc, given, value, &places), expected, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn what_a_script_may_not_set_for_others() {
        let places = Places { target: "/w/target".into(), toolchain: "/t".into(), ..Places::default() };
        let given: &[Variable<'_>] = &[(b"PATH", b"/usr/bin:/bin"), (b"HOME", b"/home/u")];
        use Severity::{High, Medium};
        let cases: [(&[u8], &[u8], Option<Severity>); 22] = [
            (b"LD_PRELOAD", b"/w/x.so", Some(High)),
            (b"LD_AUDIT", b"/w/x.so", Some(High)),
            (b"LD_LIBRARY_PATH", b"/w/target/debug/build/x-1/out", Some(High)),
            (b"PATH", b"/w/target/debug/build/x-1/out:/usr/bin:/bin", Some(High)),
            (b"PATH", b"/usr/bin:/bin", None),
            (b"GCONV_PATH", b"/w", Some(High)),
            (b"GLIBC_TUNABLES", b"glibc.malloc.check=3", Some(High)),
            (b"COMPILER_PATH", b"/w", Some(High)),
            (b"GIT_CONFIG_GLOBAL", b"/w", Some(High)),
            (b"RUSTC_WRAPPER", b"/w/x", Some(Medium)),
            (b"RUSTC_WORKSPACE_WRAPPER", b"/w/x", Some(Medium)),
            (b"CARGO_BUILD_RUSTC", b"/w/x", Some(Medium)),
            (b"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", b"/w/x", Some(Medium)),
            (b"RUSTUP_TOOLCHAIN", b"/w/x", Some(Medium)),
            (b"HOME", b"/w", Some(Medium)),
            (b"HOME", b"/home/u", None),
            // What honest scripts say.
            (b"RUSTC_VERSION", b"1.95", None),
            (b"CARGO_PKG_VERSION", b"1.0-g12", None),
            (b"DATABASE_URL", b"sqlite:x", None),
            (b"TARGET", b"x86_64-unknown-linux-gnu", None),
            (b"RUSTFLAGS", b"-g", None),
            (b"CARGO_TARGET_TMPDIR", b"/w/target/tmp", None),
        ];
        for (name, value, expected) in cases {
            assert_eq!(directed((name, value), given, &places), expected, "{}", String::from_utf8_lossy(name));
        }
        let seen: &[Variable<'_>] = &[(b"HOME", b"/home/u"), (b"CARGO_HOME", b"/w"), (b"EDITOR", b"vi"), (b"LD_LIBRARY_PATH", b"/w")];
        assert_eq!(changed(ActorKind::Rustc, given, seen), seen[1..2]);
        assert_eq!(changed(ActorKind::Program, given, seen), [seen[1], seen[3]]);
    }
}
