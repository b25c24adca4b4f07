//! An error with the exit code it ends in, and what to do about limits that are met anywhere.

use std::{fmt, io};

use crate::model::Exit;
use crate::plan::ConfigError;

/// An error with the exit code it ends in.
#[derive(Debug)]
pub struct Stopped {
    pub exit: Exit,
    pub cause: anyhow::Error,
}

impl Stopped {
    /// Exit code 2.
    pub fn usage(cause: impl Into<anyhow::Error>) -> Self {
        Stopped { exit: Exit::Usage, cause: cause.into() }
    }

    /// Exit code 104.
    pub fn wall(cause: impl Into<anyhow::Error>) -> Self {
        Stopped { exit: Exit::NoWall, cause: cause.into() }
    }
}

impl Stopped {
    /// On the way: what is wrong with a file of the user's or the repository's is that, whoever met it; all else is what `other` makes of it.
    pub fn met(cause: anyhow::Error, other: fn(anyhow::Error) -> Self) -> Self {
        match cause.downcast::<ConfigError>() {
            Ok(error) => error.into(),
            Err(cause) => other(cause),
        }
    }
}

impl From<ConfigError> for Stopped {
    fn from(error: ConfigError) -> Self {
        Stopped { exit: Exit::Config, cause: error.into() }
    }
}

/// What nobody foresaw: no wall, no record, so never a success.
impl From<anyhow::Error> for Stopped {
    fn from(cause: anyhow::Error) -> Self {
        Stopped { exit: Exit::NoWall, cause }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.cause)?;
        match self.cause.chain().find_map(limit) {
            Some(advice) => write!(f, "\n  help: {advice}"),
            None => Ok(()),
        }
    }
}

/// Limits are met anywhere, and what to do about one is always the same.
fn limit(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let errno = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    match errno.or_else(|| cause.downcast_ref::<nix::errno::Errno>().map(|errno| *errno as i32))? {
        libc::EMFILE => Some("raise the limit on open files: `ulimit -n`"),
        // From fork(2) and pthread_create(3); nothing else of ours is told to try again.
        libc::EAGAIN => Some("raise the limit on processes: `ulimit -u`, or the container's"),
        _ => None,
    }
}
