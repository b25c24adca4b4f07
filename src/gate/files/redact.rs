//! A copy of a configuration with harmless keys alone, in a sealed memory file. Build scripts that ask git for a version must be able to
//! read its configuration; what CI systems leave in it (`http.*.extraheader`) they need not have.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use super::found::Found;
use super::memfd;
use super::wanted::Wanted;
use crate::gate::errno::fail;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::judge::configuration::{copy, dotenv};
use crate::sys::files;

/// No honest configuration is longer.
const LONGEST: u64 = 1 << 20;

/// Hands over a sealed copy of what was found.
///
/// # Errors
/// `EACCES` where it cannot be copied or understood: then it is not to be read at all.
pub fn hand_over(call: &Call, found: &Found, wanted: &Wanted) -> io::Result<Answer> {
    let (policy, path) = (&call.watched.policy, found.shown(call));
    let revealed = policy.revealed_in(path.as_bytes());
    let format = policy.secrets.is_redacted(path.as_bytes()).map(|(format, _)| format);
    if !found.is(libc::S_IFREG) || found.facts.size > LONGEST {
        return fail(libc::EACCES);
    }
    let own = own()?;
    let mut text = Vec::new();
    File::from(own.reopen(found.handle.as_fd(), libc::O_RDONLY, 0)?).take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return fail(libc::EACCES);
    }
    let told = match (revealed, format) {
        (Some(names), _) => dotenv::copy(&text, &names),
        (None, Some(format)) => copy::copy(format, &text),
        (None, None) => None,
    };
    let Some(told) = told else { return fail(libc::EACCES) };
    let mut copy = File::from(memfd::unexecutable(c"redacted", libc::MFD_ALLOW_SEALING)?);
    copy.write_all(&told)?;
    files::seal(copy.as_fd(), libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL)?;
    // Opened anew: read-only, and at the beginning.
    let fd = own.reopen(copy.as_fd(), libc::O_RDONLY, 0)?;
    Ok(Answer::AddFd { fd, cloexec: wanted.cloexec() })
}
