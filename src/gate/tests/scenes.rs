//! What actors do. Every scene runs behind the real filter in a process of its own; a failed assertion there is a failed actor here.

use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{getpid, getppid, mkfifo};

use super::{garbage, stage, trips, twins};
use crate::sys::files::{self, AT_FDCWD};
use crate::sys::identity::{Acting, Person};
use crate::sys::testing;

/// Not a test of its own: the way into a scene for a child. In an ordinary run nothing is asked, and it returns at once.
#[test]
fn actor() {
    let Some((scene, root)) = stage::enter() else { return };
    let (out, secret) = (root.join("out"), root.join("workspace/.env"));
    match scene.as_str() {
        "honest" => {
            honest_reads(&out);
            honest_creations(&out);
            honest_changes(&out);
            honest_links_to_itself(&out);
            runs_what_it_wrote(&out);
        }
        "thief" => thief(&root, &out, &secret),
        "observed" => observed(&root, &secret),
        "mirror" => mirror(&out),
        "runner" => runner(&root, &out),
        "tamperer" => tamperer(&out),
        "parent" => parent(),
        "signaller" => signaller(Err(nix::Error::EPERM)),
        "signaller observed" => signaller(Ok(())),
        "git" => git(),
        "racer" => racer(),
        "waiter" => waiter(&out, &secret),
        "daemon" => daemon(),
        "garbage" => garbage::travel(&root),
        "someone" => someone(&out),
        other => match other.split_once(' ') {
            Some(("trips", what)) => trips::travel(what, &out),
            Some(("twin", what)) => twins::live(what, &out),
            _ => panic!("no scene `{other}`"),
        },
    }
}

fn c(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).unwrap()
}

fn open(path: impl AsRef<Path>, flags: i32) -> io::Result<OwnedFd> {
    files::openat(AT_FDCWD, &c(path), flags | libc::O_CLOEXEC, 0o666)
}

fn errno<T>(result: io::Result<T>) -> i32 {
    result.err().and_then(|error| error.raw_os_error()).unwrap_or(0)
}

fn text(file: impl Into<File>) -> String {
    let mut text = String::new();
    file.into().read_to_string(&mut text).unwrap();
    text
}

fn honest_reads(out: &Path) {
    let here = std::env::current_dir().unwrap();
    for path in ["src/lib.rs", "./src/../src/lib.rs", "src//lib.rs"] {
        assert_eq!(fs::read_to_string(path).unwrap(), "fn main() {}\n");
        assert_eq!(fs::read_to_string(here.join(path)).unwrap(), "fn main() {}\n");
    }
    assert_eq!(fs::read_dir("src").unwrap().count(), 1);
    assert_eq!(errno(open("src/missing", 0)), libc::ENOENT);
    assert_eq!(errno(open("", 0)), libc::ENOENT);
    assert_eq!(errno(open("src/lib.rs/x", 0)), libc::ENOTDIR);
    assert_eq!(errno(open("src/lib.rs", libc::O_DIRECTORY)), libc::ENOTDIR);
    assert_eq!(errno(open("src/".to_owned() + &"x".repeat(5000), 0)), libc::ENAMETOOLONG);
    assert_eq!(testing::open_nowhere(), libc::EFAULT);

    symlink(here.join("src/lib.rs"), out.join("link")).unwrap();
    assert_eq!(fs::read_to_string(out.join("link")).unwrap(), "fn main() {}\n");
    assert_eq!(errno(open(out.join("link"), libc::O_NOFOLLOW)), libc::ELOOP);
    symlink("loop-b", out.join("loop-a")).unwrap();
    symlink("loop-a", out.join("loop-b")).unwrap();
    assert_eq!(errno(open(out.join("loop-a"), 0)), libc::ELOOP);
    assert_eq!(errno(open(out.join("loop-a"), libc::O_CREAT | libc::O_WRONLY)), libc::ELOOP);

    let fd = files::openat(AT_FDCWD, c"src/lib.rs", libc::O_RDONLY, 0).unwrap();
    // `O_LARGEFILE`, which the kernel adds; and `O_CLOEXEC`.
    let large = if cfg!(target_arch = "x86_64") { 0o100000 } else { 0o400000 };
    assert!(fd_flags(&fd).contains(&format!("flags:\t0{large:o}\n")), "{}", fd_flags(&fd));
    assert!(fd_flags(&open("src/lib.rs", 0).unwrap()).contains(&format!("flags:\t0{:o}\n", large | libc::O_CLOEXEC)));

    let source = open("src", libc::O_DIRECTORY).unwrap();
    assert_eq!(text(files::openat(source.as_fd(), c"lib.rs", 0, 0).unwrap()), "fn main() {}\n");
    assert_eq!(errno(files::openat(fd.as_fd(), c"lib.rs", 0, 0)), libc::ENOTDIR);

    let beneath = |path: &str| errno(files::openat2(source.as_fd(), &c(path), 0, 0, libc::RESOLVE_BENEATH));
    assert_eq!((beneath("lib.rs"), beneath("../src/lib.rs")), (0, libc::EXDEV));
    assert_eq!(errno(files::openat2(AT_FDCWD, &c(out.join("link")), 0, 0, libc::RESOLVE_NO_SYMLINKS)), libc::ELOOP);
    for (how, size, expected) in [
        ([0, 0, 0, 0], 24, 0),
        ([0, 0, 0, 0], 32, 0),
        ([0, 0, 0, 1], 32, libc::E2BIG),
        ([0, 0, 0, 0], 16, libc::EINVAL),
        ([1 << 40, 0, 0, 0], 24, libc::EINVAL),
        ([0, 0o644, 0, 0], 24, libc::EINVAL),
        ([0, 0, 1 << 20, 0], 24, libc::EINVAL),
    ] {
        assert_eq!(testing::open_how(c"src/lib.rs", &how, size), expected, "{how:?} {size}");
    }
}

fn fd_flags(fd: &OwnedFd) -> String {
    fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap()
}

/// Nobody else has it open for writing once it is closed.
fn runs_what_it_wrote(out: &Path) {
    let path = out.join("written");
    for _ in 0..100 {
        use std::os::unix::fs::OpenOptionsExt;
        OpenOptions::new().write(true).create_new(true).mode(0o755).open(&path).unwrap().write_all(b"#!/bin/sh\n").unwrap();
        assert!(Command::new(&path).status().unwrap().success());
        OpenOptions::new().write(true).open(&path).unwrap();
        assert!(Command::new(&path).status().unwrap().success());
        fs::remove_file(&path).unwrap();
    }
}

fn honest_creations(out: &Path) {
    umask(Mode::from_bits_truncate(0o027));
    File::create_new(out.join("masked")).unwrap();
    fs::create_dir(out.join("dir027")).unwrap();
    assert_eq!(errno(File::create_new(out.join("masked"))), libc::EEXIST);
    assert_eq!(errno(fs::create_dir(out.join("dir027"))), libc::EEXIST);
    fs::create_dir_all(out.join("a/b/c")).unwrap();

    symlink("target-of-dangling", out.join("dangling")).unwrap();
    symlink("dangling", out.join("dangling2")).unwrap();
    fs::write(out.join("dangling2"), "through a link").unwrap();
    assert_eq!(errno(open(out.join("dangling"), libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY)), libc::EEXIST);
    assert_eq!(errno(open(out.join("a/"), libc::O_CREAT | libc::O_WRONLY)), libc::EISDIR);
    assert_eq!(errno(open(out.join("a"), libc::O_WRONLY)), libc::EISDIR);
    assert_eq!(errno(open(out.join("missing/x"), libc::O_CREAT | libc::O_WRONLY)), libc::ENOENT);

    fs::write(out.join("file"), "0123456789").unwrap();
    OpenOptions::new().append(true).open(out.join("file")).unwrap().write_all(b"ab").unwrap();
    assert_eq!(fs::read(out.join("file")).unwrap(), b"0123456789ab");
    drop(open(out.join("file"), libc::O_WRONLY | libc::O_TRUNC).unwrap());
    assert_eq!(fs::read(out.join("file")).unwrap(), b"");

    let mut unnamed = File::from(open(out, libc::O_TMPFILE | libc::O_RDWR).unwrap());
    unnamed.write_all(b"first unnamed").unwrap();
    let link = c(format!("/proc/self/fd/{}", unnamed.as_raw_fd()));
    files::link(AT_FDCWD, &link, AT_FDCWD, &c(out.join("named")), libc::AT_SYMLINK_FOLLOW).unwrap();
    assert_eq!(fs::read(out.join("named")).unwrap(), b"first unnamed");

    mkfifo(&out.join("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    let fifo = out.join("fifo");
    let reader = std::thread::spawn(move || fs::read_to_string(fifo).unwrap());
    fs::write(out.join("fifo"), "through a fifo").unwrap();
    assert_eq!(reader.join().unwrap(), "through a fifo");
    // At once: the gate keeps no end of its own.
    assert_eq!(errno(open(out.join("fifo"), libc::O_WRONLY | libc::O_NONBLOCK)), libc::ENXIO);
}

fn honest_changes(out: &Path) {
    let at = |name: &str| out.join(name);
    fs::write(at("old"), "to be renamed").unwrap();
    fs::rename(at("old"), at("renamed")).unwrap();
    assert_eq!(errno(fs::rename(at("old"), at("renamed"))), libc::ENOENT);
    fs::hard_link(at("renamed"), at("hard")).unwrap();
    assert_eq!(errno(fs::hard_link(at("renamed"), at("hard"))), libc::EEXIST);
    fs::write(at("other"), "other").unwrap();
    let exchange = |a: &str, b: &str, flags| files::rename(AT_FDCWD, &c(at(a)), AT_FDCWD, &c(at(b)), flags);
    exchange("other", "file", libc::RENAME_EXCHANGE).unwrap();
    assert_eq!(fs::read(at("file")).unwrap(), b"other");
    assert_eq!(errno(exchange("other", "file", libc::RENAME_NOREPLACE)), libc::EEXIST);
    assert_eq!(errno(exchange("other", "nothing", libc::RENAME_EXCHANGE)), libc::ENOENT);

    fs::write(at("gone"), "").unwrap();
    fs::remove_file(at("gone")).unwrap();
    assert_eq!(errno(fs::remove_file(at("gone"))), libc::ENOENT);
    assert_eq!(errno(fs::remove_file(at("a"))), libc::EISDIR);
    assert_eq!(errno(fs::remove_dir(at("a"))), libc::ENOTEMPTY);
    fs::remove_dir_all(at("a")).unwrap();
    symlink("nowhere", at("sym")).unwrap();
    assert_eq!(fs::read_link(at("sym")).unwrap(), Path::new("nowhere"));

    fs::write(at("chmodded"), "").unwrap();
    fs::set_permissions(at("chmodded"), fs::Permissions::from_mode(0o751)).unwrap();
    let file = File::create(at("timed")).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o644)).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1234)).unwrap();
    std::os::unix::fs::chown(at("timed"), Some(nix::unistd::getuid().as_raw()), None).unwrap();
    std::os::unix::fs::fchown(&file, None, Some(nix::unistd::getgid().as_raw())).unwrap();
    files::set_times(file.as_fd(), Some([(99, 0), (1234, 0)])).unwrap();
    fs::write(at("cut"), "0123456789").unwrap();
    files::truncate(&c(at("cut")), 4).unwrap();
    // The actor's own limit, not ours; the signal is its own as well.
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let ignored = nix::sys::signal::SigSet::from(nix::sys::signal::Signal::SIGXFSZ);
    ignored.thread_block().unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 100, hard).unwrap();
    assert_eq!(errno(files::truncate(&c(at("cut")), 101)), libc::EFBIG);
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    assert_eq!(fs::metadata(at("cut")).unwrap().len(), 4);
    assert_eq!(fs::read(at("cut")).unwrap(), b"0123");
    let attribute = files::set_attribute(&c(at("cut")), c"user.brig", b"x", 0);
    assert!(matches!(errno(attribute), 0 | libc::EOPNOTSUPP));
    assert!(matches!(errno(files::remove_attribute(&c(at("cut")), c"user.brig")), 0 | libc::EOPNOTSUPP));
    assert_eq!(errno(files::truncate(&c(at("missing")), 4)), libc::ENOENT);
    files::make_node(AT_FDCWD, &c(at("node")), libc::S_IFREG | 0o600, 0).unwrap();
}

fn honest_links_to_itself(out: &Path) {
    let me = format!("Tgid:\t{}\n", getpid());
    for path in ["/proc/self/status", "/proc/thread-self/status", "/proc/../proc/self/status", "/proc/self/task/../status"] {
        assert!(fs::read_to_string(path).unwrap().contains(&me), "{path}");
    }
    let proc = open("/proc", libc::O_DIRECTORY | libc::O_PATH).unwrap();
    assert!(text(files::openat(proc.as_fd(), c"self/status", 0, 0).unwrap()).contains(&me));
    symlink("/proc/self/status", out.join("my-status")).unwrap();
    assert!(fs::read_to_string(out.join("my-status")).unwrap().contains(&me));

    let handle = open("src/lib.rs", libc::O_PATH).unwrap();
    for front in ["/proc/self/fd", "/dev/fd", "/proc/thread-self/fd"] {
        assert_eq!(fs::read_to_string(format!("{front}/{}", handle.as_raw_fd())).unwrap(), "fn main() {}\n");
    }
    symlink(format!("/proc/self/fd/{}", handle.as_raw_fd()), out.join("my-handle")).unwrap();
    assert_eq!(fs::read_to_string(out.join("my-handle")).unwrap(), "fn main() {}\n");
    assert_eq!(fs::read_to_string("/proc/self/cwd/src/lib.rs").unwrap(), "fn main() {}\n");
    assert_eq!(errno(open("/dev/fd/999", 0)), libc::ENOENT);

    let (read, write) = nix::unistd::pipe().unwrap();
    let mut again = OpenOptions::new().write(true).open(format!("/dev/fd/{}", write.as_raw_fd())).unwrap();
    again.write_all(b"through a pipe").unwrap();
    drop((again, write));
    assert_eq!(text(read), "through a pipe");
    fs::write("/dev/null", "x").unwrap();
    let mut memory = File::from(files::memfd(c"some memory", libc::MFD_CLOEXEC).unwrap());
    memory.write_all(b"remembered").unwrap();
    assert_eq!(fs::read_to_string(format!("/proc/self/fd/{}", memory.as_raw_fd())).unwrap(), "remembered");
}

fn thief(root: &Path, out: &Path, secret: &Path) {
    let refused = |what: &str, code: i32| assert!(matches!(code, libc::EACCES | libc::EPERM), "{what}: {code}");
    symlink(secret, out.join("l")).unwrap();
    symlink(root.join("workspace"), out.join("d")).unwrap();
    let handle = open(secret, libc::O_PATH).unwrap();
    let above = open(root, libc::O_PATH).unwrap();
    let number = handle.as_raw_fd();
    for path in [
        ".env".to_owned(),
        secret.to_str().unwrap().to_owned(),
        "src/../.env".to_owned(),
        ".//./.env".to_owned(),
        out.join("l").to_str().unwrap().to_owned(),
        out.join("d/.env").to_str().unwrap().to_owned(),
        "/proc/self/cwd/.env".to_owned(),
        format!("/proc/self/root{}", secret.display()),
        "/proc/thread-self/cwd/../workspace/.env".to_owned(),
        format!("/proc/self/fd/{number}"),
        format!("/dev/fd/{number}"),
        format!("/proc/self/fd/{}/workspace/.env", above.as_raw_fd()),
    ] {
        refused(&path, errno(open(&path, libc::O_RDONLY)));
        refused(&path, errno(open(&path, libc::O_RDWR)));
        refused(&path, errno(open(&path, libc::O_RDWR | libc::O_CREAT)));
        refused(&path, errno(open(&path, libc::O_WRONLY | libc::O_TRUNC)));
    }
    refused("dirfd", errno(files::openat(above.as_fd(), c"workspace/.env", 0, 0)));
    refused("thread", std::thread::spawn(|| errno(open(".env", 0))).join().unwrap());
    refused("link", errno(fs::hard_link(secret, out.join("h"))));
    refused("rename", errno(fs::rename(secret, out.join("r"))));
    refused("exchange", errno(files::rename(AT_FDCWD, &c(out.join("l")), AT_FDCWD, &c(secret), libc::RENAME_EXCHANGE)));
    refused("unlink", errno(fs::remove_file(secret)));
    refused("chmod", errno(fs::set_permissions(secret, fs::Permissions::from_mode(0o644))));
    refused("chmod by handle", errno(fs::set_permissions(format!("/proc/self/fd/{number}"), fs::Permissions::from_mode(0o644))));
    refused("truncate", errno(files::truncate(&c(secret), 0)));
    refused("create", errno(File::create(root.join("forbidden/x"))));
    symlink(root.join("forbidden/y"), out.join("dangling")).unwrap();
    refused("create through a link", errno(File::create(out.join("dangling"))));
    assert!(!root.join("forbidden/y").exists());
    refused("mkdir", errno(fs::create_dir(root.join("forbidden/x"))));
    let cat = Command::new("cat").arg(".env").stderr(Stdio::null()).output().unwrap();
    assert!(!cat.status.success() && cat.stdout.is_empty());
}

fn observed(root: &Path, secret: &Path) {
    assert_eq!(fs::read_to_string(secret).unwrap(), "TOKEN=CANARY\n");
    fs::write(root.join("forbidden/x"), "x").unwrap();
    fs::rename(root.join("forbidden/x"), root.join("forbidden/y")).unwrap();
    assert_eq!(fs::read_to_string("/proc/self/cwd/.env").unwrap(), "TOKEN=CANARY\n");
    assert!(Command::new(root.join("forbidden/dropped")).status().unwrap().success());
}

fn mirror(out: &Path) {
    let mine = |path: &Path| assert!(fs::read_to_string(path).unwrap().contains("BRIG_TEST_SCENE=mirror"), "{path:?}");
    symlink("/proc/self/environ", out.join("environ")).unwrap();
    symlink("/proc/thread-self", out.join("thread")).unwrap();
    mine(Path::new("/proc/self/environ"));
    mine(&out.join("environ"));
    mine(&out.join("thread/environ"));
    let gate = getppid();
    symlink(format!("/proc/{gate}/environ"), out.join("theirs")).unwrap();
    for path in [
        format!("/proc/{gate}/environ"),
        format!("/proc/self/../{gate}/environ"),
        format!("/proc/{gate}/task/{gate}/environ"),
        format!("/proc/{gate}/cwd/Cargo.toml"),
        format!("/proc/{gate}/fd/0"),
        format!("/proc/{gate}/exe"),
        format!("/proc/{gate}/root/etc/passwd"),
        format!("/proc/{gate}/mem"),
    ] {
        assert_eq!(errno(open(&path, 0)), libc::EACCES, "{path}");
    }
    assert_eq!(errno(open(out.join("theirs"), 0)), libc::EACCES);
    let proc = open("/proc", libc::O_PATH).unwrap();
    assert!(text(files::openat(proc.as_fd(), c"self/environ", 0, 0).unwrap()).contains("BRIG_TEST_SCENE=mirror"));
    assert_eq!(errno(files::openat(proc.as_fd(), &c(format!("{gate}/environ")), 0, 0)), libc::EACCES);
}

fn runner(root: &Path, out: &Path) {
    assert!(Command::new("true").arg("--token=CANARY").status().unwrap().success());
    assert_eq!(Command::new("/no/such/program").status().unwrap_err().kind(), ErrorKind::NotFound);
    let script = |name: &str, interpreter: &OsStr| {
        fs::write(out.join(name), [b"#!", interpreter.as_bytes(), b"\nexit 7\n"].concat()).unwrap();
        fs::set_permissions(out.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    script("script", OsStr::new("/bin/sh"));
    assert_eq!(Command::new(out.join("script")).arg("of-the-script").status().unwrap().code(), Some(7));
    assert_eq!(Command::new("sh").args(["-c", "exec sh -c 'exit 5'"]).status().unwrap().code(), Some(5));

    let dropped = root.join("forbidden/dropped");
    let refused = |program: &Path, arguments: &[&Path]| {
        let result = Command::new(program).args(arguments).stderr(Stdio::null()).status();
        assert_eq!(errno(result), libc::EACCES, "{program:?} {arguments:?}");
    };
    refused(&dropped, &[]);
    symlink(&dropped, out.join("by-link")).unwrap();
    refused(&out.join("by-link"), &[]);
    script("by-script", dropped.as_os_str());
    refused(&out.join("by-script"), &[]);
    refused(Path::new(loader()), &[&dropped]);
    fs::write(out.join("no-program"), "text").unwrap();
    refused(&out.join("no-program"), &[]);
    let mut memory = File::from(files::memfd(c"program", 0).unwrap());
    memory.write_all(&fs::read("/bin/true").unwrap()).unwrap();
    refused(Path::new(&format!("/proc/self/fd/{}", memory.as_raw_fd())), &[]);
}

fn loader() -> &'static str {
    if cfg!(target_arch = "x86_64") { "/lib64/ld-linux-x86-64.so.2" } else { "/lib/ld-linux-aarch64.so.1" }
}

fn tamperer(out: &Path) {
    let mut byte = [0];
    let address = byte.as_ptr() as u64;
    assert_eq!(errno(crate::sys::memory::read(getppid().as_raw() as u32, address, &mut byte)), libc::EPERM);
    itself_and_its_children();
    let disk = files::make_node(AT_FDCWD, &c(out.join("disk")), libc::S_IFBLK | 0o600, libc::makedev(8, 0));
    assert_eq!(errno(disk), libc::EPERM);
    more_than_its_own(out);
    assert_eq!(testing::shared_memory(libc::IPC_PRIVATE), Err(libc::ENOSYS));
    assert_eq!(testing::shared_memory(0x5a6f_6f21), Err(libc::EPERM));
    #[cfg(target_arch = "x86_64")]
    {
        assert_eq!(crate::sys::attempt::x32_getpid(), Err(libc::EPERM));
        if let Some(result) = testing::i386_getpid() {
            assert_eq!(result, -libc::EPERM);
            stage::tell("int 0x80", "tried");
        }
    }
}

/// What it may do about them is none of the tampering that is counted, what it may not is.
fn itself_and_its_children() {
    let (known, mut byte) = ([7], [0]);
    assert_eq!(crate::sys::memory::read(std::process::id(), known.as_ptr() as u64, &mut byte).unwrap(), 1);
    assert_eq!(byte, known);
    let mut child = Command::new("sleep").arg("60").env("OF_THE_CHILD", "1").spawn().unwrap();
    let of = |file: &str| format!("/proc/{}/{file}", child.id());
    assert!(fs::read(of("environ")).unwrap().windows(12).any(|text| text == b"OF_THE_CHILD"));
    assert!(fs::read_dir(of("fd")).unwrap().count() >= 3);
    assert!(!fs::read(of("maps")).unwrap().is_empty());
    assert_eq!(errno(crate::sys::memory::read(child.id(), known.as_ptr() as u64, &mut byte)), libc::EPERM);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS), Ok(()));
    use nix::sched::CloneFlags as Flags;
    for more in [Flags::CLONE_NEWUSER, Flags::CLONE_FILES, Flags::CLONE_FS | Flags::CLONE_NEWNS] {
        assert_eq!(nix::sched::unshare(more), Err(nix::Error::EPERM));
    }
    nix::sys::prctl::set_dumpable(false).unwrap();
    assert!(!nix::sys::prctl::get_dumpable().unwrap());
}

/// What is looked at is not changed.
fn parent() {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    for (file, flags) in [("mem", libc::O_RDWR), ("mem", libc::O_WRONLY), ("clear_refs", libc::O_WRONLY)] {
        assert_eq!(errno(open(format!("/proc/{}/{file}", child.id()), flags)), libc::EACCES, "{file}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(errno(open(format!("/proc/{}/status", child.id()), 0)), libc::ENOENT);
    for list in ["fd", "fdinfo"] {
        assert_eq!(errno(open(format!("/proc/{}/{list}", getppid()), libc::O_DIRECTORY)), libc::EACCES);
    }
}

/// A file that gives whoever starts it its owner's rights, or the kernel's.
fn more_than_its_own(out: &Path) {
    let file = out.join("su");
    fs::write(&file, "").unwrap();
    for mode in [0o4755, 0o2755, 0o6755, 0o7777] {
        assert_eq!(errno(fs::set_permissions(&file, fs::Permissions::from_mode(mode))), libc::EPERM, "{mode:o}");
        assert_eq!(errno(File::open(&file).unwrap().set_permissions(fs::Permissions::from_mode(mode))), libc::EPERM, "{mode:o}");
        let made = files::openat(AT_FDCWD, &c(out.join("made")), libc::O_CREAT | libc::O_WRONLY, mode);
        assert_eq!(errno(made), libc::EPERM, "{mode:o}");
        assert_eq!(errno(files::openat(AT_FDCWD, &c(out), libc::O_TMPFILE | libc::O_WRONLY, mode)), libc::EPERM, "{mode:o}");
        assert_eq!(errno(files::make_node(AT_FDCWD, &c(out.join("made")), libc::S_IFREG | mode, 0)), libc::EPERM, "{mode:o}");
    }
    for attribute in [c"security.capability", c"security.ima", c"trusted.overlay.opaque"] {
        assert_eq!(errno(files::set_attribute(&c(&file), attribute, b"y", 0)), libc::EPERM, "{attribute:?}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7000, 0);
    assert!(!out.join("made").exists());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o1755)).unwrap();
    let dir = out.join("of-a-group");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o2755)).unwrap();
}

/// Every signal is one that is ignored unless somebody waits for it.
fn signaller(asking: nix::Result<()>) {
    use nix::sys::signal::{Signal, kill, raise};
    use nix::unistd::{Pid, setpgid};
    let (own, parent, harmless) = (getpid(), getppid(), Signal::SIGWINCH);
    let (free, refused) = (Ok(()), Err(nix::Error::EPERM));
    for (target, signal, expected) in [
        (own, Some(harmless), free),
        (own, None, free),
        (parent, Some(harmless), refused),
        (Pid::from_raw(1), Some(harmless), refused),
        // The group is the test program's, too.
        (Pid::from_raw(0), Some(harmless), refused),
        (Pid::from_raw(-1), Some(harmless), refused),
        (parent, None, asking),
        (Pid::from_raw(i32::MAX), Some(harmless), Err(nix::Error::ESRCH)),
        (Pid::from_raw(i32::MIN), Some(harmless), Err(nix::Error::ESRCH)),
        (Pid::from_raw(-i32::MAX), Some(harmless), Err(nix::Error::ESRCH)),
    ] {
        assert_eq!(kill(target, signal), expected, "{signal:?} to {target}");
    }
    raise(harmless).unwrap();
    assert_eq!(testing::queue_signal(parent.as_raw(), harmless as i32), Err(libc::EPERM));
    assert_eq!(testing::queue_signal(own.as_raw(), harmless as i32), Ok(()));
    assert_eq!(testing::thread_signal(parent.as_raw(), harmless as i32), Err(libc::EPERM));
    let by_handle = |pid: Pid| {
        let handle = crate::sys::pidfd::open(pid.as_raw() as u32, 0).unwrap();
        errno(crate::sys::pidfd::send_signal(handle.as_fd(), harmless as i32, None))
    };
    assert_eq!((by_handle(own), by_handle(parent)), (0, libc::EPERM));
    let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let owner = |pid: Pid| testing::own_descriptor(one.as_fd(), pid.as_raw()).err().unwrap_or(0);
    assert_eq!((owner(own), owner(parent), owner(Pid::from_raw(0))), (0, libc::EPERM, 0));

    for whose in [0, own.as_raw(), nix::unistd::gettid().as_raw()] {
        assert_eq!(testing::keep_priority(libc::PRIO_PROCESS, whose), Ok(()), "{whose}");
    }
    for (which, whose) in [(libc::PRIO_PROCESS, parent.as_raw()), (libc::PRIO_PGRP, 0), (libc::PRIO_USER, 0)] {
        assert_eq!(testing::keep_priority(which, whose), Err(libc::EPERM), "{which} {whose}");
    }

    // Children, alone and as a group of their own; a grandchild nobody has seen make a call.
    let mut shell = Command::new("sh").args(["-c", "sleep 100 & echo; wait"]).process_group(0).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let group = Pid::from_raw(shell.id() as i32);
    kill(group, None).unwrap();
    kill(Pid::from_raw(-group.as_raw()), Signal::SIGTERM).unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&shell.wait().unwrap()), Some(libc::SIGTERM));
    let mut rest = Vec::new();
    // It ends when the grandchild, which holds it open, is gone as well.
    shell.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    setpgid(Pid::from_raw(0), Pid::from_raw(0)).unwrap();
    kill(Pid::from_raw(0), Some(harmless)).unwrap();
    assert!(kill(Pid::from_raw(-parent.as_raw()), Some(harmless)).is_err());
}

fn git() {
    let config = fs::read_to_string(".git/config").unwrap();
    assert_eq!(config, "[http]\n\t\n[core]\n\tbare = false\n");
}

/// Flips a path between a harmless file and the secret while opening it.
fn racer() {
    let word = |text: &[u8; 4]| u32::from_ne_bytes(*text);
    let path = Arc::new([AtomicU32::new(word(b".env")), AtomicU32::new(0)]);
    let done = Arc::new(AtomicBool::new(false));
    let (flipped, until) = (path.clone(), done.clone());
    let flipper = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            flipped[0].store(word(b"src\0"), Ordering::Relaxed);
            flipped[0].store(word(b".env"), Ordering::Relaxed);
        }
    });
    let mut secrets = 0;
    for _ in 0..500 {
        let mut file = File::from(testing::open_while_it_changes(&path[..]).unwrap());
        secrets += u64::from(file.read(&mut [0; 16]).is_ok());
    }
    done.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    stage::tell("read the secret", secrets);
}

/// As the racer, with a FIFO as the harmless one: opening it may have to wait for somebody.
fn waiter(out: &Path, secret: &Path) {
    std::env::set_current_dir(out).unwrap();
    mkfifo("fifo", Mode::from_bits_truncate(0o600)).unwrap();
    symlink(secret, "link").unwrap();
    // Both ends stay open, so that nobody does wait.
    let _ends = OpenOptions::new().read(true).write(true).open("fifo").unwrap();
    let word = |text: &[u8; 4]| u32::from_ne_bytes(*text);
    let path = Arc::new([AtomicU32::new(word(b"fifo")), AtomicU32::new(0)]);
    let done = Arc::new(AtomicBool::new(false));
    let (flipped, until) = (path.clone(), done.clone());
    let flipper = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            flipped[0].store(word(b"link"), Ordering::Relaxed);
            flipped[0].store(word(b"fifo"), Ordering::Relaxed);
        }
    });
    let opened: Vec<_> = (0..500).filter_map(|_| testing::open_while_it_changes(&path[..]).ok()).collect();
    done.store(true, Ordering::Relaxed);
    flipper.join().unwrap();
    assert!(!opened.is_empty(), "the FIFO was never opened");
    let regular = opened.iter().filter(|fd| files::stat(fd.as_fd()).unwrap().mode & libc::S_IFMT == libc::S_IFREG).count();
    assert_eq!(regular, 0, "the secret was opened");

    // The flags of this call lie in memory, too: it is not left to the kernel.
    assert_eq!(testing::open_how(c"fifo", &[libc::O_PATH as u64, 0, 0], 24), libc::ENOSYS);
    drop(open("fifo", libc::O_PATH).unwrap());
    drop(open("/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY).unwrap());
    nix::unistd::setsid().unwrap();
    assert_eq!(errno(open("/dev/tty", libc::O_WRONLY)), libc::ENXIO);

    // A FIFO nobody else ever opens holds up its thread, not the gate.
    mkfifo("lonely", Mode::from_bits_truncate(0o600)).unwrap();
    std::thread::spawn(|| open("lonely", 0));
    std::thread::sleep(Duration::from_millis(100));
    assert!(fs::read_dir(".").unwrap().count() >= 3);
}

/// A root becomes somebody else and comes back, from one call to the next.
fn someone(out: &Path) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let (private, inside, closed, common) = (out.join("private"), out.join("private/inside"), out.join("closed"), out.join("common"));
    fs::create_dir(&private).unwrap();
    fs::create_dir(&common).unwrap();
    fs::write(&inside, "").unwrap();
    fs::write(&closed, "").unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (path, bits) in [(&private, 0o700), (&inside, 0o666), (&closed, 0o000), (&common, 0o777)] {
        mode(path, bits);
    }
    let nobody = Person { user: 65534, group: 65533, groups: vec![65532], capabilities: 0 };
    for _ in 0..3 {
        drop(open(&inside, libc::O_RDWR).unwrap());
        let acting = Acting::like(&nobody).unwrap();
        // The file itself is everybody's; the way to it is not.
        for flags in [libc::O_RDONLY, libc::O_RDWR, libc::O_WRONLY | libc::O_CREAT] {
            assert_eq!(errno(open(&inside, flags)), libc::EACCES, "{flags:#o}");
        }
        for done in [
            fs::hard_link(&inside, common.join("link")),
            fs::rename(&inside, common.join("renamed")),
            fs::remove_file(&inside),
            fs::set_permissions(&inside, fs::Permissions::from_mode(0o644)),
            fs::create_dir(out.join("of nobody")),
            fs::create_dir(private.join("of nobody")),
            files::truncate(&c(&inside), 0),
        ] {
            assert_eq!(errno(done), libc::EACCES);
        }
        fs::write(common.join("made"), "").unwrap();
        let made = fs::metadata(common.join("made")).unwrap();
        assert_eq!((made.uid(), made.gid()), (65534, 65533));
        fs::remove_file(common.join("made")).unwrap();
        assert!(fs::read_dir("/proc/self/fd").unwrap().count() > 2, "its own descriptors");
        drop(acting);

        drop(open(&closed, libc::O_RDWR).unwrap());
        let _acting = Acting::like(&Person { user: 0, group: 0, groups: Vec::new(), capabilities: 0 }).unwrap();
        assert_eq!(errno(open(&closed, libc::O_RDWR)), libc::EACCES, "without its capabilities root is held to the mode");
    }
}

fn daemon() {
    let sleep = Command::new("sh").args(["-c", "sleep 0.5 &"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(sleep.unwrap().success());
}
