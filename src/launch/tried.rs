//! Cargo's calls that name a file (`wall::named_files`), before they are made and as they end. In: a thread of cargo's, stopped there. Out: what it
//! is about to read; what it tried, where the kernel's answer was `EACCES`.
//!
//! Whoever is followed runs no code of the build, so what stands in its memory is what it meant.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::gate::memory::{read_path, read_u64};
use crate::model::{Act, Hostile};
use crate::sys::process;
use crate::sys::tracee::{self, Stopped};

/// A call of cargo's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub pid: i32,
    /// Its paths are as cargo named them: absolute, no link followed.
    pub act: Act,
}

/// Bits of an open that changes something.
const CHANGES: u64 = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u64;

/// Is it a call that is followed to its end?
pub fn is_followed(call: &Stopped) -> bool {
    tried(call, &|_, _| Some(PathBuf::new()), &|_| Some(0)).is_some()
}

/// What `tid` tried, which is stopped behind the call; `None` where it was not refused, or the thread is gone.
pub fn look(tid: i32, call: &Stopped) -> Option<Tried> {
    if tracee::ended_call(tid).ok()?? == -i64::from(libc::EACCES) { read(tid, call) } else { None }
}

/// What `tid` is about to read, which is stopped before the call.
pub fn about_to_read(tid: i32, call: &Stopped) -> Option<Tried> {
    // Nothing of its memory is needed to see that most calls which stop are no reads.
    tried(call, &|_, _| Some(PathBuf::new()), &|_| Some(0)).filter(|tried| matches!(tried, Act::Read { .. }))?;
    read(tid, call).filter(|tried| matches!(tried.act, Act::Read { .. }))
}

fn read(tid: i32, call: &Stopped) -> Option<Tried> {
    let thread = tid as u32;
    let named = |directory: Option<u64>, address: u64| {
        let path = PathBuf::from(OsString::from_vec(read_path(thread, address).ok()?));
        if path.is_absolute() {
            return Some(path);
        }
        Some(start(thread, directory).ok()?.join(path))
    };
    let act = tried(call, &named, &|address| read_u64(thread, address).ok())?;
    Some(Tried { pid: process::status(thread)?.pid as i32, act })
}

/// Where a relative path begins: the working directory, or that of a descriptor.
fn start(tid: u32, directory: Option<u64>) -> io::Result<PathBuf> {
    match directory.map(|number| number as i32) {
        None | Some(libc::AT_FDCWD) => std::fs::read_link(format!("/proc/{tid}/cwd")),
        Some(number) => std::fs::read_link(format!("/proc/{tid}/fd/{number}")),
    }
}

/// Which act that is. `named` gives the path at an address, below the directory of a descriptor; `word` what stands at an address.
fn tried(call: &Stopped, named: &dyn Fn(Option<u64>, u64) -> Option<PathBuf>, word: &dyn Fn(u64) -> Option<u64>) -> Option<Act> {
    let args = call.args;
    let path = |directory: Option<u64>, address: u64| Some(Hostile::from(&*named(directory, address)?));
    let opened = |path: Hostile, flags: u64| if flags & CHANGES == 0 { Act::Read { path } } else { Act::Write { path } };
    Some(match call.number as i64 {
        libc::SYS_openat => opened(path(Some(args[0]), args[1])?, args[2]),
        // struct open_how begins with the flags.
        libc::SYS_openat2 => opened(path(Some(args[0]), args[1])?, word(args[2])?),
        libc::SYS_renameat2 | RENAMEAT => Act::Rename { from: path(Some(args[0]), args[1])?, to: path(Some(args[2]), args[3])? },
        libc::SYS_linkat => Act::Link { from: path(Some(args[0]), args[1])?, to: path(Some(args[2]), args[3])? },
        libc::SYS_symlinkat => Act::Create { path: path(Some(args[1]), args[2])? },
        libc::SYS_unlinkat => Act::Remove { path: path(Some(args[0]), args[1])? },
        libc::SYS_mkdirat => Act::Create { path: path(Some(args[0]), args[1])? },
        libc::SYS_truncate => Act::Write { path: path(None, args[0])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => opened(path(None, args[0])?, args[1]),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => Act::Write { path: path(None, args[0])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => Act::Rename { from: path(None, args[0])?, to: path(None, args[1])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_link => Act::Link { from: path(None, args[0])?, to: path(None, args[1])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => Act::Create { path: path(None, args[1])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink | libc::SYS_rmdir => Act::Remove { path: path(None, args[0])? },
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => Act::Create { path: path(None, args[0])? },
        _ => return None,
    })
}

#[cfg(target_arch = "x86_64")]
const RENAMEAT: i64 = libc::SYS_renameat;
/// libc 0.2 does not name it there (asm-generic).
#[cfg(target_arch = "aarch64")]
const RENAMEAT: i64 = 38;

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: u64 = libc::AT_FDCWD as u32 as u64;

    /// Addresses are names here, and words in memory their addresses.
    fn of(number: i64, args: [u64; 6]) -> Option<Act> {
        let named = |directory: Option<u64>, address: u64| {
            let at = directory.filter(|directory| *directory != HERE).map_or_else(String::new, |number| format!("/{number}"));
            Some(PathBuf::from(format!("{at}/{address}")))
        };
        tried(&Stopped { number: number as u64, args }, &named, &Some)
    }

    #[test]
    fn each_call_is_the_act_it_is() {
        let path = |path: &str| path.into();
        let (reads, writes) = (libc::O_RDONLY as u64, libc::O_RDWR as u64);
        for (number, args, act) in [
            (libc::SYS_openat, [HERE, 1, reads, 0, 0, 0], Some(Act::Read { path: path("/1") })),
            (libc::SYS_openat, [7, 1, writes, 0, 0, 0], Some(Act::Write { path: path("/7/1") })),
            (libc::SYS_openat, [HERE, 1, libc::O_CREAT as u64, 0, 0, 0], Some(Act::Write { path: path("/1") })),
            (libc::SYS_openat2, [HERE, 1, writes, 24, 0, 0], Some(Act::Write { path: path("/1") })),
            (libc::SYS_renameat2, [HERE, 1, 7, 2, 0, 0], Some(Act::Rename { from: path("/1"), to: path("/7/2") })),
            (libc::SYS_linkat, [7, 1, HERE, 2, 0, 0], Some(Act::Link { from: path("/7/1"), to: path("/2") })),
            (libc::SYS_symlinkat, [1, 7, 2, 0, 0, 0], Some(Act::Create { path: path("/7/2") })),
            (libc::SYS_unlinkat, [HERE, 1, 0, 0, 0, 0], Some(Act::Remove { path: path("/1") })),
            (libc::SYS_mkdirat, [HERE, 1, 0, 0, 0, 0], Some(Act::Create { path: path("/1") })),
            (libc::SYS_truncate, [1, 0, 0, 0, 0, 0], Some(Act::Write { path: path("/1") })),
            (libc::SYS_connect, [1, 2, 3, 0, 0, 0], None),
        ] {
            assert_eq!(of(number, args), act, "{number} {args:?}");
        }
    }

    /// What the filter stops as a file's call must be one here: anything else is taken for a network's, and refused.
    #[test]
    fn all_that_stops_for_its_name_is_followed() {
        for number in crate::wall::cargos::followed().unwrap() {
            assert!(is_followed(&Stopped { number: number as u64, args: [0; 6] }), "{number}");
        }
    }
}
