//! A copy of a program that no path leads to, run by its descriptor.

use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::PermissionsExt;

use trick::near::runs;
use trick::sys::{AT_FDCWD, call, nr, ptr};

const MEMFD_CREATE: i64 = 319;
const MFD_EXEC: i64 = 0x10;
const EXECVE: i64 = 59;
const EXECVEAT: i64 = 322;
const AT_EMPTY_PATH: i64 = 0x1000;
const O_TMPFILE_RDWR: i64 = 0o20200002;

fn main() {
    let program = fs::read("/bin/true").unwrap();
    let argv = [c"true".as_ptr() as i64, 0];
    let by_descriptor = |fd: i64| runs(EXECVEAT, &[fd, ptr(c""), argv.as_ptr() as i64, argv[1..].as_ptr() as i64, AT_EMPTY_PATH]);
    let by_path = |fd: i64| {
        let path = trick::c(format!("/proc/self/fd/{fd}"));
        runs(EXECVE, &[ptr(&path), argv.as_ptr() as i64, argv[1..].as_ptr() as i64])
    };
    let filled = |fd: Result<i64, i32>| {
        let mut file = unsafe { fs::File::from_raw_fd(fd.ok()? as i32) };
        file.write_all(&program).ok()?;
        let _ = file.set_permissions(fs::Permissions::from_mode(0o755));
        // A file open for writing cannot be run; a read-only descriptor of the same can.
        let again = fs::File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        Some(again)
    };
    let memory = |flags: i64| filled(call(MEMFD_CREATE, &[ptr(c"zoo"), flags]));
    let won = |way: &str, fd: Option<fs::File>, run: &dyn Fn(i64) -> bool| {
        if fd.is_some_and(|fd| run(fd.as_raw_fd().into())) {
            trick::won(way);
        }
    };
    won("execveat", memory(0), &by_descriptor);
    won("descriptor-path", memory(0), &by_path);
    won("executable-memfd", memory(MFD_EXEC), &by_descriptor);
    let dir = trick::c(std::env::temp_dir());
    won("unnamed-file", filled(call(nr::OPENAT, &[AT_FDCWD, ptr(&dir), O_TMPFILE_RDWR, 0o700])), &by_descriptor);
    let path = std::env::temp_dir().join("unlinked");
    let _ = fs::write(&path, &program);
    let _ = fs::set_permissions(&path, fs::Permissions::from_mode(0o755));
    let open = fs::File::open(&path).ok();
    let _ = fs::remove_file(&path);
    won("unlinked-file", open, &by_descriptor);
}
