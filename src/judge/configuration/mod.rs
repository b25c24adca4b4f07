//! Configurations in which credentials stand beside what honest programs must know: of git, cargo, Mercurial and Jujutsu. In: a path, and
//! what is in the file. Out: its format, and a copy that holds the values of a short list of harmless keys and nothing else — no other
//! value, no comment. What cannot be parsed has no copy: it is not handed over at all.
//!
//! Keys are allowed, shapes are not: a credential has no shape, and where it may stand is whatever a tool's next version says.

mod address;
mod cargo;
pub mod copy;
pub mod dotenv;
pub mod format;
pub mod git;
mod jujutsu;
mod mercurial;
