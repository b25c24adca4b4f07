//! The gate: the supervisor of everything the confined ask the kernel (seccomp user notification, seccomp_unotify(2)). One thread per actor
//! receives its notifications, decodes registers, resolves paths and addresses once, has the policy judge the resolved object, performs the
//! act itself or refuses it, and writes the journal. Where calls wait for each other, plain reads are done by a pool of threads beside it.
//! In: an actor, its policy, its listener. Out: answers to the kernel, events to the journal.
//!
//! The loop is here: `supervisor` starts a thread (`listener`) for each actor, which makes a `call` of each notification, has one of the wings
//! treat it (`files`, `programs`, `net`), and gives the `answer`.
//!
//! Nothing an actor sends may panic, block or starve a gate thread: what cannot be read is refused and recorded.

mod answer;
mod at_start;
mod call;
mod clock;
mod compilers;
mod errand;
mod errno;
pub(crate) mod files;
mod interrupt;
mod listener;
pub mod memory;
pub mod net;
mod note;
mod offload;
mod opened;
mod own;
mod permits;
mod pool;
mod process;
mod programs;
mod repeat;
mod sandbox;
pub mod steered;
mod supervisor;
#[cfg(test)]
mod tests;
mod thread;
mod watched;

pub use answer::{Answer, Reply};
pub use call::Call;
pub use supervisor::{Alive, Gate};
pub use watched::Watched;
