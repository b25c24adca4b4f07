//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod descriptors;
pub mod netns;
pub mod notify;
pub mod pidfd;
pub mod socket;
