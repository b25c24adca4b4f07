//! A call that is let return without having been made, so that its stack can be looked at, and that comes again.

use crate::model::Blame;

/// A call whose stack was looked at before it was made, and which is coming again.
pub(super) struct Repeat {
    pub(super) number: i64,
    pub(super) args: [u64; 6],
    pub(super) blame: Blame,
}
