//! What stands near the build and is no part of it: sockets of agents and daemons, somebody who hands out a descriptor of a secret, objects that
//! processes of the user share, files for each way to change one. In: a place. Out: nothing but what can be found there; gone when dropped.

use std::ffi::CString;
use std::fs;
use std::io::{IoSlice, Read, Write};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::fixture::Fixture;
use crate::place::Place;

/// Sockets whose listeners write down what they hear, below `run` where nothing else is said.
const SERVERS: [&str; 10] = [
    "home/.gnupg/S.gpg-agent",
    "run/keyring/control",
    "run/podman/podman.sock",
    "run/containerd/containerd.sock",
    "run/bus",
    "run/systemd/private",
    "run/tmux-1000/default",
    "run/vscode-ipc.sock",
    "run/X11-unix/X0",
    "run/gnome-terminal.sock",
];

/// Objects without a path, and one that has one outside the place.
pub struct Near {
    shared: Vec<(i32, fn(i32))>,
    queue: CString,
    memory: PathBuf,
}

impl Near {
    /// `worker` is the process whose number everybody knows: keys are made of it.
    pub fn set(place: &Place, fixtures: &[&Fixture], worker: u32) -> Near {
        for server in SERVERS {
            listen(place, server);
        }
        let datagrams = UnixDatagram::bind(place.path("run/notify.sock")).expect("bind a datagram socket");
        let heard = place.path("run/heard-datagrams");
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = datagrams.recv(&mut buffer) {
                append(&heard, &buffer[..length]);
            }
        });
        give(place);
        twins(place, fixtures);
        place.write(&place.path("home/near/doomed"), "\n");
        Near::share(place, worker)
    }

    fn share(place: &Place, worker: u32) -> Near {
        let key = 0x5a00_0000 | (worker & 0xff_ffff) as i32;
        let text = format!("{}-shared", place.canary);
        let mut shared: Vec<(i32, fn(i32))> = Vec::new();
        // SAFETY: each call gets plain numbers, or pointers to what outlives it: the segment of one page that was just attached, a message
        // of the length that is told.
        unsafe {
            let id = libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o666);
            let at = libc::shmat(id, std::ptr::null(), 0);
            assert!(id >= 0 && at as isize != -1, "share memory: {}", std::io::Error::last_os_error());
            at.cast::<u8>().copy_from(text.as_ptr(), text.len());
            libc::shmdt(at);
            shared.push((id, |id| {
                libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
            }));
            let id = libc::msgget(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666);
            let mut message = [1_u64.to_ne_bytes().to_vec(), text.clone().into_bytes()].concat();
            message.resize(8 + 64, 0);
            assert_eq!(libc::msgsnd(id, message.as_ptr().cast(), 64, 0), 0, "send a message: {}", std::io::Error::last_os_error());
            shared.push((id, |id| {
                libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut());
            }));
            let id = libc::semget(key, 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o666);
            assert_eq!(libc::semctl(id, 0, libc::SETVAL, 7), 0, "set a semaphore: {}", std::io::Error::last_os_error());
            shared.push((id, |id| {
                libc::semctl(id, 0, libc::IPC_RMID);
            }));
        }
        let queue = CString::new(format!("/zoo-{key}")).unwrap();
        // SAFETY: a name with its NUL; a mode; no attributes. The message outlives the call.
        unsafe {
            let fd = libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o666, std::ptr::null_mut::<libc::mq_attr>());
            assert!(fd >= 0, "make a queue: {}", std::io::Error::last_os_error());
            libc::fchmod(fd, 0o666);
            assert_eq!(libc::mq_send(fd, text.as_ptr().cast(), text.len(), 0), 0);
            libc::mq_close(fd);
        }
        let memory = PathBuf::from(format!("/dev/shm/zoo-{key}"));
        fs::write(&memory, &text).unwrap();
        Near { shared, queue, memory }
    }
}

impl Drop for Near {
    fn drop(&mut self) {
        self.shared.iter().for_each(|(id, remove)| remove(*id));
        // SAFETY: a name with its NUL.
        unsafe { libc::mq_unlink(self.queue.as_ptr()) };
        fs::remove_file(&self.memory).ok();
    }
}

/// Ends with the test program, as the sinks do.
fn listen(place: &Place, server: &str) {
    let path = place.path(server);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(path).expect("bind a unix socket");
    let heard = place.path(&format!("run/heard-{}", server.replace('/', "-")));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let heard = heard.clone();
            thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
                let mut text = Vec::new();
                stream.read_to_end(&mut text).ok();
                append(&heard, &text);
                stream.write_all(b"heard\n").ok();
            });
        }
    });
}

fn append(path: &Path, text: &[u8]) {
    // The place may be gone already.
    let file = fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text)).ok();
}

/// Somebody who hands a descriptor of a secret to whoever connects, by a path and by an abstract name.
fn give(place: &Place) {
    let path = place.path("run/giver.sock");
    let name = SocketAddr::from_abstract_name(path.as_os_str().as_bytes()).unwrap();
    for listener in [UnixListener::bind(&path).unwrap(), UnixListener::bind_addr(&name).unwrap()] {
        let secret = place.path("home/.aws/credentials");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                pass(&stream, &secret);
            }
        });
    }
}

fn pass(stream: &UnixStream, secret: &Path) {
    let Ok(file) = fs::File::open(secret) else { return };
    let control = [ControlMessage::ScmRights(&[file.as_raw_fd()])];
    sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(b"here")], &control, MsgFlags::empty(), None).ok();
}

/// For each way of a fixture of twins: a secret with an attribute, and an empty directory with one.
fn twins(place: &Place, fixtures: &[&Fixture]) {
    for way in fixtures.iter().filter(|fixture| fixture.name == "e34-twins").flat_map(|fixture| &fixture.says.ways) {
        let dir = place.path(&format!("home/near/twins/{way}"));
        fs::create_dir_all(dir.join("d")).unwrap();
        place.write(&dir.join("f"), &format!("{}-twin\n", place.canary));
        for name in ["f", "d"] {
            let path = CString::new(dir.join(name).as_os_str().as_bytes()).unwrap();
            // SAFETY: strings with their NULs, and one byte.
            let set = unsafe { libc::setxattr(path.as_ptr(), c"user.zoo".as_ptr(), c"x".as_ptr().cast(), 1, 0) };
            assert_eq!(set, 0, "set an attribute: {}", std::io::Error::last_os_error());
        }
    }
}
