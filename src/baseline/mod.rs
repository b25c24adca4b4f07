//! The lock of behaviours: whose code may run while a workspace is built, and what it was seen to do. In: the text of a `brig.lock`, reports. Out: a
//! [`Lock`], what is new beside it, the lock with more accepted. No files and no clock in here.
//!
//! `line` is one thing that was done, in words that two machines have in common; `fold` makes such lines of a report; `lock` is the file; `accept` and
//! `compare` put the two together.

pub mod accept;
pub mod compare;
pub mod fold;
pub mod line;
pub mod lock;
pub mod programs;
pub mod vouch;

pub use fold::Dirs;
pub use lock::{Library, Lock, Unit};
