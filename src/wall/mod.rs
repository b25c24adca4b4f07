//! The two walls: a resolved policy becomes a Landlock ruleset (`ruleset`) and a seccomp program (`filter`, from the table
//! `model::calls`); `unplugged` is the one of Brig's own helpers, `cargos` of cargo, with what leads to a network (`offline`) and what names
//! files (`named_files`); `probe` proves on this kernel that they hold. In: `judge::Policy`. Out: a ruleset descriptor and BPF instructions.

pub mod cargos;
pub mod filter;
mod named_files;
mod offline;
pub mod probe;
pub mod ruleset;
pub mod unplugged;
