//! An inert re-enactment of real incidents, for people who want to see Brig at work before they trust it: an embedded workspace whose
//! crates do what the real ones did, to a canary and to a listener on loopback. In: a directory to write it into, then the reports of
//! its scenes. Out: what was not stopped, or was blamed on the wrong crate.

mod expect;
mod play;
mod sink;
mod workspace;

pub use expect::{Expected, SCENES, Scene, check};
pub use play::play;
pub use sink::Sink;
pub use workspace::{CANARY, write};

/// Name of the variable that tells the crates where the listener is. It looks like nothing, so nothing withholds it.
pub const PORT: &str = "DEMO_PORT";
