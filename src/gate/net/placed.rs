//! A socket bound to a path where the kernel grants the actor nothing and the gate does: what tests leave in their own package. The name that
//! peers and getsockname(2) see is the text the actor gave, so the kernel has to resolve that text once more, as ours. It does so on a thread
//! of its own, in the actor's working directory and under its umask, behind a Landlock ruleset by which nothing can be made but a socket in the
//! directory that was judged, or below it: a link exchanged on the way may lead to a directory in there, under the name that was judged, and to
//! nothing else. A text that means another directory for us (`/proc/self/cwd/x`) is shortened to the name in that directory.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::asked::errno;
use super::unix::target_of;
use super::{descriptor, endpoint};
use crate::gate::files::found::How;
use crate::gate::files::spot::Spot;
use crate::gate::{Answer, Call};
use crate::sys::elsewhere::Elsewhere;
use crate::sys::{files, landlock, socket};

/// Binds the actor's socket to `text` (read once), whose last part was judged to be made in `spot`.
///
/// # Errors
/// The errno the call fails with.
pub fn bind(call: &Call<'_>, spot: Spot, text: &[u8]) -> Result<Answer, i32> {
    attempt(call, spot, text).map_err(|error| errno(&error))
}

fn attempt(call: &Call<'_>, spot: Spot, text: &[u8]) -> io::Result<Answer> {
    let from = |number: i32| io::Error::from_raw_os_error(number);
    let mut descriptor = descriptor::take(call, call.args[0]).map_err(from)?;
    let target = target_of(call, &mut descriptor).map_err(from)?;
    let socket = target.handle()?;
    let here = call.find(&call.start(libc::AT_FDCWD, b".".to_vec())?, How { directory: true, ..How::default() })?;
    let (name, text) = (spot.name.into_bytes(), text.to_vec());
    let (parent, ruleset) = (spot.parent.try_clone()?, landlock::sockets_only_in(spot.parent)?);
    let mask = call.umask();
    call.as_caller(move || {
        let there = Elsewhere::start("brig-bind", move || {
            // A working directory and a umask of its own.
            if !files::own_umask() {
                return Err(from(libc::EPERM));
            }
            nix::sys::prctl::set_no_new_privs()?;
            landlock::restrict_self(ruleset.as_fd())
        })?;
        there.run(|| {
            nix::unistd::fchdir(here.handle.as_fd())?;
            let named = if leads_to(&text, &parent) {
                text
            } else {
                nix::unistd::fchdir(parent.as_fd())?;
                name
            };
            let address = endpoint::encode_unix(&named).ok_or_else(|| from(libc::EINVAL))?;
            // The mode of a socket is what its umask leaves of 777, unix(7).
            files::masked(mask, 0o777, |_| socket::bind(socket.as_fd(), &address))
        })
    })?;
    Ok(target.answer(Ok(())))
}

/// Does the text, from where this thread is, name something in this very directory?
fn leads_to(text: &[u8], parent: &OwnedFd) -> bool {
    let dir = match text.iter().rposition(|byte| *byte == b'/') {
        None => Path::new("."),
        Some(at) => Path::new(OsStr::from_bytes(&text[..=at])),
    };
    let Ok(meant) = parent.try_clone().and_then(|parent| std::fs::File::from(parent).metadata()) else { return false };
    dir.metadata().is_ok_and(|found| (found.dev(), found.ino()) == (meant.dev(), meant.ino()))
}
