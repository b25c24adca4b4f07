//! Runs programs in a place: plain cargo, which is the control, and Brig. Collects everything they leave.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, killpg, sigaction};
use nix::unistd::Pid;
use serde_json::Value;

use crate::effect::spilled;
use crate::finding::violations;
use crate::footing::{self, Step};
use crate::picture::Picture;
use crate::place::{Place, brig, toolchain};

/// Longer than any case takes on a slow machine: what takes longer hangs. Races of a million rounds take their time.
fn patience() -> Duration {
    Duration::from_secs(if std::env::var_os("ZOO_ROUNDS").is_some() { 24 * 3600 } else { 180 })
}

/// A command in the making.
pub struct Run<'a> {
    place: &'a Place,
    command: Command,
    input: Vec<u8>,
    what: String,
    signal: Option<Shot>,
    steps: Vec<Step>,
    /// Is it Brig that refuses? Then nothing may change but what a build is there to change.
    refuses: bool,
    /// Where it was told to leave things, besides.
    leaves: Vec<PathBuf>,
}

/// A signal, whom it goes to, and what it waits for.
type Shot = (Signal, Aim, fn(&Place) -> bool);

/// Whom a signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    Process,
    /// Everyone in its process group, as the terminal does.
    Group,
    /// Its child: of Brig, the supervisor.
    Child,
}

/// What is left of a run.
pub struct Outcome {
    pub what: String,
    /// As a shell tells it: 128 + signal when killed.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub report: Option<Value>,
    pub took: Duration,
    /// The place before a run that refuses.
    pub before: Option<Picture>,
    pub leaves: Vec<PathBuf>,
}

/// Plain cargo, nothing held back.
pub fn cargo<'a>(place: &'a Place, args: &[&str]) -> Run<'a> {
    Run::new(place, toolchain().join("bin/cargo").as_os_str(), args)
}

/// Brig, with the report below the place.
pub fn guarded<'a>(place: &'a Place, options: &[&str], args: &[&str]) -> Run<'a> {
    let mut run = Run::new(place, brig().as_os_str(), &[]);
    run.command.arg("--report-dir").arg(place.path("report")).args(options).args(args);
    run.what = format!("cargo-brig {} {}", options.join(" "), args.join(" "));
    run.refuses = !options.contains(&"observe");
    let told = args.windows(2).filter(|pair| ["--target-dir", "--root", "--artifact-dir"].contains(&pair[0]));
    run.leaves = told.map(|pair| place.workspace().join(pair[1])).collect();
    run
}

/// A shell command.
pub fn shell<'a>(place: &'a Place, script: &str) -> Run<'a> {
    Run::new(place, OsStr::new("/bin/sh"), &["-c", script])
}

/// Brig with exactly these arguments.
pub fn bare<'a>(place: &'a Place, args: &[&str]) -> Run<'a> {
    program(place, brig().as_os_str(), args)
}

/// Any program with exactly these arguments.
pub fn program<'a>(place: &'a Place, program: &OsStr, args: &[&str]) -> Run<'a> {
    Run::new(place, program, args)
}

impl<'a> Run<'a> {
    fn new(place: &'a Place, program: &OsStr, args: &[&str]) -> Run<'a> {
        let mut command = Command::new(program);
        place.environment(&mut command);
        command.args(args);
        let what = format!("{} {}", program.to_string_lossy(), args.join(" "));
        Run { place, command, input: Vec::new(), what, signal: None, steps: Vec::new(), refuses: false, leaves: Vec::new() }
    }

    /// On weaker ground than the machine offers.
    pub fn on(mut self, steps: &[Step]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        if ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "CARGO_HOME", "CARGO_INSTALL_ROOT"].contains(&name) {
            self.leaves.push(self.place.workspace().join(&value));
        }
        self.command.env(name, value);
        self
    }

    /// The case itself compares all that it makes with what plain cargo makes, wherever it was told to.
    pub fn compared(mut self) -> Self {
        self.refuses = false;
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// From there, and not from the workspace.
    pub fn at(mut self, dir: &Path) -> Self {
        let relative: Vec<PathBuf> =
            self.leaves.iter().filter_map(|path| Some(dir.join(path.strip_prefix(self.place.workspace()).ok()?))).collect();
        self.leaves.extend(relative);
        self.command.current_dir(dir);
        self
    }

    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// Does something in the child, as the user it runs as, right before it becomes the program.
    pub fn before_exec(mut self, deed: impl FnMut() -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        // SAFETY: the deeds of these tests make system calls and allocate, which glibc keeps usable in the child of a fork.
        unsafe { self.command.pre_exec(deed) };
        self
    }

    /// Sends a signal as soon as `when` holds. The run gets a process group of its own, as a shell gives it.
    pub fn signal(mut self, signal: Signal, aim: Aim, when: fn(&Place) -> bool) -> Self {
        self.command.process_group(0);
        // Tests that run in the background inherit an ignored SIGINT (POSIX shells, asynchronous lists), and a build would ignore it too.
        if signal != Signal::SIGKILL {
            let heeded = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
            // SAFETY: `sigaction` is async-signal-safe (signal-safety(7)), and nothing else is done between fork and exec.
            unsafe { self.command.pre_exec(move || sigaction(signal, &heeded).map(|_| ()).map_err(std::io::Error::from)) };
        }
        self.signal = Some((signal, aim, when));
        self
    }

    pub fn go(mut self) -> Outcome {
        self.place.hand_over();
        footing::put_under(&mut self.command, &self.steps, self.place.who);
        let report = self.place.path("report/report.json");
        std::fs::remove_file(&report).ok();
        let before = self.refuses.then(|| Picture::take(self.place));
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A fork of another case may still hold the file this program was just copied to.
        let busy = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
        let mut child = loop {
            match self.command.spawn() {
                Err(error) if busy(&error) => thread::sleep(Duration::from_millis(10)),
                spawned => break spawned.unwrap_or_else(|error| panic!("start {}: {error}", self.what)),
            }
        };
        let mut stdin = child.stdin.take().unwrap();
        let input = std::mem::take(&mut self.input);
        thread::spawn(move || stdin.write_all(&input).ok());
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if let Some((signal, aim, when)) = self.signal
                && when(self.place)
            {
                let pid = Pid::from_raw(child.id() as i32);
                match aim {
                    Aim::Process => kill(pid, signal).unwrap(),
                    Aim::Group => killpg(pid, signal).unwrap(),
                    Aim::Child => kill(child_of(pid).expect("it has a child"), signal).unwrap(),
                }
                self.signal = None;
            }
            if begun.elapsed() > patience() {
                child.kill().ok();
                child.wait().ok();
                break None;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let took = begun.elapsed();
        // A daemon may keep the pipe open long after the run: what it has to say is not waited for.
        let rest = |lines: mpsc::Receiver<Vec<u8>>| {
            let until = Instant::now() + Duration::from_secs(2);
            let mut all = Vec::new();
            while let Ok(bytes) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                all.extend(bytes);
            }
            all
        };
        let report = std::fs::read(&report).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let outcome = Outcome {
            code: code(status),
            stdout: rest(stdout),
            stderr: rest(stderr),
            report,
            what: self.what,
            took,
            before,
            leaves: self.leaves,
        };
        assert!(status.is_some(), "hangs for {} s:\n{outcome}", patience().as_secs());
        assert!(!outcome.stderr_text().contains("panicked at src/"), "panics:\n{outcome}");
        let told = outcome.code != 0 && outcome.report.as_ref().is_some_and(|report| violations(report).next().is_some());
        let strays = outcome.strays(self.place);
        assert!(told || strays.is_empty(), "not told of: {strays:#?}\n{outcome}");
        outcome
    }
}

/// The first child of a process.
pub fn child_of(parent: Pid) -> Option<Pid> {
    let ours = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok()) == Some(parent.as_raw())
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(ours).min().map(Pid::from_raw)
}

fn code(status: Option<ExitStatus>) -> i32 {
    status.map_or(-1, |status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

fn drain(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Outcome {
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What a run that refuses has changed, though no run may, and where the place's secrets are now. To be asked again when what goes on
    /// after a run has had its time.
    pub fn strays(&self, place: &Place) -> Vec<String> {
        let Some(before) = &self.before else { return Vec::new() };
        let spilled = spilled(place, self).into_iter().map(|place| format!("a secret is in {place}"));
        before.changes(place, &self.leaves).into_iter().chain(spilled).collect()
    }

    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The report, which must be there and whole.
    pub fn report(&self) -> &Value {
        let report = self.report.as_ref().unwrap_or_else(|| panic!("no readable report.json:\n{self}"));
        assert_eq!(report["schema"], "brig.report/2", "{self}");
        assert_eq!(report["end"], true, "the report is cut off:\n{self}");
        assert_eq!(report["outcome"]["exit_code"], self.code, "the report tells another exit code:\n{self}");
        report
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "exit code:\n{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- {} → {}", self.what, self.code)?;
        if let Some(report) = &self.report {
            writeln!(f, "--- report: {}", report["outcome"])?;
            for line in crate::finding::list(report) {
                writeln!(f, "    {line}")?;
            }
        }
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<&str> = text.lines().collect();
            writeln!(f, "--- {name}, {} lines", lines.len())?;
            for line in &lines[lines.len().saturating_sub(60)..] {
                writeln!(f, "    {}", line.escape_debug())?;
            }
        }
        Ok(())
    }
}
