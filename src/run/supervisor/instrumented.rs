//! Where code that was instrumented for coverage writes its profile as it ends: each program of the build by itself, build scripts and compilers with
//! instrumented macros as well as tests. In: the environments that cargo and its drivers have, who comes in. Out: the policy with that file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::judge::{Places, Policy};
use crate::launch::Tracee;
use crate::plan::places::real;

/// The option of the compiler's that instruments, wherever it stands.
const OPTION: &[u8] = b"instrument-coverage";
const VARIABLE: &str = "LLVM_PROFILE_FILE";
/// What the runtime takes where none is named (compiler-rt, `InstrProfilingFile.c`).
const DEFAULT: &str = "default_%m_%p.profraw";

/// What the user, or a driver such as cargo-llvm-cov, wants. What a repository's configuration or a script puts into the environment of a
/// program, no conductor has.
#[derive(Default)]
pub struct Instrumented {
    file: Option<OsString>,
    by_flags: bool,
}

impl Instrumented {
    /// A conductor's environment.
    pub fn hear(&mut self, env: &[(OsString, OsString)]) {
        for (name, value) in env {
            if name == VARIABLE {
                self.file = Some(value.clone());
            }
            let flags = [&b"RUSTFLAGS"[..], b"RUSTDOCFLAGS"].iter().any(|end| name.as_bytes().ends_with(end));
            self.by_flags |= flags && value.as_bytes().windows(OPTION.len()).any(|part| part == OPTION);
        }
    }

    /// Grants the file, by a pattern for what the runtime puts into its name. Only a profile's, and none among sources that were fetched: there a
    /// profile is refused like any other file, without alarm.
    pub fn permit(&self, policy: &mut Policy, tracee: &Tracee, places: &Places) {
        let named = tracee.env.iter().find(|(name, _)| name == VARIABLE).map(|(_, value)| value);
        let text: &OsStr = match (&self.file, named) {
            (Some(ours), Some(named)) if ours == named => ours,
            (None, None) if self.by_flags => OsStr::new(DEFAULT),
            _ => return,
        };
        let path = tracee.cwd.join(text);
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return };
        let is_plain = |dir: &Path| !dir.as_os_str().as_bytes().iter().any(|byte| matches!(byte, b'%' | b'*'));
        let (named, dir) = (dir, real(dir.to_owned()));
        if is_plain(&dir) && name.as_bytes().ends_with(b".profraw") && !dir.starts_with(&places.cargo_home) {
            if self.file.is_some() {
                make(named);
            }
            policy.patterns.write.push(dir.join(OsString::from_vec(pattern(name.as_bytes()))));
        }
    }
}

/// The directory that was named, where it is not there yet: the runtime makes it (`__llvm_profile_recursive_mkdir`), and no program of the build may.
/// No link leads to it, and what cannot be made will be missed by whoever writes there.
fn make(dir: &Path) {
    let there = dir.ancestors().find(|above| above.symlink_metadata().is_ok());
    if there.is_some_and(|there| there != dir && real(there.to_owned()) == there) {
        let _ = std::fs::create_dir_all(dir);
    }
}

/// `%p`, `%h`, `%m`, `%4m`, `%c` and `%t` stand for anything.
fn pattern(name: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::new();
    let mut rest = name.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            pattern.push(byte);
            continue;
        }
        while rest.next_if(u8::is_ascii_digit).is_some() {}
        rest.next();
        pattern.push(b'*');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_where_no_link_leads() {
        let place = tempfile::tempdir().unwrap();
        let top = real(place.path().to_owned());
        std::os::unix::fs::symlink("elsewhere", top.join("dangling")).unwrap();
        std::fs::create_dir(top.join("there")).unwrap();
        std::os::unix::fs::symlink("there", top.join("link")).unwrap();
        for (dir, made) in [("profiles/of/tests", true), ("there", true), ("dangling/x", false), ("dangling", false), ("link/x", false)] {
            make(&top.join(dir));
            assert_eq!(top.join(dir).is_dir(), made, "{dir}");
        }
        assert!(!top.join("elsewhere").exists() && std::fs::read_dir(top.join("there")).unwrap().next().is_none());
    }

    #[test]
    fn what_the_runtime_fills_in_is_a_star() {
        for (name, expected) in [
            ("default_%m_%p.profraw", "default_*_*.profraw"),
            ("app-%p-%4m.profraw", "app-*-*.profraw"),
            ("all%c.profraw", "all*.profraw"),
            ("one.profraw", "one.profraw"),
            ("odd%", "odd*"),
        ] {
            assert_eq!(pattern(name.as_bytes()), expected.as_bytes(), "{name}");
        }
    }
}
