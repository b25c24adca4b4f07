//! Files: what an actor opens, creates, changes and watches. A path is resolved once (`resolve`, `walk`), what it led to (`found`, `spot`) is
//! judged, and the act is done on that very object.
//! In: one notified call. Out: an `Answer`.

mod blocking;
pub mod change;
mod create;
mod deed;
mod existing;
pub mod found;
pub mod ioctl;
pub mod memfd;
mod metadata;
mod moved;
pub mod open;
mod published;
pub mod redact;
mod resolve;
pub mod spot;
mod terminal;
mod walk;
pub mod wanted;
pub mod watch;
