//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod files;
pub mod memory;
pub mod notify;
#[cfg(test)]
pub mod testing;
