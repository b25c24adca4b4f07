//! The two walls: a resolved policy becomes a Landlock ruleset (`ruleset`) and a seccomp program (`filter`, from the table
//! `model::calls`); `unplugged` is the one of Brig's own helpers, `offline` of a cargo that only builds; `probe` proves on this kernel that they hold. In: `judge::Policy`. Out: a ruleset descriptor and BPF instructions.

pub mod filter;
pub mod offline;
pub mod probe;
pub mod ruleset;
pub mod unplugged;
