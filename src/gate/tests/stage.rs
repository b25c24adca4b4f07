//! The stage: a directory with something to read, something to write and something to steal; an actor behind the filter; a gate.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attribute::stack::Unwinder;
use crate::gate::Gate;
use crate::gate::pool::Pool;
use crate::judge::Journal;
use crate::judge::journal::Record;
use crate::judge::secrets::{SecretLists, Secrets};
use crate::judge::{KernelGrants, Places, Policy};
use crate::model::{Act, Actor, ActorId, ActorKind, Hostile, Mode, Status};
use crate::sys;

/// Names the scene to a child; absent in an ordinary test run.
const SCENE: &str = "BRIG_TEST_SCENE";
const ROOT: &str = "BRIG_TEST_ROOT";
/// Set where a scene is played without us.
const FREE: &str = "BRIG_TEST_FREE";

pub struct Stage {
    pub root: PathBuf,
    mode: Mode,
    /// Everything is granted: what differs from a life without us is how things are done.
    wide: bool,
    /// Plain reads are done by runners, whether others wait or not.
    crowded: bool,
    _dir: tempfile::TempDir,
}

pub struct Played {
    pub record: Record,
    pub good: bool,
    pub output: String,
    pub alive_after: Vec<crate::gate::Alive>,
}

pub fn path_of(path: &Path) -> Hostile {
    Hostile::from(path)
}

impl Stage {
    pub fn new(mode: Mode) -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        for name in ["workspace/src", "workspace/.git", "out", "forbidden", "tmp"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::write(root.join("workspace/src/lib.rs"), "fn main() {}\n").unwrap();
        fs::write(root.join("workspace/.env"), "TOKEN=CANARY\n").unwrap();
        fs::set_permissions(root.join("workspace/.env"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(root.join("workspace/.git/config"), "[http]\n\textraheader = CANARY\n[core]\n\tbare = false\n").unwrap();
        fs::copy("/bin/true", root.join("forbidden/dropped")).unwrap();
        Stage { root, mode, wide: false, crowded: false, _dir: dir }
    }

    /// The same stage twice: everything is done by the gate thread, and plain reads by runners. One play has to be like the other.
    pub fn both(mode: Mode) -> [Stage; 2] {
        [Stage::new(mode), Stage { crowded: true, ..Stage::new(mode) }]
    }

    /// One on which everything is granted.
    pub fn wide(crowded: bool) -> Stage {
        let stage = Stage { wide: true, crowded, ..Stage::new(Mode::Enforce) };
        fs::set_permissions(&stage.root, fs::Permissions::from_mode(0o755)).unwrap();
        stage
    }

    pub fn out(&self) -> PathBuf {
        self.root.join("out")
    }

    pub fn secret(&self) -> PathBuf {
        self.root.join("workspace/.env")
    }

    pub fn policy(&self) -> Policy {
        if self.wide {
            let all = || vec![PathBuf::from("/")];
            return Policy { kind: ActorKind::Tool, read: all(), write: all(), exec: all(), ..self.narrow() };
        }
        self.narrow()
    }

    fn narrow(&self) -> Policy {
        let (workspace, out, tmp) = (self.root.join("workspace"), self.out(), self.root.join("tmp"));
        let places = Places { workspace: Some(workspace.clone()), target: out.clone(), tmp: tmp.clone(), ..Places::default() };
        let system: Vec<PathBuf> =
            ["/usr", "/lib", "/lib64", "/bin", "/etc"].iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        let this_program = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let exec = [system.clone(), vec![out.clone(), this_program.clone()]].concat();
        let own_proc = ["/proc/self", "/proc/meminfo", "/proc/sys", "/proc/stat", "/proc/cpuinfo", "/dev"].map(PathBuf::from);
        Policy {
            decoys: None,
            shift: None,
            hostname: None,
            profile: "stage".into(),
            mode: self.mode,
            kind: ActorKind::BuildScript,
            read: [system.clone(), vec![workspace, out.clone(), this_program], own_proc.to_vec()].concat(),
            write: vec![out, tmp, "/dev/null".into(), "/proc/self".into()],
            kernel: KernelGrants { read: system, exec: exec.clone(), ..KernelGrants::default() },
            exec,
            patterns: Default::default(),
            exact: true,
            connect: Vec::new(),
            unix: Vec::new(),
            records: Default::default(),
            secrets: Arc::new(Secrets::compile(&places, &SecretLists::default()).unwrap()),
            places: Arc::new(places),
            own: Default::default(),
            made: Default::default(),
            reviewed: Vec::new(),
            granted: Vec::new(),
            without: None,
            for_all: None,
            accepted: None,
            scripts: Vec::new(),
        }
    }

    fn command(&self, scene: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "gate::tests::scenes::actor", "--nocapture", "--test-threads=1"])
            .env(SCENE, scene)
            .env(ROOT, &self.root)
            .env("TMPDIR", self.root.join("tmp"))
            .current_dir(self.root.join("workspace"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The same scene without filter and gate; what it printed.
    pub fn play_without_us(&self, scene: &str) -> String {
        let output = self.command(scene).env(FREE, "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    pub fn play(&self, scene: &str) -> Played {
        let mut child = self.command(scene).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let journal = Arc::new(Journal::default());
        let mut gate = Gate::new(journal.clone(), Arc::new(Unwinder::new()), Arc::new(super::super::net::Sockets::start())).unwrap();
        if self.crowded {
            gate.pool = Arc::new(Pool::of_all());
        }
        let listener = listener_of(&child, &mut output);
        gate.admit(Arc::new(self.actor(child.id())), Arc::new(self.policy()), listener).unwrap();
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        let alive_after = gate.alive();
        let deadline = Instant::now() + Duration::from_secs(5);
        while !gate.alive().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Somebody was really sent.
        assert!(!self.crowded || gate.pool.any_started());
        gate.close();
        Played { record: journal.snapshot(), good: status.success(), output: text, alive_after }
    }

    fn actor(&self, pid: u32) -> Actor {
        Actor {
            id: ActorId(1),
            kind: ActorKind::BuildScript,
            package: None,
            host: None,
            pid,
            exe: PathBuf::new(),
            argv: Vec::new(),
            cwd: self.root.join("workspace"),
            crate_name: None,
            attributed_by: "test",
            outputs: vec![self.out()],
            tmp: self.root.join("tmp"),
            withheld: Vec::new(),
        }
    }
}

fn listener_of(child: &Child, output: &mut impl BufRead) -> std::os::fd::OwnedFd {
    loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the actor never went behind its filter");
        if let Some(number) = line.trim().strip_prefix("LISTENER ") {
            let process = sys::pidfd::open(child.id(), 0).unwrap();
            return sys::pidfd::get_fd(std::os::fd::AsFd::as_fd(&process), number.parse().unwrap()).unwrap();
        }
    }
}

impl Played {
    pub fn assert_good(&self) {
        assert!(self.good, "the actor was not content:\n{}", self.output);
        assert_eq!(self.record.lost, []);
    }

    pub fn breaches(&self) -> Vec<String> {
        self.record.breaches.iter().map(|found| format!("{:?}", found.event.act)).collect()
    }

    /// How many breaches of this shape were refused.
    pub fn refused(&self, is: impl Fn(&Act) -> bool) -> u64 {
        let refused = |found: &&crate::judge::journal::Counted| found.event.status == Status::Refused && is(&found.event.act);
        self.record.breaches.iter().filter(refused).map(|found| found.count).sum()
    }

    /// What the actor said about `what`.
    pub fn told(&self, what: &str) -> &str {
        let line = self.output.lines().find_map(|line| line.strip_prefix("TOLD ")?.strip_prefix(what)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("the actor said nothing about {what}:\n{}", self.output))
    }
}

/// In the child: which scene, on which stage? Goes behind the filter first.
pub fn enter() -> Option<(String, PathBuf)> {
    let scene = std::env::var(SCENE).ok()?;
    let root = PathBuf::from(std::env::var_os(ROOT)?);
    if std::env::var_os(FREE).is_some() {
        return Some((scene, root));
    }
    let program = crate::wall::filter::program(&crate::wall::filter::Pass::random().unwrap()).unwrap();
    nix::sys::prctl::set_no_new_privs().ok();
    let listener = sys::seccomp::install(&program, sys::seccomp::LISTENER_FLAGS).unwrap();
    println!("\nLISTENER {}", std::os::fd::AsRawFd::as_raw_fd(&listener));
    let mut go = [0; 3];
    std::io::stdin().read_exact(&mut go).unwrap();
    drop(listener);
    Some((scene, root))
}

pub fn tell(what: &str, value: impl std::fmt::Display) {
    println!("\nTOLD {what}: {value}");
}
