//! One call each, on a directory of its own outside the build: with a secret `f`, which has an attribute, and an empty directory `d`.

use std::ffi::CString;
use std::fs;
use std::path::PathBuf;

use trick::sys::{AT_FDCWD, call, opens_canary, ptr};

const O_PATH: i64 = 0o10000000;
const AT_EMPTY_PATH: i64 = 0x1000;
const AT_SYMLINK_FOLLOW: i64 = 0x400;
const FIFO: i64 = 0o10644;
const REGULAR: i64 = 0o100644;

fn main() {
    let at = |way: &str, name: &str| trick::home().join("near/twins").join(way).join(name);
    let f = |way: &str| trick::c(at(way, "f"));
    let d = |way: &str| trick::c(at(way, "d"));
    let new = |way: &str| trick::c(at(way, "new"));
    let mine = |way: &str| {
        let path = trick::out_dir().join(way);
        let _ = fs::remove_file(&path);
        path
    };
    let told = |way: &str, result: Result<i64, i32>| {
        if result.is_ok() {
            trick::won(way);
        }
    };

    let how = [0_u64; 3];
    let read = |way: &str, number: i64, before: &[i64], after: &[i64]| {
        let path = f(way);
        if opens_canary(call(number, &[before, &[ptr(&path)], after].concat())) {
            trick::won(way);
        }
    };
    read("open", 2, &[], &[0, 0]);
    read("openat", 257, &[AT_FDCWD], &[0, 0]);
    read("openat2", 437, &[AT_FDCWD], &[how.as_ptr() as i64, 24]);
    told("creat", call(85, &[ptr(&f("creat")), 0o644]));
    told("truncate", call(76, &[ptr(&f("truncate")), 1]));

    // A second name of a secret counts when the secret is read by it.
    let linked = |way: &str, make: &dyn Fn(&CString, &CString) -> Result<i64, i32>| {
        let path: PathBuf = mine(way);
        if make(&f(way), &trick::c(&path)).is_ok() {
            trick::try_read(way, path);
        }
    };
    linked("link", &|from, to| call(86, &[ptr(from), ptr(to)]));
    linked("linkat", &|from, to| call(265, &[AT_FDCWD, ptr(from), AT_FDCWD, ptr(to), 0]));
    linked("linkat-followed", &|from, to| {
        let handle = call(257, &[AT_FDCWD, ptr(from), O_PATH])?;
        let through = trick::c(format!("/proc/self/fd/{handle}"));
        call(265, &[AT_FDCWD, ptr(&through), AT_FDCWD, ptr(to), AT_SYMLINK_FOLLOW])
    });
    linked("linkat-empty", &|from, to| {
        let handle = call(257, &[AT_FDCWD, ptr(from), O_PATH])?;
        call(265, &[handle, ptr(c""), AT_FDCWD, ptr(to), AT_EMPTY_PATH])
    });
    linked("rename", &|from, to| call(82, &[ptr(from), ptr(to)]));
    linked("renameat", &|from, to| call(264, &[AT_FDCWD, ptr(from), AT_FDCWD, ptr(to)]));
    linked("renameat2", &|from, to| call(316, &[AT_FDCWD, ptr(from), AT_FDCWD, ptr(to), 1]));
    linked("renameat2-exchange", &|from, to| {
        fs::write(to.to_str().unwrap(), "mine").unwrap();
        call(316, &[AT_FDCWD, ptr(from), AT_FDCWD, ptr(to), 2])
    });

    told("symlink", call(88, &[ptr(c"f"), ptr(&new("symlink"))]));
    told("symlinkat", call(266, &[ptr(c"f"), AT_FDCWD, ptr(&new("symlinkat"))]));
    told("mkdir", call(83, &[ptr(&new("mkdir")), 0o755]));
    told("mkdirat", call(258, &[AT_FDCWD, ptr(&new("mkdirat")), 0o755]));
    told("mknod", call(133, &[ptr(&new("mknod")), FIFO, 0]));
    told("mknodat", call(259, &[AT_FDCWD, ptr(&new("mknodat")), REGULAR, 0]));
    told("unlink", call(87, &[ptr(&f("unlink"))]));
    told("unlinkat", call(263, &[AT_FDCWD, ptr(&f("unlinkat")), 0]));
    told("rmdir", call(84, &[ptr(&d("rmdir"))]));
    told("unlinkat-directory", call(263, &[AT_FDCWD, ptr(&d("unlinkat-directory")), 0x200]));

    // Those that take a descriptor get one that was opened for listing: no more is needed.
    let opened = |way: &str| call(257, &[AT_FDCWD, ptr(&d(way)), 0]).unwrap_or(-1);
    told("chmod", call(90, &[ptr(&f("chmod")), 0o644]));
    told("fchmod", call(91, &[opened("fchmod"), 0o755]));
    told("fchmodat", call(268, &[AT_FDCWD, ptr(&f("fchmodat")), 0o644]));
    told("fchmodat2", call(452, &[AT_FDCWD, ptr(&f("fchmodat2")), 0o644, 0x100]));
    let group = i64::from(std::os::unix::fs::MetadataExt::gid(&fs::metadata(trick::out_dir()).unwrap()));
    told("chown", call(92, &[ptr(&f("chown")), -1, group]));
    told("lchown", call(94, &[ptr(&f("lchown")), -1, group]));
    told("fchown", call(93, &[opened("fchown"), -1, group]));
    told("fchownat", call(260, &[AT_FDCWD, ptr(&f("fchownat")), -1, group, 0]));
    told("utime", call(132, &[ptr(&f("utime")), 0]));
    told("utimes", call(235, &[ptr(&f("utimes")), 0]));
    told("futimesat", call(261, &[AT_FDCWD, ptr(&f("futimesat")), 0]));
    told("utimensat", call(280, &[AT_FDCWD, ptr(&f("utimensat")), 0, 0]));
    told("utimensat-descriptor", call(280, &[opened("utimensat-descriptor"), 0, 0, 0]));

    let (name, value) = (c"user.zoo", b"x");
    let set = |path: &CString| [ptr(path), ptr(name), value.as_ptr() as i64, 1, 0];
    told("setxattr", call(188, &set(&f("setxattr"))));
    told("lsetxattr", call(189, &set(&f("lsetxattr"))));
    told("fsetxattr", call(190, &[opened("fsetxattr"), ptr(name), value.as_ptr() as i64, 1, 0]));
    let request = [value.as_ptr() as u64, 1];
    told("setxattrat", call(463, &[AT_FDCWD, ptr(&f("setxattrat")), 0, ptr(name), request.as_ptr() as i64, 16]));
    told("removexattr", call(197, &[ptr(&f("removexattr")), ptr(name)]));
    told("lremovexattr", call(198, &[ptr(&f("lremovexattr")), ptr(name)]));
    told("fremovexattr", call(199, &[opened("fremovexattr"), ptr(name)]));
    told("removexattrat", call(466, &[AT_FDCWD, ptr(&f("removexattrat")), 0, ptr(name)]));
    // struct file_attr: FS_XFLAG_NODUMP.
    let attributes = [0x80_u64, 0, 0];
    told("file_setattr", call(469, &[AT_FDCWD, ptr(&f("file_setattr")), attributes.as_ptr() as i64, 24, 0]));
}
