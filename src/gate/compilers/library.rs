//! The library behind the name that compilers were told: a memory file that nobody can write or execute, handed over to whoever asks for that
//! name. There is no file of it anywhere.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::LazyLock;

use super::image::image;
use crate::gate::files::memfd::unexecutable;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::sys::files;

/// What the loader is told to load. Nothing can ever lie below a device.
pub const NAME: &str = "/dev/null/brig-ask-first.so";

static LIBRARY: LazyLock<Option<OwnedFd>> = LazyLock::new(|| made().ok());

/// Is there one?
pub fn there() -> bool {
    LIBRARY.is_some()
}

/// Opens it, if that is what `text` names.
///
/// # Errors
/// When no descriptor can be had.
pub fn open(call: &Call, text: &[u8]) -> io::Result<Option<Answer>> {
    if text != NAME.as_bytes() || !call.enforces() {
        return Ok(None);
    }
    let Some(library) = &*LIBRARY else { return Ok(None) };
    Ok(Some(Answer::AddFd { fd: own()?.reopen(library.as_fd(), libc::O_RDONLY, 0)?, cloexec: true }))
}

fn made() -> io::Result<OwnedFd> {
    let mut file = File::from(unexecutable(c"brig-ask-first", libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)?);
    file.write_all(&image())?;
    files::seal(file.as_fd(), libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL)?;
    Ok(file.into())
}
