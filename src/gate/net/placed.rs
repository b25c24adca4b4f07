//! A socket bound to a path where the kernel grants the actor nothing and the gate does: what tests leave in their own package. The name that
//! peers and getsockname(2) see is the text the actor gave, so the kernel has to resolve that text once more, as ours. It does so on a thread
//! of its own, in the actor's working directory and under its umask, behind a Landlock ruleset by which nothing can be made but a socket in the
//! directory that was judged: whatever is exchanged on the way, it is made there or not at all.

use std::io;
use std::os::fd::AsFd;

use super::asked::errno;
use super::descriptor;
use super::unix::target_of;
use crate::gate::files::found::How;
use crate::gate::files::spot::Spot;
use crate::gate::{Answer, Call};
use crate::sys::elsewhere::Elsewhere;
use crate::sys::{files, landlock, socket};

/// Binds the actor's socket to `address` (the bytes it gave, read once), whose last part was judged to be made in `spot`.
///
/// # Errors
/// The errno the call fails with.
pub fn bind(call: &Call<'_>, spot: Spot, address: &[u8]) -> Result<Answer, i32> {
    attempt(call, spot, address).map_err(|error| errno(&error))
}

fn attempt(call: &Call<'_>, spot: Spot, address: &[u8]) -> io::Result<Answer> {
    let from = |number: i32| io::Error::from_raw_os_error(number);
    let mut descriptor = descriptor::take(call, call.args[0]).map_err(from)?;
    let target = target_of(call, &mut descriptor).map_err(from)?;
    let socket = target.handle()?;
    let here = call.find(&call.start(libc::AT_FDCWD, b".".to_vec())?, How { directory: true, ..How::default() })?;
    let ruleset = landlock::sockets_only_in(spot.parent)?;
    let mask = call.umask();
    call.as_caller(move || {
        let prepare = move || {
            if !files::own_umask() {
                return Err(from(libc::EPERM));
            }
            nix::unistd::fchdir(here.handle.as_fd())?;
            nix::sys::prctl::set_no_new_privs()?;
            landlock::restrict_self(ruleset.as_fd())
        };
        let there = Elsewhere::start("brig-bind", prepare)?;
        // The mode of a socket is what its umask leaves of 777, unix(7).
        there.run(|| files::masked(mask, 0o777, |_| socket::bind(socket.as_fd(), address)))
    })?;
    Ok(target.answer(Ok(())))
}
