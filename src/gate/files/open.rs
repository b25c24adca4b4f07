//! `open openat openat2 creat`: the path is resolved to a handle, the handle is judged, and the very object behind it is opened with the
//! wanted flags and handed over. Nothing is looked up twice, so nothing can be swapped in between.

use std::io;

use super::create;
use super::existing::existing;
use super::found::How;
use super::published;
use super::resolve::is_in_own_words;
use super::wanted::{TMPFILE, decode};
use crate::gate::compilers::library;
use crate::gate::errno::fail;
use crate::gate::{Answer, Call, steered};

/// Answers the four calls.
///
/// # Errors
/// The kernel's own for such an open. Also `ENOSYS` for `openat2` with `O_PATH`, whose flags the kernel would read again.
pub fn open(call: &Call) -> io::Result<Answer> {
    let (at, wanted) = decode(call)?;
    // The kernel would read these flags again from memory, where another thread may have exchanged them: to get past the wall, and past the
    // record where there is no wall.
    let settled = call.number != libc::SYS_openat2;
    if wanted.has(libc::O_PATH) && !settled {
        // Whoever uses it knows kernels that lack it.
        return fail(libc::ENOSYS);
    }
    if wanted.has(libc::O_PATH) {
        // Such a descriptor cannot be injected, and carries no data until it is opened again, which is judged.
        return Ok(Answer::Continue);
    }
    let text = call.path(at)?;
    if let Some(answer) = library::open(call, &text)? {
        return Ok(answer);
    }
    if wanted.is_plain_read()
        && let Some(answer) = published::open(call, &text, &wanted)?
    {
        return Ok(steered::opens(call, answer));
    }
    // "self" is a link, which our words for it hide. Before it comes to that, an absolute path and another mount are in the way.
    let before = libc::RESOLVE_IN_ROOT | libc::RESOLVE_BENEATH | libc::RESOLVE_NO_XDEV;
    if wanted.resolve & (libc::RESOLVE_NO_SYMLINKS | before) == libc::RESOLVE_NO_SYMLINKS && is_in_own_words(&text) {
        return fail(libc::ELOOP);
    }
    let start =
        if wanted.resolve & libc::RESOLVE_IN_ROOT == 0 { call.start(wanted.dirfd, text)? } else { call.start_in_root(wanted.dirfd, text)? };
    if wanted.has(TMPFILE) {
        create::unnamed(call, &start, &wanted)
    } else if wanted.has(libc::O_CREAT) {
        create::create(call, start, &wanted).map(|answer| steered::opens(call, answer))
    } else {
        let how = How { nofollow: wanted.has(libc::O_NOFOLLOW), directory: wanted.has(libc::O_DIRECTORY), resolve: wanted.resolve };
        existing(call, call.find(&start, how)?, &wanted).map(|answer| steered::opens(call, answer))
    }
}
