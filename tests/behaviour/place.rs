//! A throw-away machine: a home with secrets in it, a workspace copied from `tests/crates/`, a cargo home, a place for temporary
//! files and one for the report. Every secret is a canary of this place, so that it is known again wherever it turns up.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use tempfile::TempDir;

use crate::sink::Sinks;
use crate::warm;
use crate::who::Who;

pub struct Place {
    dir: TempDir,
    pub who: Who,
    /// Every planted secret begins with these letters and ends with where it was planted.
    pub canary: String,
    pub sinks: Sinks,
    /// Cargo's own default for workspaces. Off unless a case is about it or has to be what people have: it doubles the time of a build from
    /// nothing, which all of these are, and CI services turn it off too.
    incremental: bool,
    workspace: PathBuf,
    /// Where the workspace is, if not in the home.
    elsewhere: Option<TempDir>,
}

impl Place {
    /// A place with a copy of the fixture as its workspace.
    pub fn new(fixture: &str, who: Who) -> Place {
        Place::named(fixture, who, OsStr::new("code"))
    }

    /// The same, with a workspace directory of this name.
    pub fn named(fixture: &str, who: Who, name: &OsStr) -> Place {
        let dir = tempfile::Builder::new().prefix("brig-").tempdir().expect("make a temporary directory");
        for sub in ["home/.cargo", "home/.rustup", "home/.ssh", "home/.aws", "tmp", "run", "report"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        let workspace = dir.path().join("home").join(name);
        let sinks = Sinks::start(&dir.path().join("run"));
        let place = Place { who, canary: canary(), sinks, incremental: false, workspace, elsewhere: None, dir };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crates").join(fixture), &place.workspace);
        warm::lay(&place.target());
        place.plant("home/.ssh/id_ed25519", "ssh", "");
        place.plant("home/.ssh/authorized_keys", "keys", "");
        place.plant("home/.aws/credentials", "aws", "[default]\nsecret = ");
        place.write(&place.workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
        place
    }

    /// With the compiler's incremental state, as cargo has it by itself.
    pub fn incremental(mut self) -> Place {
        self.incremental = true;
        self
    }

    /// As if nothing was built here yet.
    pub fn clean(&self) {
        fs::remove_dir_all(self.target()).ok();
        warm::lay(&self.target());
    }

    /// All build scripts run again, and whatever takes something from them is built again; what was compiled and linked to run them stays. For
    /// cases about what a script may: half of a small build is the making of scripts.
    pub fn again(&self) {
        let units = fs::read_dir(self.target().join("debug/.fingerprint")).into_iter().flatten().flatten().map(|unit| unit.path());
        for unit in units {
            // A directory for each unit, and in that of a script's run files of this name.
            let mut files = fs::read_dir(&unit).unwrap().flatten().map(|file| file.file_name());
            if files.any(|name| name.as_encoded_bytes().starts_with(b"run-build-script-")) {
                fs::remove_dir_all(unit).unwrap();
            }
        }
    }

    /// Moves the workspace to a new directory in `parent`: out of the home, perhaps to another file system.
    pub fn move_to(&mut self, parent: &Path) {
        let dir = tempfile::Builder::new().prefix("brig-").tempdir_in(parent).expect("make a temporary directory");
        let workspace = dir.path().join("code");
        copy(&self.workspace, &workspace);
        fs::remove_dir_all(&self.workspace).unwrap();
        (self.workspace, self.elsewhere) = (workspace, Some(dir));
    }

    /// Puts a secret into `path` (below the place).
    pub fn plant(&self, path: &str, mark: &str, before: &str) {
        self.write(&self.path(path), &format!("{before}{}-{mark}\n", self.canary));
    }

    /// Replaces the workspace by a package that depends on these ones, each a directory below `tests/crates/`.
    pub fn gather(&self, packages: &[&str]) {
        fs::remove_dir_all(&self.workspace).unwrap();
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crates");
        let mut manifest =
            "[workspace]\nexclude = [\"deps\"]\n\n[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n".to_owned();
        manifest.push_str("[dependencies]\n");
        for package in packages {
            let name = package.rsplit('/').next().unwrap();
            copy(&crates.join(package), &self.workspace.join("deps").join(name));
            manifest.push_str(&format!("{name} = {{ path = \"deps/{name}\" }}\n"));
        }
        self.write(&self.workspace.join("Cargo.toml"), &manifest);
        self.write(&self.workspace.join("src/lib.rs"), "//! Uses crates and never looks inside.\n");
        warm::lay(&self.target());
    }

    pub fn write(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap_or_else(|error| panic!("write {path:?}: {error}"));
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// A process that looks like the one which holds a CI job's secrets: a shell that waits for input it never gets. The caller ends it.
    pub fn runner_worker(&self) -> Child {
        let program = self.path("run/Runner.Worker");
        copy_program(Path::new("/bin/sh"), &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        self.hand_over();
        let mut command = Command::new(&program);
        self.who.apply(&mut command);
        let secret = format!("SECRET='{{\"value\":\"{}-runner\",\"isSecret\":true}}'; read line", self.canary);
        command.arg("-c").arg(secret).env("RUNNER_SECRET", format!("{}-runner-env", self.canary));
        command.stdin(Stdio::piped()).process_group(0).spawn().unwrap()
    }

    pub fn target(&self) -> PathBuf {
        self.workspace.join("target")
    }

    /// Hands everything over to the user the case runs as, and lets everybody pass through the outer directory.
    pub fn hand_over(&self) {
        for dir in [&self.dir].into_iter().chain(&self.elsewhere).map(TempDir::path) {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
            if let Who::Ordinary { uid, gid } = self.who {
                // What is theirs already keeps its change time: nothing has happened to it.
                let is_theirs = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| (found.uid(), found.gid()) == (uid, gid));
                visit(dir, &mut |path| {
                    if !is_theirs(path) {
                        lchown(path, Some(uid), Some(gid)).unwrap()
                    }
                });
                lchown(dir, Some(uid), Some(gid)).unwrap();
            }
        }
    }

    /// The environment of every run here: nothing of the machine's own but the way to its programs.
    pub fn environment(&self, command: &mut Command) {
        let system = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
        command
            .env_clear()
            .env("PATH", format!("{}/bin:{system}", toolchain().display()))
            .env("CARGO", toolchain().join("bin/cargo"))
            .env("HOME", self.path("home"))
            .env("CARGO_HOME", self.path("home/.cargo"))
            .env("RUSTUP_HOME", self.path("home/.rustup"))
            .env("TMPDIR", self.path("tmp"))
            .env("LANG", "C.UTF-8")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_REGISTRY_TOKEN", format!("{}-token", self.canary))
            .env("SSH_AUTH_SOCK", self.path("run/ssh-agent.sock"))
            .env("DOCKER_HOST", format!("unix://{}", self.path("run/docker.sock").display()))
            // What fixtures need to know. These names look like nothing, so nothing withholds them.
            .env("ZOO_TCP", self.sinks.tcp_port.to_string())
            .env("ZOO_UDP", self.sinks.udp_port.to_string())
            .env("ZOO_PLACE", self.dir.path())
            .current_dir(&self.workspace);
        if !self.incremental {
            command.env("CARGO_INCREMENTAL", "0");
        }
    }
}

/// The real toolchain, not the rustup proxies: a throw-away home knows no toolchains.
pub fn toolchain() -> &'static Path {
    static TOOLCHAIN: OnceLock<PathBuf> = OnceLock::new();
    TOOLCHAIN.get_or_init(|| {
        let output = Command::new("rustc").args(["--print", "sysroot"]).output().expect("run rustc");
        PathBuf::from(String::from_utf8(output.stdout).expect("a sysroot in UTF-8").trim())
    })
}

/// The program under test, where every user can reach it.
pub fn brig() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| reachable(Path::new(env!("CARGO_BIN_EXE_cargo-brig"))))
}

/// A program that was built: where the build directory lies below a private home, a copy of it, which stays behind in the temporary
/// directory.
pub fn reachable(built: &Path) -> PathBuf {
    let open = |dir: &Path| fs::metadata(dir).is_ok_and(|meta| meta.permissions().mode() & 0o001 != 0);
    if built.ancestors().all(open) {
        return built.to_path_buf();
    }
    let dir = tempfile::Builder::new().prefix("brig-bin-").tempdir().expect("make a temporary directory").keep();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = dir.join(built.file_name().expect("a program has a name"));
    copy_program(built, &copy);
    copy
}

/// Copies a program that will be started at once. By another process: a file of ours that is open for writing would be held open by whatever other
/// cases fork meanwhile, and could not be started (`ETXTBSY`).
pub fn copy_program(from: &Path, to: &Path) {
    let status = Command::new("cp").arg(from).arg(to).status().expect("run cp");
    assert!(status.success(), "copy {from:?} to {to:?}");
}

/// Calls `each` for everything below `dir`, without following links.
pub fn visit(dir: &Path, each: &mut dyn FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            visit(&path, each);
        }
        each(&path);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("make {to:?}: {error}"));
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("read the fixture {from:?}: {error}")) {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name == "target" || name == "Cargo.lock" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

fn canary() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    format!("CANARY-{:016x}-{:04x}", now ^ u64::from(std::process::id()) << 40, COUNT.fetch_add(1, Ordering::Relaxed))
}
