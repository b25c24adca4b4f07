//! The throw-away that a suspect lives in: a directory with a home, workspaces and temporary files, which is all that it may take or break, and beside it
//! what it must not reach. In: where temporary directories are. Out: paths; an environment with nothing of the user's in it. Removed when dropped.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::abandoned::{self, Mark};
use super::view::{COMMON, HOSTNAME, Ours, Theirs, View};
use crate::plan::places::real;
use crate::run::stage::{Env, Filled, variable};
use crate::suspect::decoys::PROJECT;

/// Directories of `PATH` that are the system's: no other one is of use to a suspect.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/opt", "/nix/store", "/gnu/store", "/run/current-system"];
/// Of the user's environment, how people want to be spoken to; nothing else.
const KEPT: [&str; 4] = ["LANG", "LC_ALL", "LC_CTYPE", "TERM"];
/// What our own tests take away from a machine, and what we say meanwhile.
const OURS: [&str; 3] = ["BRIG_TEST_SOCKETS", "BRIG_LANDLOCK_ABI", "BRIG_LOG"];
/// How the registry is reached. No credentials are among them: what is fetched is public.
const NETWORK: [&str; 14] = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CARGO_HTTP_PROXY",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
];

/// Who lives there.
pub const USER: &str = "alex";
/// More than there ever are.
const STAGES: usize = 32;
const MACROS: usize = 64;

pub struct Throwaway {
    _mark: Mark,
    _dir: Filled,
    /// The decoys' root.
    pub root: PathBuf,
    pub home: PathBuf,
    pub cargo_home: PathBuf,
    /// Where workspaces lie.
    pub work: PathBuf,
    pub tmp: PathBuf,
    /// Out of its reach, but for what stands in place of common directories.
    away: PathBuf,
    pub reports: PathBuf,
    pub sink: PathBuf,
}

impl Throwaway {
    /// # Errors
    /// When a directory cannot be made.
    pub fn make() -> Result<Throwaway> {
        // A name that says nothing: suspects look where they are.
        let dir = tempfile::Builder::new().prefix(abandoned::PREFIX).permissions(fs::Permissions::from_mode(0o700)).tempdir();
        let dir = dir.context("make a temporary directory")?;
        let top = real(dir.path().to_owned());
        let mark = Mark::set(&top).context("mark a directory as ours")?;
        let root = top.join("r");
        let home = root.join("home").join(USER);
        let made = Throwaway {
            cargo_home: home.join(".cargo"),
            work: home.join("work"),
            tmp: root.join("tmp"),
            away: top.join("away"),
            reports: top.join("reports"),
            // Variables name a certificate in it.
            sink: top.join("ssl"),
            home,
            root,
            _mark: mark,
            _dir: dir.into(),
        };
        for dir in [&made.cargo_home, &made.work, &made.tmp, &made.reports, &made.sink] {
            fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        }
        for dir in made.common() {
            let all = fs::create_dir_all(&dir).and_then(|()| fs::set_permissions(&dir, fs::Permissions::from_mode(0o1777)));
            all.with_context(|| format!("make {}", dir.display()))?;
        }
        Ok(made)
    }

    pub fn app(&self) -> PathBuf {
        self.work.join(PROJECT)
    }

    /// What stands in place of common directories.
    fn common(&self) -> Vec<PathBuf> {
        COMMON.iter().map(|(name, _)| self.away.join(name)).collect()
    }

    /// Where a suspect may leave something.
    pub fn filled(&self) -> Vec<PathBuf> {
        [self.root.clone()].into_iter().chain(self.common()).collect()
    }

    /// What lies in the system's place, by the system's paths.
    pub fn system(&self) -> PathBuf {
        self.away.join("system")
    }

    /// Lays a file that says what the machine is called, where that is made up.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn name(&self, hostname: Option<&str>) -> Result<()> {
        let Some(name) = hostname else { return Ok(()) };
        let file = self.system().join(HOSTNAME.trim_start_matches('/'));
        let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, format!("{name}\n")));
        made.with_context(|| format!("write {}", file.display()))
    }

    /// What its stages are shown. `system`: the paths of what lies there.
    pub fn view(&self, theirs: Theirs, system: &[PathBuf], hostname: Option<&str>) -> View {
        let top = self.root.parent().unwrap_or(&self.root);
        let own = [(&*self.reports, "reports"), (&*self.sink, "ssl")];
        View::of(
            Ours { top, root: &self.root, home: &self.home, away: &self.away, own, system: (&self.system(), system), hostname },
            theirs,
        )
    }

    /// Where cargo keeps results and sources: what lies there is not what a suspect left.
    pub fn without(&self) -> Vec<PathBuf> {
        let cargos = ["registry", "git", ".global-cache", ".package-cache", ".package-cache-mutate"].map(|name| self.cargo_home.join(name));
        cargos.into_iter().chain([self.target()]).chain(self.harness()).collect()
    }

    /// Are its directories, and `more` of them, still what they were? Who ran in here may have laid links, and what we do there ourselves would lead out: cargo is
    /// started there, files are written. To be asked when nobody runs any more.
    pub fn is_whole(&self, more: &[PathBuf]) -> bool {
        let own =
            [self.root.clone(), self.home.clone(), self.cargo_home.clone(), self.work.clone(), self.tmp.clone(), self.app(), self.target()];
        let there = own.iter().chain(more).filter(|dir| fs::symlink_metadata(dir).is_ok());
        there.into_iter().all(|dir| dir.canonicalize().is_ok_and(|real| real == **dir && real.is_dir()))
    }

    /// Makes room for programs that call the suspect: what lies there is taken away, and no link followed. False where that cannot be.
    pub fn clears_harness(&self) -> bool {
        let whole = self.is_whole(&["src", "examples", "tests"].map(|dir| self.app().join(dir)));
        whole && self.harness().iter().all(|file| fs::remove_file(file).is_ok() || fs::symlink_metadata(file).is_err())
    }

    /// What is written to call the suspect.
    fn harness(&self) -> Vec<PathBuf> {
        let expands = (1..=MACROS).map(|number| format!("tests/expand_{number}.rs"));
        ["examples/calls.rs".to_owned()].into_iter().chain(expands).map(|file| self.app().join(file)).collect()
    }

    /// One for all workspaces: what they need is built once.
    pub fn target(&self) -> PathBuf {
        self.work.join("target")
    }

    /// Directories of the stages' sinks, by their numbers.
    pub fn sinks(&self) -> Vec<PathBuf> {
        (0..STAGES).map(|number| self.sink.join(number.to_string())).collect()
    }

    /// A path in it as people know it.
    pub fn shown(&self, path: &Path) -> String {
        let common = COMMON.map(|(name, of)| (self.away.join(name), of));
        let trees = [(&self.work, "<workspace>"), (&self.home, "~"), (&self.tmp, "<tmp>"), (&self.root, "<root>")];
        let trees = trees.into_iter().chain(common.iter().map(|(tree, of)| (tree, *of)));
        let found = trees.into_iter().find_map(|(tree, name)| Some((name, path.strip_prefix(tree).ok()?)));
        found.map_or_else(|| path.display().to_string(), |(name, rest)| format!("{name}/{}", rest.display()))
    }

    /// What every program in it is started with, `decoys` besides. `toolchain`: with `bin/cargo`.
    pub fn environment(&self, user: &Env, toolchain: &Path, decoys: &[(OsString, OsString)]) -> Env {
        let mut env: Env = decoys.to_vec();
        let mut set = |name: &str, value: &OsStr| {
            env.retain(|(known, _)| known != name);
            env.push((name.into(), value.to_owned()));
        };
        for name in KEPT.into_iter().chain(OURS) {
            if let Some(value) = variable(user, name) {
                set(name, value);
            }
        }
        let path = variable(user, "PATH").unwrap_or_default();
        let systems = std::env::split_paths(path).filter(|dir| SYSTEM.iter().any(|tree| dir.starts_with(tree)));
        let path = std::env::join_paths([toolchain.join("bin")].into_iter().chain(systems)).unwrap_or_default();
        set("PATH", &path);
        set("CARGO", toolchain.join("bin/cargo").as_os_str());
        set("HOME", self.home.as_os_str());
        set("CARGO_HOME", self.cargo_home.as_os_str());
        set("TMPDIR", self.tmp.as_os_str());
        set("CARGO_TARGET_DIR", self.target().as_os_str());
        set("CARGO_TERM_COLOR", OsStr::new("never"));
        set("CARGO_INCREMENTAL", OsStr::new("0"));
        env
    }

    /// The same, with the way to the registry.
    pub fn fetching(&self, user: &Env, toolchain: &Path) -> Env {
        let mut env = self.environment(user, toolchain, &[]);
        env.extend(NETWORK.iter().filter_map(|name| Some(((*name).into(), variable(user, name)?.to_owned()))));
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_place_of_a_directory_is_seen() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        for dir in ["home/alex/work", "home/alex/.cargo", "tmp", "home/alex/work/tidemark/examples", "home/alex/work/tidemark/tests"] {
            let throwaway = Throwaway::make().unwrap();
            fs::create_dir_all(throwaway.app().join("examples")).unwrap();
            fs::write(throwaway.app().join("examples/calls.rs"), "").unwrap();
            assert!(throwaway.is_whole(&[]) && throwaway.clears_harness() && !throwaway.app().join("examples/calls.rs").exists(), "{dir}");
            let _ = fs::remove_dir_all(throwaway.root.join(dir));
            symlink(outside.path(), throwaway.root.join(dir)).unwrap();
            assert!(!throwaway.clears_harness(), "{dir}");
        }
        let throwaway = Throwaway::make().unwrap();
        fs::create_dir_all(throwaway.app().join("examples")).unwrap();
        fs::write(outside.path().join("calls.rs"), "mine").unwrap();
        symlink(outside.path().join("calls.rs"), throwaway.app().join("examples/calls.rs")).unwrap();
        assert!(throwaway.clears_harness() && fs::symlink_metadata(throwaway.app().join("examples/calls.rs")).is_err());
        assert_eq!(fs::read(outside.path().join("calls.rs")).unwrap(), b"mine");
    }

    #[test]
    fn nothing_of_the_users_is_in_the_environment() {
        let throwaway = Throwaway::make().unwrap();
        let user: Env =
            [("PATH", "/home/u/bin:/usr/bin:/bin"), ("TOKEN", "x"), ("LANG", "C"), ("HOME", "/home/u"), ("https_proxy", "http://p")]
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec();
        let env = throwaway.environment(&user, Path::new("/t"), &[("GITHUB_TOKEN".into(), "decoy".into())]);
        let of = |name: &str| variable(&env, name).and_then(OsStr::to_str);
        assert_eq!(of("PATH"), Some("/t/bin:/usr/bin:/bin"));
        assert_eq!((of("TOKEN"), of("https_proxy"), of("LANG"), of("GITHUB_TOKEN")), (None, None, Some("C"), Some("decoy")));
        assert_eq!(of("HOME"), throwaway.home.to_str());
        assert_eq!(variable(&throwaway.fetching(&user, Path::new("/t")), "https_proxy"), Some(OsStr::new("http://p")));
        let (top, root) = (throwaway.root.parent().unwrap().to_owned(), throwaway.root.clone());
        assert!(!throwaway.reports.starts_with(&root) && !throwaway.sink.starts_with(&root));
        drop(throwaway);
        assert!(!top.exists());
    }
}
