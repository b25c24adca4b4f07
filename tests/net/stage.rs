//! Sets an actor up behind a filter, serves its calls with the gate, and hands back what it said.

use std::io::{Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cargo_brig::attribute::Unwinder;
use cargo_brig::gate::{Gate, net};
use cargo_brig::judge::policy::Own;
use cargo_brig::judge::{Journal, KernelGrants, Places, Policy, secrets::Secrets};
use cargo_brig::model::{Act, Actor, ActorId, ActorKind, Mode, Status};
use cargo_brig::sys::pidfd;

/// What may be allowed, and whose sockets are shared.
pub struct Stage {
    pub mode: Mode,
    pub connect: Vec<String>,
    pub unix: Vec<PathBuf>,
    /// Where sockets may be made.
    pub write: Vec<PathBuf>,
    pub sockets: Arc<net::Sockets>,
    pub journal: Arc<Journal>,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl Stage {
    pub fn enforce(connect: &[&str]) -> Stage {
        Stage {
            mode: Mode::Enforce,
            connect: connect.iter().map(ToString::to_string).collect(),
            unix: Vec::new(),
            write: Vec::new(),
            sockets: Arc::new(net::Sockets::start()),
            journal: Arc::new(Journal::default()),
        }
    }

    pub fn observe() -> Stage {
        Stage::observing(&[])
    }

    pub fn observing(connect: &[&str]) -> Stage {
        Stage { mode: Mode::Observe, ..Stage::enforce(connect) }
    }

    /// Runs one scene of the actor behind the gate and returns what it printed.
    pub fn play(&self, scene: &[&str]) -> String {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = Command::new("/proc/self/exe")
            .args(["actor", "filtered"])
            .args(scene)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        ours.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let mut number = [0; 4];
        (&ours).read_exact(&mut number).unwrap();
        let listener = pidfd::get_fd(pidfd::open(child.id(), 0).unwrap().as_fd(), i32::from_ne_bytes(number)).unwrap();
        let actor = self.actor(child.id());
        let gate = Gate::new(Arc::clone(&self.journal), Arc::new(Unwinder::new()), Arc::clone(&self.sockets)).unwrap();
        gate.admit(Arc::new(actor), Arc::new(self.policy()), listener).unwrap();
        (&ours).write_all(b"!").unwrap();
        let output = child.wait_with_output().unwrap();
        gate.close();
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    fn actor(&self, pid: u32) -> Actor {
        Actor {
            id: ActorId(NEXT.fetch_add(1, Ordering::Relaxed)),
            kind: ActorKind::BuildScript,
            package: None,
            host: None,
            pid,
            exe: PathBuf::new(),
            argv: Vec::new(),
            cwd: PathBuf::from("/"),
            crate_name: None,
            attributed_by: "test",
            outputs: Vec::new(),
            tmp: PathBuf::new(),
            withheld: Vec::new(),
        }
    }

    fn policy(&self) -> Policy {
        Policy {
            decoys: None,
            hostname: None,
            shift: None,
            profile: "test".into(),
            mode: self.mode,
            kind: ActorKind::BuildScript,
            read: Vec::new(),
            write: self.write.clone(),
            patterns: Default::default(),
            exec: Vec::new(),
            kernel: KernelGrants::default(),
            exact: true,
            connect: self.connect.clone(),
            unix: self.unix.clone(),
            records: Default::default(),
            secrets: Arc::new(Secrets::default()),
            places: Arc::new(Places::default()),
            own: Own::default(),
            made: Default::default(),
            reviewed: Vec::new(),
            granted: Vec::new(),
            without: None,
            for_all: None,
            accepted: None,
            scripts: Vec::new(),
        }
    }

    /// Acts with this status, as often as they came: those that broke a rule and those that broke none.
    pub fn seen(&self, status: Status) -> Vec<Act> {
        let record = self.journal.snapshot();
        let breaches = record.breaches.into_iter().map(|found| (found.event.act, found.event.status, found.count));
        let all = breaches.chain(record.behaviours.into_iter().map(|did| (did.act, did.status, did.count)));
        all.filter(|(_, found, _)| *found == status).flat_map(|(act, _, count)| vec![act; count as usize]).collect()
    }
}

/// The same scene without any filter: the control.
pub fn unconfined(scene: &[&str]) -> String {
    let output = Command::new("/proc/self/exe").args(["actor", "free"]).args(scene).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// Puts the filter on: the network calls are notified, all else is allowed. Returns the listener's number.
pub fn filter() -> i32 {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let calls = [libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg];
    let mut program = vec![libc::sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 }];
    for (index, call) in calls.iter().enumerate() {
        program.push(libc::sock_filter { code: JUMP_EQUAL, jt: (calls.len() - index) as u8, jf: 0, k: *call as u32 });
    }
    program.push(libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW });
    program.push(libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_USER_NOTIF });
    nix::sys::prctl::set_no_new_privs().unwrap();
    let all = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    // SAFETY: `all` points at `program`, which outlives the call; the kernel copies it.
    let listener = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const all) } as i32;
    assert!(listener >= 0, "seccomp: {}", std::io::Error::last_os_error());
    listener
}

/// Closes the actor's own copy of its listener.
pub fn close(listener: i32) {
    // SAFETY: the number came from `filter` and nobody else owns it.
    drop(unsafe { OwnedFd::from_raw_fd(listener) });
}
