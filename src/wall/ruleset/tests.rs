//! Rulesets on the real kernel: a thread enters one and tries. No seccomp here.

use std::fs::{self, File, hard_link, rename};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Instant;

use nix::sys::signal::kill;
use nix::sys::stat::{Mode as Bits, mknod};
use nix::unistd::Pid;

use super::*;
use crate::sys::landlock::abi;
use crate::wall::probe::{Walls, behind};

/// A directory with subdirectories and a file `x` in each, by its real path.
fn ground(dirs: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(dir.path()).unwrap();
    for name in dirs {
        fs::create_dir_all(path.join(name)).unwrap();
        fs::write(path.join(name).join("x"), "x").unwrap();
    }
    (dir, path)
}

fn grants(read: &[PathBuf], write: &[PathBuf], exec: &[PathBuf]) -> KernelGrants {
    KernelGrants { read: read.to_vec(), write: write.to_vec(), exec: exec.to_vec() }
}

fn inside<T: Send>(grants: &KernelGrants, network: Network, body: impl FnOnce() -> T + Send) -> T {
    let ruleset = of_grants(grants, &[], abi().unwrap(), network).unwrap();
    behind(Walls { ruleset: Some(ruleset), program: None }, |_| 0, body).unwrap().0
}

fn errno<T>(result: io::Result<T>) -> i32 {
    result.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |_| 0)
}

#[test]
fn reading_writing_and_running_are_apart() {
    let (_dir, at) = ground(&["r", "w", "none"]);
    fs::copy("/bin/true", at.join("r/true")).unwrap();
    let grants = grants(&[at.join("r")], &[at.join("w")], &[]);
    let errnos = inside(&grants, Network::Private, || {
        [
            errno(File::open(at.join("r/x"))),
            errno(fs::read_dir(at.join("r"))),
            errno(File::options().write(true).open(at.join("r/x"))),
            errno(fs::write(at.join("w/new"), "x")),
            errno(File::open(at.join("w/x"))),
            errno(fs::create_dir(at.join("w/dir"))),
            errno(fs::remove_file(at.join("w/x"))),
            errno(File::open(at.join("none/x"))),
            errno(fs::write(at.join("none/new"), "x")),
            errno(fs::remove_file(at.join("none/x"))),
            errno(std::process::Command::new(at.join("r/true")).status()),
        ]
    });
    let no = libc::EACCES;
    assert_eq!(errnos, [0, 0, no, 0, no, 0, 0, no, no, no, no]);
}

#[test]
fn running_needs_its_own_grant() {
    let system: Vec<PathBuf> = ["/usr", "/bin", "/lib", "/lib64"].map(PathBuf::from).to_vec();
    let grants = grants(&system, &[PathBuf::from("/dev/null")], &system);
    assert!(inside(&grants, Network::Private, || std::process::Command::new("true").status().is_ok_and(|status| status.success())));
}

#[test]
fn a_file_is_a_tree_of_one() {
    let (_dir, at) = ground(&["d"]);
    fs::write(at.join("d/y"), "y").unwrap();
    let grants = grants(&[at.join("d/x")], &[PathBuf::from("/dev/null")], &[]);
    let errnos = inside(&grants, Network::Private, || {
        [errno(File::open(at.join("d/x"))), errno(File::open(at.join("d/y"))), errno(File::options().write(true).open("/dev/null"))]
    });
    assert_eq!(errnos, [0, libc::EACCES, 0]);
}

#[test]
fn rustc_may_rename_inside_what_it_may_write() {
    let (_dir, at) = ground(&["deps/rmetaAB", "incremental"]);
    let grants = grants(std::slice::from_ref(&at), std::slice::from_ref(&at), &[]);
    let errnos = inside(&grants, Network::Private, || {
        [
            errno(rename(at.join("deps/rmetaAB/x"), at.join("deps/libapp.rmeta"))),
            errno(hard_link(at.join("deps/libapp.rmeta"), at.join("incremental/link"))),
            errno(rename(at.join("incremental"), at.join("deps/moved"))),
        ]
    });
    assert_eq!(errnos, [0, 0, 0]);
}

#[test]
fn nothing_is_moved_or_linked_in_from_outside() {
    let (_dir, at) = ground(&["in", "out"]);
    let grants = grants(&[at.join("in")], &[at.join("in")], &[]);
    let errnos = inside(&grants, Network::Private, || {
        [
            errno(hard_link(at.join("out/x"), at.join("in/link"))),
            errno(rename(at.join("out/x"), at.join("in/moved"))),
            errno(rename(at.join("in/x"), at.join("out/moved"))),
            errno(fs::OpenOptions::new().write(true).truncate(true).open(at.join("out/x"))),
        ]
    });
    assert!(errnos.iter().all(|errno| [libc::EACCES, libc::EXDEV].contains(errno)), "{errnos:?}");
    assert_eq!(fs::read(at.join("out/x")).unwrap(), b"x");
}

/// A file must not gain a right by moving: a policy that lets a temporary directory be written but not run, and an output
/// directory be both, makes renames between them fail with EXDEV (and programs copy instead).
#[test]
fn a_rename_that_gains_a_right_is_refused() {
    let (_dir, at) = ground(&["tmp", "out"]);
    let both = [at.join("tmp"), at.join("out")];
    let grants = grants(&both, &both, &[at.join("out")]);
    assert_eq!(inside(&grants, Network::Private, || errno(rename(at.join("tmp/x"), at.join("out/tool")))), libc::EXDEV);
}

#[test]
fn device_nodes_are_never_granted() {
    let (_dir, at) = ground(&["w"]);
    let grants = grants(&[], &[at.join("w")], &[]);
    let [node, fifo] = inside(&grants, Network::Private, || {
        [SFlag::S_IFBLK, SFlag::S_IFIFO].map(|kind| mknod(&at.join("w").join(format!("{}", kind.bits())), kind, Bits::S_IRUSR, 0x0801))
    });
    assert!(matches!(node, Err(Errno::EACCES | Errno::EPERM)), "{node:?}");
    assert_eq!(fifo, Ok(()));
}

#[test]
fn missing_paths_grant_nothing_and_links_are_refused_for_writing() {
    let (_dir, at) = ground(&["real"]);
    std::os::unix::fs::symlink(at.join("real"), at.join("link")).unwrap();
    let kernel = abi().unwrap();
    of_grants(&grants(&[at.join("absent")], &[at.join("absent/too")], &[]), &[], kernel, Network::Private).unwrap();
    of_grants(&grants(&[at.join("link")], &[], &[]), &[], kernel, Network::Private).unwrap();
    let error = of_grants(&grants(&[], &[at.join("link")], &[]), &[], kernel, Network::Private).unwrap_err();
    assert!(format!("{error:#}").contains("name the real path"), "{error:#}");
    assert!(of_grants(&KernelGrants::default(), &[], 1, Network::Private).is_err());
}

#[test]
fn what_the_kernel_cannot_do_is_an_error_not_less() {
    // ABI 9 adds a right to handle; a kernel without it must refuse.
    assert_eq!(of_grants(&KernelGrants::default(), &[], 9, Network::Wall).is_err(), abi().unwrap() < 9);
}

#[test]
fn signals_stay_inside() {
    if abi().unwrap() < 6 {
        return;
    }
    let mut stranger = std::process::Command::new("sleep").arg("5").spawn().unwrap();
    let pid = Pid::from_raw(stranger.id() as i32);
    let answer = inside(&KernelGrants::default(), Network::Private, || kill(pid, None));
    assert_eq!((answer, kill(pid, None)), (Err(Errno::EPERM), Ok(())));
    // Cargo's own, and what it starts unconfined; in observe mode nothing is refused. A helper of ours.
    let all = grants(&["/".into()], &[], &[]);
    let number = abi().unwrap();
    let tries = |ruleset| behind(Walls { ruleset: Some(ruleset), program: None }, |_| 0, || kill(pid, None)).unwrap().0;
    assert_eq!(tries(of_cargo(&all, &[], &[], number, true).unwrap()), Err(Errno::EPERM));
    assert_eq!(tries(of_cargo(&all, &[], &[], number, false).unwrap()), Ok(()));
    assert_eq!(tries(of_a_helper(&all, number).unwrap()), Err(Errno::EPERM));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn tcp_is_left_to_a_private_network_and_refused_without_one() {
    if abi().unwrap() < 4 {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap();
    let try_both = || [errno(TcpStream::connect(to)), errno(TcpListener::bind("127.0.0.1:0"))];
    assert_eq!(inside(&KernelGrants::default(), Network::Private, try_both), [0, 0]);
    assert_eq!(inside(&KernelGrants::default(), Network::Wall, try_both), [libc::EACCES, libc::EACCES]);
}

#[test]
fn abstract_sockets_of_others_are_out_of_reach() {
    if abi().unwrap() < 6 {
        return;
    }
    let name = SocketAddr::from_abstract_name(format!("brig-test-{}", std::process::id())).unwrap();
    let own = SocketAddr::from_abstract_name(format!("brig-test-own-{}", std::process::id())).unwrap();
    let _server = UnixListener::bind_addr(&name).unwrap();
    let errnos = inside(&KernelGrants::default(), Network::Private, || {
        let _own = UnixListener::bind_addr(&own).unwrap();
        [errno(UnixStream::connect_addr(&name)), errno(UnixStream::connect_addr(&own))]
    });
    assert_eq!(errnos, [libc::EPERM, 0]);
}

/// A fact the gate must know: the scope goes by who *made* the server's socket. One that is made outside and handed in is a stranger's,
/// so an actor could not reach its own abstract server through it.
#[test]
fn an_abstract_server_on_a_handed_over_socket_is_a_strangers() {
    use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};
    use std::os::fd::AsRawFd;
    if abi().unwrap() < 6 {
        return;
    }
    let made = || socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    let name = UnixAddr::new_abstract(format!("brig-test-handed-{}", std::process::id()).as_bytes()).unwrap();
    let (server, client) = (made(), made());
    let answers = inside(&KernelGrants::default(), Network::Private, || {
        bind(server.as_raw_fd(), &name).unwrap();
        listen(&server, Backlog::new(1).unwrap()).unwrap();
        let handed = connect(client.as_raw_fd(), &name);
        drop((server, client));
        let own = made();
        bind(own.as_raw_fd(), &name).unwrap();
        listen(&own, Backlog::new(1).unwrap()).unwrap();
        (handed, connect(made().as_raw_fd(), &name))
    });
    assert_eq!(answers, (Err(Errno::EPERM), Ok(())));
}

/// The number to look at: `cargo test cost -- --nocapture`.
#[test]
fn cost_of_a_ruleset() {
    let some =
        ["/usr", "/etc", "/bin", "/lib", "/lib64", "/sbin", "/var", "/opt", "/dev/null", "/dev/zero", "/dev/urandom", "/proc/self", "/sys"];
    let read: Vec<PathBuf> = some.map(PathBuf::from).to_vec();
    let (_dir, at) = ground(&["a", "b", "c", "d", "e", "f", "g"]);
    let write: Vec<PathBuf> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| at.join(name)).to_vec();
    let grants = grants(&read, &write, &read);
    let kernel = abi().unwrap();
    let begin = Instant::now();
    for _ in 0..100 {
        of_grants(&grants, &[], kernel, Network::Private).unwrap();
    }
    println!("ruleset of {} paths: {:?}", read.len() + write.len(), begin.elapsed() / 100);
}
