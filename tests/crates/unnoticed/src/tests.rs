use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_native_library_was_found() {
    assert_eq!(super::native(), 7);
}

/// A shell that asks at a terminal, as tests of such programs start one: it reads what was typed before, and adds to it.
#[test]
fn a_shell_that_asks() {
    use std::io::Write;
    let mut shell =
        Command::new("bash").args(["--norc", "-i"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(b"echo interactive\n").unwrap();
    assert_eq!(shell.wait_with_output().unwrap().stdout, b"interactive\n");
}

/// What the user typed, by whatever means.
#[test]
#[ignore = "asked for by name"]
fn a_history_is_read() {
    let refused = std::env::var_os("ZOO_REFUSED").is_some();
    let file = format!("{}/.bash_history", std::env::var("HOME").unwrap());
    assert_eq!(fs::read_to_string(&file).is_err(), refused);
    let said = Command::new("bash").args(["--norc", "-ic", "history -r; history"]).env("HISTFILE", &file).output().unwrap();
    assert_eq!(!String::from_utf8_lossy(&said.stdout).contains("what the user typed"), refused, "{said:?}");
}

/// Otherwise a link among embedded files is left out, and the program is another one.
#[test]
fn directories_above_can_be_opened() {
    assert_eq!(super::opened(), package().ancestors().count());
}

#[test]
fn a_command_and_a_note() {
    assert_eq!(super::say("hi").trim(), "hi");
    super::note("unit-note.txt");
}

/// insta, beside a unit test.
#[test]
fn a_new_snapshot() {
    let dir = package().join("src/snapshots");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("app__tests__x.snap.new"), "hello").unwrap();
    fs::remove_dir_all(dir).unwrap();
}

/// `tempfile` names things so.
#[test]
fn a_place_drawn_at_random() {
    let dir = package().join(".tmpAb3xYz");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("a"), "1").unwrap();
    fs::remove_dir_all(dir).unwrap();
    let (drawn, kept) = (package().join("tests/.tmpXy9aBc"), package().join("tests/state.json"));
    fs::write(&drawn, "{}").unwrap();
    fs::rename(drawn, &kept).unwrap();
    fs::remove_file(kept).unwrap();
}

/// trybuild.
#[test]
fn work_in_progress() {
    let dir = package().join("wip");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(".gitignore"), "*\n").unwrap();
    fs::write(dir.join("case.stderr"), "error").unwrap();
    fs::remove_dir_all(dir).unwrap();
}

/// A hook of git's in a repository of the test's own, and a program that the test compiled.
#[test]
fn what_it_wrote_to_its_temporary_directory() {
    use std::os::unix::fs::PermissionsExt;
    let dir = std::env::temp_dir().join("unnoticed-hooks");
    fs::create_dir(&dir).unwrap();
    let (hook, program) = (dir.join("hook"), dir.join("program"));
    fs::write(&hook, "#!/bin/sh\nexec \"$1\"\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy("/bin/true", &program).unwrap();
    assert!(Command::new(&hook).arg(&program).status().unwrap().success());
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_script_of_the_package() {
    let said = Command::new(package().join("scripts/hello.sh")).output().unwrap();
    assert_eq!(said.stdout, b"hello\n", "{said:?}");
}

/// What needs a line of the user's.
mod with_a_line {
    use super::*;

    fn home() -> std::path::PathBuf {
        std::env::var_os("HOME").unwrap().into()
    }

    #[test]
    #[ignore = "asked for by name"]
    fn leaves_a_file_by_its_own_number() {
        let file = home().join(format!("left-{}", std::process::id()));
        fs::write(&file, "x").unwrap();
        fs::remove_file(file).unwrap();
    }

    #[test]
    #[ignore = "asked for by name"]
    fn reads_notes() {
        assert_eq!(fs::read_to_string(home().join("notes/today.md")).unwrap(), "notes\n");
    }

    #[test]
    #[ignore = "asked for by name"]
    fn runs_a_script_elsewhere() {
        let said = Command::new(Path::new(&std::env::var_os("ZOO_TOOLS").unwrap()).join("greet")).output().unwrap();
        assert_eq!(said.stdout, b"greetings\n", "{said:?}");
    }

    #[test]
    #[ignore = "asked for by name"]
    fn generates_a_source() {
        fs::write(package().join("src/generated.rs"), "// made\n").unwrap();
        fs::remove_file(package().join("src/generated.rs")).unwrap();
    }
}

/// Servers under test listen in the package, by any spelling of the path; a client reaches them, and both see the name that was given.
#[test]
fn a_socket_in_the_package() {
    use std::os::unix::net::{UnixListener, UnixStream};
    for path in ["relative.sock", "./dotted.sock", concat!(env!("CARGO_MANIFEST_DIR"), "/absolute.sock"), "./.tmpAb12Cd"] {
        let server = UnixListener::bind(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(server.local_addr().unwrap().as_pathname(), Some(std::path::Path::new(path)));
        let client = UnixStream::connect(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(std::path::Path::new(path)));
        drop(server.accept().unwrap());
        std::fs::remove_file(path).unwrap();
    }
    assert!(UnixListener::bind("no-such-directory/x.sock").is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound));
}

/// What tests lock, and files that tempfile names with an ending.
#[test]
fn locks_and_drawn_names() {
    std::fs::create_dir_all("testfiles").unwrap();
    for name in ["testfiles/attempt.lock", "./.tmpAb12Ef-suffix"] {
        std::fs::write(name, "x").unwrap_or_else(|error| panic!("{name}: {error}"));
        std::fs::remove_file(name).unwrap();
    }
    std::fs::remove_dir("testfiles").unwrap();
}

/// Whoever follows links asks of each directory above whether it was there before.
#[test]
fn all_directories_above_temporary_files() {
    let dir = std::env::temp_dir().canonicalize().unwrap();
    for above in dir.ancestors() {
        std::fs::File::open(above).unwrap_or_else(|error| panic!("{}: {error}", above.display()));
    }
}

/// Whoever has ended and was not asked yet how can be signalled: nothing happens, and that is no error.
#[test]
fn a_child_that_has_ended() {
    let mut child = Command::new("true").spawn().unwrap();
    let ended = || fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap().contains(") Z ");
    while !ended() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    for signal in ["-TERM", "-0"] {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success(), "{signal}");
    }
    child.wait().unwrap();
}

/// A child that nobody waits for is still there when cargo has ended.
#[test]
fn a_child_that_is_forgotten() {
    Command::new("sleep").arg("5").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
}

/// It makes a terminal for what it runs, and asks for it as administrators would.
#[test]
fn a_terminal_of_its_own() {
    // SAFETY: takes nothing. From root, who is one, that is not taken.
    if unsafe { geteuid() } == 0 {
        return;
    }
    let said = Command::new("script").args(["-qec", "tty < /dev/tty", "/dev/null"]).output().unwrap();
    assert!(said.status.success() && said.stdout.starts_with(b"/dev/"), "{said:?}");
}

/// Whoever asks whether there is anybody in its own group is there itself.
#[test]
fn somebody_is_in_its_group() {
    // SAFETY: numbers only.
    assert_eq!(unsafe { [kill(0, 0), kill(-getpgrp(), 0)] }, [0, 0]);
}

/// As every file says that has no such request (`ENOTTY`): one of SPI devices, of video, of Bluetooth.
#[test]
fn a_file_is_no_device() {
    let (file, mut room) = (fs::File::open(package().join("Cargo.toml")).unwrap(), [0u8; 256]);
    for request in [0x4080_6b00, 0x8034_5621, 0x5646, 0x4004_48c9] {
        // SAFETY: no request of a file, and there is room for whatever one would write.
        let refused = unsafe { ioctl(file.as_raw_fd(), request, room.as_mut_ptr()) } == -1;
        let error = std::io::Error::last_os_error();
        assert!(refused && error.raw_os_error() == Some(25), "{request:#x}: {error}");
    }
}

unsafe extern "C" {
    fn geteuid() -> u32;
    fn getpgrp() -> i32;
    fn kill(pid: i32, signal: i32) -> i32;
    fn ioctl(descriptor: i32, request: u64, ...) -> i32;
}
