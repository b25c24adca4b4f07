//! `exec/downloader`: a program whose whole purpose is to move data over the network, started while building.

use std::os::unix::ffi::OsStrExt;

use crate::judge::paths::name;
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Hostile, Rule, Severity};

const DOWNLOADERS: [&[u8]; 24] = [
    b"curl",
    b"wget",
    b"wget2",
    b"nc",
    b"ncat",
    b"netcat",
    b"socat",
    b"ssh",
    b"scp",
    b"sftp",
    b"rsync",
    b"ftp",
    b"tftp",
    b"lftp",
    b"aria2c",
    b"http",
    b"https",
    b"xh",
    b"telnet",
    b"axel",
    b"lynx",
    b"w3m",
    b"dig",
    b"nslookup",
];

pub(crate) fn exec(policy: &Policy, path: &[u8], argv: &[Hostile]) -> Option<Ruling> {
    if !policy.is_build_time() || !is_downloader(path, argv) {
        return None;
    }
    // A grant of that very program (`extend-exec = ["curl"]`) is meant.
    let named = policy.exec.iter().any(|tree| tree.as_os_str().as_bytes() == path);
    (!named).then(|| alarm(policy, Rule::ExecDownloader, Severity::High, "exec (a download program)"))
}

/// `nc.openbsd` is `nc`; `busybox wget` is `wget`.
pub(super) fn is_downloader(path: &[u8], argv: &[Hostile]) -> bool {
    let known = |text: &[u8]| {
        let last = name(text);
        DOWNLOADERS.contains(&last) || last.split(|b| *b == b'.').next().is_some_and(|stem| DOWNLOADERS.contains(&stem))
    };
    let multi_call = matches!(name(path), b"busybox" | b"toybox" | b"coreutils");
    known(path) || (multi_call && argv.iter().take(2).any(|argument| known(argument.as_bytes())))
}
