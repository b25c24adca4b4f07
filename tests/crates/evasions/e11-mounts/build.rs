//! Each in a process of its own, in namespaces of its own: the machine's mounts stay as they are.

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use trick::sys::{AT_FDCWD, call, in_child, ptr};

const UNSHARE: i64 = 272;
const CLONE: i64 = 56;
const MOUNT: i64 = 165;
const CHROOT: i64 = 161;
const PIVOT_ROOT: i64 = 155;
const OPEN_TREE: i64 = 428;
const MOVE_MOUNT: i64 = 429;
const FSOPEN: i64 = 430;
const FSCONFIG: i64 = 431;
const FSMOUNT: i64 = 432;
const MOUNT_SETATTR: i64 = 442;

const NEWNS: i64 = 0x20000;
const NEWUSER: i64 = 0x1000_0000;
const BIND: i64 = 0x1000;
const REC_PRIVATE: i64 = 0x4000 | 0x40000;

fn main() {
    let out = trick::out_dir();
    let ssh = trick::home().join(".ssh");
    let dir = |name: &str| {
        let path = out.join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let key = |at: &Path| at.join("id_ed25519");
    let in_userns = |way: &str, trick: &dyn Fn() -> Option<PathBuf>| {
        in_child(|| {
            if alone(NEWUSER | NEWNS).is_ok()
                && let Some(path) = trick()
            {
                trick::try_read(way, path);
            }
            0
        });
    };

    let at = dir("bind");
    in_userns("bind", &|| bind(&ssh, &at).then(|| key(&at)));
    let at = dir("tree");
    in_userns("open-tree", &|| {
        let from = trick::c(&ssh);
        let tree = call(OPEN_TREE, &[AT_FDCWD, ptr(&from), 1]).ok()?;
        let to = trick::c(&at);
        call(MOVE_MOUNT, &[tree, ptr(c""), AT_FDCWD, ptr(&to), 4]).ok()?;
        Some(key(&at))
    });
    let at = dir("overlay");
    in_userns("overlay", &|| {
        let options = trick::c(format!("lowerdir={}:{}", ssh.display(), out.display()));
        let to = trick::c(&at);
        call(MOUNT, &[ptr(c"overlay"), ptr(&to), ptr(c"overlay"), 0, ptr(&options)]).ok()?;
        Some(key(&at))
    });
    let at = dir("fsopen");
    in_userns("fsopen", &|| {
        let fs = call(FSOPEN, &[ptr(c"overlay"), 0]).ok()?;
        let lower = trick::c(format!("{}:{}", ssh.display(), out.display()));
        call(FSCONFIG, &[fs, 1, ptr(c"lowerdir"), ptr(&lower), 0]).ok()?;
        call(FSCONFIG, &[fs, 6, 0, 0, 0]).ok()?;
        let mount = call(FSMOUNT, &[fs, 0, 0]).ok()?;
        let to = trick::c(&at);
        call(MOVE_MOUNT, &[mount, ptr(c""), AT_FDCWD, ptr(&to), 4]).ok()?;
        Some(key(&at))
    });
    in_userns("chroot", &|| {
        let to = trick::c(&ssh);
        call(CHROOT, &[ptr(&to)]).ok()?;
        Some("/id_ed25519".into())
    });
    let at = dir("pivot");
    in_userns("pivot-root", &|| {
        if !bind(&ssh.with_file_name(".aws"), &at) {
            return None;
        }
        std::env::set_current_dir(&at).ok()?;
        call(PIVOT_ROOT, &[ptr(c"."), ptr(c".")]).ok()?;
        Some("./credentials".into())
    });
    let at = dir("attributes");
    in_userns("mount-setattr", &|| {
        if !bind(&ssh, &at) {
            return None;
        }
        let to = trick::c(&at);
        // Read-only, in this namespace only.
        let attributes = [1_u64, 0, 0, 0];
        call(MOUNT_SETATTR, &[AT_FDCWD, ptr(&to), 0, attributes.as_ptr() as i64, 32]).ok()?;
        Some(key(&at))
    });
    // Namespaces by clone instead of unshare.
    let at = dir("clone");
    if let Ok(pid) = call(CLONE, &[NEWUSER | NEWNS | 17, 0]) {
        if pid == 0 {
            if private() && bind(&ssh, &at) {
                trick::try_read("clone", key(&at));
            }
            std::process::exit(0);
        }
        trick::sys::wait(pid as i32);
    }
    // What root may do without a user namespace.
    let at = dir("root");
    in_child(|| {
        if alone(NEWNS).is_ok() && bind(&ssh, &at) {
            trick::try_read("root-bind", key(&at));
        }
        0
    });
}

fn alone(flags: i64) -> Result<(), i32> {
    call(UNSHARE, &[flags])?;
    if private() { Ok(()) } else { Err(1) }
}

fn private() -> bool {
    call(MOUNT, &[0, ptr(c"/"), 0, REC_PRIVATE, 0]).is_ok()
}

fn bind(from: &Path, to: &Path) -> bool {
    let (from, to): (_, _) = (trick::c(from), trick::c(to));
    let none: &CStr = c"";
    call(MOUNT, &[ptr(&from), ptr(&to), ptr(none), BIND, 0]).is_ok()
}
